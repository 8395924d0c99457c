internal import Evidence
internal import Glibc
internal import Kernel

/// Notices a closed loop over links that take no time. In virtual time it would go on nearly for ever: the clock moves on by a
/// hair when it is read, and only then.
struct TimelessLoop {
    /// Answers that all came sooner than this, so many of them, and less than a hair apart on average.
    private static let longestInstant: Nanoseconds = 100_000
    private static let instants = 20_000
    private static let hair: Nanoseconds = 2_000

    private var count = 0
    private var began: Nanoseconds = 0

    /// To be told each answer of a closed loop in virtual time.
    /// - Returns: what is wrong with the load, if anything is.
    mutating func answered(planned: Nanoseconds, at now: Nanoseconds, of order: LoadOrder) -> KernelError? {
        if count == 0 || now - planned >= Self.longestInstant { (count, began) = (0, now) }
        count += 1
        guard count == Self.instants else { return nil }
        count = 0
        guard now - began < Int64(Self.instants) * Self.hair else { return nil }
        return KernelError(
            "make the load '\(order.name)'", code: ETIME,
            explanation: "it takes no virtual time; give links a rate or a delay, or the load a rate")
    }
}
