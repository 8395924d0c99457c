internal import Glibc

/// Files that come from outside.
public enum RegularFile {
    /// Why one is not read, without its name: `is a FIFO, not a regular file`.
    public struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
        public var description: String

        init(_ description: String) { self.description = description }
    }

    /// All that a file holds. Never waits: only regular files are read, and of these no more than the limit.
    /// - Parameters:
    ///   - limit: bytes.
    ///   - followsLinks: whether the path's last name may be a symbolic link.
    public static func bytes(of path: String, upTo limit: Int, followsLinks: Bool = true) throws(Problem) -> [UInt8] {
        // Looked at before it is opened: opening a device can do something.
        if let problem = problem(with: path, followsLinks: followsLinks) { throw problem }
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (followsLinks ? 0 : O_NOFOLLOW))
        guard descriptor >= 0 else { throw Problem("cannot be read: \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw Problem("cannot be read: \(String(cString: strerror(errno)))")
        }
        if let kind = kind(status.st_mode) { throw Problem("is a \(kind), not a regular file") }
        guard status.st_size <= limit else { throw Problem("has \(status.st_size) bytes, expected at most \(limit)") }
        var bytes: [UInt8] = []
        // What is in /proc says that it has no bytes.
        var buffer = [UInt8](repeating: 0, count: max(4096, Int(status.st_size) + 1))
        while true {
            let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Problem("cannot be read: \(String(cString: strerror(errno)))") }
            guard count > 0 else { return bytes }
            bytes += buffer[..<count]
            guard bytes.count <= limit else { throw Problem("has more than \(limit) bytes, which is the limit") }
        }
    }

    /// Why what is at a path is no regular file; nil if it is one.
    public static func problem(with path: String, followsLinks: Bool = true) -> Problem? {
        var status = stat()
        let found = followsLinks ? stat(path, &status) : lstat(path, &status)
        guard found == 0 else {
            return Problem(errno == ENOENT ? "is not there" : "cannot be read: \(String(cString: strerror(errno)))")
        }
        return kind(status.st_mode).map { Problem("is a \($0), not a regular file") }
    }

    /// What a path leads to, if it is no folder; nil if it is one.
    public static func problem(withFolder path: String) -> Problem? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            return Problem(errno == ENOENT ? "is not there" : "cannot be read: \(String(cString: strerror(errno)))")
        }
        guard status.st_mode & S_IFMT != S_IFDIR else { return nil }
        return Problem("is a \(kind(status.st_mode) ?? "file"), not a folder")
    }

    /// nil for a regular file.
    private static func kind(_ mode: mode_t) -> String? {
        switch mode & S_IFMT {
        case S_IFREG: nil
        case S_IFDIR: "folder"
        case S_IFIFO: "FIFO"
        case S_IFCHR, S_IFBLK: "device"
        case S_IFSOCK: "socket"
        case S_IFLNK: "symbolic link"
        default: "special file"
        }
    }
}
