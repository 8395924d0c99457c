public import Net

/// Something that must be seen. Within a step it speaks of that step: its traffic, the packets captured and the counters
/// grown from its start to its end, the state when it ended. At the end of a scenario it speaks of the whole run.
public struct Expectation: Sendable, Equatable {
    public var check: Check
    public var location: SourceLocation

    public init(_ check: Check, location: SourceLocation) {
        self.check = check
        self.location = location
    }

    public enum Check: Sendable, Equatable {
        case traffic(Traffic)
        case packets(Packets)
        case replyPath(ReplyPath)
        case conntrack(Conntrack)
        case rule(Rule)
        case ipvs(IPVS)
        case arp(ARP)
        case neighbour(Neighbour)
        case counter(Counter)
        case drop(Drop)
        case command(Command)
        case log(Log)
        case order(Order)
        case load(LoadResult)
        /// At least one of these holds: all expectations of it.
        case anyOf([[Expectation]])
    }

    /// How many: `3`, `>= 1`, `0`, `2..4`, `> 5`, `<= 2`.
    public struct Count: Sendable, Hashable, CustomStringConvertible {
        public var minimum: Int
        public var maximum: Int

        public static let some = Count(minimum: 1, maximum: .max)
        public static let none = Count(minimum: 0, maximum: 0)

        public init(minimum: Int, maximum: Int) {
            self.minimum = minimum
            self.maximum = maximum
        }

        public func contains(_ number: Int) -> Bool { minimum <= number && number <= maximum }

        public var description: String {
            if minimum == maximum { return "\(minimum)" }
            if maximum == .max { return ">= \(minimum)" }
            return minimum <= 0 ? "<= \(maximum)" : "\(minimum)..\(maximum)"
        }
    }

    /// What became of the step's (or the run's) requests.
    public struct Traffic: Sendable, Equatable {
        /// One entry per request in the order of their start: a host's name ("answered by it") or an outcome's name
        /// (`refused`, `reset`, `unreachable`, `connect timed out`, `connected then silent`, …).
        public var outcomes: [String]?
        /// What all of them must be, in the same words.
        public var all: String?
        /// How many were answered, by host or in total (key `total`).
        public var answeredBy: [String: Count]
        /// The client's address as every answering server saw it.
        public var seenFrom: IPAddress?
        /// The errno's name (`EHOSTUNREACH`) of every request that has one.
        public var error: String?
        /// The longest time without an answer, in nanoseconds: from one answer to the next, from the first request's
        /// beginning to the first answer, from the last answer to the end of the last request.
        public var outage: Count?

        public init(
            outcomes: [String]? = nil, all: String? = nil, answeredBy: [String: Count] = [:],
            seenFrom: IPAddress? = nil, error: String? = nil, outage: Count? = nil
        ) {
            self.outage = outage
            self.outcomes = outcomes
            self.all = all
            self.answeredBy = answeredBy
            self.seenFrom = seenFrom
            self.error = error
        }
    }

    /// Frames at a captured port.
    public struct Packets: Sendable, Equatable {
        /// `host:interface`; without an interface the host's only port; `hv1:uplink`, `hv1:tap(lb)` or `hv1:tap(lb:eth0)`
        /// for a hypervisor's; `fab:hv1`, `fab:gw` or `fab:gw:eth0` for a switch's, by what is plugged into it.
        public var at: String
        /// A pcap filter: what `tcpdump` takes.
        public var filter: String
        public var count: Count?
        /// Octets of all these frames together.
        public var bytes: Count?
        /// These octets in thousandths of a percent of the octets of other frames (`of`).
        public var share: Count?
        public var of: Control?
        /// Whether the TCP timestamps (TSval) of these frames, in the order of their capture, never fall.
        public var tcpTimestamps: Timestamps?
        /// What every one of these frames must have; a MAC or the name of the host that has it.
        public var sourceMAC: String?
        public var destinationMAC: String?
        public var ttl: Int?
        /// For an absence (`count: 0`): a filter, and optionally a port, that must match in the same run, so that the
        /// capture is shown to see such frames at all.
        public var control: Control?

        public enum Timestamps: String, Sendable, CaseIterable {
            case ascending
            case notAscending = "not ascending"
        }

        public struct Control: Sendable, Equatable {
            public var at: String?
            public var filter: String

            public init(at: String? = nil, filter: String) {
                self.at = at
                self.filter = filter
            }
        }

        public init(
            at: String, filter: String, count: Count? = nil, bytes: Count? = nil, sourceMAC: String? = nil,
            destinationMAC: String? = nil, ttl: Int? = nil, control: Control? = nil
        ) {
            self.at = at
            self.filter = filter
            self.count = count
            self.bytes = bytes
            self.sourceMAC = sourceMAC
            self.destinationMAC = destinationMAC
            self.ttl = ttl
            self.control = control
        }
    }

    /// The headline of Direct Routing: every frame from the VIP that reaches the client's side carries the MAC of a real
    /// server, and none crosses the director's port. The control: replies were seen at the gateway, requests at the
    /// director, in the same run.
    public struct ReplyPath: Sendable, Equatable {
        public var vip: IPAddress
        /// The hosts whose MACs the replies must carry.
        public var from: [String]
        /// The port where the replies leave the segment: the gateway's.
        public var at: String
        /// The director's port, which they must not cross. nil asserts nothing about it.
        public var notAcross: String?
        /// The director's port, which they must cross (masquerading): the opposite.
        public var across: String?

        public init(vip: IPAddress, from: [String], at: String, notAcross: String? = nil, across: String? = nil) {
            self.vip = vip
            self.from = from
            self.at = at
            self.notAcross = notAcross
            self.across = across
        }
    }

    /// Entries of a namespace's conntrack table: those that fit every given field.
    public struct Conntrack: Sendable, Equatable {
        public var on: String
        public var `protocol`: String?
        public var source: IPAddress?
        public var destination: IPAddress?
        public var destinationPort: UInt16?
        public var sourcePort: UInt16?
        /// The state of the entry with each of these original source ports; `none` for no entry.
        public var states: [PortState] = []
        /// Which of the matching entries to count.
        public var state: String?
        /// Flags the entries must have; `!ASSURED` for one they must not have.
        public var flags: [String]
        public var zone: UInt16?
        public var count: Count

        public init(
            on: String, protocol: String? = nil, source: IPAddress? = nil, destination: IPAddress? = nil,
            destinationPort: UInt16? = nil, state: String? = nil, flags: [String] = [], zone: UInt16? = nil,
            count: Count = .some
        ) {
            self.on = on
            self.protocol = `protocol`
            self.source = source
            self.destination = destination
            self.destinationPort = destinationPort
            self.state = state
            self.flags = flags
            self.zone = zone
            self.count = count
        }
    }

    public struct PortState: Sendable, Equatable {
        public var port: UInt16
        public var state: String

        public init(port: UInt16, state: String) {
            self.port = port
            self.state = state
        }
    }

    /// What rules counted: the sum over the rules of `on` that fit.
    public struct Rule: Sendable, Equatable {
        public var on: String
        /// `ipv4` (the default), `ipv6`, `arp`, `bridge`.
        public var family: String
        public var table: String
        /// The chain. `i(lb)`, `o(lb)` and `s(lb)` are the ingress, egress and spoof chains of that host's Neutron port.
        public var chain: String
        /// What the rule's text must contain: `--state INVALID -j DROP`.
        public var rule: String
        public var packets: Count

        public init(
            on: String, family: String = "ipv4", table: String = "filter", chain: String, rule: String, packets: Count
        ) {
            self.on = on
            self.family = family
            self.table = table
            self.chain = chain
            self.rule = rule
            self.packets = packets
        }
    }

    public struct IPVS: Sendable, Equatable {
        /// The director.
        public var on: String
        /// Statistics of the service at this address; nil for the sum over all services.
        public var service: Endpoint?
        public var connections: Count?
        public var inPackets: Count?
        public var outPackets: Count?
        /// Entries of the connection table in a state, optionally to one real server (host name).
        public var state: String?
        public var to: String?
        public var entries: Count?

        public init(
            on: String, service: Endpoint? = nil, connections: Count? = nil, inPackets: Count? = nil,
            outPackets: Count? = nil, state: String? = nil, to: String? = nil, entries: Count? = nil
        ) {
            self.on = on
            self.service = service
            self.connections = connections
            self.inPackets = inPackets
            self.outPackets = outPackets
            self.state = state
            self.to = to
            self.entries = entries
        }
    }

    /// An ARP question and who answered it, as captured at one port.
    public struct ARP: Sendable, Equatable {
        public var at: String
        public var whoHas: IPAddress
        /// The sender address in the request (`tell`).
        public var tell: IPAddress?
        /// The host whose MAC sent the request.
        public var askedBy: String?
        /// How many such requests; nil for at least one.
        public var requests: Count?
        /// Exactly the hosts whose replies (with their MACs) were seen; empty for nobody. nil asserts nothing.
        public var answeredBy: [String]?

        public init(
            at: String, whoHas: IPAddress, tell: IPAddress? = nil, askedBy: String? = nil, requests: Count? = nil,
            answeredBy: [String]? = nil
        ) {
            self.at = at
            self.whoHas = whoHas
            self.tell = tell
            self.askedBy = askedBy
            self.requests = requests
            self.answeredBy = answeredBy
        }
    }

    /// A neighbour table entry.
    public struct Neighbour: Sendable, Equatable {
        public var on: String
        public var address: IPAddress
        /// The host whose MAC the entry must hold.
        public var isHost: String?
        /// Any of these states; empty for any.
        public var states: [String]
        /// Whether the entry must be absent.
        public var absent: Bool

        public init(on: String, address: IPAddress, isHost: String? = nil, states: [String] = [], absent: Bool = false)
        {
            self.on = on
            self.address = address
            self.isHost = isHost
            self.states = states
            self.absent = absent
        }
    }

    /// How much a kernel counter has grown.
    public struct Counter: Sendable, Equatable {
        public var on: String
        /// `Ip.InAddrErrors`, `TcpExt.IPReversePathFilter`, `rt_cache.in_martian_src`, …
        public var name: String
        public var grows: Count

        public init(on: String, name: String, grows: Count) {
            self.on = on
            self.name = name
            self.grows = grows
        }
    }

    /// A drop: frames that came into a hypervisor for (or from) a port and did not leave it, and the rule that counted
    /// them.
    public struct Drop: Sendable, Equatable {
        /// The hypervisor or host.
        public var on: String
        /// Which packets: a pcap filter.
        public var packet: String
        /// The port they came in by, and the one they did not go out by: `hv1:uplink`, `hv1:tap(lb)`.
        public var from: String
        public var to: String
        public var table: String
        public var chain: String
        public var rule: String
        /// The conntrack state of their connection on `on`: an entry's (`SYN_SENT`), or `none` for no entry.
        public var conntrack: String?
        public var count: Count

        public init(
            on: String, packet: String, from: String, to: String, table: String = "filter", chain: String,
            rule: String, conntrack: String? = nil, count: Count = .some
        ) {
            self.on = on
            self.packet = packet
            self.from = from
            self.to = to
            self.table = table
            self.chain = chain
            self.rule = rule
            self.conntrack = conntrack
            self.count = count
        }
    }

    /// What the step's command printed.
    public struct Command: Sendable, Equatable {
        public var status: Int32?
        /// Texts that its output (or error output) must contain.
        public var prints: [String]

        public init(status: Int32? = nil, prints: [String] = []) {
            self.status = status
            self.prints = prints
        }
    }

    /// What a program of a host has printed until then.
    public struct Log: Sendable, Equatable {
        public var on: String
        public var program: String
        /// Texts that it must have printed.
        public var prints: [String]
        /// How many of its lines contain each of them; at least one.
        public var lines: Count

        public init(on: String, program: String, prints: [String], lines: Count = .some) {
            self.on = on
            self.program = program
            self.prints = prints
            self.lines = lines
        }
    }

    /// In this order: of each of these frames the first one.
    public struct Order: Sendable, Equatable {
        public var frames: [Frame]

        public struct Frame: Sendable, Equatable {
            public var at: String
            /// A pcap filter.
            public var filter: String

            public init(at: String, filter: String) {
                self.at = at
                self.filter = filter
            }
        }

        public init(_ frames: [Frame]) { self.frames = frames }
    }
}
