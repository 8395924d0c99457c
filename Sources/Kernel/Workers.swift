internal import Glibc
internal import Synchronization

/// Work that is divided among threads, where there are several processors.
///
/// On one processor nothing is gained by it, and in a lab kernel the order would no longer be always the same: there it is
/// done one after another on the calling thread.
public enum Workers {
    public static let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    /// So many threads for what waits nearly all of the time.
    public static let waiting = 256

    /// Carries `body` out for each number below `count` and waits for all of them.
    ///
    /// - Parameter threads: how many at the same time; more than there are processors for what mostly waits.
    ///
    /// Errors: what the first of them, in their order, throws; EAGAIN when the process may have no more threads.
    public static func forEach(
        _ count: Int, threads: Int = processors, _ body: @Sendable (Int) throws -> Void
    ) throws {
        let failures = Mutex([Int: any Error]())
        let next = Mutex(0)
        try withoutActuallyEscaping(body) { body in
            @Sendable func work() {
                while true {
                    let index = next.withLock { next in
                        defer { next += 1 }
                        return next
                    }
                    guard index < count else { return }
                    do { try body(index) } catch { failures.withLock { $0[index] = error } }
                }
            }
            guard processors > 1, count > 1 else { return work() }
            let threads = try (0..<min(count, threads)).map { _ in try OwnedThread() }
            for thread in threads { thread.begin(work) }
            for thread in threads { thread.stop() }
        }
        if let first = failures.withLock({ $0.min { $0.key < $1.key } }) { throw first.value }
    }

    /// What `body` makes of each number below `count`, in their order: see `forEach`.
    public static func map<T: Sendable>(
        _ count: Int, threads: Int = processors, _ body: @Sendable (Int) throws -> T
    ) throws -> [T] {
        let results = Mutex([T?](repeating: nil, count: count))
        try forEach(count, threads: threads) { index in
            let result = try body(index)
            results.withLock { $0[index] = result }
        }
        return results.withLock { $0.compactMap(\.self) }
    }
}
