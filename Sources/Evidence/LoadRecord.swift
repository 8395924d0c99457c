public import Measurement

/// What was measured of one load. What counts is what happened, or was to happen, within a window of time.
public struct LoadRecord: Codable, Sendable, Equatable {
    /// The step's name, or that of what happened meanwhile.
    public var name: String
    /// The measured window.
    public var from: Nanoseconds
    public var to: Nanoseconds
    /// What became of the requests that were to be sent within the window: `answered`, another `Outcome`, an HTTP status
    /// (`HTTP 503`), or `not sent` for those that found no free connection until the end.
    public var outcomes: [String: Int]
    /// Requests of a closed loop that were under way when it ended.
    public var unfinished = 0
    /// Answers that came within the window.
    public var answers: Int
    /// Connections that were established within the window.
    public var connections: Int
    /// Octets of HTTP messages or datagrams, within the window.
    public var sentBytes: Int
    public var receivedBytes: Int
    /// From the moment at which each request was to be sent to the end of its answer; of those answered.
    public var latency: LatencyDistribution
    /// What crossed each port within the window.
    public var ports: [String: PortTraffic] = [:]
    public var clientPorts: [String] = []
    public var directorPorts: [String] = []
    /// Segments that were sent again within the window (Tcp.RetransSegs), by host; those with none left out.
    public var retransmissions: [String: Int] = [:]
    /// Connections that IPVS scheduled within the window; nil without IPVS.
    public var scheduled: Int?
    /// Processor time within the window, nanoseconds: of drbench's clients, of its servers, and of the whole laboratory with
    /// all it started. nil in virtual time, where computing takes none.
    public var clientTime: Int64?
    public var serverTime: Int64?
    public var laboratoryTime: Int64?

    public init(
        name: String, from: Nanoseconds, to: Nanoseconds, outcomes: [String: Int] = [:], answers: Int = 0,
        connections: Int = 0, sentBytes: Int = 0, receivedBytes: Int = 0, latency: LatencyDistribution
    ) {
        self.name = name
        self.from = from
        self.to = to
        self.outcomes = outcomes
        self.answers = answers
        self.connections = connections
        self.sentBytes = sentBytes
        self.receivedBytes = receivedBytes
        self.latency = latency
    }

    /// Seconds.
    public var duration: Double { Double(to.subtractingSaturated(from)) / 1e9 }
    public var answered: Int { outcomes[Outcome.answered.rawValue] ?? 0 }
    public var failed: Int { outcomes.values.saturatingSum.subtractingSaturated(answered) }
    public var requestsPerSecond: Double { perSecond(answers) }
    /// Bits per second of HTTP messages or datagrams, both ways.
    public var throughput: Double { 8 * perSecond(sentBytes.addingSaturated(receivedBytes)) }
    /// How much that is in a second of the window; 0 in an empty one.
    public func perSecond(_ count: Int) -> Double { from < to ? Double(count) / duration : 0 }
    /// Octets at the director's ports, in and out, by those at the clients'; nil if there are none.
    public var directorShare: Double? {
        let clients = octets(clientPorts)
        return directorPorts.isEmpty || clients == 0 ? nil : Double(octets(directorPorts)) / Double(clients)
    }

    private func octets(_ names: [String]) -> Int {
        names.lazy.compactMap { ports[$0] }.map { $0.receivedBytes.addingSaturated($0.sentBytes) }.saturatingSum
    }
}
