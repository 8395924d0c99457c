/// Octets as hexadecimal digits, two each, without anything between them.
public enum Hexadecimal {
    public static func encode(_ octets: some Sequence<UInt8>) -> String {
        octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// nil for an odd number of digits, and for anything that is no digit.
    public static func decode(_ digits: some StringProtocol) -> [UInt8]? {
        let values = digits.utf8.compactMap { digit in Character(UnicodeScalar(digit)).hexDigitValue }
        guard values.count == digits.utf8.count, values.count % 2 == 0 else { return nil }
        return stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
    }
}
