public import Net

/// A virtual service of IPVS, with everything that `ipvsadm -A` can say of it but its persistence engine.
public struct IPVSVirtualService: Sendable, Equatable {
    /// What makes a packet one of the service's.
    public enum Key: Sendable, Hashable {
        case endpoint(Transport, Endpoint)
        /// By firewall mark (`ipvsadm -f`), for one address family.
        case firewallMark(UInt32, IPAddress.Family)
    }

    public enum Transport: String, Sendable, CaseIterable {
        case tcp, udp, sctp
    }

    /// IP_VS_SVC_F_SCHED1 to 3: what they mean is the scheduler's matter.
    public struct SchedulerFlags: OptionSet, Sendable, Hashable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// `sh-fallback`, `mh-fallback`: another real server if the hashed one has weight 0.
        public static let fallback = SchedulerFlags(rawValue: 1)
        /// `sh-port`, `mh-port`: the source port is hashed, too.
        public static let port = SchedulerFlags(rawValue: 2)
        /// `flag-3`: no scheduler of Linux 6.12 knows it.
        public static let third = SchedulerFlags(rawValue: 4)
    }

    public var key: Key
    public var scheduler: String
    public var schedulerFlags: SchedulerFlags
    /// Seconds for which a client keeps its real server; nil for none.
    public var persistence: UInt32?
    /// Clients with this many leading address bits in common are one to persistence; nil for all bits.
    public var persistencePrefix: Int?
    /// Every datagram is scheduled by itself (UDP only).
    public var onePacket: Bool

    public init(
        _ key: Key, scheduler: String, schedulerFlags: SchedulerFlags = [], persistence: UInt32? = nil,
        persistencePrefix: Int? = nil, onePacket: Bool = false
    ) {
        self.key = key
        self.scheduler = scheduler
        self.schedulerFlags = schedulerFlags
        self.persistence = persistence
        self.persistencePrefix = persistencePrefix
        self.onePacket = onePacket
    }

    public var family: IPAddress.Family { key.family }
}

extension IPVSVirtualService.Key: CustomStringConvertible {
    public var family: IPAddress.Family {
        switch self {
        case .endpoint(_, let endpoint): endpoint.address.family
        case .firewallMark(_, let family): family
        }
    }

    /// As ipvsadm's command line has it: `-t 203.0.113.2:80`, `-f 5 -6`.
    public var description: String {
        switch self {
        case .endpoint(.tcp, let endpoint): "-t \(endpoint)"
        case .endpoint(.udp, let endpoint): "-u \(endpoint)"
        case .endpoint(.sctp, let endpoint): "--sctp-service \(endpoint)"
        // ipvsadm prints a mark with %d.
        case .firewallMark(let mark, .v4): "-f \(Int32(bitPattern: mark))"
        case .firewallMark(let mark, .v6): "-f \(Int32(bitPattern: mark)) -6"
        }
    }

    /// ipvsadm's order: by mark, address family, protocol, address, port.
    static func inOrder(_ a: Self, _ b: Self) -> Bool {
        func order(_ key: Self) -> (UInt32, UInt8, Int, IPAddress?, UInt16) {
            switch key {
            case .endpoint(let transport, let endpoint):
                (0, endpoint.address.family.rawValue, transport.order, endpoint.address, endpoint.port)
            case .firewallMark(let mark, let family): (mark, family.rawValue, 0, nil, 0)
            }
        }
        let (x, y) = (order(a), order(b))
        if (x.0, x.1, x.2) != (y.0, y.1, y.2) { return (x.0, x.1, x.2) < (y.0, y.1, y.2) }
        guard let first = x.3, let second = y.3 else { return false }
        return (first, x.4) < (second, y.4)
    }
}

extension IPVSVirtualService.Transport {
    /// As the protocol numbers 6, 17 and 132 order them.
    fileprivate var order: Int {
        switch self {
        case .tcp: 0
        case .udp: 1
        case .sctp: 2
        }
    }
}

/// A real server of a virtual service: what `ipvsadm -a` can say of it.
public struct IPVSRealServer: Sendable, Equatable {
    /// ipvsadm's "Forward" column.
    public enum Forwarding: String, Sendable, CaseIterable {
        /// Direct Routing (`-g`).
        case route = "Route"
        /// NAT (`-m`).
        case masquerade = "Masq"
        /// IP in IP (`-i`).
        case tunnel = "Tunnel"
        /// The director itself. The kernel decides that by the address; it is read back as what it was added as.
        case local = "Local"
        case bypass = "Bypass"
    }

    /// How packets are wrapped for a real server behind a tunnel.
    public struct Tunnel: Sendable, Equatable {
        public enum Kind: String, Sendable, CaseIterable { case ipip, gue, gre }
        /// Of the outer header, for GUE and GRE.
        public enum Checksum: String, Sendable, CaseIterable {
            case none = "nocsum"
            case full = "csum"
            /// Remote checksum offload, GUE only.
            case remote = "remcsum"
        }

        public var kind: Kind
        /// GUE's UDP port.
        public var port: UInt16
        public var checksum: Checksum

        public init(kind: Kind = .ipip, port: UInt16 = 0, checksum: Checksum = .none) {
            self.kind = kind
            self.port = port
            self.checksum = checksum
        }
    }

    public var address: IPAddress
    /// What packets are sent to with masquerading; otherwise the kernel takes the service's port.
    public var port: UInt16
    public var forwarding: Forwarding
    /// 0 takes no new connections.
    public var weight: UInt32
    /// Above so many connections it takes no new ones (0: no limit) …
    public var upperThreshold: UInt32
    /// … until it is below so many again.
    public var lowerThreshold: UInt32
    public var tunnel: Tunnel?

    public init(
        _ address: IPAddress, port: UInt16, forwarding: Forwarding = .route, weight: UInt32 = 1,
        upperThreshold: UInt32 = 0, lowerThreshold: UInt32 = 0, tunnel: Tunnel? = nil
    ) {
        self.address = address
        self.port = port
        self.forwarding = forwarding
        self.weight = weight
        self.upperThreshold = upperThreshold
        self.lowerThreshold = lowerThreshold
        self.tunnel = tunnel
    }

    static func inOrder(_ a: Self, _ b: Self) -> Bool { (a.address, a.port) < (b.address, b.port) }
}

/// How long IPVS keeps a connection after its last packet, in seconds (`ipvsadm --set`).
public struct IPVSTimeouts: Sendable, Equatable {
    /// An established TCP connection.
    public var tcp: UInt32
    /// A TCP connection after a FIN.
    public var tcpFin: UInt32
    public var udp: UInt32

    public init(tcp: UInt32, tcpFin: UInt32, udp: UInt32) {
        self.tcp = tcp
        self.tcpFin = tcpFin
        self.udp = udp
    }
}
