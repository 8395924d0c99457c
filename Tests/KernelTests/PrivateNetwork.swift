import Glibc
import Kernel
import Synchronization
import Testing

/// A network namespace of its own for a test, on a thread of its own: never the cooperative pool's, never the host's.
enum PrivateNetwork {
    /// Whether this process may make one.
    static let isAllowed = geteuid() == 0

    /// Runs `body` on a new thread in a new network namespace with the loopback up; both end with it.
    static func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        let thread = try TestThread()
        defer { thread.end() }
        // Still the test's own task, so that what `body` records is the test's.
        return try await withTaskExecutorPreference(thread) {
            try enter()
            return try body()
        }
    }

    private static func enter() throws {
        // Swift's Glibc does not import unshare(2) or CLONE_NEWNET.
        typealias Unshare = @convention(c) (Int32) -> Int32
        let unshare = unsafeBitCast(try #require(dlsym(nil, "unshare")), to: Unshare.self)
        guard unshare(0x4000_0000) == 0 else { throw KernelError("unshare the network", code: errno) }
        try Program.check(["ip", "link", "set", "lo", "up"])
    }
}

/// A thread that runs the jobs of the tasks that prefer it, until it is told to end.
private final class TestThread: TaskExecutor {
    private struct Jobs {
        var waiting: [UnownedJob] = []
        var ended = false
    }

    private let jobs = Mutex(Jobs())
    /// A pipe with one octet per arrival.
    private let arrivals: (read: Int32, write: Int32)

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw KernelError("make a pipe", code: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        arrivals = (ends[0], ends[1])
        var thread = pthread_t()
        let failed = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<TestThread>.fromOpaque(context).takeRetainedValue().work()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        guard failed == 0 else { throw KernelError("start a thread", code: failed) }
        pthread_detach(thread)
    }

    deinit {
        close(arrivals.read)
        close(arrivals.write)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        jobs.withLock { $0.waiting.append(unowned) }
        write(arrivals.write, [1], 1)
    }

    func end() {
        jobs.withLock { $0.ended = true }
        write(arrivals.write, [1], 1)
    }

    private func work() {
        var octet: UInt8 = 0
        while read(arrivals.read, &octet, 1) == 1 || errno == EINTR {
            let (job, ended) = jobs.withLock { ($0.waiting.isEmpty ? nil : $0.waiting.removeFirst(), $0.ended) }
            if let job {
                job.runSynchronously(on: asUnownedTaskExecutor())
            } else if ended {
                return
            }
        }
    }
}

/// Programs started from the calling thread, and so in its namespace.
enum Program {
    static func run(_ arguments: [String], _ input: String = "") throws -> (
        status: Int32, output: String, errors: String
    ) {
        // Files, not pipes: nothing here can wait for anything.
        let files = try (0..<3).map { _ in try temporaryFile() }
        defer { for file in files { close(file) } }
        let bytes = Array(input.utf8)
        guard write(files[0], bytes, bytes.count) == bytes.count, lseek(files[0], 0, SEEK_SET) == 0 else {
            throw KernelError("write input", code: errno)
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (descriptor, file) in files.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, file, Int32(descriptor))
        }
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var environment: [UnsafeMutablePointer<CChar>?] = [strdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), nil]
        defer { for entry in environment { free(entry) } }
        var child = pid_t()
        let failed = posix_spawn(&child, try path(of: arguments[0]), &actions, nil, &words, &environment)
        guard failed == 0 else { throw KernelError("start \(arguments[0])", code: failed) }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 {
            guard errno == EINTR else { throw KernelError("wait for \(arguments[0])", code: errno) }
        }
        let code = status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
        return (code, try text(of: files[1]), try text(of: files[2]))
    }

    /// The output of a program that must not fail.
    @discardableResult
    static func check(_ arguments: [String]) throws -> String {
        let result = try run(arguments)
        try #require(result.status == 0, "\(arguments): \(result.errors)")
        return result.output
    }

    private static func path(of program: String) throws -> String {
        try #require(
            ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 },
            "\(program) is not installed")
    }

    private static func temporaryFile() throws -> Int32 {
        var name = Array("/tmp/drbench-XXXXXX".utf8CString)
        let file = mkstemp(&name)
        guard file >= 0 else { throw KernelError("make a temporary file", code: errno) }
        unlink(name)
        _ = fcntl(file, F_SETFD, FD_CLOEXEC)
        return file
    }

    private static func text(of file: Int32) throws -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = pread(file, &chunk, chunk.count, off_t(bytes.count))
            guard count >= 0 else { throw KernelError("read output", code: errno) }
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
    }
}

/// Sockets on 127.0.0.1 of the calling thread's namespace.
enum Loopback {
    private static func address(_ host: String, _ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        return address
    }

    private static func call(
        _ host: String, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = address(host, port)
        return withUnsafeBytes(of: &address) {
            guard let base = $0.baseAddress else { return -1 }
            return body(base.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
    }

    /// Listens on a TCP port.
    static func listener(_ port: UInt16, on host: String = "0.0.0.0") throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard call(host, port, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, 8) == 0 else {
            throw KernelError("listen", code: errno)
        }
        return descriptor
    }

    /// Connects to a TCP port; nil if that fails.
    static func connection(to port: UInt16, on host: String = "127.0.0.1", from source: UInt16) -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard call("127.0.0.1", source, { bind(descriptor, $0, $1) }) == 0,
            call(host, port, { connect(descriptor, $0, $1) }) == 0
        else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    /// Sends a SYN and does not wait.
    static func attempt(to port: UInt16, on host: String = "127.0.0.1", from source: UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        defer { close(descriptor) }
        _ = call("127.0.0.1", source) { bind(descriptor, $0, $1) }
        _ = call(host, port) { connect(descriptor, $0, $1) }
    }

    /// Sends one datagram of four octets.
    static func datagram(to port: UInt16, on host: String = "127.0.0.1", from source: UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(descriptor) }
        _ = call("127.0.0.1", source) { bind(descriptor, $0, $1) }
        _ = call(host, port) { Int32(sendto(descriptor, "ping", 4, 0, $0, $1)) }
    }
}
