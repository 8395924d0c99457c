extension String {
    /// One line that a terminal shows as it is: what would move its cursor, change the direction of other text, hide some or
    /// begin a line of its own is there as `<U+202E>`. A tab stays.
    ///
    /// These are control characters, format characters (marks and overrides of direction, the byte order mark, tags), line
    /// and paragraph separators, all that is shown as nothing, and what Unicode gives no meaning (private use, unassigned).
    public var printable: String {
        escaping(where: { !$0.isPrintable && $0 != "\t" }, as: { "<\($0.codePoint)>" })
    }

    /// Several lines, each printable.
    public var printableText: String {
        escaping(where: { !$0.isPrintable && $0 != "\t" && $0 != "\n" }, as: { "<\($0.codePoint)>" })
    }

    /// Bytes as one printable line: what is not UTF-8 is there as `<E9>`.
    public init(printing bytes: some Collection<UInt8>) {
        self = String(escapingInvalid: bytes).printable
    }

    /// Bytes as text, with `<E9>` for each that is not UTF-8.
    public init(escapingInvalid bytes: some Collection<UInt8>) {
        self = ""
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            if let whole = String(validating: rest, as: UTF8.self) {
                self += whole
                return
            }
            // The beginning that is valid, then the byte that is not.
            var decoder = UTF8()
            var iterator = rest.makeIterator()
            var count = 0
            scalars: while case .scalarValue(let scalar) = decoder.decode(&iterator) {
                let length = UTF8.width(scalar)
                guard length > 0 else { break scalars }
                unicodeScalars.append(scalar)
                count += length
            }
            rest = rest.dropFirst(count)
            guard let byte = rest.popFirst() else { return }
            self += "<\(byte.hexadecimal)>"
        }
    }

    /// With each scalar of a kind written in another way. Text without any, which is nearly all, is not copied.
    func escaping(
        where isSpecial: (Unicode.Scalar) -> Bool, as escape: (Unicode.Scalar) -> String
    ) -> String {
        guard unicodeScalars.contains(where: isSpecial) else { return self }
        var result = ""
        for scalar in unicodeScalars {
            if isSpecial(scalar) { result += escape(scalar) } else { result.unicodeScalars.append(scalar) }
        }
        return result
    }
}

extension Unicode.Scalar {
    /// Whether it shows as itself, on its line and without a say in how other text is shown.
    public var isPrintable: Bool {
        if value < 0x7F { return value >= 0x20 }
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: return false
        default: break
        }
        // The two that choose between a text's and a picture's form of the character before them.
        if value == 0xFE0E || value == 0xFE0F { return true }
        return !properties.isDefaultIgnorableCodePoint
    }

    /// `U+202E`
    public var codePoint: String {
        let digits = String(value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}

extension UInt8 {
    fileprivate var hexadecimal: String { (self < 16 ? "0" : "") + String(self, radix: 16, uppercase: true) }
}
