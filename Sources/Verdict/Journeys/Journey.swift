public import Evidence
public import Net

/// One packet's way through everything that was captured, and how it ended.
public struct Journey: Codable, Sendable, Equatable {
    /// Its number in the run, from 1 in the order of the first sighting.
    public var number: Int
    /// The packet as tcpdump would write it, at its first hop.
    public var packet: String
    /// `arp`, `tcp`, `udp`, `icmp`, …
    public var `protocol`: String
    public var source: Endpoint?
    public var destination: Endpoint?
    /// In the order in which they were passed.
    public var hops: [Hop]
    /// How many ports beside the way saw copies of it: a broadcast, or a switch that did not know the way.
    public var copies: Int
    /// Those copies that met an end of their own before they left a bridge by a port; nil if none did.
    public var lostCopies: [LostCopy]?
    public var end: JourneyEnd
    /// What decided the end; nil where nothing had to be decided, or nothing is known.
    public var blame: Blame?
    /// The flow it belongs to, an index into `Journeys.flows`; nil for what has none, such as ARP.
    public var flow: Int?
    /// Whether it goes the way of the flow's answers.
    public var isReply: Bool
    /// The number of the journey that this one answers: an ARP or ICMP echo request, an earlier packet of the flow.
    public var answers: Int?
    /// The number of the journey whose packet this ICMP error quotes.
    public var quotes: Int?
    /// The number of the ICMP error that quotes this packet.
    public var quotedBy: Int?

    /// From the first sighting on.
    public var started: Nanoseconds { hops.first?.time ?? 0 }
    /// Where it was last seen.
    public var lastHop: Hop? { hops.last }
}

/// A place where a packet was seen.
public struct Hop: Codable, Sendable, Equatable {
    public enum Direction: String, Codable, Sendable {
        case into = "in"
        case outOf = "out"
    }

    /// The port, as evidence names it: `hv1:uplink`.
    public var port: String
    /// Into the port's namespace, or out of it.
    public var direction: Direction
    public var time: Nanoseconds
    public var sourceMAC: MACAddress
    public var destinationMAC: MACAddress
    /// The TTL of the packet as the port saw it, without a fabric's wrapping; nil for what is no IP packet.
    public var ttl: Int?
    /// What a trunk wraps it in: the VLAN or VXLAN and its number.
    public var wrapping: String?
    /// The tunnel's ends, if it is in a tunnel: `203.0.113.3 → 203.0.113.4`.
    public var tunnel: String?
    /// Index of the frame in the capture file, from 0.
    public var frame: Int
    /// What the namespace's conntrack had of its connection when the packet had passed, `SYN_SENT [UNREPLIED] zone 1`,
    /// with INVALID behind it if that is what it called the packet; where the run has no events, what it had at the next
    /// snapshot. nil where nothing is tracked, or there was no entry.
    public var conntrack: String?
    /// Why the namespace's conntrack called the packet INVALID, in its own words: `nf_ct_proto_6: packet (index 3) in dir 0
    /// invalid, state SYN_SENT`.
    public var invalid: String?
}

/// How a journey ended. The list is closed.
public enum JourneyEnd: Codable, Sendable, Equatable {
    /// It came to a machine that took it.
    case delivered
    /// A machine answered with an ICMP error that says no more than that it is not wanted: port unreachable, prohibited.
    case answeredByICMP
    case droppedByRule
    /// By a rule that asks for its conntrack state.
    case droppedByConntrackRule
    /// By port security: the port may not send from this MAC or IP address.
    case droppedBySpoofFilter
    /// Its source is an address of the machine that received it.
    case droppedAsMartian
    /// The way back to its source is another one (rp_filter).
    case droppedByReversePathFilter
    case noRoute
    /// The next machine did not say its MAC address.
    case neighbourUnreachable
    /// The machine that it came to does not have its destination, and forwards nothing.
    case notForUs
    case ttlExceeded
    case tooBig
    /// A conntrack or neighbour table had no room.
    case tableFull
    /// It was for a virtual service, and IPVS did not send it on.
    case consumedByIPVS
    case lostOnLink
    /// Only machines saw it that it was not for.
    case floodedOnly
    /// A machine sent it to its own MAC address: no bridge sends back where it came from.
    case toItself
    /// The capture ended before its way did.
    case inFlight
    /// The evidence fits several.
    case undecided(between: [String])

    /// Whether it came to where it should, or was only on the way.
    public var isGood: Bool { self == .delivered || self == .inFlight }

    /// Whether it fits more than so many explanations.
    func isUndecided(beyond count: Int) -> Bool {
        if case .undecided(let causes) = self { causes.count > count } else { false }
    }

    /// `delivered`, `dropped by a rule`, `undecided between … and …`.
    public var text: String {
        switch self {
        case .delivered: "delivered"
        case .answeredByICMP: "answered by an ICMP error"
        case .droppedByRule: "dropped by a rule"
        case .droppedByConntrackRule: "dropped by a rule about its conntrack state"
        case .droppedBySpoofFilter: "dropped by the spoof filter"
        case .droppedAsMartian: "dropped as a martian"
        case .droppedByReversePathFilter: "dropped by rp_filter"
        case .noRoute: "no route"
        case .neighbourUnreachable: "neighbour unreachable"
        case .notForUs: "not for the machine that received it"
        case .ttlExceeded: "TTL exceeded"
        case .tooBig: "too big"
        case .tableFull: "table full"
        case .consumedByIPVS: "consumed by IPVS"
        case .lostOnLink: "lost on a link"
        case .floodedOnly: "flooded only"
        case .toItself: "sent to its own sender"
        case .inFlight: "still in flight"
        case .undecided(let causes):
            switch causes.count {
            case 0: "undecided"
            case 1: "undecided, perhaps " + causes[0]
            default: "undecided between " + causes.joined(separator: " and ")
            }
        }
    }
}

/// What ended a journey, by the evidence.
public struct Blame: Codable, Sendable, Equatable {
    /// The namespace where it happened: `hv1`, `lb`.
    public var place: String
    /// The rule that decided, and those that led to it, the first one first; empty if no rule did.
    public var rules: [RuleCounter]
    /// What shows it: counters and their growth, table entries.
    public var evidence: [String]

    /// The rule that decided.
    public var rule: RuleCounter? { rules.last }
}

/// A connection, or an exchange of datagrams: the journeys of its packets, each way for itself.
public struct Flow: Codable, Sendable, Equatable {
    public var `protocol`: String
    /// Who sent the first packet, and to whom.
    public var client: Endpoint
    public var server: Endpoint
    /// Indices into `Journeys.journeys`.
    public var forward: [Int]
    public var reply: [Int]

    /// `tcp 198.51.100.10:40312 → 203.0.113.2:80`.
    public var text: String {
        let ends =
            client.port == 0 && server.port == 0
            ? "\(client.address) → \(server.address)" : "\(client) → \(server)"
        return "\(`protocol`) \(ends)"
    }
}
