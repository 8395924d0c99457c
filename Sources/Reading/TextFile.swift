internal import Glibc
internal import Scenario

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
    /// - Parameter limit: bytes.
    static func read(_ path: String, upTo limit: Int = Limits.fileBytes) -> Result<String, FileProblem> {
        func problem(_ message: String, expected: String? = nil) -> Result<String, FileProblem> {
            .failure(FileProblem(file: path, message: message, expected: expected))
        }
        func tooLarge(_ size: String) -> Result<String, FileProblem> {
            problem("the file has \(size) bytes", expected: "at most \(limit)")
        }
        guard !path.utf8.contains(0) else { return problem("there is no such file") }
        // Looked at before it is opened: opening a device can do something, and opening a FIFO waits for a writer.
        var status = stat()
        guard stat(path, &status) == 0 else { return problem(reason(errno)) }
        if let kind = kind(of: status) { return problem("is a \(kind), not a regular file") }
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { return problem(reason(errno)) }
        defer { close(descriptor) }
        guard fstat(descriptor, &status) == 0 else { return problem(reason(errno)) }
        if let kind = kind(of: status) { return problem("is a \(kind), not a regular file") }
        guard status.st_size <= limit else { return tooLarge("\(status.st_size)") }

        // Files in /proc say that they have no bytes.
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: max(4096, Int(status.st_size) + 1))
        while true {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return problem(reason(errno)) }
            guard count > 0 else { return text(of: bytes, file: path) }
            bytes += buffer[..<count]
            guard bytes.count <= limit else { return tooLarge("more than \(limit)") }
        }
    }

    /// What is at a path, if it is no regular file.
    private static func kind(of status: stat) -> String? {
        switch status.st_mode & S_IFMT {
        case S_IFREG: nil
        case S_IFDIR: "directory"
        case S_IFIFO: "FIFO"
        case S_IFCHR, S_IFBLK: "device"
        case S_IFSOCK: "socket"
        default: "special file"
        }
    }

    private static func reason(_ code: Int32) -> String {
        code == ENOENT ? "there is no such file" : "cannot be read: \(String(cString: strerror(code)))"
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
