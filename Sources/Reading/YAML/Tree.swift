internal import Scenario

/// What a YAML file says, each node with its place: the scenario format is read from this, not from Yams' nodes,
/// because a merged tree mixes several files.
struct Tree: Sendable, Equatable {
    enum Content: Sendable, Equatable {
        /// `~`, `null`, or nothing at all.
        case null
        /// `plain` if it was not in quotes, so that a YAML reader takes `5` for a number and `true` for a truth value.
        case scalar(String, plain: Bool)
        case list([Tree])
        case map([Entry])
    }

    struct Entry: Sendable, Equatable {
        var key: String
        var keyLocation: SourceLocation
        var value: Tree
    }

    var content: Content
    var location: SourceLocation

    var entries: [Entry]? {
        if case .map(let entries) = content { entries } else { nil }
    }

    var elements: [Tree]? {
        if case .list(let elements) = content { elements } else { nil }
    }

    var text: String? {
        if case .scalar(let text, _) = content { text } else { nil }
    }

    subscript(key: String) -> Tree? { entry(key)?.value }

    func entry(_ key: String) -> Entry? { entries?.first { $0.key == key } }

    /// Where the innermost existing node of a path of keys stands: of its key for a mapping's entry.
    func location(of path: [String]) -> SourceLocation {
        var place = location
        var tree = self
        for key in path {
            guard let entry = tree.entry(key) else { break }
            place = entry.keyLocation
            tree = entry.value
        }
        return place
    }

    /// Where the value at the end of a path of keys stands, or its nearest existing parent.
    func valueLocation(of path: [String]) -> SourceLocation {
        var tree = self
        for (index, key) in path.enumerated() {
            guard let entry = tree.entry(key) else { return index == 0 ? tree.location : location(of: path) }
            tree = entry.value
        }
        return tree.location
    }

    /// How many values it is made of, itself included.
    var size: Int {
        switch content {
        case .null, .scalar: 1
        case .list(let elements): elements.reduce(1) { $0 + $1.size }
        case .map(let entries): entries.reduce(1) { $0 + $1.value.size }
        }
    }

    func without(_ keys: Set<String>) -> Tree {
        guard let entries else { return self }
        return Tree(content: .map(entries.filter { !keys.contains($0.key) }), location: location)
    }

    /// This tree with another laid over it: maps merge key by key, everything else is replaced, and a key without a
    /// value (`persistence: ~`) takes away what stands below it. New keys come last.
    func overlaid(by overlay: Tree) -> Tree {
        guard let below = entries, let above = overlay.entries else { return overlay }
        var result = below
        var index: [String: Int] = [:]
        for (position, entry) in below.enumerated() { index[entry.key] = position }
        var removed: Set<Int> = []
        for entry in above {
            guard let position = index[entry.key] else {
                result.append(entry)
                continue
            }
            if entry.value.content == .null {
                removed.insert(position)
            } else {
                let value = result[position].value.overlaid(by: entry.value)
                result[position] = Entry(key: entry.key, keyLocation: entry.keyLocation, value: value)
            }
        }
        let kept = result.enumerated().filter { !removed.contains($0.offset) }.map(\.element)
        return Tree(content: .map(kept), location: overlay.location)
    }
}

extension Tree {
    /// What a YAML 1.2 reader takes a plain scalar for (core schema, YAML 1.2.2 section 10.3.2).
    enum PlainKind { case null, boolean, number, text }

    static func kind(ofPlain text: String) -> PlainKind {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE", "false", "False", "FALSE": return .boolean
        case ".nan", ".NaN", ".NAN": return .number
        default: return isNumber(text) ? .number : .text
        }
    }

    private static func isNumber(_ text: String) -> Bool {
        func digits(_ part: some StringProtocol) -> Bool {
            !part.isEmpty && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }
        if text.hasPrefix("0x") {
            let rest = text.dropFirst(2)
            return !rest.isEmpty && rest.unicodeScalars.allSatisfy { $0.properties.isASCIIHexDigit }
        }
        if text.hasPrefix("0o") {
            let rest = text.dropFirst(2)
            return !rest.isEmpty && rest.utf8.allSatisfy { (0x30...0x37).contains($0) }
        }
        var rest = text[...]
        if rest.first == "-" || rest.first == "+" { rest = rest.dropFirst() }
        if rest == ".inf" || rest == ".Inf" || rest == ".INF" { return true }
        if let mark = rest.firstIndex(where: { $0 == "e" || $0 == "E" }) {
            var exponent = rest[rest.index(after: mark)...]
            if exponent.first == "-" || exponent.first == "+" { exponent = exponent.dropFirst() }
            guard digits(exponent) else { return false }
            rest = rest[..<mark]
        }
        let parts = rest.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        switch parts.count {
        case 1: return digits(parts[0])
        case 2:
            return digits(parts[0]) && (parts[1].isEmpty || digits(parts[1])) || parts[0].isEmpty && digits(parts[1])
        default: return false
        }
    }

    /// How a diagnostic names what it found.
    var found: String {
        switch content {
        case .null: "nothing"
        case .list: "a list"
        case .map: "a mapping"
        case .scalar(let text, let plain):
            switch plain ? Self.kind(ofPlain: text) : .text {
            case .number: "the number \(Self.shortened(text))"
            default: "'\(Self.shortened(text))'"
            }
        }
    }

    /// Of a text in a message: enough of it, on one line.
    static func shortened(_ text: String, to limit: Int = 60) -> String {
        // By scalars: a single character may have any number of them.
        let start = text.unicodeScalars.prefix(limit)
        let line = String(start).map { $0.isNewline ? " " : String($0) }.joined()
        return start.endIndex < text.unicodeScalars.endIndex ? line + "…" : line
    }
}
