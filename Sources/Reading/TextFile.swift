internal import Glibc
internal import Scenario
internal import Text

/// A file that could not be taken for text.
struct FileProblem: Error, Equatable {
    var file: String
    var message: String
    /// What would be right.
    var expected: String?
    var line = 1
    var column = 1

    var diagnostic: Diagnostic {
        Diagnostic(at: SourceLocation(file: file, line: line, column: column), message, expected: expected)
    }
}

/// Files that people name. Only regular files are read, and none further than its limit: whatever is at the path, reading it
/// ends at once.
enum TextFile {
    /// - Parameters:
    ///   - limit: bytes.
    ///   - escapes: whether bytes that are not UTF-8 are taken, as `<E9>`, instead of refusing the file: rules have comments
    ///     in any encoding.
    static func read(
        _ path: String, upTo limit: Int = Limits.fileBytes, escapes: Bool = false
    ) -> Result<String, FileProblem> {
        guard !path.utf8.contains(0), access(path, F_OK) == 0 || errno != ENOENT else {
            return .failure(FileProblem(file: path, message: "there is no such file"))
        }
        do {
            let bytes = try RegularFile.bytes(of: path, upTo: limit)
            return escapes ? .success(String(escapingInvalid: bytes)) : text(of: bytes, file: path)
        } catch {
            return .failure(FileProblem(file: path, message: error.description))
        }
    }

    static func text(of bytes: [UInt8], file: String) -> Result<String, FileProblem> {
        if let text = String(validating: bytes, as: UTF8.self) { return .success(text) }
        var (line, column) = (1, 1)
        var decoder = UTF8()
        var bytesLeft = bytes.makeIterator()
        while case .scalarValue(let scalar) = decoder.decode(&bytesLeft) {
            (line, column) = scalar == "\n" ? (line + 1, 1) : (line, column + 1)
        }
        return .failure(FileProblem(file: file, message: "not UTF-8", line: line, column: column))
    }
}
