/// What `drbench bench` measured in one go: everything in one context, so that its parts may be compared with each other.
///
/// Plain values between what measures (Traffic, Lab), what keeps (History) and what shows (Report).
public struct MeasuredRun: Codable, Sendable, Equatable {
    /// The version of this format; it changes when a reader of the old one would misread the new one.
    public static let currentVersion = 1

    public var version = MeasuredRun.currentVersion
    /// Wall-clock time at the start, whole seconds since 1970-01-01T00:00:00Z.
    public var started: Int64
    public var context: MeasurementContext
    /// In the order in which they were taken; repetitions of what is compared are interleaved.
    public var measurements: [Measurement]

    public init(started: Int64, context: MeasurementContext, measurements: [Measurement] = []) {
        self.started = started
        self.context = context
        self.measurements = measurements
    }
}

/// Which clock times were taken from. Numbers of the two are never compared with each other.
public enum MeasurementClock: String, Codable, Sendable, CaseIterable {
    /// Link rates, delays and queues decide; computing takes no time. The same number on every machine.
    case virtual
    /// The processor decides.
    case real
}

/// All that may make the same measurement give another number.
public struct MeasurementContext: Codable, Sendable, Equatable {
    public var clock: MeasurementClock
    /// `uml` or `native`.
    public var engine: String
    /// `uname -r` of the kernel under test.
    public var kernel: String
    /// What identifies a lab kernel's build: the name of its folder, `6.12-ba65a14df282`; nil for the host's kernel.
    public var kernelBuild: String?
    public var seed: UInt64?
    public var machine: Machine
    /// drbench's own version, and the git revision of the checkout (with `+` behind it if it was changed); nil outside one.
    public var drbench: String
    public var revision: String?
    /// Versions of the programs that took part, by name: haproxy, wrk, iperf3, …
    public var programs: [String: String]

    public init(
        clock: MeasurementClock, engine: String, kernel: String, kernelBuild: String? = nil, seed: UInt64? = nil,
        machine: Machine, drbench: String, revision: String? = nil, programs: [String: String] = [:]
    ) {
        self.clock = clock
        self.engine = engine
        self.kernel = kernel
        self.kernelBuild = kernelBuild
        self.seed = seed
        self.machine = machine
        self.drbench = drbench
        self.revision = revision
        self.programs = programs
    }

    public struct Machine: Codable, Sendable, Equatable {
        /// `model name` of /proc/cpuinfo.
        public var processor: String
        /// How many are online.
        public var processors: Int
        /// `MemTotal` of /proc/meminfo in MiB.
        public var memory: Int
        public var hostName: String
        /// `uname -r` of the host.
        public var kernel: String

        public init(processor: String, processors: Int, memory: Int, hostName: String, kernel: String) {
            self.processor = processor
            self.processors = processors
            self.memory = memory
            self.hostName = hostName
            self.kernel = kernel
        }
    }
}

/// One repetition of one load on one network.
public struct Measurement: Codable, Sendable, Equatable {
    /// The scenario's full name: `mode-comparison/dr-4`.
    public var scenario: String
    /// The load's name in the scenario.
    public var load: String
    /// What varies between the scenarios of one study, by name: `mode: DR`, `real_servers: 4`.
    public var parameters: [String: String]
    /// From 1.
    public var repetition: Int
    /// Values by metric, each name once.
    public var metrics: [Metric]
    /// From the moment at which each request was to be sent by plan to the end of its answer; nil if there are no requests.
    public var latency: LatencyDistribution?
    /// What crossed each port while the load went on, by the port's name in the evidence (`lb:eth0`).
    public var ports: [String: PortTraffic]

    public init(
        scenario: String, load: String, parameters: [String: String] = [:], repetition: Int, metrics: [Metric] = [],
        latency: LatencyDistribution? = nil, ports: [String: PortTraffic] = [:]
    ) {
        self.scenario = scenario
        self.load = load
        self.parameters = parameters
        self.repetition = repetition
        self.metrics = metrics
        self.latency = latency
        self.ports = ports
    }
}

/// A number, what it counts and which way is better.
public struct Metric: Codable, Sendable, Equatable {
    public enum Better: String, Codable, Sendable { case higher, lower }

    /// `requests_per_second`, `latency_p99`, `director_share`, … in lower case with underscores, as OpenMetrics has them.
    public var name: String
    /// In base units, as OpenMetrics has them: `seconds`, `bytes`, `ratio`, `requests per second`.
    public var unit: String
    public var value: Double
    /// nil if neither is.
    public var better: Better?

    public init(_ name: String, _ value: Double, unit: String, better: Better? = nil) {
        self.name = name
        self.value = value
        self.unit = unit
        self.better = better
    }
}

/// A distribution of times in HDR buckets: how many fell into each, empty ones left out.
public struct LatencyDistribution: Codable, Sendable, Equatable {
    /// How many decimal digits of a value are kept.
    public var significantDigits: Int
    /// Ascending: the highest value that falls into the bucket, in nanoseconds, and how many did.
    public var buckets: [Bucket]

    public struct Bucket: Codable, Sendable, Equatable {
        public var nanoseconds: UInt64
        public var count: UInt64

        public init(nanoseconds: UInt64, count: UInt64) {
            self.nanoseconds = nanoseconds
            self.count = count
        }
    }

    public init(significantDigits: Int, buckets: [Bucket]) {
        self.significantDigits = significantDigits
        self.buckets = buckets
    }

    public var count: UInt64 { buckets.lazy.map(\.count).saturatingSum }

    /// The smallest kept value that at least this part of all values does not exceed, in nanoseconds; nil if there are none.
    /// - Parameter quantile: from 0 to 1; 0.99 for p99.
    public func value(atQuantile quantile: Double) -> UInt64? {
        let wanted = max(1, (Double(count) * min(max(quantile, 0), 1)).rounded(.up))
        var sum: UInt64 = 0
        for bucket in buckets {
            sum = sum.addingSaturated(bucket.count)
            if Double(sum) >= wanted { return bucket.nanoseconds }
        }
        return nil
    }
}

/// What an interface counted, or its difference over a time.
public struct PortTraffic: Codable, Sendable, Equatable {
    public var receivedPackets: Int
    public var receivedBytes: Int
    public var sentPackets: Int
    public var sentBytes: Int

    public init(receivedPackets: Int = 0, receivedBytes: Int = 0, sentPackets: Int = 0, sentBytes: Int = 0) {
        self.receivedPackets = receivedPackets
        self.receivedBytes = receivedBytes
        self.sentPackets = sentPackets
        self.sentBytes = sentBytes
    }
}
