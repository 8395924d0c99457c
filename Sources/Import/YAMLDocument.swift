internal import Reading
internal import Text

/// A part of the scenario that is written. Whatever a text holds, it is written so that it is that text again and nothing else.
indirect enum YAMLNode {
    /// A word of drbench's own, or a number.
    case word(String)
    /// Text of the bundle's, in quotes.
    case text(String)
    /// On one line: `[a, b]`.
    case list([YAMLNode])
    /// On one line: `{a: b}`.
    case flow([(key: String, value: YAMLNode)])
    /// A line each.
    case items([YAMLNode])
    case block([YAMLLine])

    init(_ text: some CustomStringConvertible) { self = .text(text.description) }
    init(_ number: Int) { self = .word(String(number)) }
}

/// What stands on a line of its own in a mapping.
enum YAMLLine {
    /// - Parameter origin: the bundle's file that it comes from.
    case entry(String, YAMLNode, comment: String? = nil, origin: String? = nil)
    case remark(String)
    case gap
}

/// Text of a scenario, and which of the bundle's files each line comes from.
struct YAMLDocument {
    private(set) var lines: [String] = []
    /// By the line's number, from 1.
    private(set) var origins: [Int: String] = [:]

    init(_ content: [YAMLLine]) { write(content, indent: "", origin: nil) }

    var text: String { lines.joined(separator: "\n") + "\n" }

    private mutating func write(_ content: [YAMLLine], indent: String, origin: String?) {
        for line in content {
            switch line {
            case .gap: lines.append("")
            case .remark(let text): lines.append(Self.comment(text, indent: indent))
            case .entry(let key, let value, let comment, let own):
                let origin = own ?? origin
                var head = indent + Self.key(key) + ":"
                switch value {
                case .block(let inner) where inner.contains(where: \.isEntry):
                    add(head, origin)
                    write(inner, indent: indent + "  ", origin: origin)
                case .block(let inner):
                    add(head + " {}", origin)
                    write(inner, indent: indent + "  ", origin: origin)
                case .items(let items) where !items.isEmpty:
                    add(head, origin)
                    for item in items { add("\(indent)  - \(Self.inline(item))", origin) }
                default:
                    head += " " + Self.inline(value)
                    if let comment { head += "  # " + comment.printable }
                    add(head, origin)
                }
            }
        }
    }

    private mutating func add(_ line: String, _ origin: String?) {
        lines.append(line)
        if let origin { origins[lines.count] = origin }
    }

    /// A comment's line. Nothing in the text ends it.
    static func comment(_ text: String, indent: String = "") -> String {
        text.isEmpty ? indent + "#" : "\(indent)# \(text.printable)"
    }

    private static func inline(_ node: YAMLNode) -> String {
        switch node {
        case .word(let word): key(word, isValue: true)
        case .text(let text): quoted(text)
        case .list(let elements), .items(let elements): "[\(elements.map { inline($0) }.joined(separator: ", "))]"
        case .flow(let entries): "{\(entries.map { "\(key($0.key)): \(inline($0.value))" }.joined(separator: ", "))}"
        case .block(let content):
            inline(
                .flow(
                    content.compactMap { line in
                        if case .entry(let key, let value, _, _) = line { (key, value) } else { nil }
                    }))
        }
    }

    /// A key, or a word, as it is if drbench's reader takes it for that text (YAML 1.2.2, 10.3.2).
    private static func key(_ text: String, isValue: Bool = false) -> String {
        func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
        func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
        let isPlain = text.utf8.allSatisfy { isLetter($0) || isDigit($0) || "._-".utf8.contains($0) }
        let isStart = text.utf8.first.map { isLetter($0) || isValue && isDigit($0) } == true
        let isTaken = ["null", "true", "false"].contains(text.lowercased())
        return isPlain && isStart && (!isTaken || isValue) ? text : quoted(text)
    }

    /// In double quotes (YAML 1.2.2, 5.7 and 7.3.1).
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\t": result += "\\t"
            case _ where scalar.isPrintable: result.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16)
                let (letter, width) = scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
                result += "\\\(letter)" + String(repeating: "0", count: width - digits.count) + digits
            }
        }
        return result + "\""
    }
}

extension YAMLLine {
    fileprivate var isEntry: Bool { if case .entry = self { true } else { false } }
}

// What a reader must find in it.

extension PlainYAML {
    init(_ content: [YAMLLine]) {
        self = .map(
            content.compactMap { line in
                if case .entry(let key, let value, _, _) = line { Entry(key, PlainYAML(value)) } else { nil }
            })
    }

    private init(_ node: YAMLNode) {
        switch node {
        case .word(let text), .text(let text): self = .text(text)
        case .list(let elements), .items(let elements): self = .list(elements.map { PlainYAML($0) })
        case .flow(let entries): self = .map(entries.map { Entry($0.key, PlainYAML($0.value)) })
        case .block(let content): self.init(content)
        }
    }
}
