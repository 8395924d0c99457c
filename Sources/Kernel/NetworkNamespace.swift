internal import CLinux
internal import Glibc
internal import Synchronization

/// A network namespace and the one thread that lives in it.
///
/// A namespace belongs to threads, not to processes: whatever must happen in it (opening a socket, starting a program,
/// writing below /proc/sys/net) happens on this thread, and a socket opened there is used from anywhere. The namespace has
/// no name in the file system: it ends when its thread, the descriptor and the sockets opened in it are gone, at the latest
/// with the process.
public final class NetworkNamespace: Sendable {
    /// The name that evidence and errors use; the kernel does not know it.
    public let name: String
    /// /proc/thread-self/ns/net of the thread, close-on-exec, for IFLA_NET_NS_FD. Valid until `close()`.
    public let fileDescriptor: Int32
    /// The thread's id: /proc/self/task/ID/net is this namespace's /proc/net, from any thread.
    let threadID: Int32
    private let thread: OwnedThread
    private let isOpen = Mutex(true)

    /// Creates a namespace. It has a loopback interface that is down, and nothing else but what the kernel puts into
    /// every namespace (`tunl0`, `sit0`, … where the tunnels are built in).
    ///
    /// Privileges: CAP_SYS_ADMIN in the process's user namespace. Errors: EPERM without them; ENOSPC at
    /// /proc/sys/user/max_net_namespaces.
    public static func create(named name: String) throws(KernelError) -> NetworkNamespace {
        try NetworkNamespace(named: name, unsharing: true)
    }

    /// The namespace that the calling thread is in, which is the process's own on every thread but a namespace's, with
    /// a thread of its own.
    public static func current(named name: String) throws(KernelError) -> NetworkNamespace {
        try NetworkNamespace(named: name, unsharing: false)
    }

    private init(named name: String, unsharing: Bool) throws(KernelError) {
        let operation = unsharing ? "create a network namespace" : "open the network namespace"
        do {
            let thread = try OwnedThread()
            (fileDescriptor, threadID) = try thread.run {
                if unsharing, drb_unshare_network() != 0 { throw KernelError(operation, code: errno, namespace: name) }
                let descriptor = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
                guard descriptor >= 0 else {
                    throw KernelError("open /proc/thread-self/ns/net", code: errno, namespace: name)
                }
                return (descriptor, drb_thread_id())
            }
            self.thread = thread
            self.name = name
        } catch {
            throw KernelError(error, during: operation, in: name)
        }
    }

    deinit {
        close()
    }

    /// Carries `body` out on the namespace's thread and waits for it. Calls come one after another, so `body` must not
    /// wait for something that another call would do.
    ///
    /// Errors: whatever `body` throws; ESHUTDOWN after `close()`.
    public func run<T: Sendable>(_ body: @Sendable () throws -> T) throws -> T {
        try thread.run(body)
    }

    /// Carries out a body in each of several namespaces, all at the same time, and waits for all of them: for what makes a
    /// kernel with several processors wait for a grace period of RCU (10 ms and more, `synchronize_net`) each time.
    ///
    /// Errors: what the first of them, in their order, throws.
    public static func runAll(
        _ jobs: [(namespace: NetworkNamespace, body: @Sendable () throws -> Void)]
    ) throws {
        let failures = Mutex([Int: any Error]())
        for (index, job) in jobs.enumerated() {
            job.namespace.thread.begin {
                do { try job.body() } catch { failures.withLock { $0[index] = error } }
            }
        }
        for job in jobs { try job.namespace.run {} }
        if let first = failures.withLock({ $0.min { $0.key < $1.key } }) { throw first.value }
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

    /// Ends the thread and closes the descriptor. May be called again. From then on `run` fails; programs and sockets
    /// that are still in the namespace keep it alive.
    public func close() {
        let wasOpen = isOpen.withLock { isOpen in
            defer { isOpen = false }
            return isOpen
        }
        guard wasOpen else { return }
        thread.stop()
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
