import FoundationEssentials
import Glibc
import Measurement

@testable import History

/// A folder of a test's own, removed with it.
final class Workplace {
    let folder: String

    init() throws {
        var template = Array("/tmp/drbench-history.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw HistoryError.unusable(path: "/tmp", reason: "mkdtemp") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// The tests' own; SwiftPM puts other programs beside it.
    static var testProgram: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    }

    /// $DRBENCH_PROGRAM names an optimised one.
    static let drbench =
        getenv("DRBENCH_PROGRAM").map { String(cString: $0) }
        ?? URL(filePath: testProgram).deletingLastPathComponent().path + "/drbench"
    static let isBuilt = access(drbench, X_OK) == 0

    var file: String { folder + "/history.sqlite" }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
    }
}

extension MeasurementContext {
    static func sample(
        clock: MeasurementClock = .real, seed: UInt64? = 1, revision: String? = "0123456789abcdef"
    ) -> MeasurementContext {
        MeasurementContext(
            clock: clock, engine: "uml", kernel: "6.12.117-drbench", kernelBuild: "6.12-ba65a14df282", seed: seed,
            machine: Machine(
                processor: "Some Processor", processors: 2, memory: 7900, hostName: "bench", kernel: "6.12.48"),
            drbench: "0.1.0", revision: revision, programs: ["haproxy": "2.6.12", "wrk": "4.1.0"])
    }
}

extension MeasuredRun {
    /// One metric of one series, a value for each repetition.
    static func sample(
        _ values: [Double], metric: String = "requests_per_second", better: Metric.Better? = .higher,
        started: Int64 = 1_760_000_000, context: MeasurementContext = .sample(), scenario: String = "modes/dr",
        parameters: [String: String] = ["mode": "DR"]
    ) -> MeasuredRun {
        MeasuredRun(
            started: started, context: context,
            measurements: values.enumerated().map { index, value in
                Measurement(
                    scenario: scenario, load: "closed", parameters: parameters, repetition: index + 1,
                    metrics: [Metric(metric, value, unit: "requests per second", better: better)])
            })
    }

    /// All that a run can hold.
    static var full: MeasuredRun {
        MeasuredRun(
            started: 1_760_000_001, context: .sample(clock: .virtual, seed: .max),
            measurements: [
                Measurement(
                    scenario: "modes/dr", load: "open", parameters: ["real_servers": "4", "mode": "DR \"ü\" / ,"],
                    repetition: 1,
                    metrics: [
                        Metric("requests_per_second", 1234.5678901234567, unit: "requests per second", better: .higher),
                        Metric("director_share", 0.1, unit: "ratio"),
                        Metric("latency_p99", 1.5e-9, unit: "seconds", better: .lower),
                    ],
                    latency: LatencyDistribution(
                        significantDigits: 3,
                        buckets: [
                            LatencyDistribution.Bucket(nanoseconds: 0, count: 1),
                            LatencyDistribution.Bucket(nanoseconds: 127, count: 128),
                            LatencyDistribution.Bucket(nanoseconds: 1_000_000, count: 300),
                            LatencyDistribution.Bucket(nanoseconds: .max, count: .max >> 1),
                        ]),
                    ports: [
                        "lb:eth0": PortTraffic(receivedPackets: 1, receivedBytes: 2, sentPackets: 3, sentBytes: .max),
                        "rs1:eth0": PortTraffic(),
                    ]),
                Measurement(scenario: "modes/nat", load: "open", repetition: 1),
            ])
    }
}
