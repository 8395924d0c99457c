public import Net
public import Scenario

/// What must exist and happen, spelled out: every namespace, interface, address, rule and step, in order. Carrying it out
/// needs no knowledge of scenarios.
public struct Plan: Codable, Sendable, Equatable {
    /// The scenario's full name.
    public var scenario: String
    public var namespaces: [Namespace] = []
    /// In order; each in its namespace.
    public var setup: [Operation] = []
    /// The interfaces to capture, in the order of the capture file's interface blocks.
    public var captures: [CapturePoint] = []
    /// What the capture file says that addresses are called.
    public var names: [AddressName] = []
    public var servers: [ServerPlan] = []
    /// What runs before the first step.
    public var programs: [ProgramPlan] = []
    public var steps: [StepPlan] = []
    /// How long to watch after the last step, nanoseconds.
    public var settle: Int64
    public var snapshotLength: Int
    /// Whether the final snapshot must wait for IPVS to sum up its statistics.
    public var awaitsIPVSStatistics = false
    /// Whether the kernel is to tell which rules every packet meets.
    public var tracesRules = false
    /// What else the engine tells the laboratory; nil in most runs.
    public var orders: Orders?

    /// What an engine tells a laboratory beside the plan itself. Here, and not on a guest kernel's command line: that goes into
    /// its randomness, and a run that stays for people must be the run that it is without.
    public struct Orders: Codable, Sendable, Equatable {
        public enum Visit: String, Codable, Sendable { case afterEvidence, beforeEvidence }

        /// When people may come; nil if nobody is to.
        public var visit: Visit?
        /// Where the next plan is that the same boot carries out, below the folder of all.
        public var next: String?
        /// What this host lacks to keep the laboratory from changing it, for the evidence.
        public var unconfined: String?

        public init(visit: Visit? = nil, next: String? = nil, unconfined: String? = nil) {
            self.visit = visit
            self.next = next
            self.unconfined = unconfined
        }
    }

    public init(scenario: String, settle: Int64, snapshotLength: Int) {
        self.scenario = scenario
        self.settle = settle
        self.snapshotLength = snapshotLength
    }

    public struct Namespace: Codable, Sendable, Equatable {
        public enum Role: String, Codable, Sendable { case host, hypervisor, `switch` }

        public var name: String
        public var role: Role

        public init(name: String, role: Role) {
            self.name = name
            self.role = role
        }
    }

    /// Every action of every step, in order.
    public var actions: [StepPlan.Action] { steps.flatMap { [$0.action] + $0.meanwhile.map(\.action) } }

    public struct CapturePoint: Codable, Sendable, Equatable {
        public var namespace: String
        public var interface: String
        public var name: String { "\(namespace):\(interface)" }

        public init(namespace: String, interface: String) {
            self.namespace = namespace
            self.interface = interface
        }
    }

    public struct ServerPlan: Codable, Sendable, Equatable {
        public var namespace: String
        /// `http`, `tcp` or `udp`.
        public var kind: String
        public var port: UInt16

        public init(namespace: String, kind: String, port: UInt16) {
            self.namespace = namespace
            self.kind = kind
            self.port = port
        }
    }

    public struct ProgramPlan: Codable, Sendable, Equatable {
        public var namespace: String
        public var name: String
        public var arguments: [String]
        /// What is its own, and empty but for its files.
        public var folders: [String]
        public var files: [Program.File]
        /// TCP ports.
        public var listens: [UInt16]

        public init(
            namespace: String, name: String, arguments: [String], folders: [String], files: [Program.File],
            listens: [UInt16]
        ) {
            self.namespace = namespace
            self.name = name
            self.arguments = arguments
            self.folders = folders
            self.files = files
            self.listens = listens
        }
    }

    public struct StepPlan: Codable, Sendable, Equatable {
        public var name: String
        public var action: Action
        /// In the order of their times.
        public var meanwhile: [Meanwhile] = []
        /// Whether the snapshot after the step must wait for IPVS to sum up its statistics.
        public var awaitsIPVSStatistics: Bool

        public init(name: String, action: Action, awaitsIPVSStatistics: Bool = false) {
            self.name = name
            self.action = action
            self.awaitsIPVSStatistics = awaitsIPVSStatistics
        }

        public struct Meanwhile: Codable, Sendable, Equatable {
            public var name: String
            /// Nanoseconds from the step's beginning.
            public var after: Int64
            public var action: Action

            public init(name: String, after: Int64, action: Action) {
                self.name = name
                self.after = after
                self.action = action
            }
        }

        public enum Action: Codable, Sendable, Equatable {
            case request(RequestPlan)
            case load(LoadPlan)
            case open(connection: String, RequestPlan)
            case use(connection: String, bytes: Int, timeout: Int64)
            case close(connection: String)
            case operations([Operation])
            case run(namespace: String, arguments: [String], mayFail: Bool)
            case wait(Int64)
            case start(ProgramPlan)
            case stop(namespace: String, program: String)
            /// After the operations the programs of these hosts are killed.
            case powerOff(hosts: [String], [Operation])
            /// Frames in hexadecimal, all of them so many times, with so many nanoseconds between two times.
            case send(namespace: String, interface: String, frames: [String], count: Int, interval: Int64)
        }
    }

    public struct RequestPlan: Codable, Sendable, Equatable {
        /// `http`, `tcp` or `udp`.
        public var kind: String
        public var namespace: String
        public var to: Endpoint
        public var count: Int
        /// From one's beginning to the next one's, nanoseconds.
        public var interval: Int64
        public var sourcePort: UInt16?
        public var bytes: Int
        /// Nanoseconds.
        public var timeout: Int64

        public init(
            kind: String, namespace: String, to: Endpoint, count: Int, interval: Int64 = 0, sourcePort: UInt16?,
            bytes: Int, timeout: Int64
        ) {
            self.kind = kind
            self.namespace = namespace
            self.to = to
            self.count = count
            self.interval = interval
            self.sourcePort = sourcePort
            self.bytes = bytes
            self.timeout = timeout
        }
    }
}

/// One change to the kernel, in one namespace.
public struct Operation: Codable, Sendable, Equatable {
    public var namespace: String
    public var action: Action

    public init(_ namespace: String, _ action: Action) {
        self.namespace = namespace
        self.action = action
    }

    public enum Action: Codable, Sendable, Equatable {
        case addBridge(name: String, mac: MACAddress?)
        /// A bridge whose frames iptables sees whatever the namespace's `bridge-nf-call-*` say.
        case setCallsFilters(bridge: String)
        /// A bridge that learns no MAC addresses.
        case setHub(bridge: String)
        case addVLAN(name: String, link: String, id: UInt16)
        /// Over `link`, from the address `local` to all others on it: multicast to 224.0.0.1, Neutron's default.
        case addVXLAN(name: String, link: String, id: UInt32, local: IPAddress)
        /// netem(8) for what leaves by the interface.
        case setImpairment(interface: String, Impairment)
        case addDummy(name: String)
        /// A veth pair, this end in the operation's namespace.
        case addVeth(name: String, mac: MACAddress?, mtu: Int?, peer: Peer)
        case setMaster(interface: String, bridge: String)
        case setUp(interface: String)
        case setDown(interface: String)
        /// At most this many segments in one GSO frame (IFLA_GSO_MAX_SEGS): 1 makes captures count real frames.
        case setGSOMaxSegments(interface: String, Int)
        /// It is up there, and captured.
        case moveInterface(name: String, toNamespace: String)
        /// Sends a RARP request about itself, as QEMU does when a machine has moved: switches learn its new port.
        case announce(interface: String, mac: MACAddress)
        case addAddress(IPPrefix, interface: String)
        case addRoute(to: IPPrefix?, via: IPAddress?, interface: String?)
        case addNeighbour(IPAddress, MACAddress, interface: String)
        case flushNeighbours
        case sysctl(Sysctl)
        /// One restore of a whole rule set; without `flush` it is added to what is there.
        case loadRules(family: RuleFamily, text: String, flush: Bool)
        /// `ipset restore`; sets that exist get these members instead of their own.
        case restoreSets(text: String)
        case addService(IPVSServicePlan)
    }

    public struct Peer: Codable, Sendable, Equatable {
        public var namespace: String
        public var name: String
        public var mac: MACAddress?

        public init(namespace: String, name: String, mac: MACAddress?) {
            self.namespace = namespace
            self.name = name
            self.mac = mac
        }
    }

    public enum RuleFamily: String, Codable, Sendable { case ipv4, ipv6, arp, bridge }
}

public struct IPVSServicePlan: Codable, Sendable, Equatable {
    /// `tcp`, `udp` or `sctp`.
    public var transport: String
    public var address: IPAddress
    public var port: UInt16
    public var scheduler: String
    /// `fallback`, `port`.
    public var schedulerFlags: [String] = []
    /// Seconds.
    public var persistence: Int?
    public var persistencePrefix: Int?
    public var onePacket = false
    /// Instead of transport, address and port.
    public var firewallMark: UInt32?
    public var realServers: [RealServerPlan]

    public init(
        transport: String, address: IPAddress, port: UInt16, scheduler: String, persistence: Int?,
        realServers: [RealServerPlan]
    ) {
        self.transport = transport
        self.address = address
        self.port = port
        self.scheduler = scheduler
        self.persistence = persistence
        self.realServers = realServers
    }

    public struct RealServerPlan: Codable, Sendable, Equatable {
        public var address: IPAddress
        public var port: UInt16
        /// `Route`, `Masq` or `Tunnel`: ipvsadm's words.
        public var forwarding: String
        public var weight: Int
        /// 0 for no limit.
        public var upperThreshold = 0
        public var lowerThreshold = 0
        public var tunnel: TunnelPlan?

        public struct TunnelPlan: Codable, Sendable, Equatable {
            /// `ipip`, `gue` or `gre`.
            public var kind: String
            public var port: UInt16
            /// `none`, `full` or `remote`.
            public var checksum: String

            public init(kind: String, port: UInt16, checksum: String) {
                self.kind = kind
                self.port = port
                self.checksum = checksum
            }
        }

        public init(address: IPAddress, port: UInt16, forwarding: String, weight: Int) {
            self.address = address
            self.port = port
            self.forwarding = forwarding
            self.weight = weight
        }
    }
}
