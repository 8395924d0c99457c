/// Reads a text in JSON (RFC 8259) for its mistakes and for the place of a value.
struct JSONScanner {
    /// What keeps a text from being JSON.
    struct Mistake {
        var offset: Int
        var text: String
    }

    /// What decoders take, too.
    private static let deepest = 512

    private let bytes: [UInt8]
    private var position = 0
    /// The keys and indices of the value that is looked for.
    private var wanted: [any CodingKey] = []
    /// Where the first value begins, behind a byte order mark.
    private(set) var start = 0
    /// Where the value begins that was looked for, or the last one on the way to it that is there.
    private(set) var found: Int?
    /// As the text spells them, of the values on that way.
    private var spelled: [String] = []
    /// Where each number is.
    private(set) var numbers: [Range<Int>] = []
    /// Where a value begins whose path is looked for instead.
    private var target: Int?
    private var trail: [String] = []

    init(_ bytes: some Collection<UInt8>) {
        self.bytes = Array(bytes)
        if self.bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        start = position
    }

    /// Reads the whole text; nil if it is JSON.
    mutating func scan(lookingFor steps: [any CodingKey]) -> Mistake? {
        wanted = steps
        do throws(Problem) {
            skipSpace()
            start = position
            try value(depth: 0, onTheWay: true)
            skipSpace()
            guard position == bytes.count else { throw .expected("nothing more") }
            return nil
        } catch {
            switch error {
            case .expected(let expected):
                return Mistake(offset: position, text: "expected \(expected), found \(character(at: position))")
            case .wrong(let text): return Mistake(offset: position, text: text)
            }
        }
    }

    /// The path of the value that begins at an offset.
    mutating func path(of offset: Int) -> String {
        var copy = JSONScanner(bytes)
        copy.target = offset
        _ = copy.scan(lookingFor: [])
        return Self.pathText(copy.spelled)
    }

    // MARK: Places

    /// Both count from 1.
    func place(of offset: Int) -> (line: Int, column: Int) {
        let before = bytes[..<Swift.min(offset, bytes.count)]
        let line = before.count(where: { $0 == 0x0A }) + 1
        let rest = before.lastIndex(of: 0x0A).map { before[($0 + 1)...] } ?? before
        return (line, rest.count(where: { $0 & 0xC0 != 0x80 }) + 1)
    }

    /// What stands at an offset, in words.
    func valueText(at offset: Int) -> String {
        guard offset < bytes.count else { return "nothing" }
        switch bytes[offset] {
        case UInt8(ascii: "{"): return "an object"
        case UInt8(ascii: "["): return "a list"
        case UInt8(ascii: "\""):
            var copy = self
            copy.position = offset
            guard let text = try? copy.string() else { return "a text" }
            return "the text '\(text.count > 40 ? text.prefix(40) + "…" : text)'"
        default:
            let word = bytes[offset...].prefix(40).prefix { !Self.ends.contains($0) }
            let text = String(decoding: word, as: UTF8.self)
            return text.first?.isLetter == true ? text : "the number \(text)"
        }
    }

    /// `runs[3].verdict`, `ports["hv1:uplink"]`.
    func pathText(of steps: [any CodingKey]) -> String {
        let rest = steps.dropFirst(spelled.count).map { step in step.intValue.map { "[\($0)]" } ?? step.stringValue }
        return Self.pathText(spelled + rest)
    }

    private static func pathText(_ names: [String]) -> String {
        var path = ""
        for name in names {
            if name.hasPrefix("[") {
                path += name
            } else if name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "_" || $0 == "-" }) {
                path += (path.isEmpty ? "" : ".") + name
            } else {
                path += "[\"\(name)\"]"
            }
        }
        return path
    }

    // MARK: Reading

    private enum Problem: Error {
        case expected(String)
        case wrong(String)
    }

    private static let ends: Set<UInt8> = Set(" \t\r\n,:]}".utf8)

    private mutating func value(depth: Int, onTheWay: Bool) throws(Problem) {
        guard depth < Self.deepest else { throw .wrong("it is more than \(Self.deepest) levels deep") }
        if onTheWay { found = position }
        if target == position { spelled = trail }
        switch peek {
        case UInt8(ascii: "{"): try object(depth, onTheWay)
        case UInt8(ascii: "["): try list(depth, onTheWay)
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        case let byte? where byte == UInt8(ascii: "-") || Self.isDigit(byte): try number()
        default: throw .expected("a value")
        }
    }

    private mutating func object(_ depth: Int, _ onTheWay: Bool) throws(Problem) {
        position += 1
        skipSpace()
        if take("}") { return }
        while true {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw .expected("a key in quotes") }
            let key = try string()
            skipSpace()
            guard take(":") else { throw .expected("':'") }
            skipSpace()
            let leads = onTheWay && depth < wanted.count && spelled.count == depth && Self.means(key, wanted[depth])
            if leads { spelled.append(key) }
            if target != nil { trail.append(key) }
            try value(depth: depth + 1, onTheWay: leads)
            if target != nil { trail.removeLast() }
            skipSpace()
            if take("}") { return }
            guard take(",") else { throw .expected("',' or '}'") }
        }
    }

    /// Keys can have been turned from snake_case to camelCase.
    private static func means(_ key: String, _ step: any CodingKey) -> Bool {
        if key == step.stringValue { return true }
        return key.contains("_")
            && key.replacing("_", with: "").lowercased() == step.stringValue.replacing("_", with: "").lowercased()
    }

    private mutating func list(_ depth: Int, _ onTheWay: Bool) throws(Problem) {
        position += 1
        skipSpace()
        if take("]") { return }
        var index = 0
        while true {
            skipSpace()
            let leads =
                onTheWay && depth < wanted.count && spelled.count == depth && wanted[depth].intValue == index
            if leads { spelled.append("[\(index)]") }
            if target != nil { trail.append("[\(index)]") }
            try value(depth: depth + 1, onTheWay: leads)
            if target != nil { trail.removeLast() }
            index += 1
            skipSpace()
            if take("]") { return }
            guard take(",") else { throw .expected("',' or ']'") }
        }
    }

    private mutating func word(_ word: StaticString) throws(Problem) {
        let matches = word.withUTF8Buffer { bytes[position...].starts(with: $0) }
        guard matches else { throw .expected("a value") }
        position += word.utf8CodeUnitCount
    }

    private mutating func number() throws(Problem) {
        let start = position
        _ = take("-")
        guard let first = peek, Self.isDigit(first) else { throw .expected("a digit") }
        skipDigits()
        if first == UInt8(ascii: "0"), position > start + (bytes[start] == UInt8(ascii: "-") ? 2 : 1) {
            position = start
            throw .wrong("a number does not begin with 0")
        }
        defer { numbers.append(start..<position) }
        if take(".") {
            guard let digit = peek, Self.isDigit(digit) else { throw .expected("a digit") }
            skipDigits()
        }
        if take("e") || take("E") {
            _ = take("+") || take("-")
            guard let digit = peek, Self.isDigit(digit) else { throw .expected("a digit") }
            skipDigits()
        }
    }

    private mutating func string() throws(Problem) -> String {
        let start = position
        position += 1
        var units: [UInt16] = []
        var plain = position
        func decoded(_ range: Range<Int>) -> String? { String(validating: bytes[range], as: UTF8.self) }
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                guard let text = decoded(plain..<position) else {
                    position = plain + (bytes[plain..<position].firstIndex { $0 >= 0x80 } ?? plain) - plain
                    throw .wrong("a text that is not UTF-8")
                }
                units += Array(text.utf16)
                if byte == UInt8(ascii: "\"") {
                    position += 1
                    guard let text = String(validating: units, as: UTF16.self) else {
                        position = start
                        throw .wrong("a text with half a surrogate pair")
                    }
                    return text
                }
                position += 1
                units += try escape()
                plain = position
            case 0..<0x20: throw .wrong("a control character in a text, which begins with a quote before it")
            default: position += 1
            }
        }
        throw .expected("a quote at the text's end")
    }

    private mutating func escape() throws(Problem) -> [UInt16] {
        guard let byte = peek else { throw .expected("an escaped character") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [UInt16(byte)]
        case UInt8(ascii: "b"): return [8]
        case UInt8(ascii: "f"): return [12]
        case UInt8(ascii: "n"): return [10]
        case UInt8(ascii: "r"): return [13]
        case UInt8(ascii: "t"): return [9]
        case UInt8(ascii: "u"):
            let digits = bytes[position...].prefix(4)
            let isHexadecimal = digits.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
            guard digits.count == 4, isHexadecimal,
                let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
            else { throw .expected("four hexadecimal digits") }
            position += 4
            return [unit]
        default:
            position -= 1
            throw .expected("an escaped character such as \\n")
        }
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private mutating func skipDigits() { while let byte = peek, Self.isDigit(byte) { position += 1 } }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let byte = peek, UInt32(byte) == character.value else { return false }
        position += 1
        return true
    }

    private func character(at offset: Int) -> String {
        guard offset < bytes.count else { return "the end of the file" }
        // As much as one character can take.
        let text = String(escapingInvalid: bytes[offset...].prefix(4))
        return text.first.map { $0 == "\n" || $0 == "\r\n" ? "the end of the line" : "'\($0)'" } ?? "nothing"
    }
}
