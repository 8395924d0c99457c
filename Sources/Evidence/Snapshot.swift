public import Net

/// The kernel's state at one moment, by namespace name. A namespace without anything to say is absent.
public struct Snapshot: Codable, Sendable, Equatable {
    public var conntrack: [String: [ConntrackEntry]] = [:]
    public var rules: [String: [RuleCounter]] = [:]
    public var neighbours: [String: [Neighbour]] = [:]
    public var ipvs: [String: IPVSState] = [:]
    /// SNMP and other counters by the kernel's names, `Ip.InAddrErrors` or `TcpExt.IPReversePathFilter`
    /// (/proc/net/snmp, /proc/net/netstat) and `rt_cache.in_martian_src` (/proc/net/stat/rt_cache, summed over CPUs).
    /// Counters at zero are left out.
    public var counters: [String: [String: Int]] = [:]
    /// What programs have printed until then, by host and by name; nil if there are none.
    public var logs: [String: [String: String]]?
    /// How many bytes of these are not kept, from their middle, by host and program; nil if all are.
    public var logsLeftOut: [String: [String: Int]]?

    public init() {}
}

/// One direction of a conntrack entry. For ICMP, `sourcePort` is the id and `destinationPort` is type * 256 + code.
public struct ConntrackTuple: Codable, Sendable, Equatable {
    public var source: IPAddress
    public var destination: IPAddress
    public var sourcePort: UInt16
    public var destinationPort: UInt16

    public init(source: IPAddress, destination: IPAddress, sourcePort: UInt16, destinationPort: UInt16) {
        self.source = source
        self.destination = destination
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
    }
}

/// A connection in the conntrack table, as `conntrack -L` shows it.
public struct ConntrackEntry: Codable, Sendable, Equatable {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, `sctp`, or the number.
    public var `protocol`: String
    public var original: ConntrackTuple
    public var reply: ConntrackTuple
    /// The TCP (or SCTP) state in conntrack's words: `SYN_SENT`, `ESTABLISHED`, …
    public var state: String?
    /// `UNREPLIED` while no reply packet was seen, `ASSURED` when early drop must spare it.
    public var flags: [String]
    public var zone: UInt16
    public var mark: UInt32
    /// Seconds until the entry expires.
    public var timeout: UInt32

    public init(
        protocol: String, original: ConntrackTuple, reply: ConntrackTuple, state: String?, flags: [String],
        zone: UInt16, mark: UInt32, timeout: UInt32
    ) {
        self.protocol = `protocol`
        self.original = original
        self.reply = reply
        self.state = state
        self.flags = flags
        self.zone = zone
        self.mark = mark
        self.timeout = timeout
    }
}

/// A rule and what it has counted.
public struct RuleCounter: Codable, Sendable, Equatable {
    /// `ipv4`, `ipv6`, `arp` or `bridge`.
    public var family: String
    public var table: String
    public var chain: String
    /// The rule's number in its chain, counting from 1 as `iptables -L --line-numbers` does; 0 is the chain's policy.
    public var number: Int
    /// The rule as `iptables-save` writes it behind `-A CHAIN `, or `policy ACCEPT`.
    public var rule: String
    public var packets: Int
    public var bytes: Int

    public init(family: String, table: String, chain: String, number: Int, rule: String, packets: Int, bytes: Int) {
        self.family = family
        self.table = table
        self.chain = chain
        self.number = number
        self.rule = rule
        self.packets = packets
        self.bytes = bytes
    }
}

/// A neighbour (ARP or NDP) table entry, as `ip neigh` shows it.
public struct Neighbour: Codable, Sendable, Equatable {
    public var address: IPAddress
    public var interface: String
    public var mac: MACAddress?
    /// `REACHABLE`, `STALE`, `FAILED`, `PERMANENT`, …
    public var state: String

    public init(address: IPAddress, interface: String, mac: MACAddress?, state: String) {
        self.address = address
        self.interface = interface
        self.mac = mac
        self.state = state
    }
}

/// IPVS in one namespace: `ipvsadm -Ln --stats` and `ipvsadm -Lnc`.
public struct IPVSState: Codable, Sendable, Equatable {
    public var services: [IPVSService]
    public var connections: [IPVSConnection]

    public init(services: [IPVSService] = [], connections: [IPVSConnection] = []) {
        self.services = services
        self.connections = connections
    }
}

public struct IPVSStatistics: Codable, Sendable, Equatable {
    public var connections: UInt64
    public var inPackets: UInt64
    public var outPackets: UInt64
    public var inBytes: UInt64
    public var outBytes: UInt64

    public init(
        connections: UInt64 = 0, inPackets: UInt64 = 0, outPackets: UInt64 = 0, inBytes: UInt64 = 0,
        outBytes: UInt64 = 0
    ) {
        self.connections = connections
        self.inPackets = inPackets
        self.outPackets = outPackets
        self.inBytes = inBytes
        self.outBytes = outBytes
    }
}

/// A virtual service as the kernel has it.
public struct IPVSService: Codable, Sendable, Equatable {
    /// `tcp`, `udp` or `sctp`; nil for a firewall-mark service.
    public var `protocol`: String?
    public var address: IPAddress?
    public var port: UInt16?
    public var firewallMark: UInt32?
    public var scheduler: String
    /// Persistence timeout in seconds; nil without persistence.
    public var persistence: UInt32?
    public var onePacket: Bool
    public var statistics: IPVSStatistics
    public var destinations: [IPVSDestination]

    public init(
        protocol: String?, address: IPAddress?, port: UInt16?, firewallMark: UInt32? = nil, scheduler: String,
        persistence: UInt32? = nil, onePacket: Bool = false, statistics: IPVSStatistics = .init(),
        destinations: [IPVSDestination] = []
    ) {
        self.protocol = `protocol`
        self.address = address
        self.port = port
        self.firewallMark = firewallMark
        self.scheduler = scheduler
        self.persistence = persistence
        self.onePacket = onePacket
        self.statistics = statistics
        self.destinations = destinations
    }
}

/// A real server of a virtual service.
public struct IPVSDestination: Codable, Sendable, Equatable {
    public var address: IPAddress
    public var port: UInt16
    /// ipvsadm's "Forward" column: `Route` (DR), `Masq` (NAT), `Tunnel`, or `Local`.
    public var forwarding: String
    public var weight: Int
    public var activeConnections: UInt32
    public var inactiveConnections: UInt32
    public var statistics: IPVSStatistics

    public init(
        address: IPAddress, port: UInt16, forwarding: String, weight: Int, activeConnections: UInt32 = 0,
        inactiveConnections: UInt32 = 0, statistics: IPVSStatistics = .init()
    ) {
        self.address = address
        self.port = port
        self.forwarding = forwarding
        self.weight = weight
        self.activeConnections = activeConnections
        self.inactiveConnections = inactiveConnections
        self.statistics = statistics
    }
}

/// An entry of the IPVS connection table (/proc/net/ip_vs_conn).
public struct IPVSConnection: Codable, Sendable, Equatable {
    public var `protocol`: String
    public var client: Endpoint
    public var virtual: Endpoint
    public var destination: Endpoint
    /// `SYN_RECV`, `ESTABLISHED`, `FIN_WAIT`, …
    public var state: String
    /// Seconds until it expires.
    public var expires: UInt32

    public init(
        protocol: String, client: Endpoint, virtual: Endpoint, destination: Endpoint, state: String, expires: UInt32
    ) {
        self.protocol = `protocol`
        self.client = client
        self.virtual = virtual
        self.destination = destination
        self.state = state
        self.expires = expires
    }
}
