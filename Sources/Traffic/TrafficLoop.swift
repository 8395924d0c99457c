internal import CLinux
internal import Glibc
internal import Kernel
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOPosix

/// One event loop: one thread, which lives in one network namespace.
///
/// A socket belongs to the namespace of the thread that made it. NIO makes it on the thread that calls the bootstrap
/// (swift-nio 2.101, NIOPosix/Bootstrap.swift: `ClientBootstrap.initializeAndRegisterNewChannel`, `ServerBootstrap.bind0`
/// and `DatagramBootstrap.withNewChannel` construct the channel, and with it the socket, before they submit anything to
/// the loop), so every bootstrap here is called from within `run`. Accepted sockets have their listener's namespace.
final class TrafficLoop: Sendable {
    let name: String
    let eventLoop: any EventLoop
    private let group: MultiThreadedEventLoopGroup
    /// What is open, in the order of opening: NIO itself would close channels in hash order.
    private let channels = NIOLockedValueBox<(next: Int, open: [(id: Int, channel: any Channel)])>((0, []))

    /// Starts the thread and moves it into the namespace.
    ///
    /// Needs CAP_SYS_ADMIN. Throws `KernelError` if setns(2) fails.
    init(_ namespace: NamespaceHandle) throws {
        name = namespace.name
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        eventLoop = group.next()
        let entered = eventLoop.submit { drb_setns(namespace.fileDescriptor) == 0 ? 0 : errno }
        let code = try entered.wait()
        guard code == 0 else {
            try? group.syncShutdownGracefully()
            throw KernelError("enter the network namespace", code: code, namespace: namespace.name)
        }
    }

    /// Runs `body` on the thread, where sockets may be made.
    func run<Value: Sendable>(_ body: @escaping @Sendable () -> EventLoopFuture<Value>) -> EventLoopFuture<Value> {
        eventLoop.flatSubmit(body)
    }

    /// Takes a new channel into care, on the loop's thread: `shutdown` closes it, unless it closes before, and programs that
    /// are started meanwhile do not inherit it. NIO's sockets have no close-on-exec flag (swift-nio 2.101,
    /// `BaseSocket.makeSocket`, `ServerSocket.accept`), and a program that held one would keep its FIN from being sent.
    func adopt(_ channel: any Channel) throws {
        try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { fd in
            guard fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 else { throw IOError(errnoCode: errno, reason: "F_SETFD") }
        }
        let id = channels.withLockedValue { channels in
            channels.next += 1
            channels.open.append((channels.next, channel))
            return channels.next
        }
        channel.closeFuture.whenComplete { [channels] _ in
            channels.withLockedValue { channels in channels.open.removeAll { $0.id == id } }
        }
    }

    /// Closes what is open, first the oldest; the thread goes on.
    func closeAll() throws {
        let closed: EventLoopFuture<Void> = run { [channels, eventLoop] in
            for (_, channel) in channels.withLockedValue({ $0.open }) { channel.close(promise: nil) }
            return eventLoop.makeSucceededVoidFuture()
        }
        try closed.wait()
    }

    /// Ends the thread. To be called once, when nothing is open.
    func end() throws { try group.syncShutdownGracefully() }
}

/// The threads that drive traffic, one for each namespace that has clients or servers: made when first needed.
///
/// Shared by `TrafficServers` and `TrafficClients`, so that a host which is both has one thread.
public final class TrafficLoops: Sendable {
    private let loops = NIOLockedValueBox<[TrafficLoop]>([])

    public init() {}

    func loop(for namespace: NamespaceHandle) throws -> TrafficLoop {
        try loops.withLockedValue { loops in
            if let loop = loops.first(where: { $0.name == namespace.name }) { return loop }
            let loop = try TrafficLoop(namespace)
            loops.append(loop)
            return loop
        }
    }

    /// Closes every server and connection in the order of their opening (plain close(2)), namespace by namespace in the
    /// order of their first use. Blocks until that is done.
    ///
    /// The threads stay, which hold their namespaces: for a process that ends soon, as a guest's, this is all it takes
    /// (NIO ends threads with libdispatch's help, which starts threads for it).
    public func closeAll() throws {
        for loop in loops.withLockedValue({ $0 }) { try loop.closeAll() }
    }

    /// Closes everything, as `closeAll` does, and ends the threads; then nothing of this room is left, and it can be used
    /// anew. Blocks until that is done.
    public func shutdown() throws {
        try closeAll()
        let ending = loops.withLockedValue { loops in
            defer { loops = [] }
            return loops
        }
        for loop in ending { try loop.end() }
    }
}
