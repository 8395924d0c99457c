internal import Glibc

/// Files that a run leaves.
public enum PlainFile {
    /// Makes the file, or empties it, and writes the octets. What a reader finds when this process is ended in the middle is a
    /// part of them.
    ///
    /// Unlike Foundation's `Data.write` it does not wait until they are on the disk (fsync(2)), one to ten milliseconds each
    /// time: what must outlive a crash is what this process or its kernel does, not the machine.
    ///
    /// Errors: those of open(2) and write(2).
    public static func write(_ octets: some Sequence<UInt8>, to path: String) throws(KernelError) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw KernelError("create a file", code: errno, explanation: path) }
        defer { close(file) }
        var code: Int32 = 0
        let isWritten: Void? = octets.withContiguousStorageIfAvailable { code = Self.write($0, to: file) }
        if isWritten == nil { code = Array(octets).withUnsafeBufferPointer { Self.write($0, to: file) } }
        guard code == 0 else { throw KernelError("write a file", code: code, explanation: path) }
    }

    /// Returns an errno, 0 if all is written.
    private static func write(_ octets: UnsafeBufferPointer<UInt8>, to file: Int32) -> Int32 {
        var rest = octets[...]
        while !rest.isEmpty {
            let count = Glibc.write(file, UnsafeBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return errno }
            rest = rest.dropFirst(count)
        }
        return 0
    }
}
