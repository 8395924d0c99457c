public import Scenario

/// Which scenarios a user means by words on a command line.
public struct Selection: Sendable {
    /// In their own order, each once.
    public var scenarios: [Scenario]
    /// Words that no scenario fits, with the name that was probably meant.
    public var unmatched: [(word: String, suggestion: String?)]
}

extension [Scenario] {
    /// A word is a scenario's name (it and all its variants), `name/variant`, a tag, or a glob over these (`release-*`,
    /// `*/newton`; `*` also takes a `/`). No words select everything.
    public func selected(by words: [String]) -> Selection {
        guard !words.isEmpty else { return Selection(scenarios: self, unmatched: []) }
        var used: Set<String> = []
        let chosen = filter { scenario in
            let keys = [scenario.fullName, scenario.name] + scenario.tags
            var isChosen = false
            for word in words where keys.contains(where: { Glob.matches($0, word) }) {
                used.insert(word)
                isChosen = true
            }
            return isChosen
        }
        let names = flatMap { [$0.name, $0.fullName] + $0.tags }
        let unmatched = words.filter { !used.contains($0) }.map { ($0, NearestName.of($0, among: names)) }
        return Selection(scenarios: chosen, unmatched: unmatched)
    }
}

enum Glob {
    /// `*` for any text, `?` for one character; everything else stands for itself.
    static func matches(_ text: String, _ pattern: String) -> Bool {
        let text = Array(text)
        let pattern = Array(pattern)
        var (t, p) = (0, 0)
        // Where to go on if what followed the last star did not fit: one character of text more for the star.
        var retry: (pattern: Int, text: Int)?
        while t < text.count {
            if p < pattern.count, pattern[p] == "*" {
                retry = (p + 1, t)
                p += 1
            } else if p < pattern.count, pattern[p] == "?" || pattern[p] == text[t] {
                t += 1
                p += 1
            } else if let last = retry {
                retry = (last.pattern, last.text + 1)
                p = last.pattern
                t = last.text + 1
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == "*" }
    }
}
