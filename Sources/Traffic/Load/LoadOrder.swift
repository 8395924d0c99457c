public import Evidence
public import Net

/// What the clients of a load are to do.
public struct LoadOrder: Sendable, Equatable {
    public enum Kind: String, Sendable { case http, udp }

    /// What the record is called.
    public var name: String
    public var kind: Kind
    /// The clients' hosts; connection n belongs to host n modulo their number.
    public var clients: [NamespaceHandle]
    public var to: Endpoint
    /// Requests per second of all clients together, an open loop; nil for a closed loop.
    public var rate: Int?
    /// TCP connections, or UDP sockets; without `keepAlive` the most at a time.
    public var connections: Int
    public var keepAlive: Bool
    /// Octets of body.
    public var request: Int
    public var response: Int
    /// What counts is planned, or happens, from `warmUp` until `warmUp + duration` after the beginning.
    public var warmUp: Nanoseconds
    public var duration: Nanoseconds
    public var timeout: Nanoseconds
    /// Whether the clock stands still while anything runs: then it is read once for all that is ready, and a load that goes
    /// on without it is an error.
    public var isVirtual: Bool

    public init(
        name: String, kind: Kind, clients: [NamespaceHandle], to: Endpoint, rate: Int? = nil, connections: Int = 10,
        keepAlive: Bool = true, request: Int = 0, response: Int = 0, warmUp: Nanoseconds = 0,
        duration: Nanoseconds = 1_000_000_000, timeout: Nanoseconds = 2_000_000_000, isVirtual: Bool = false
    ) {
        self.name = name
        self.kind = kind
        self.clients = clients
        self.to = to
        self.rate = rate
        self.connections = connections
        self.keepAlive = keepAlive
        self.request = request
        self.response = response
        self.warmUp = warmUp
        self.duration = duration
        self.timeout = timeout
        self.isVirtual = isVirtual
    }
}

extension LoadOrder {
    /// nil for a closed loop.
    func schedule(from start: Nanoseconds) -> RequestSchedule? {
        rate.map { RequestSchedule(start: start, rate: $0, lasting: warmUp + duration) }
    }
}

/// When the requests of an open loop are to be sent: the first at the start, the others at equal distances. What becomes of
/// a request delays none that is planned behind it.
struct RequestSchedule: Equatable {
    var start: Nanoseconds
    /// Per second.
    var rate: Int
    /// How many.
    var count: Int

    /// All that fall into a time from the start.
    init(start: Nanoseconds, rate: Int, lasting duration: Nanoseconds) {
        self.start = start
        self.rate = rate
        let product = rate.multipliedFullWidth(by: Int(duration) + 999_999_999 / rate)
        count = max(1, Int(1_000_000_000.dividingFullWidth(product).quotient))
        while count > 1, time(of: count - 1) >= start + duration { count -= 1 }
        while time(of: count) < start + duration { count += 1 }
    }

    func time(of index: Int) -> Nanoseconds {
        let product = index.multipliedFullWidth(by: 1_000_000_000)
        return start + Nanoseconds(rate.dividingFullWidth(product).quotient)
    }
}
