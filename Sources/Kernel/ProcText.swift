/// Texts of /proc, line by line and word by word, as octets.
///
/// Each step of a run reads some of them in every namespace, hundreds of numbers of which a few are not zero: strings made
/// of all of them took more of a run's processor time than anything else in its laboratory.
enum ProcText {
    /// What stands between blanks of a line. Valid only while `forEachLine` runs.
    struct Words: IteratorProtocol {
        private var rest: Slice<UnsafeBufferPointer<UInt8>>

        fileprivate init(_ line: Slice<UnsafeBufferPointer<UInt8>>) { rest = line }

        mutating func next() -> Slice<UnsafeBufferPointer<UInt8>>? {
            rest = rest.drop(while: Self.isBlank)
            guard !rest.isEmpty else { return nil }
            let word = rest.prefix { !Self.isBlank($0) }
            rest = rest[word.endIndex...]
            return word
        }

        private static func isBlank(_ octet: UInt8) -> Bool {
            octet == UInt8(ascii: " ") || octet == UInt8(ascii: "\t")
        }
    }

    /// Of each line that is not empty.
    static func forEachLine(of text: String, _ body: (Words) -> Void) {
        var text = text
        text.withUTF8 { octets in
            for line in octets.split(separator: UInt8(ascii: "\n")) { body(Words(line)) }
        }
    }

    static func string(_ octets: Slice<UnsafeBufferPointer<UInt8>>) -> String {
        String(decoding: octets, as: UTF8.self)
    }

    /// As `Int(_:radix:)` reads it; nil for what is none or has no room in an Int.
    static func integer(_ word: Slice<UnsafeBufferPointer<UInt8>>, radix: Int = 10) -> Int? {
        let isNegative = word.first == UInt8(ascii: "-")
        let digits = isNegative ? word.dropFirst() : word
        guard !digits.isEmpty else { return nil }
        var value = 0
        for octet in digits {
            let digit: Int
            switch octet {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = Int(octet) - 48
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = Int(octet) - 87
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = Int(octet) - 55
            default: return nil
            }
            guard digit < radix else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: radix)
            let (sum, carry) = product.addingReportingOverflow(digit)
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return isNegative ? -value : value
    }
}
