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
    /// From the beginning of one to the beginning of the next, which waits for the end of the one.
    public var interval: Nanoseconds
    /// The client's port; nil for one that the kernel chooses.
    public var sourcePort: UInt16?
    /// Octets of answer to ask for beyond the server's greeting.
    public var bytes: Int
    /// For connecting, and again for the whole answer.
    public var timeout: Nanoseconds

    public init(
        kind: TrafficKind, from: NamespaceHandle, to: Endpoint, count: Int = 1, interval: Nanoseconds = 0,
        sourcePort: UInt16? = nil, bytes: Int = 0, timeout: Nanoseconds = 2_000_000_000
    ) {
        self.kind = kind
        self.from = from
        self.to = to
        self.count = count
        self.interval = interval
        self.sourcePort = sourcePort
        self.bytes = bytes
        self.timeout = timeout
    }

    /// Whether the client, when it has sent its FIN, waits for the server's before it goes on. Then the pair of endpoints
    /// is in TIME_WAIT here and forgotten there, and a client that binds the same port may have it again at once
    /// (`tcp_twsk_unique`, net/ipv4/tcp_ipv4.c, which also starts beyond the old sequence numbers). Before that, connect(2)
    /// says EADDRNOTAVAIL, or the server's old socket answers the SYN with a challenge ACK.
    var awaitsServerClose: Bool { sourcePort != nil }
}

/// What clients need from the run around them.
struct ClientSurroundings: Sendable {
    var clock: @Sendable () -> Nanoseconds
    var onBytes: @Sendable (Int) -> Void
}
