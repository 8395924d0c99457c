public import Net

/// Traffic to measure by: many requests from several clients, at a rate or as fast as they are answered.
public struct Load: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable { case http, udp }

    public var kind: Kind
    /// The clients' hosts, which share its connections evenly.
    public var from: [String]
    public var to: Endpoint
    /// Requests per second of all clients together, whether or not the answers keep up (an open loop); nil for the next as
    /// soon as one is answered (a closed loop).
    public var rate: Int?
    /// TCP connections, or UDP sockets, of all clients together; with `keepAlive` false, how many there are at most at a
    /// time.
    public var connections: Int
    /// Whether a connection is used for more than one request.
    public var keepAlive: Bool
    /// Octets of body in each request, and in each answer.
    public var request: Int
    public var response: Int
    /// What passes before anything counts, and then what is measured; nanoseconds.
    public var warmUp: Int64
    public var duration: Int64
    /// From a request's sending, or its connection's opening, to the end of the answer; nanoseconds.
    public var timeout: Int64

    public init(
        kind: Kind, from: [String], to: Endpoint, rate: Int? = nil, connections: Int = 10, keepAlive: Bool = true,
        request: Int = 0, response: Int = 0, warmUp: Int64 = 0, duration: Int64 = 1_000_000_000,
        timeout: Int64 = 2_000_000_000
    ) {
        self.kind = kind
        self.from = from
        self.to = to
        self.rate = rate
        self.connections = connections
        self.keepAlive = keepAlive
        self.request = request
        self.response = response
        self.warmUp = warmUp
        self.duration = duration
        self.timeout = timeout
    }

    /// The longest that it can take: what is sent last may be answered as late as the time limit says.
    public var longest: Int64 { warmUp + duration + timeout }
}
