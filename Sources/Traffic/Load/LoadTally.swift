internal import Evidence
internal import Measurement

/// What came of a load so far, of what falls into its window.
struct LoadTally {
    /// A request that found no free connection until the load's end.
    static let notSent = "not sent"
    /// One that was sent late and had no answer by then.
    static let unfinished = "not answered"

    let window: Range<Nanoseconds>
    private(set) var latency = LatencyHistogram()
    private var failures: [String: Int] = [:]
    private(set) var answers = 0
    private var connections = 0
    private var sent = 0
    private var received = 0
    /// Requests that a closed loop was waiting for when it ended.
    private var unfinished = 0
    private var plannedCount = 0

    init(window: Range<Nanoseconds>) { self.window = window }

    mutating func connected(at now: Nanoseconds) {
        if window.contains(now) { connections += 1 }
    }

    mutating func sent(_ octets: Int, at now: Nanoseconds) {
        if window.contains(now) { sent += octets }
    }

    /// Corrects for what a socket's buffer holds: what it held when the window began was sent in it, and what it holds at its
    /// end was not.
    mutating func sentLater(_ octets: Int) { sent += octets }

    mutating func received(_ octets: Int, at now: Nanoseconds) {
        if window.contains(now) { received += octets }
    }

    mutating func answered(planned: Nanoseconds, at now: Nanoseconds) {
        if window.contains(now) { answers += 1 }
        if window.contains(planned) { latency.record(now - planned) }
    }

    mutating func failed(planned: Nanoseconds, because reason: String) {
        if window.contains(planned) { failures[reason, default: 0] += 1 }
    }

    /// Of a load that keeps nothing of what is under way.
    mutating func planned(_ time: Nanoseconds) {
        if window.contains(time) { plannedCount += 1 }
    }

    /// Gives the reason to all that were planned and of which nothing was heard.
    mutating func fail(missing reason: String) {
        let missing = plannedCount - Int(latency.count) - failures.values.reduce(0, +)
        if missing > 0 { failures[reason, default: 0] += missing }
    }

    mutating func cut(planned: Nanoseconds) {
        if window.contains(planned) { unfinished += 1 }
    }

    func record(name: String) -> LoadRecord {
        var outcomes = failures
        if latency.count > 0 { outcomes[Outcome.answered.rawValue] = Int(latency.count) }
        var record = LoadRecord(
            name: name, from: window.lowerBound, to: window.upperBound, outcomes: outcomes, answers: answers,
            connections: connections, sentBytes: sent, receivedBytes: received, latency: latency.distribution)
        record.unfinished = unfinished
        return record
    }
}
