/// A value that JSON and YAML hold as its text.
protocol LosslessTextCodable: Codable, CustomStringConvertible {
    /// What a reader should have written, for the error message.
    static var expected: String { get }
    init?(text: String)
}

extension LosslessTextCodable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = Self(text: text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "'\(text)' is not \(Self.expected)")
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
