public import Glibc

/// What could not be done with a file or folder, as one sentence: `cannot read results/evidence.json: it is a symbolic link`.
public struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Operation: String, Sendable {
        case open, create, read, write, remove, lock
    }

    public enum Reason: Equatable, Sendable {
        /// An errno.
        case system(Int32)
        case isNoFile(FileKind)
        case isNoFolder(FileKind)
        case isTooLarge(bytes: Int, limit: Int)
        /// Empty, `.`, `..`, or with a `/`.
        case isNoName
    }

    public var operation: Operation
    public var path: String
    public var reason: Reason

    public init(_ operation: Operation, _ path: String, _ reason: Reason) {
        self.operation = operation
        self.path = path
        self.reason = reason
    }

    public var description: String { "cannot \(operation.rawValue) \(path): \(why)" }

    private var why: String {
        switch reason {
        case .system(let code): "\(Errno.message(code)) (\(Errno.name(code)))"
        case .isNoFile(let kind): "it is \(kind.rawValue), not a regular file"
        case .isNoFolder(let kind): "it is \(kind.rawValue), not a folder"
        case .isTooLarge(let bytes, let limit): "it has \(bytes) bytes, and at most \(limit) are read"
        case .isNoName: "that is not the name of a file"
        }
    }
}

/// What a name in a folder stands for.
public enum FileKind: String, Sendable {
    case file = "a regular file"
    case folder = "a folder"
    case link = "a symbolic link"
    case pipe = "a named pipe"
    case socket = "a socket"
    case device = "a device"

    public init(mode: mode_t) {
        self =
            switch mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            case S_IFLNK: .link
            case S_IFIFO: .pipe
            case S_IFSOCK: .socket
            default: .device
            }
    }

    /// Nil if nothing has that name. Links are not followed.
    init?(of name: String, in folder: Int32) {
        var information = stat()
        guard fstatat(folder, name, &information, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
        self.init(mode: information.st_mode)
    }
}
