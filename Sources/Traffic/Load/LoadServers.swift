internal import CLinux
internal import Glibc
public import Kernel
internal import Synchronization

/// Servers for loads, all of them on one thread: HTTP over TCP and datagrams over UDP, at the same ports.
///
/// HTTP: 200 with the header `X-Drbench-Server` and, as a request's path `/bytes/N` asks, N octets; a request's body is read
/// and forgotten. Connections are kept as HTTP/1.1 has it. UDP: see `drb_answer_datagrams`. Unlike `TrafficServers` it keeps
/// no list of what it answered, and says nothing of the client.
public final class LoadServers: Sendable {
    private struct State {
        var listeners: [LoadServerLoop.Listener] = []
        var thread: OwnedThread?
        /// Readable once the thread is to end.
        var stop: Int32 = -1
    }

    private let state = Mutex(State())
    private let threadClock = Mutex<Int32?>(nil)

    public init() {}

    /// Listens at a port; before `start`.
    ///
    /// Errors: `KernelError`, EADDRINUSE if something listens there already.
    public func listen(port: UInt16, in namespace: NetworkNamespace) throws {
        let (stream, datagrams) = try namespace.run { (drb_listen(port), drb_datagram_server(port)) }
        for file in [stream, datagrams] where file < 0 {
            for other in [stream, datagrams] where other >= 0 { close(other) }
            throw KernelError("listen on \(port)", code: -file, namespace: namespace.name)
        }
        state.withLock { state in
            state.listeners.append(.init(host: namespace.name, file: stream, isStream: true))
            state.listeners.append(.init(host: namespace.name, file: datagrams, isStream: false))
        }
    }

    /// Begins to answer; does nothing without a listener.
    ///
    /// Errors: `KernelError` of the thread or its epoll instance.
    public func start() throws {
        try state.withLock { state in
            guard !state.listeners.isEmpty, state.thread == nil else { return }
            let thread = try OwnedThread()
            let stop = drb_event_descriptor()
            guard stop >= 0 else { throw KernelError("make an event descriptor", code: errno) }
            let listeners = state.listeners
            threadClock.withLock { $0 = try? thread.run { drb_thread_clock() } }
            // Made where it is used; what keeps it from being made is told here.
            try thread.run { _ = try Poller() }
            thread.begin {
                guard var loop = try? LoadServerLoop(listeners, stop: stop) else { return }
                loop.run()
            }
            state.thread = thread
            state.stop = stop
        }
    }

    /// Processor time of the servers' thread until now, nanoseconds; nil before `start`.
    public var processorTime: Int64? { threadClock.withLock { $0.map { drb_clock_time($0) } } }

    /// Closes everything and ends the thread.
    public func stop() {
        state.withLock { state in
            guard let thread = state.thread else { return }
            var one: UInt64 = 1
            _ = write(state.stop, &one, MemoryLayout<UInt64>.size)
            thread.stop()
            close(state.stop)
            state.thread = nil
            state.listeners = []
        }
        threadClock.withLock { $0 = nil }
    }
}
