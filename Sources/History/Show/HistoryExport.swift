internal import FoundationEssentials
public import Measurement

/// What is kept, for other programs.
public enum HistoryExport {
    public struct Run: Codable, Sendable {
        /// In the history.
        public var number: Int
        public var run: MeasuredRun
    }

    /// An array of objects with `number` and `run`, which is what `measurements.json` holds.
    public static func json(_ runs: [(number: Int, run: MeasuredRun)]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let values = runs.map { Run(number: $0.number, run: $0.run) }
        return String(decoding: try encoder.encode(values), as: UTF8.self) + "\n"
    }

    /// A line for each metric of each repetition (RFC 4180), latencies by their quantiles.
    public static func csv(_ runs: [(number: Int, run: MeasuredRun)]) -> String {
        let head = [
            "run", "started", "clock", "engine", "kernel", "seed", "machine", "drbench", "revision", "scenario", "load",
            "parameters", "repetition", "metric", "unit", "value",
        ]
        var lines = [head.joined(separator: ",")]
        for (number, run) in runs {
            let context = run.context
            let common = [
                "\(number)", DateText(run.started).description, context.clock.rawValue, context.engine, context.kernel,
                context.seed.map { "\($0)" } ?? "", context.machine.hostName, context.drbench, context.revision ?? "",
            ]
            for samples in run.samples {
                let parameters = samples.series.parameters.sorted { $0.key < $1.key }
                let series = [
                    samples.series.scenario, samples.series.load,
                    parameters.map { "\($0.key)=\($0.value)" }.joined(separator: " "),
                ]
                for value in samples.values {
                    let cells =
                        common + series + ["\(value.repetition)", samples.metric, samples.unit, "\(value.value)"]
                    lines.append(cells.map(field).joined(separator: ","))
                }
            }
        }
        return lines.map { $0 + "\r\n" }.joined()
    }

    private static func field(_ text: String) -> String {
        text.contains { $0 == "," || $0 == "\"" || $0.isNewline } ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
    }
}
