internal import Glibc

/// Writes a file, in place of what it held before, readable by all that the umask lets: in a guest, where a run's files are
/// made before it starts and may only be written to. What the host writes goes through `Folder`.
///
/// It does not wait until a disk has it: Foundation's `Data.write` ends with an fsync for every file, which a suite with
/// thousands of small files spends most of its time in. What a crash of the whole machine loses can be run again.
///
/// Throws `KernelError` with the path in its operation.
public func writeFile(_ path: String, _ octets: some Collection<UInt8>) throws(KernelError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw KernelError("create \(path)", code: errno) }
    // Zero or an errno.
    let failure =
        octets.withContiguousStorageIfAvailable { writeAll(descriptor, UnsafeRawBufferPointer($0)) }
        ?? Array(octets).withUnsafeBytes { writeAll(descriptor, $0) }
    // A full disk of another machine may be told of only now.
    let code = close(descriptor) < 0 && failure == 0 ? errno : failure
    guard code == 0 else { throw KernelError("write \(path)", code: code) }
}

/// Writes all of it to an open file. Returns zero or an errno.
func writeAll(_ descriptor: Int32, _ octets: UnsafeRawBufferPointer) -> Int32 {
    var rest = octets[...]
    while !rest.isEmpty {
        let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return count < 0 ? errno : EIO }
        rest = rest.dropFirst(count)
    }
    return 0
}
