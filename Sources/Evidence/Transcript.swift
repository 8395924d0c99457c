public import Net

/// How a client's connection, or its exchange of datagrams, ended.
public enum Outcome: String, Codable, Sendable, CaseIterable {
    /// The whole answer came.
    case answered
    /// RST in answer to the SYN, or ICMP port unreachable (ECONNREFUSED).
    case refused
    /// RST on an established connection (ECONNRESET).
    case reset
    /// An ICMP error ended it (EHOSTUNREACH, ENETUNREACH, EACCES, EMSGSIZE, …): `Transcript.detail` has the errno's name.
    case unreachable
    /// No answer to the SYN within the time limit (or ETIMEDOUT).
    case connectTimedOut = "connect timed out"
    /// The connection was established, then no answer came within the time limit.
    case connectedThenSilent = "connected then silent"
    /// The peer closed (FIN) before its whole answer had come.
    case closedEarly = "closed early"
    /// A UDP client sent, and no answer came within the time limit.
    case noAnswer = "no answer"
    /// The client could not even send: the error is in `Transcript.detail`.
    case failed
}

/// What one client saw of one connection (or of one datagram and its answer).
public struct Transcript: Codable, Sendable, Equatable {
    /// `http`, `tcp` or `udp`.
    public var `protocol`: String
    /// The client's host.
    public var client: String
    /// The name the scenario gave to a connection that stays open.
    public var connection: String?
    public var source: Endpoint?
    public var destination: Endpoint
    public var started: Nanoseconds
    /// When connect() succeeded.
    public var connected: Nanoseconds?
    public var ended: Nanoseconds
    public var outcome: Outcome
    /// The host that answered, by its own word in the answer.
    public var server: String?
    /// The client's endpoint as that host saw it.
    public var seenFrom: Endpoint?
    /// Application bytes, not counting TCP/IP.
    public var sentBytes: Int
    public var receivedBytes: Int
    /// The errno's name (`EHOSTUNREACH`) or what else there is to say.
    public var detail: String?

    public init(
        protocol: String, client: String, connection: String? = nil, source: Endpoint? = nil, destination: Endpoint,
        started: Nanoseconds, connected: Nanoseconds? = nil, ended: Nanoseconds, outcome: Outcome,
        server: String? = nil, seenFrom: Endpoint? = nil, sentBytes: Int = 0, receivedBytes: Int = 0,
        detail: String? = nil
    ) {
        self.protocol = `protocol`
        self.client = client
        self.connection = connection
        self.source = source
        self.destination = destination
        self.started = started
        self.connected = connected
        self.ended = ended
        self.outcome = outcome
        self.server = server
        self.seenFrom = seenFrom
        self.sentBytes = sentBytes
        self.receivedBytes = receivedBytes
        self.detail = detail
    }
}
