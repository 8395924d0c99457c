public import FoundationEssentials

/// Why a text in JSON is not what was asked for, in a user's words:
/// `results.json:12:31: runs[3].verdict.status: expected a text, found the number 7`.
public struct JSONMistake: Error, Sendable, Hashable, CustomStringConvertible {
    /// As the user knows it.
    public var file: String
    /// Both count from 1, columns in characters; nil where the text cannot tell.
    public var line: Int?
    public var column: Int?
    /// `runs[3].verdict.status`; empty for the text as a whole.
    public var path: String
    /// What is wrong, without a full stop.
    public var problem: String

    /// One line that is printable.
    public var description: String {
        var text = file
        if let line, let column { text += ":\(line):\(column)" }
        if !path.isEmpty { text += ": \(path)" }
        return "\(text): \(problem)".printable
    }

    /// - Parameters:
    ///   - error: what a decoder threw.
    ///   - bytes: what it was to decode.
    public init(_ error: any Error, in bytes: some Collection<UInt8>, of file: String) {
        self.file = file
        path = ""
        guard let error = error as? DecodingError else {
            problem = "\(error)"
            return
        }
        var scanner = JSONScanner(bytes)
        let steps = error.steps
        if let mistake = scanner.scan(lookingFor: steps) {
            (line, column) = scanner.place(of: mistake.offset)
            problem = "is not valid JSON: \(mistake.text)"
            return
        }
        path = scanner.pathText(of: steps)
        let found = scanner.found ?? scanner.start
        (line, column) = scanner.place(of: found)
        problem = error.problem(found: scanner.valueText(at: found))
    }

    /// Of numbers that do not fit where they stand the decoder does not say which.
    /// - Parameter isReadable: whether the decoder reads a text.
    fileprivate init?(aboutNumberIn bytes: Data, of file: String, isReadable: (Data) -> Bool) {
        var scanner = JSONScanner(bytes)
        guard bytes.count < 16_000_000, scanner.scan(lookingFor: []) == nil, !scanner.numbers.isEmpty else {
            return nil
        }
        let numbers = scanner.numbers
        /// With zeros for so many of the numbers.
        func reads(without count: Int) -> Bool {
            var bytes = [UInt8](bytes)
            for range in numbers.prefix(count) {
                for index in range { bytes[index] = UInt8(ascii: index == range.lowerBound ? "0" : " ") }
            }
            return isReadable(Data(bytes))
        }
        guard reads(without: numbers.count) else { return nil }
        // The least count that makes it readable ends with the last number that does not fit.
        var (low, high) = (0, numbers.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if reads(without: middle) { high = middle } else { low = middle }
        }
        let place = numbers[high - 1].lowerBound
        self.file = file
        (line, column) = scanner.place(of: place)
        path = scanner.path(of: place)
        problem = "\(scanner.valueText(at: place)) does not fit here"
    }
}

extension JSONDecoder {
    /// Decodes a file's contents.
    /// - Parameter file: what the user knows it as.
    public func decode<Value: Decodable>(
        _ type: Value.Type, from data: Data, of file: String
    ) throws(JSONMistake) -> Value {
        do {
            return try decode(type, from: data)
        } catch {
            if case DecodingError.dataCorrupted(let context) = error, context.codingPath.isEmpty,
                let mistake = JSONMistake(
                    aboutNumberIn: data, of: file, isReadable: { (try? decode(type, from: $0)) != nil })
            {
                throw mistake
            }
            throw JSONMistake(error, in: data, of: file)
        }
    }
}

extension DecodingError {
    fileprivate var steps: [any CodingKey] {
        switch self {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
            .dataCorrupted(let context):
            context.codingPath
        @unknown default: []
        }
    }

    fileprivate func problem(found: String) -> String {
        switch self {
        case .keyNotFound(let key, _): return "'\(key.stringValue)' is missing"
        case .typeMismatch(let type, _), .valueNotFound(let type, _):
            guard let expected = Self.words(for: type) else { return "\(found) is not what belongs here" }
            return "expected \(expected), found \(found)"
        case .dataCorrupted(let context):
            // A description that begins with the value is drbench's own (Net's LosslessTextCodable); others are the library's.
            if context.debugDescription.hasPrefix("'") { return context.debugDescription }
            return "\(found) is nothing that drbench knows here"
        @unknown default: return "\(found) is not what belongs here"
        }
    }

    /// What a type is called where people read it; nil for types of drbench's own.
    private static func words(for type: any Any.Type) -> String? {
        if type is String.Type { return "a text" }
        if type is Bool.Type { return "true or false" }
        if type is any BinaryInteger.Type { return "a whole number" }
        if type is any BinaryFloatingPoint.Type { return "a number" }
        if type is any DictionaryOfAnything.Type { return "an object" }
        if type is any ListOfAnything.Type { return "a list" }
        return nil
    }
}

private protocol DictionaryOfAnything {}
private protocol ListOfAnything {}
extension Dictionary: DictionaryOfAnything {}
extension Array: ListOfAnything {}
