internal import Net
internal import Text

// Values of a bundle's files, each checked when it is read: a mistake is told with the file, the path and the place.

/// A network interface's name, as Linux takes one: 1 to 15 bytes, not `.` or `..`, without `/`, `:` and white space
/// (dev_valid_name(), net/core/dev.c); and without what no terminal shows.
struct InterfaceName: Decodable, Hashable {
    let text: String

    init?(_ text: String) {
        let isValid =
            (1...15).contains(text.utf8.count) && text != "." && text != ".."
            && text.unicodeScalars.allSatisfy {
                $0.isPrintable && !$0.properties.isWhitespace && $0 != "/" && $0 != ":"
            }
        guard isValid else { return nil }
        self.text = text
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let name = InterfaceName(text) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "'\(text)' is no interface's name, expected 1 to 15 bytes without '/', ':' and white "
                    + "space")
        }
        self = name
    }
}

/// A whole number within bounds.
protocol BoundedNumber: Decodable {
    static var range: ClosedRange<Int> { get }
    var value: Int { get set }
    init(value: Int)
}

extension BoundedNumber {
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let value = try container.decode(Int.self)
        guard Self.range.contains(value) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription:
                    "'\(value)' is out of range, expected \(Self.range.lowerBound) to \(Self.range.upperBound)")
        }
        self.init(value: value)
    }
}

struct PrefixLength: BoundedNumber {
    static let range = 0...128
    var value: Int
}
