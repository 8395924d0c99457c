public import Measurement

/// The medians of all runs as OpenMetrics text, each with the time at which its run began: `promtool tsdb
/// create-blocks-from openmetrics` makes them Prometheus' own past.
///
/// A gauge for each metric, `drbench_requests_per_second`, with the unit at its end where it is a single word. Labels say
/// what was measured and where, not in which run, so that the runs are points of one time series.
///
/// Source: the OpenMetrics specification 1.0.
public enum OpenMetrics {
    public static func text(_ runs: [(number: Int, run: MeasuredRun)]) -> String {
        var families: [String: Family] = [:]
        for (_, run) in runs.sorted(by: { ($0.run.started, $0.number) < ($1.run.started, $1.number) }) {
            for samples in run.samples {
                guard let value = samples.values.map(\.value).median else { continue }
                let name = familyName(samples)
                families[name, default: Family(unit: suffix(samples.unit), metric: samples.metric, of: samples.unit)]
                    .add(value, at: run.started, labels: labels(samples.series, run.context))
            }
        }
        return families.sorted { $0.key < $1.key }.map { $0.value.text($0.key) }.joined() + "# EOF\n"
    }

    private struct Family {
        var unit: String?
        var help: String
        /// By their labels: points with ascending times.
        var series: [String: [(time: Int64, value: Double)]] = [:]

        init(unit: String?, metric: String, of fullUnit: String) {
            self.unit = unit
            help = "\(metric) in \(fullUnit), the median of the repetitions"
        }

        /// Of two runs that began in the same second the later one counts: times must ascend.
        mutating func add(_ value: Double, at time: Int64, labels: String) {
            if series[labels]?.last?.time == time { series[labels]?.removeLast() }
            series[labels, default: []].append((time, value))
        }

        func text(_ name: String) -> String {
            var lines = ["# TYPE \(name) gauge"]
            if let unit { lines.append("# UNIT \(name) \(unit)") }
            lines.append("# HELP \(name) \(OpenMetrics.escaped(help))")
            for (labels, points) in series.sorted(by: { $0.key < $1.key }) {
                lines += points.map { "\(name){\(labels)} \($0.value) \($0.time)" }
            }
            return lines.map { $0 + "\n" }.joined()
        }
    }

    /// A metric's name must end with its unit, if it tells one.
    private static func familyName(_ samples: MetricSamples) -> String {
        let name = "drbench_" + word(samples.metric)
        guard let unit = suffix(samples.unit), !name.hasSuffix("_" + unit) else { return name }
        return "\(name)_\(unit)"
    }

    private static func suffix(_ unit: String) -> String? {
        unit.isEmpty || unit.contains(where: { !$0.isASCII || !$0.isLetter }) ? nil : unit
    }

    private static func labels(_ series: MeasuredSeries, _ context: MeasurementContext) -> String {
        var labels = [
            "scenario": series.scenario, "load": series.load, "clock": context.clock.rawValue, "engine": context.engine,
            "kernel": context.kernel,
        ]
        if context.clock == .real { labels["machine"] = context.machine.hostName }
        for (name, value) in series.parameters.sorted(by: { $0.key < $1.key }) {
            var label = word(name)
            while labels[label] != nil || label == "le" || label == "quantile" { label = "parameter_" + label }
            labels[label] = value
        }
        return labels.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
            .map { "\($0.key)=\"\(escaped($0.value))\"" }.joined(separator: ",")
    }

    /// Only letters, digits and underscores, no digit first, and no two underscores, which are reserved.
    private static func word(_ text: String) -> String {
        let parts = text.split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
        let word = parts.joined(separator: "_")
        return word.isEmpty || word.first?.isNumber == true ? "n" + word : word
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing("\"", with: "\\\"")
    }
}
