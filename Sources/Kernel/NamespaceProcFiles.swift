internal import CLinux
internal import Glibc
internal import Synchronization

/// Files below /proc/net of one network namespace, to be read from any thread.
///
/// `/proc/thread-self/net` is that of the namespace in which the thread is when it opens a file; an open file belongs to the
/// namespace for good (seq_open_net takes a reference to it) and is read again from its start with one pread.
final class NamespaceProcFiles: Sendable {
    private struct Descriptors {
        var namespace: Int32
        var files: [String: Int32] = [:]
    }

    private let descriptors: Mutex<Descriptors>

    /// Of the calling thread's namespace; opens those of `files` that exist already.
    init(opening files: [String]) throws {
        let namespace = drb_own_network()
        guard namespace >= 0 else { throw KernelError("open the network namespace", code: -namespace) }
        descriptors = Mutex(Descriptors(namespace: namespace))
        for file in files { _ = try descriptors.withLock { try Self.descriptor(of: file, in: &$0) } }
    }

    deinit {
        descriptors.withLock {
            for descriptor in $0.files.values { close(descriptor) }
            close($0.namespace)
        }
    }

    /// The file's text; nil if the namespace has no such file (the module that makes it is not loaded).
    func text(of file: String) throws -> String? {
        try descriptors.withLock { descriptors in
            guard let descriptor = try Self.descriptor(of: file, in: &descriptors) else { return nil }
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 1 << 14)
            while true {
                let count = pread(descriptor, &chunk, chunk.count, off_t(bytes.count))
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw KernelError("read /proc/net/\(file)", code: errno) }
                bytes += chunk[..<count]
                // These files are read by the page at most, and what ends one early is a record that did not fit
                // (seq_read_iter): after less than half a page it is the end.
                if count < 2048 { break }
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    private static func descriptor(of file: String, in descriptors: inout Descriptors) throws -> Int32? {
        if let known = descriptors.files[file] { return known }
        let opened = try NetworkNamespace.inside(descriptors.namespace) {
            open("/proc/thread-self/net/\(file)", O_RDONLY | O_CLOEXEC)
        }
        guard opened >= 0 else { return nil }
        descriptors.files[file] = opened
        return opened
    }
}
