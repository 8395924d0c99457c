internal import Capture
internal import Evidence
internal import FoundationEssentials
internal import Glibc
internal import Kernel
internal import Plan

/// Carries one plan out on the kernel that this process runs on, and writes what was seen to the run's folder.
public enum Laboratory {
    /// Reads `plan.json` in `folder`, carries it out, and writes `evidence.json`, `capture.pcapng` and `rules/` there. A
    /// run that fails leaves what it had seen until then, with the problem named in it.
    ///
    /// Privileges: CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_NET_RAW over the process's namespaces.
    /// - Parameters:
    ///   - engine: `uml` or `native`, for the evidence.
    ///   - seed: what randomness follows from in virtual time; nil in real time.
    ///   - visitors: asked once the plan is carried out if somebody is to come; whether the evidence is to be complete before.
    /// - Returns: whether the run came to its end, and where the plan is that the same process is to carry out next.
    public static func run(
        folder: String, engine: String, seed: UInt64?, unconfined: String? = nil, events: EventChannel,
        visitors: (_ comeAfterEvidence: Bool) -> any Visitors
    ) -> (succeeded: Bool, next: String?) {
        let kernel = kernelRelease()
        events.send(.started(kernel: kernel))
        var record = EngineRecord(name: engine, kernel: kernel, virtualTime: seed != nil, seed: seed)
        var problem: String?
        var next: String?
        do {
            let data = try Data(contentsOf: URL(filePath: folder).appending(path: "plan.json"))
            let plan = try JSONDecoder().decode(Plan.self, from: data)
            next = plan.orders?.next
            record.unconfined = unconfined ?? plan.orders?.unconfined
            let run = try Run(plan, engine: record, folder: folder, events: events)
            problem = run.carryOut { plan.orders?.visit.map { visitors($0 == .afterEvidence) } }
            if next == nil {
                // The kernel takes everything back at once: that is sooner done than to close ten files for each namespace.
                _ = Unmanaged.passRetained(run)
            } else {
                try run.endThreads()
            }
        } catch {
            problem = "\(error)"
        }
        if let problem {
            events.send(.problem(problem))
            return (false, next)
        }
        events.send(.finished)
        return (true, next)
    }

    private static func kernelRelease() -> String {
        var names = utsname()
        uname(&names)
        return withUnsafeBytes(of: names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

/// People who come to a laboratory when its plan is carried out.
public protocol Visitors {
    /// Whether the evidence is to be complete before they come.
    var comeAfterEvidence: Bool { get }

    /// Lets them in, and returns when they are to be there no more. Its clock is the host's from then on.
    /// - Parameters:
    ///   - namespaces: by the plan's names, as descriptors.
    ///   - opened: to be called once they can come.
    func receive(namespaces: [(name: String, descriptor: Int32)], opened: () -> Void) throws
}

/// The clock of a run.
struct RunClock: Sendable {
    /// Nanoseconds since 1970.
    let start: Int64
    /// Of the clock that nobody can set, at the start.
    private let steadyStart: Int64

    init() {
        steadyStart = Self.read(CLOCK_MONOTONIC)
        start = Self.read(CLOCK_REALTIME)
    }

    /// By how much somebody has set the clock forward, or back if it is negative: nanoseconds.
    var jump: Int64 {
        // However long another process had its turn between two readings, that is no jump.
        let before = Self.read(CLOCK_MONOTONIC) - steadyStart
        let shown = now()
        let after = Self.read(CLOCK_MONOTONIC) - steadyStart
        return shown < before ? shown - before : shown > after ? shown - after : 0
    }

    /// Nanoseconds since the run's start.
    func now() -> Nanoseconds { Self.read(CLOCK_REALTIME) - start }

    /// Lets time pass.
    func sleep(_ nanoseconds: Int64) {
        var wanted = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        var rest = timespec()
        while nanosleep(&wanted, &rest) != 0, errno == EINTR { wanted = rest }
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
