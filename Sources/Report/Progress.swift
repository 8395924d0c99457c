internal import Synchronization
public import Verdict

/// Says while scenarios run which one starts and how each ended, one line each.
///
/// Safe to use from several threads; lines come whole.
public final class Progress: Sendable {
    private let total: Int
    private let options: RenderOptions
    private let write: @Sendable (String) -> Void
    private let finishedCount = Mutex(0)

    /// - Parameters:
    ///   - total: how many scenarios there will be.
    ///   - options: `quiet` says nothing, `normal` what has ended, `verbose` also what starts.
    ///   - write: takes one line with its newline.
    public init(total: Int, options: RenderOptions, write: @escaping @Sendable (String) -> Void) {
        self.total = total
        self.options = options
        self.write = write
    }

    public func started(_ scenario: String) {
        guard options.detail == .verbose else { return }
        finishedCount.withLock { _ in write("start  \(scenario)\n") }
    }

    public func finished(_ verdict: Verdict) {
        finishedCount.withLock { count in
            count += 1
            guard options.detail != .quiet else { return }
            let number = String(count).leftPadded(to: String(total).count)
            let why = verdict.status == .passed ? "" : "  \(verdict.reason.printable)"
            let label = verdict.status.label(coloured: options.colour)
            write("[\(number)/\(total)] \(label) \(verdict.scenario)\(why)\n")
        }
    }
}
