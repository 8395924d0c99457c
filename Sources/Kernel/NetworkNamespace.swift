internal import CLinux
internal import Glibc
internal import Synchronization

/// A network namespace.
///
/// A namespace belongs to threads, not to processes: whatever must happen in it (opening a socket, starting a program,
/// writing below /proc/sys/net) happens on a thread that goes there and comes back (setns(2), two system calls of a
/// microsecond), and a socket opened there is used from anywhere. The namespace has no name in the file system: it ends when
/// its descriptor and the sockets opened in it are gone, at the latest with the process.
public final class NetworkNamespace: Sendable {
    /// The name that evidence and errors use; the kernel does not know it.
    public let name: String
    /// Of nsfs, close-on-exec, for IFLA_NET_NS_FD. Valid until `close()`.
    public let fileDescriptor: Int32
    private let isOpen = Mutex(true)

    /// Creates a namespace. It has a loopback interface that is down, and nothing else but what the kernel puts into
    /// every namespace (`tunl0`, `sit0`, … where the tunnels are built in).
    ///
    /// Privileges: CAP_SYS_ADMIN in the process's user namespace. Errors: EPERM without them; ENOSPC at
    /// /proc/sys/user/max_net_namespaces.
    public static func create(named name: String) throws(KernelError) -> NetworkNamespace {
        try NetworkNamespace(named: name, drb_make_network(), "create a network namespace")
    }

    /// Creates several at the same time: what a namespace costs is the processor's time (its /proc and sysctl entries),
    /// and only for a little of that they wait for each other.
    ///
    /// Privileges and errors: those of `create(named:)`.
    public static func create(named names: [String]) throws -> [NetworkNamespace] {
        try Workers.map(names.count) { try create(named: names[$0]) }
    }

    /// The namespace that the calling thread is in.
    public static func current(named name: String) throws(KernelError) -> NetworkNamespace {
        try NetworkNamespace(named: name, drb_own_network(), "open the network namespace")
    }

    private init(named name: String, _ descriptor: Int32, _ operation: String) throws(KernelError) {
        guard descriptor >= 0 else { throw KernelError(operation, code: -descriptor, namespace: name) }
        fileDescriptor = descriptor
        self.name = name
    }

    deinit {
        close()
    }

    /// Carries `body` out in the namespace, on the calling thread.
    ///
    /// Privileges: CAP_SYS_ADMIN. Errors: whatever `body` throws; ESHUTDOWN after `close()`.
    public func run<T>(_ body: () throws -> T) throws -> T {
        guard isOpen.withLock({ $0 }) else {
            throw KernelError("enter a closed namespace", code: ESHUTDOWN, namespace: name)
        }
        return try Self.inside(fileDescriptor, body)
    }

    /// Carries `body` out in a namespace, by its descriptor, on the calling thread.
    static func inside<T>(_ descriptor: Int32, _ body: () throws -> T) throws -> T {
        let before = drb_enter_network(descriptor)
        guard before >= 0 else { throw KernelError("enter a network namespace", code: -before) }
        defer { drb_return_to_network(before) }
        return try body()
    }

    /// Carries out a body in each of several namespaces and waits for all of them: on a kernel with several processors all
    /// at the same time, for what makes it wait for a grace period of RCU (10 ms and more, `synchronize_net`) each time; on
    /// one with a single processor, which waits for nobody, one after another.
    ///
    /// Errors: what the first of them, in their order, throws.
    public static func runAll(
        _ jobs: [(namespace: NetworkNamespace, body: @Sendable () throws -> Void)]
    ) throws {
        try Workers.forEach(jobs.count, threads: Workers.waiting) { index in
            try jobs[index].namespace.run(jobs[index].body)
        }
    }

    /// Opens a socket in the namespace, close-on-exec. The caller closes it; it keeps the namespace alive until then.
    ///
    /// Privileges: those of the kind of socket. Errors: those of socket(2).
    public func openSocket(domain: Int32, type: Int32, protocol: Int32) throws(KernelError) -> Int32 {
        let operation = "open a socket"
        do {
            return try run {
                let descriptor = drb_socket(domain, type, `protocol`)
                guard descriptor >= 0 else { throw KernelError(operation, code: errno, namespace: name) }
                return descriptor
            }
        } catch {
            throw KernelError(error, during: operation, in: name)
        }
    }

    /// Closes the descriptor. May be called again. From then on `run` fails; programs and sockets that are still in the
    /// namespace keep it alive.
    public func close() {
        let wasOpen = isOpen.withLock { isOpen in
            defer { isOpen = false }
            return isOpen
        }
        guard wasOpen else { return }
        Glibc.close(fileDescriptor)
    }
}

extension KernelError {
    /// `error` as it is if it already speaks of the kernel, with the namespace added if it named none.
    init(_ error: any Error, during operation: String, in namespace: String?) {
        if var known = error as? KernelError {
            known.namespace = known.namespace ?? namespace
            self = known
        } else {
            self.init(operation, code: EIO, explanation: "\(error)", namespace: namespace)
        }
    }
}
