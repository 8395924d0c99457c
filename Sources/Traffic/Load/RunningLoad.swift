internal import CLinux
public import Evidence
internal import Glibc
internal import Kernel
internal import Synchronization

/// A load that was begun: its clients, on a thread of their own.
public final class RunningLoad: Sendable {
    private let thread: OwnedThread
    private let result = Mutex<Result<LoadRecord, any Error>?>(nil)
    private let threadClock: Int32
    /// The window in which it counts, nanoseconds since the run's start.
    public let window: Range<Nanoseconds>

    /// Begins at once.
    ///
    /// Privileges: CAP_SYS_ADMIN over the clients' namespaces. Errors: `KernelError` of the thread.
    /// - Parameter clock: nanoseconds since the run's start; called on the clients' thread.
    public init(_ order: LoadOrder, clock: @escaping @Sendable () -> Nanoseconds) throws {
        thread = try OwnedThread()
        threadClock = try thread.run { drb_thread_clock() }
        let start = clock()
        window = start + order.warmUp..<start + order.warmUp + order.duration
        // Each connection has a descriptor at either end; what the process may not open fails one by one.
        _ = drb_allow_descriptors(UInt(2 * order.connections + 1024))
        thread.begin { [self] in
            let ended = Result { () throws -> LoadRecord in
                switch order.kind {
                case .http:
                    var load = try HTTPLoad(order, start: start, clock: clock)
                    return try load.run()
                case .udp:
                    var load = try DatagramLoad(order, start: start, clock: clock)
                    return try load.run()
                }
            }
            result.withLock { $0 = ended }
        }
    }

    /// Processor time of the clients' thread until now, nanoseconds.
    public var processorTime: Int64 { drb_clock_time(threadClock) }

    /// Blocks until it has come to its end. To be called once.
    ///
    /// Errors: `KernelError` of what it could not even begin, or ETIME for one that takes no time.
    public func wait() throws -> LoadRecord {
        thread.stop()
        guard let result = result.withLock({ $0 }) else { throw KernelError("make a load", code: ECANCELED) }
        return try result.get()
    }
}
