public import Net

/// An IPVS virtual service.
public struct Service: Sendable, Equatable {
    public enum Transport: String, Sendable, CaseIterable { case tcp, udp, sctp }
    /// ipvsadm's `-g`, `-m` and `-i`.
    public enum Forwarding: String, Sendable, CaseIterable {
        case directRouting = "direct-routing"
        case masquerading
        case tunneling
    }
    /// ipvsadm's `--tun-type`, `--tun-port` and `--tun-nocsum`, `--tun-csum`, `--tun-remcsum`.
    public struct Tunnel: Sendable, Equatable {
        public enum Kind: String, Sendable, CaseIterable { case ipip, gue, gre }
        public enum Checksum: String, Sendable, CaseIterable { case none, full, remote }

        public var kind = Kind.ipip
        /// GUE's UDP port.
        public var port: UInt16?
        public var checksum = Checksum.none

        public init() {}
    }
    /// ipvsadm's `-b`: what they do is the scheduler's matter.
    public enum SchedulerFlag: String, Sendable, CaseIterable {
        /// sh and mh: another real server if the hashed one has weight 0.
        case fallback
        /// sh and mh: the source port is hashed, too.
        case port
    }
    public struct RealServer: Sendable, Equatable {
        public var address: IPAddress
        public var port: UInt16
        public var forwarding: Forwarding
        public var weight: Int
        /// ipvsadm's `-x`: above so many connections it gets no new ones; nil for no limit.
        public var upperThreshold: Int?
        /// ipvsadm's `-y`: until it has fewer again.
        public var lowerThreshold: Int?
        /// What packets are wrapped in, with tunneling; nil for IPIP.
        public var tunnel: Tunnel?

        public init(
            address: IPAddress, port: UInt16, forwarding: Forwarding, weight: Int = 1, upperThreshold: Int? = nil,
            lowerThreshold: Int? = nil, tunnel: Tunnel? = nil
        ) {
            self.address = address
            self.port = port
            self.forwarding = forwarding
            self.weight = weight
            self.upperThreshold = upperThreshold
            self.lowerThreshold = lowerThreshold
            self.tunnel = tunnel
        }
    }

    /// The director's host name.
    public var director: String
    /// Unspecified, as the port and the transport are, with a firewall mark.
    public var address: IPAddress
    public var port: UInt16
    public var transport: Transport
    /// ipvsadm's `-f`: the service is what bears this mark, instead of what goes to an address and port.
    public var firewallMark: UInt32?
    public var scheduler: String
    public var schedulerFlags: [SchedulerFlag] = []
    /// Seconds (`ipvsadm -p`); nil for none.
    public var persistence: Int?
    /// Clients with so many leading address bits in common are one to persistence (`ipvsadm -M`); nil for all bits.
    public var persistencePrefix: Int?
    /// ipvsadm's `-o`: every datagram is scheduled by itself.
    public var onePacket = false
    public var realServers: [RealServer]

    public init(
        director: String, transport: Transport = .tcp, address: IPAddress, port: UInt16, scheduler: String = "rr",
        persistence: Int? = nil, realServers: [RealServer]
    ) {
        self.director = director
        self.transport = transport
        self.address = address
        self.port = port
        self.scheduler = scheduler
        self.persistence = persistence
        self.realServers = realServers
    }
}
