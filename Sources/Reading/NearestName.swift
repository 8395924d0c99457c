internal import Scenario

/// Finding the name that was probably meant.
public enum NearestName {
    /// The candidate with the fewest slips of the finger from `name`, the first of equals; nil if all are too far for a
    /// slip: more than a third of the letters.
    public static func of(_ name: String, among candidates: some Sequence<String>) -> String? {
        // Longer than any name here: garbage has no nearest name, and the distance takes quadratic time.
        guard name.unicodeScalars.count <= 64 else { return nil }
        var best: (name: String, distance: Int)?
        for candidate in candidates where candidate != name {
            let lengths = (name.unicodeScalars.count, candidate.unicodeScalars.count)
            let limit = max(1, max(lengths.0, lengths.1) / 3)
            // A difference of lengths is a distance already.
            guard abs(lengths.0 - lengths.1) <= limit else { continue }
            let distance = distance(name, candidate)
            if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.name
    }

    /// Damerau–Levenshtein in its restricted form (optimal string alignment): insertions, deletions, substitutions and
    /// swaps of neighbours; case does not count.
    static func distance(_ first: String, _ second: String) -> Int {
        let a = Array(first.lowercased().unicodeScalars)
        let b = Array(second.lowercased().unicodeScalars)
        guard !a.isEmpty else { return b.count }
        guard !b.isEmpty else { return a.count }
        var beforePrevious: [Int] = []
        var previous = Array(0...b.count)
        for i in 1...a.count {
            var current = [i]
            for j in 1...b.count {
                let change = a[i - 1] == b[j - 1] ? 0 : 1
                var least = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + change)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    least = min(least, beforePrevious[j - 2] + 1)
                }
                current.append(least)
            }
            beforePrevious = previous
            previous = current
        }
        return previous[b.count]
    }
}
