public import Net

/// A moment of a run, or a length of time in it: nanoseconds since the run's start.
public typealias Nanoseconds = Int64

/// Everything that one run of a scenario left to judge it by, apart from the packets: those are in the capture file.
///
/// Plain values in a fixed order: two runs with one seed in the same lab kernel give the same bytes.
public struct Evidence: Codable, Sendable, Equatable {
    /// The version of this format; it changes when a reader of the old one would misread the new one.
    public static let currentVersion = 1

    public var version = Evidence.currentVersion
    /// The scenario's name, with `/variant` behind it for a variant.
    public var scenario: String
    public var engine: EngineRecord
    /// The run's start, nanoseconds since 1970-01-01T00:00:00Z: what all other times count from.
    public var started: Int64
    /// Every port that was captured, in the order of the capture file's interface blocks.
    public var ports: [CapturePort] = []
    /// The state when the network was built and nothing had happened yet.
    public var initial = Snapshot()
    public var steps: [StepRecord] = []
    /// The state at the end, after the settle time.
    public var final = Snapshot()
    /// When the settle time had passed and capturing stopped.
    public var ended: Nanoseconds = 0
    /// Whether the run came to its end; false in the partial evidence of a run that failed.
    public var complete = false
    /// What the laboratory itself could not do, one sentence each. A run with problems has no verdict.
    public var problems: [String] = []

    /// What became of each conntrack entry, by namespace and in the order of their creation; nil if nobody listened.
    public var conntrack: [ConntrackHistory]?
    /// The packets that conntrack called INVALID, in the order of time; nil if nobody listened.
    public var invalid: [InvalidPacket]?
    /// The rules that packets met; nil unless the run was traced.
    public var traces: [TracedPacket]?
    /// What these three may lack, one sentence each; nil if they lack nothing.
    public var gaps: [String]?

    public init(scenario: String, engine: EngineRecord, started: Int64) {
        self.scenario = scenario
        self.engine = engine
        self.started = started
    }
}

/// The kernel that a run used.
public struct EngineRecord: Codable, Sendable, Equatable {
    /// `uml` or `native`.
    public var name: String
    /// `uname -r` of the kernel under test.
    public var kernel: String
    /// Whether the clock jumped to the next timer whenever nothing could run.
    public var virtualTime: Bool
    /// What the guest kernel's randomness came from; nil if it was the host's.
    public var seed: UInt64?
    /// What the host lacked to keep the run from changing it; nil if nothing but the run's own files could be written.
    public var unconfined: String?

    public init(name: String, kernel: String, virtualTime: Bool, seed: UInt64?) {
        self.name = name
        self.kernel = kernel
        self.virtualTime = virtualTime
        self.seed = seed
    }
}

/// A captured interface and what its capture counted.
public struct CapturePort: Codable, Sendable, Equatable {
    /// `namespace:interface`, as the capture file's interface block names it: `lb:eth0`, `hv1:tap-lb`.
    public var name: String
    public var namespace: String
    public var interface: String
    public var mac: MACAddress?
    /// Frames that libpcap delivered.
    public var received: Int
    /// Frames that the kernel could not deliver (`pcap_stats`: ps_drop + ps_ifdrop); anything but 0 fails the run.
    public var dropped: Int

    public init(
        name: String, namespace: String, interface: String, mac: MACAddress?, received: Int = 0, dropped: Int = 0
    ) {
        self.name = name
        self.namespace = namespace
        self.interface = interface
        self.mac = mac
        self.received = received
        self.dropped = dropped
    }
}

/// What happened in one step of the timeline.
public struct StepRecord: Codable, Sendable, Equatable {
    /// The step's name in the scenario; unnamed steps are `step 1`, `step 2`, …
    public var name: String
    public var started: Nanoseconds
    public var ended: Nanoseconds
    /// One transcript per connection (or datagram exchange) that the step drove, in the order of their start.
    public var transcripts: [Transcript] = []
    public var command: CommandRecord?
    /// What was measured of its loads, in the order of their beginnings; nil without one.
    public var loads: [LoadRecord]?
    /// What happened while the step's own action went on, in the order of time; nil if nothing did.
    public var meanwhile: [MeanwhileRecord]?
    /// The state when the step had ended.
    public var after = Snapshot()

    public init(name: String, started: Nanoseconds, ended: Nanoseconds = 0) {
        self.name = name
        self.started = started
        self.ended = ended
    }
}

/// What happened while a step's own action went on.
public struct MeanwhileRecord: Codable, Sendable, Equatable {
    public var name: String
    public var started: Nanoseconds
    public var command: CommandRecord?

    public init(name: String, started: Nanoseconds, command: CommandRecord? = nil) {
        self.name = name
        self.started = started
        self.command = command
    }
}

/// A command that ran in a host, and what it said.
public struct CommandRecord: Codable, Sendable, Equatable {
    public var arguments: [String]
    /// Its exit code, or the negative of the signal that ended it.
    public var status: Int32
    public var output: String
    public var errors: String

    public init(arguments: [String], status: Int32, output: String, errors: String) {
        self.arguments = arguments
        self.status = status
        self.output = output
        self.errors = errors
    }
}
