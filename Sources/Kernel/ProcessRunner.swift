public import Evidence

/// How a program ended, and what it said.
public struct ProcessResult: Sendable, Equatable {
    public enum Ending: Sendable, Equatable {
        case exited(Int32)
        case signalled(Int32)
    }

    public var arguments: [String]
    public var ending: Ending
    public var output: String
    public var errors: String
    /// Whether it was killed because its time was up.
    public var timedOut: Bool
    /// Bytes of its output that are not kept.
    public var leftOut = 0

    public var succeeded: Bool { ending == .exited(0) }

    /// For the evidence: a signal is the status' negative.
    public var record: CommandRecord {
        let status: Int32 =
            switch ending {
            case .exited(let code): code
            case .signalled(let signal): -signal
            }
        var record = CommandRecord(arguments: arguments, status: status, output: output, errors: errors)
        record.leftOut = leftOut == 0 ? nil : leftOut
        return record
    }
}

/// Starts programs in a namespace.
///
/// A child inherits the network namespace of the thread that forks, so the namespace's thread forks.
/// swift-subprocess forks on threads of its own and has no way to choose one; hence none of it here.
///
/// A program gets a process group of its own, default signals, `/` or whatever drbench's working directory is, only the
/// standard descriptors, and the environment `PATH=/usr/local/sbin:…:/bin`, `LC_ALL=C`, `HOME=/`.
public enum ProcessRunner {
    /// Where programs are looked for.
    static let path = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]

    /// Runs a program to its end, on the caller's time: the calling thread blocks.
    ///
    /// What the program starts in the background and leaves behind is not waited for, even if it still holds the output
    /// open. `timeLimit` is in nanoseconds; when it has passed, the program's whole process group is killed.
    ///
    /// With `showsOwnSys` its /sys is that of the namespace, as under `ip netns exec`, and what it mounts is gone with it;
    /// otherwise /sys is that of where drbench is at home.
    ///
    /// `keeping` so many bytes of each of its streams at either end; nil for all that it prints.
    ///
    /// Errors, about `run PROGRAM`: ENOENT for a program that is not there; those of vfork(2) and execve(2). A program that
    /// fails is no error but a result.
    public static func run(
        _ arguments: [String], in namespace: NetworkNamespace, input: String? = nil, timeLimit: Int64? = nil,
        showsOwnSys: Bool = false, keeping room: Int? = nil
    ) throws(KernelError) -> ProcessResult {
        try ChildProcess(arguments, in: namespace, input: input, showsOwnSys: showsOwnSys, keeping: room)
            .collect(timeLimit: timeLimit)
    }

    /// Starts a program that goes on until `terminate()`. Errors and `keeping` as for `run`.
    public static func start(
        _ arguments: [String], in namespace: NetworkNamespace, input: String? = nil, showsOwnSys: Bool = false,
        keeping room: Int? = nil
    ) throws(KernelError) -> RunningProcess {
        try RunningProcess(
            ChildProcess(arguments, in: namespace, input: input, showsOwnSys: showsOwnSys, keeping: room))
    }
}

/// A program that goes on in the background, its output collected. It is killed at the latest with the last reference.
public final class RunningProcess: Sendable {
    private let child: ChildProcess
    private let collector: OwnedThread

    init(_ child: ChildProcess) throws(KernelError) {
        self.child = child
        do {
            collector = try OwnedThread()
        } catch {
            child.kill()
            _ = try? child.collect(timeLimit: nil)
            throw error
        }
        collector.begin { _ = try? child.collect(timeLimit: nil) }
    }

    deinit {
        child.kill()
        collector.stop()
    }

    public var arguments: [String] { child.arguments }
    /// The process's id, and that of its group.
    public var processID: Int32 { child.processID }
    public var isRunning: Bool { !child.hasEnded(within: 0) }
    /// What it has written to its standard output so far.
    public var output: String { child.text(of: .output) }
    /// What it has written to its standard error so far.
    public var errors: String { child.text(of: .errors) }
    /// Bytes of both that are not kept.
    public var leftOut: Int { child.leftOut }

    /// Waits for the program to end by itself, at most so many nanoseconds; whether it has.
    public func wait(atMost limit: Int64) -> Bool {
        child.hasEnded(within: limit)
    }

    /// Waits for the program to end by itself, however long that takes.
    ///
    /// Errors: ECHILD if something else in the process took the program's exit status.
    public func finish() throws(KernelError) -> ProcessResult {
        collector.stop()
        return try child.result(timedOut: false)
    }

    /// Kills the process group (SIGKILL) and waits. Errors as for `finish`.
    @discardableResult
    public func kill() throws(KernelError) -> ProcessResult {
        child.kill()
        return try finish()
    }

    /// Asks the process group to end (SIGTERM), kills what is left of it after `grace` nanoseconds, and waits. For a
    /// program that has ended by itself, how that was.
    ///
    /// Errors: ECHILD if something else in the process took the program's exit status.
    @discardableResult
    public func terminate(grace: Int64 = 2_000_000_000) throws(KernelError) -> ProcessResult {
        child.terminate()
        _ = child.hasEnded(within: grace)
        child.kill()
        collector.stop()
        return try child.result(timedOut: false)
    }
}
