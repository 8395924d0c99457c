internal import Glibc
internal import Kernel

/// What keeps this user from reading and executing a file: the file itself, or a folder on the way to it.
public struct Barrier: Sendable, Equatable, CustomStringConvertible {
    public let description: String

    /// - Parameters:
    ///   - path: absolute.
    ///   - isProgram: whether the file must be executable, not only readable.
    /// nil if nothing is in the way.
    public init?(to path: String, isProgram: Bool = true) {
        guard faccessat(AT_FDCWD, path, isProgram ? R_OK | X_OK : R_OK, AT_EACCESS) != 0 else { return nil }
        let code = errno
        let who = geteuid() == 0 ? "root" : "uid \(geteuid())"
        guard code == EACCES else {
            description = "it cannot be used: \(Errno.message(code))"
            return
        }
        var folder = ""
        for part in path.split(separator: "/").dropLast() {
            folder += "/" + part
            guard faccessat(AT_FDCWD, folder, X_OK, AT_EACCESS) != 0 else { continue }
            description =
                "\(who) may not enter \(folder); open that folder, or copy what is in it to where everyone may read it"
            return
        }
        description = "\(who) may not \(isProgram ? "read and execute" : "read") it"
    }
}
