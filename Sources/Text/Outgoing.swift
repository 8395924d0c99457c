/// What drbench prints, as it may leave: the last gate before a terminal or a log, behind which each text has been made
/// `printable` already. It holds whatever was forgotten there.
public struct Outgoing: Sendable {
    /// What a text is.
    public enum Kind: Sendable {
        /// Lines for people and for tools that read lines.
        case text
        /// The same with drbench's own colours, and progress that is written over; each text in it is printable by itself.
        case coloured
        /// JSON, which has its own way to write such characters.
        case json
        /// GitHub's workflow commands, one a line, as drbench makes them.
        case workflowCommands
    }

    /// Whether what comes next begins a line.
    private var isAtStart = true

    public init() {}

    /// The text with nothing in it but printable characters, tabs, ends of lines, where they are meant colours and the way back
    /// to a line's start that progress takes; and without a line that GitHub's runner takes for a command, but for those that
    /// are meant.
    ///
    /// That runner looks for `::` at a line's start, behind white space, and for `##[` anywhere in a line
    /// (actions/runner, ActionCommand.cs). A log can reach it from any machine: so the environment decides nothing here.
    public mutating func filtered(_ text: String, as kind: Kind = .text) -> String {
        guard !isPlain(text, kind) else { return text }
        var result = ""
        var rest = text.unicodeScalars[...]
        while let scalar = rest.first {
            if kind == .coloured, let sequence = Self.ownSequence(at: rest) {
                result.unicodeScalars.append(contentsOf: sequence)
                rest = rest.dropFirst(sequence.count)
                continue
            }
            rest.removeFirst()
            if let broken = brokenCommand(scalar, rest, kind) {
                result += broken
                isAtStart = false
                continue
            }
            if scalar == "\n" {
                isAtStart = true
            } else if !scalar.properties.isWhitespace {
                isAtStart = false
            }
            if scalar.isPrintable || scalar == "\n" || scalar == "\t" {
                result.unicodeScalars.append(scalar)
            } else {
                result += kind == .json ? Self.jsonEscape(scalar) : "<\(scalar.codePoint)>"
            }
        }
        return result
    }

    /// Whether nothing needs a change; for nearly all text, quickly.
    private mutating func isPlain(_ text: String, _ kind: Kind) -> Bool {
        var isAtStart = isAtStart
        var hashes = 0
        var colons = 0
        for byte in text.utf8 {
            guard byte >= 0x20 && byte < 0x7F || byte == 0x0A || byte == 0x09 else { return false }
            switch byte {
            case UInt8(ascii: ":"):
                colons += isAtStart ? 1 : 0
                if colons == 2, kind != .workflowCommands { return false }
            case 0x0A: (isAtStart, colons) = (true, 0)
            case 0x20, 0x09: if colons > 0 { isAtStart = false }
            default: (isAtStart, colons) = (false, 0)
            }
            if byte == UInt8(ascii: "["), hashes >= 2 { return false }
            hashes = byte == UInt8(ascii: "#") ? hashes + 1 : 0
        }
        self.isAtStart = isAtStart && colons == 0
        return true
    }

    /// What stands for a scalar that would make a command of what is behind it.
    private func brokenCommand(_ scalar: Unicode.Scalar, _ rest: Substring.UnicodeScalarView, _ kind: Kind) -> String? {
        if scalar == ":", isAtStart, rest.first == ":", kind != .workflowCommands { return "\\:" }
        if scalar == "#", rest.starts(with: ["#", "["]) { return kind == .json ? "\\u0023" : "\\#" }
        return nil
    }

    /// A colour (SGR, ECMA-48, 8.3.117), or the way to a line's start with what stood there erased (EL).
    private static func ownSequence(at rest: Substring.UnicodeScalarView) -> Substring.UnicodeScalarView? {
        if rest.starts(with: "\r\u{1B}[K".unicodeScalars) { return rest.prefix(4) }
        guard rest.starts(with: "\u{1B}[".unicodeScalars) else { return nil }
        let parameters = rest.dropFirst(2).prefix { ("0"..."9").contains($0) || $0 == ";" }
        guard parameters.count <= 8, rest.dropFirst(2 + parameters.count).first == "m" else { return nil }
        return rest.prefix(3 + parameters.count)
    }

    /// RFC 8259, section 7.
    private static func jsonEscape(_ scalar: Unicode.Scalar) -> String {
        String(scalar).utf16.map { unit in
            let digits = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }
}
