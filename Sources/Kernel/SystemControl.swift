internal import Glibc

/// Kernel parameters below /proc/sys, as sysctl(8) reads and writes them.
///
/// What stands below /proc/sys/net belongs to the namespace of the thread that opens the file, so that is done on a
/// namespace's own thread.
public enum SystemControl {
    /// Writes a parameter.
    ///
    /// `key` is written as for sysctl(8): `net.ipv4.conf.eth-vip.arp_ignore`, with a `/` for a dot within a name
    /// (`net.ipv4.conf.eth0/100.arp_ignore`), or the path itself (`net/ipv4/conf/eth0.100/arp_ignore`).
    ///
    /// Privileges: CAP_NET_ADMIN over the namespace for net.*, root for the rest. Errors, with the key: EINVAL for a key
    /// that is no path or a value that the kernel refuses; ENOENT where there is no such parameter (no such interface,
    /// a module that is not loaded, or one that only the initial namespace has).
    public static func write(_ key: String, _ value: String, in namespace: NetworkNamespace) throws(KernelError) {
        try write([(key, value)], in: namespace)
    }

    /// Writes parameters in order with one visit to the namespace, until one fails.
    public static func write(
        _ settings: [(key: String, value: String)], in namespace: NetworkNamespace
    ) throws(KernelError) {
        let operation = settings.count == 1 ? "write sysctl \(settings[0].key)" : "write sysctls"
        do {
            try namespace.run {
                for (key, value) in settings { try store(value, at: key) }
            }
        } catch {
            throw KernelError(error, during: operation, in: namespace.name)
        }
    }

    /// The parameter's value without the newline at its end. Errors as for `write`.
    public static func read(_ key: String, in namespace: NetworkNamespace) throws(KernelError) -> String {
        do {
            return try namespace.run {
                let operation = "read sysctl \(key)"
                let path = try path(of: key, during: operation)
                let text = try WholeFile(path, during: operation).text()
                return String(text.last == "\n" ? text.dropLast() : text[...])
            }
        } catch {
            throw KernelError(error, during: "read sysctl \(key)", in: namespace.name)
        }
    }

    private static func store(_ value: String, at key: String) throws(KernelError) {
        let operation = "write sysctl \(key) = \(value)"
        let descriptor = open(try path(of: key, during: operation), O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let code = errno
            throw KernelError(operation, code: code, explanation: code == ENOENT ? "no sysctl \(key) here" : nil)
        }
        defer { close(descriptor) }
        // One write: the kernel takes each as a value of its own.
        let line = Array((value + "\n").utf8)
        guard Glibc.write(descriptor, line, line.count) == line.count else {
            throw KernelError(operation, code: errno)
        }
    }

    /// /proc/sys/net/ipv4/conf/eth0.100/arp_ignore for `net.ipv4.conf.eth0/100.arp_ignore`.
    ///
    /// Whichever of `.` and `/` comes first separates the parts, as in procps; if it is the dot, the two change places.
    static func path(of key: String, during operation: String) throws(KernelError) -> String {
        let dotted = key.first { $0 == "." || $0 == "/" } == "."
        let path = dotted ? String(key.map { $0 == "." ? "/" : $0 == "/" ? "." : $0 }) : key
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count > 1, parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }), !path.contains("\0") else {
            throw KernelError(operation, code: EINVAL, explanation: "'\(key)' is no sysctl key")
        }
        return "/proc/sys/" + path
    }
}

/// A file of /proc, kept open to be read as often as one likes: reading at offset 0 lets the kernel write it anew.
final class WholeFile: Sendable {
    private let path: String
    private let operation: String
    private let descriptor: Int32
    private let isOneRecord: Bool

    /// Errors: those of open(2), about `operation`.
    /// - Parameter isOneRecord: whether the kernel writes it in one go (single_open in fs/seq_file.c). Then what leaves
    ///   room in the buffer was all, and need not be asked for the rest.
    init(_ path: String, during operation: String, isOneRecord: Bool = false) throws(KernelError) {
        self.isOneRecord = isOneRecord
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        self.path = path
        self.operation = operation
        guard descriptor >= 0 else { throw KernelError(operation, code: errno, explanation: path) }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// All of the file, now.
    func text() throws(KernelError) -> String {
        var content: [UInt8] = []
        var code: Int32 = 0
        withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 1) { buffer in
            while true {
                let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(content.count))
                if count > 0 {
                    content += buffer.prefix(count)
                    if isOneRecord, count < buffer.count { return }
                } else if count == 0 || errno != EINTR {
                    code = count == 0 ? 0 : errno
                    return
                }
            }
        }
        guard code == 0 else { throw KernelError(operation, code: code, explanation: path) }
        return String(decoding: content, as: UTF8.self)
    }
}
