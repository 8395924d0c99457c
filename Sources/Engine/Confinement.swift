internal import CLinux
internal import Glibc
internal import Kernel

/// What this host's kernel has to keep a laboratory's process from changing the host, whatever happens inside: decided before
/// the process starts, from outside, and for ever.
public struct Confinement: Sendable, Equatable {
    /// The version of Landlock's interface (landlock(7)); 0 without it.
    public var landlock: Int
    /// Whether the kernel takes a filter of system calls (seccomp(2)).
    public var hasCallFilter: Bool

    public init(landlock: Int, hasCallFilter: Bool) {
        self.landlock = landlock
        self.hasCallFilter = hasCallFilter
    }

    /// Of this host.
    public static let ofThisHost = Confinement(
        landlock: Int(drb_landlock_version()), hasCallFilter: drb_has_filter())

    /// Whether nothing but a run's own files can be written.
    public var isComplete: Bool { landlock > 0 && hasCallFilter }

    /// What is missing, as a sentence; nil if nothing is.
    public var gap: String? {
        if isComplete { return nil }
        return landlock == 0
            ? "this host has no Landlock (Linux 5.13 or newer, 'landlock' in /sys/kernel/security/lsm): only the lab kernel"
                + " itself keeps a run from writing this user's files"
            : "this host has no filter for system calls (CONFIG_SECCOMP_FILTER): only the lab kernel itself keeps a run from"
                + " changing owners and modes of this user's files"
    }

    /// `Landlock 7 and a system call filter: nothing but a run's own files can be written`.
    public var description: String {
        gap ?? "Landlock \(landlock) and a system call filter: nothing but a run's own files can be written"
    }
}

/// The Landlock rules of one process.
struct WritableFiles: ~Copyable {
    /// DRB_NO_RULES where there is no Landlock.
    let rules: Int32

    init() throws(RunFailure) {
        let made = drb_landlock_rules()
        guard made >= 0 || made == -ENOSYS else {
            throw RunFailure(.couldNotStart, "cannot make Landlock rules: \(Errno.name(-made))")
        }
        rules = made >= 0 ? made : DRB_NO_RULES
    }

    deinit { if rules >= 0 { close(rules) } }

    /// Lets the process write to what the descriptor stands for.
    func allow(_ descriptor: Int32, _ kind: drb_place) throws(RunFailure) {
        guard rules >= 0 else { return }
        let status = drb_allow_writing(rules, descriptor, kind)
        guard status == 0 else {
            throw RunFailure(.couldNotStart, "cannot add a Landlock rule: \(Errno.name(-status))")
        }
    }

    /// Lets the process write to what has this path.
    func allow(_ path: String, _ kind: drb_place) throws(RunFailure) {
        let place = open(path, O_RDONLY | O_CLOEXEC)
        guard place >= 0 else { throw RunFailure(.couldNotStart, "cannot open \(path): \(Errno.message(errno))") }
        defer { close(place) }
        try allow(place, kind)
    }
}
