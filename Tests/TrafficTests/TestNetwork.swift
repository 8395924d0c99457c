import CLinux
import Glibc
import Synchronization
import Traffic

/// What stops these tests, or why a command of theirs failed.
struct TestNetworkError: Error, CustomStringConvertible {
    var description: String
}

/// pthread's entry point takes no closure.
private final class Entry {
    let run: () -> Void
    init(_ run: @escaping () -> Void) { self.run = run }

    static func start(_ run: @escaping () -> Void) throws -> pthread_t {
        var thread = pthread_t()
        let entry = Unmanaged.passRetained(Entry(run))
        let status = pthread_create(
            &thread, nil,
            { entry in
                if let entry { Unmanaged<Entry>.fromOpaque(entry).takeRetainedValue().run() }
                return nil
            }, entry.toOpaque())
        guard status == 0 else { throw TestNetworkError(description: "pthread_create: \(status)") }
        return thread
    }
}

/// What a thread leaves behind.
private final class Left<Value: Sendable>: Sendable {
    let result = Mutex<Result<Value, any Error>?>(nil)
}

/// Runs `body` on a thread of its own: what it does to its network namespace ends with it.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
    let left = Left<Value>()
    let thread = try Entry.start {
        let result = Result { try body() }
        left.result.withLock { $0 = result }
    }
    pthread_join(thread, nil)
    guard let result = left.result.withLock({ $0 }) else { throw TestNetworkError(description: "no result") }
    return try result.get()
}

/// A network namespace that lives as long as this object.
final class TestNamespace: Sendable {
    let handle: NamespaceHandle

    init(_ name: String) throws {
        let fd = try onThread {
            guard drb_unshare_net() == 0 else { throw TestNetworkError(description: "unshare: errno \(errno)") }
            return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        }
        guard fd >= 0 else { throw TestNetworkError(description: "open /proc/thread-self/ns/net") }
        handle = NamespaceHandle(name: name, fileDescriptor: fd)
    }

    deinit { Glibc.close(handle.fileDescriptor) }

    /// A path by which other processes can name this namespace.
    var path: String { "/proc/\(getpid())/fd/\(handle.fileDescriptor)" }

    /// Runs shell commands in the namespace; throws if one fails.
    func run(_ script: String) throws {
        try onThread { [handle] in
            guard drb_setns(handle.fileDescriptor) == 0 else { throw TestNetworkError(description: "setns") }
            let words: [String] = ["/bin/sh", "-ec", script]
            let arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
            defer { for argument in arguments { free(argument) } }
            var process = pid_t()
            guard posix_spawn(&process, "/bin/sh", nil, nil, arguments, environ) == 0 else {
                throw TestNetworkError(description: "posix_spawn")
            }
            var status: Int32 = 0
            while waitpid(process, &status, 0) < 0, errno == EINTR {}
            guard status == 0 else {
                throw TestNetworkError(description: "\(handle.name): '\(script)' failed: \(status)")
            }
        }
    }

    /// Accepts one connection on a port, hands it to `serve`, and closes it. Listens when this returns.
    func acceptOnce(port: UInt16, _ serve: @escaping @Sendable (Int32) -> Void) throws {
        let listener = try onThread { [handle] in
            guard drb_setns(handle.fileDescriptor) == 0 else { throw TestNetworkError(description: "setns") }
            let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            let bound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard bound == 0, listen(fd, 1) == 0 else { throw TestNetworkError(description: "listen: errno \(errno)") }
            return fd
        }
        let thread = try Entry.start {
            let connection = accept(listener, nil, nil)
            Glibc.close(listener)
            serve(connection)
            Glibc.close(connection)
        }
        pthread_detach(thread)
    }
}

/// Two hosts on one wire. The server also has the VIP 203.0.113.2 on its loopback, and the client's default route.
struct TestNetwork {
    static let isPossible = (try? TestNamespace("probe")) != nil

    let client: TestNamespace
    let server: TestNamespace
    let loops = TrafficLoops()
    let servers: TrafficServers
    let clients: TrafficClients
    private let received = Counter()

    final class Counter: Sendable {
        let count = Atomic<Int>(0)
    }

    /// What `onBytes` was told, in sum.
    var bytesReported: Int { received.count.load(ordering: .sequentiallyConsistent) }

    init() throws {
        client = try TestNamespace("client")
        server = try TestNamespace("rs1")
        try server.run("ip link set lo up")
        try client.run(
            """
            ip link set lo up
            ip link add eth0 type veth peer name eth0 netns \(server.path)
            """)
        try server.run(
            """
            ip addr add 198.51.100.2/24 dev eth0; ip addr add 2001:db8::2/64 dev eth0 nodad; ip link set eth0 up
            ip addr add 203.0.113.2/32 dev lo; ip addr add 2001:db8:1::2/128 dev lo nodad
            echo 1 > /proc/sys/net/ipv4/ip_forward
            """)
        try client.run(
            """
            ip addr add 198.51.100.10/24 dev eth0; ip addr add 2001:db8::10/64 dev eth0 nodad; ip link set eth0 up
            ip route add default via 198.51.100.2; ip -6 route add default via 2001:db8::2
            """)
        var start = timespec()
        clock_gettime(CLOCK_MONOTONIC, &start)
        let clock: @Sendable () -> Int64 = { [start] in
            var now = timespec()
            clock_gettime(CLOCK_MONOTONIC, &now)
            return Int64(now.tv_sec - start.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec - start.tv_nsec)
        }
        servers = TrafficServers(loops: loops, clock: clock)
        clients = TrafficClients(loops: loops, clock: clock) { [received] count in
            received.count.add(count, ordering: .sequentiallyConsistent)
        }
    }
}

/// Builds the network, runs `body`, and closes all traffic.
func withNetwork(_ body: (TestNetwork) throws -> Void) throws {
    let network = try TestNetwork()
    let result = Result { try body(network) }
    try network.loops.shutdown()
    try result.get()
}
