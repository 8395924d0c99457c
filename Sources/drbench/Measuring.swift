import ArgumentParser
import Engine
import Evidence
import FoundationEssentials
import Glibc
import Kernel
import Measurement
import Scenario
import Text

extension Measurement {
    /// What a run's evidence says of each of its loads.
    /// - Throws: `EnvironmentError` if it cannot be read.
    static func all(of scenario: Scenario, in folder: Folder, repetition: Int) throws(EnvironmentError) -> [Measurement]
    {
        let evidence = try Evidence(in: folder)
        return evidence.steps.flatMap { $0.loads ?? [] }.map { load in
            Measurement(
                scenario: scenario.fullName, load: load.name, parameters: scenario.cell, repetition: repetition,
                metrics: load.metrics, latency: load.answered > 0 ? load.latency : nil, ports: load.ports)
        }
    }
}

extension LoadRecord {
    /// Each number that can be made of it, by its name.
    var metrics: [Metric] {
        var metrics = [
            Metric("requests_per_second", requestsPerSecond, unit: "requests per second", better: .higher),
            Metric("requests_answered", Double(answered), unit: "requests", better: .higher),
            Metric("requests_failed", Double(failed), unit: "requests", better: .lower),
            Metric("requests_unfinished", Double(unfinished), unit: "requests"),
        ]
        for (outcome, count) in outcomes.sorted(by: { $0.key < $1.key }) where outcome != Outcome.answered.rawValue {
            metrics.append(Metric("requests_" + outcome.asMetric, Double(count), unit: "requests", better: .lower))
        }
        metrics += [
            Metric(
                "connections_per_second", perSecond(connections), unit: "connections per second",
                better: .higher),
            Metric("throughput", throughput, unit: "bits per second", better: .higher),
            Metric("received", 8 * perSecond(receivedBytes), unit: "bits per second", better: .higher),
            Metric("sent", 8 * perSecond(sentBytes), unit: "bits per second", better: .higher),
        ]
        for (name, quantile) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999), ("max", 1)] {
            guard let value = latency.value(atQuantile: quantile) else { continue }
            metrics.append(Metric("latency_\(name)", Double(value) / 1e9, unit: "seconds", better: .lower))
        }
        metrics.append(
            Metric(
                "retransmissions", Double(retransmissions.values.saturatingSum), unit: "segments", better: .lower))
        if let directorShare { metrics.append(Metric("director_share", directorShare, unit: "ratio", better: .lower)) }
        if let scheduled { metrics.append(Metric("ipvs_connections", Double(scheduled), unit: "connections")) }
        let times = [("clients", clientTime), ("servers", serverTime), ("laboratory", laboratoryTime)]
        for (name, time) in times {
            guard let time else { continue }
            metrics.append(Metric("cpu_\(name)", Double(time) / 1e9, unit: "seconds", better: .lower))
        }
        if let clientTime, clientTime > 0 {
            metrics.append(
                Metric(
                    "requests_per_client_cpu_second", Double(answers) / (Double(clientTime) / 1e9),
                    unit: "requests per second", better: .higher))
        }
        return metrics
    }
}

extension String {
    /// In OpenMetrics' letters: `HTTP 503` is `http_503`.
    fileprivate var asMetric: String {
        String(lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }
}

extension MeasurementContext {
    /// What numbers taken here and now depend on.
    /// - Parameter programs: the words by which the scenarios start programs.
    static func here(
        clock: MeasurementClock, choice: EngineChoice, seed: UInt64, programs: Set<String>
    ) -> MeasurementContext {
        let kernel = (choice.engine as? UMLEngine)?.kernel
        let host = EngineChoice.kernelRelease
        return MeasurementContext(
            clock: clock, engine: choice.engine.name, kernel: kernel?.release ?? host,
            kernelBuild: kernel.flatMap { $0.program.parent.split(separator: "/").last.map(String.init) },
            seed: kernel == nil ? nil : seed, machine: .here, drbench: DRBench.configuration.version,
            revision: Installation.find().flatMap { GitRepository(around: $0.root)?.revision },
            programs: programs.reduce(into: [:]) { $0[$1] = Tools.version(of: $1) })
    }
}

extension MeasurementContext.Machine {
    static var here: Self {
        /// What stands behind a name and a colon.
        func value(_ name: String, in file: String) -> String? {
            let text = FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) } ?? ""
            guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
                let colon = line.firstIndex(of: ":")
            else { return nil }
            return String(line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" })
        }
        let memory = value("MemTotal", in: "/proc/meminfo").flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
        return Self(
            processor: value("model name", in: "/proc/cpuinfo") ?? "unknown",
            processors: ProcessInfo.processInfo.activeProcessorCount, memory: memory / 1024,
            hostName: ProcessInfo.processInfo.hostName, kernel: EngineChoice.kernelRelease)
    }
}
