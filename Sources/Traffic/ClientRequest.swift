public import Evidence
public import Net

/// What a client is to do.
public struct ClientRequest: Sendable, Equatable {
    public var kind: TrafficKind
    /// The client's host.
    public var from: NamespaceHandle
    public var to: Endpoint
    /// How many requests, one after another, each on a connection (or socket) of its own.
    public var count: Int
    /// The client's port; nil for one that the kernel chooses.
    public var sourcePort: UInt16?
    /// Octets of answer to ask for beyond the server's greeting.
    public var bytes: Int
    /// For connecting, and again for the whole answer.
    public var timeout: Nanoseconds

    public init(
        kind: TrafficKind, from: NamespaceHandle, to: Endpoint, count: Int = 1, sourcePort: UInt16? = nil,
        bytes: Int = 0, timeout: Nanoseconds = 2_000_000_000
    ) {
        self.kind = kind
        self.from = from
        self.to = to
        self.count = count
        self.sourcePort = sourcePort
        self.bytes = bytes
        self.timeout = timeout
    }

    /// Whether the server is to close first. Who closes first has to keep the pair of endpoints in TIME_WAIT for a minute;
    /// a client that wants its port again at once must not be the one (`__inet_check_established`: EADDRNOTAVAIL).
    var asksServerToClose: Bool { sourcePort != nil }
}

/// What clients need from the run around them.
struct ClientSurroundings: Sendable {
    var clock: @Sendable () -> Nanoseconds
    var onBytes: @Sendable (Int) -> Void
}
