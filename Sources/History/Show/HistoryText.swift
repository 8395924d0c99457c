internal import Measurement
internal import Text

extension HistoryEntry {
    /// A table of runs for people, one a line, the earliest first.
    public static func table(_ entries: [HistoryEntry]) -> String {
        let rows = entries.map { entry in
            [
                "\(entry.number)", DateText(entry.started).short, entry.context.revision?.shortRevision ?? "–",
                entry.context.clock.rawValue, entry.context.engine.printable, entry.context.kernel.printable,
                "\(entry.measurements)", entry.scenarioText,
            ]
        }
        let head = ["run", "started (UTC)", "revision", "clock", "engine", "kernel", "measurements", "scenarios"]
        let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
        return ([head] + rows).map { row in
            let cells = row.enumerated().map { column, cell in
                switch column {
                case 0, 6: cell.leftPadded(to: widths[column])
                case row.count - 1: cell
                default: cell.padded(to: widths[column])
                }
            }
            return cells.joined(separator: "  ") + "\n"
        }.joined()
    }

    /// The scenarios by what they are variants of: `mode-comparison (12)`.
    private var scenarioText: String {
        var groups: [(name: String, count: Int)] = []
        for scenario in scenarios {
            let name = String(scenario.prefix { $0 != "/" })
            if groups.last?.name == name { groups[groups.count - 1].count += 1 } else { groups.append((name, 1)) }
        }
        return groups.map { $0.count == 1 ? $0.name : "\($0.name) (\($0.count))" }.joined(separator: ", ").printable
    }
}

extension Trend {
    /// Trends for people, by series: a sparkline, the first and the last value, and where the level changed.
    public static func text(_ trends: [Trend]) -> String {
        var lines: [String] = []
        var series: MeasuredSeries?
        let width = trends.map { $0.metric.count }.max() ?? 0
        for trend in trends {
            if trend.series != series {
                series = trend.series
                lines += (lines.isEmpty ? [] : [""]) + [trend.series.description.printable]
            }
            guard let first = trend.points.first?.value, let last = trend.points.last?.value else { continue }
            let values = [first, last].map { NumberText.value($0, unit: trend.unit) }.joined(separator: " → ")
            lines.append("  \(trend.metric.printable.padded(to: width))  \(trend.sparkline())  \(values)")
            lines += trend.changes.map { change in
                let revision = change.revision.map { " (\($0.shortRevision))" } ?? ""
                let levels = [change.before, change.after].map { NumberText.value($0, unit: trend.unit) }
                return "  \("".padded(to: width))  since run \(change.run)\(revision): "
                    + "\(NumberText.change(change.part)), \(levels.joined(separator: " → "))\(trend.judgement(of: change))"
            }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private func judgement(of change: Change) -> String {
        guard let better else { return "" }
        return (change.after > change.before) == (better == .higher) ? ", better" : ", worse"
    }
}
