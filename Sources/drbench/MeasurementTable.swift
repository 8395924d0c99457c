import Measurement
import Text

/// Measurements for people: a line for each scenario and load, the median of its repetitions.
struct MeasurementTable {
    private let rows: [[String]]

    private static let columns: [(title: String, metric: String, format: @Sendable (Double) -> String)] = [
        ("req/s", "requests_per_second", { grouped($0.rounded()) }),
        ("conn/s", "connections_per_second", { grouped($0.rounded()) }),
        ("bit/s", "throughput", { scaled($0, ["", "k", "M", "G", "T"]) }),
        ("p50", "latency_p50", { time($0) }),
        ("p99", "latency_p99", { time($0) }),
        ("p99.9", "latency_p999", { time($0) }),
        ("max", "latency_max", { time($0) }),
        ("failed", "requests_failed", { grouped($0) }),
        ("retrans", "retransmissions", { grouped($0) }),
        ("director", "director_share", { "\(fixed($0 * 100, 1)) %" }),
        ("req/cpu-s", "requests_per_client_cpu_second", { grouped($0.rounded()) }),
    ]

    init(_ run: MeasuredRun) {
        var keys: [(scenario: String, load: String)] = []
        var groups: [String: [Measurement]] = [:]
        for measurement in run.measurements {
            let key = "\(measurement.scenario)\n\(measurement.load)"
            if groups[key] == nil { keys.append((measurement.scenario, measurement.load)) }
            groups[key, default: []].append(measurement)
        }
        // What no measurement has is no column.
        let names = Set(run.measurements.flatMap { $0.metrics.map(\.name) })
        let columns = Self.columns.filter { names.contains($0.metric) }
        rows =
            [["scenario", "load"] + columns.map(\.title)]
            + keys.map { key in
                let group = groups["\(key.scenario)\n\(key.load)"] ?? []
                return [key.scenario.printable, key.load.printable]
                    + columns.map { column in
                        let values = group.compactMap { $0.metrics.first { $0.name == column.metric }?.value }
                        return Self.median(values).map(column.format) ?? "–"
                    }
            }
    }

    /// In columns: names to the left, numbers to the right; with a line feed at the end of each row.
    var text: String {
        guard rows.count > 1 else { return "" }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column < 2 ? cell + space : space + cell
            }
            return cells.joined(separator: "  ") + "\n"
        }.joined()
    }

    static func median(_ values: [Double]) -> Double? {
        let sorted = values.sorted()
        guard let last = sorted.indices.last else { return nil }
        return (sorted[last / 2] + sorted[(last + 1) / 2]) / 2
    }

    /// `12 345`.
    private static func grouped(_ value: Double) -> String {
        var digits = String(Int(saturating: value).magnitude)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (value < 0 ? "-" : "") + ([digits] + groups).joined(separator: " ")
    }

    /// Three digits and a unit's prefix: `94.9 M`.
    private static func scaled(_ value: Double, _ prefixes: [String]) -> String {
        var (value, index) = (value, 0)
        while value >= 999.5, index + 1 < prefixes.count {
            value /= 1000
            index += 1
        }
        return "\(fixed(value, value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2)) \(prefixes[index])"
    }

    private static func time(_ seconds: Double) -> String {
        if seconds >= 0.9995 { return "\(fixed(seconds, 2)) s" }
        if seconds >= 0.000_999_5 { return "\(fixed(seconds * 1e3, 2)) ms" }
        return "\(fixed(seconds * 1e6, 0)) µs"
    }

    /// With so many digits behind the point.
    private static func fixed(_ value: Double, _ digits: Int) -> String {
        let factor = digits == 0 ? 1 : digits == 1 ? 10 : 100.0
        let scaled = Int(saturating: value * factor)
        guard digits > 0 else { return "\(scaled)" }
        let fraction = String(scaled.magnitude % UInt(factor))
        let zeros = String(repeating: "0", count: digits - fraction.count)
        return "\(scaled < 0 ? "-" : "")\(scaled.magnitude / UInt(factor)).\(zeros)\(fraction)"
    }
}
