public import Measurement

/// One metric of one series from run to run.
public struct Trend: Codable, Sendable, Equatable {
    public var series: MeasuredSeries
    public var metric: String
    public var unit: String
    public var better: Metric.Better?
    public var points: [Point]
    public var changes: [Change]

    public struct Point: Codable, Sendable, Equatable {
        public var run: Int
        public var started: Int64
        public var revision: String?
        /// The median of the repetitions.
        public var value: Double
    }

    /// A new level, which begins with a run.
    public struct Change: Codable, Sendable, Equatable {
        public var run: Int
        public var revision: String?
        /// The medians of the levels.
        public var before: Double
        public var after: Double

        public var part: Double { before == 0 ? .infinity * (after - before) : (after - before) / abs(before) }
    }

    /// The trends of runs that may be compared with each other, in the order in which they are given. A metric of which
    /// there is only one point has none.
    public static func all(_ runs: [(number: Int, run: MeasuredRun)], smallestChange: Double = 0.02) -> [Trend] {
        var order: [MetricKey] = []
        var trends: [MetricKey: Trend] = [:]
        for (number, run) in runs {
            for samples in run.samples {
                guard let value = samples.values.map(\.value).median else { continue }
                let key = samples.key
                if trends[key] == nil { order.append(key) }
                trends[
                    key,
                    default: Trend(
                        series: samples.series, metric: samples.metric, unit: samples.unit, better: samples.better,
                        points: [], changes: [])
                ].points.append(
                    Point(run: number, started: run.started, revision: run.context.revision, value: value))
            }
        }
        return order.compactMap { trends[$0] }.filter { $0.points.count > 1 }.map { trend in
            var trend = trend
            trend.findChanges(smallestChange)
            return trend
        }
    }

    private mutating func findChanges(_ smallestChange: Double) {
        let values = points.map(\.value)
        let borders = ChangePoints.indices(in: values, smallestChange: smallestChange)
        let levels = zip([0] + borders, borders + [values.count]).map { Array(values[$0..<$1]).median ?? 0 }
        changes = borders.enumerated().map { number, border in
            Change(
                run: points[border].run, revision: points[border].revision, before: levels[number],
                after: levels[number + 1])
        }
    }

    /// One character for each of the last points, from the lowest (▁) to the highest (█).
    public func sparkline(width: Int = 32) -> String {
        let values = points.suffix(width).map(\.value)
        let marks = Array("▁▂▃▄▅▆▇█")
        guard let low = values.min(), let high = values.max(), high > low else {
            return String(repeating: "▄", count: values.count)
        }
        return String(values.map { marks[min(7, Int(($0 - low) / (high - low) * 8))] })
    }
}

extension History {
    /// The latest runs of a scenario that may be compared with the very latest of them, the earliest first.
    public func comparableRuns(
        scenario: String? = nil, last: Int = 200
    ) throws(HistoryError) -> [(number: Int, run: MeasuredRun)] {
        let entries = try runs(matching: RunFilter(scenario: scenario))
        guard let latest = entries.last else { return [] }
        let comparable = entries.filter { entry in
            ContextDifference.all(entry.context, latest.context).allSatisfy { $0.gravity == .note }
        }
        var found: [(number: Int, run: MeasuredRun)] = []
        for entry in comparable.suffix(last) {
            guard var run = try run(entry.number) else { continue }
            if let scenario {
                run.measurements.removeAll { !($0.scenario == scenario || $0.scenario.hasPrefix(scenario + "/")) }
            }
            found.append((entry.number, run))
        }
        return found
    }

    /// The two latest runs that can be compared: the latest, and the last before it with a context and a scenario like its.
    /// nil if there are none.
    public func latestPair() throws(HistoryError) -> (before: HistoryEntry, after: HistoryEntry)? {
        let entries = try runs()
        for after in entries.reversed() {
            let earlier = entries.prefix { $0.number != after.number }
            if let before = earlier.last(where: { $0.isComparable(with: after) }) { return (before, after) }
        }
        return nil
    }
}

extension HistoryEntry {
    func isComparable(with other: HistoryEntry) -> Bool {
        !Set(scenarios).isDisjoint(with: other.scenarios)
            && ContextDifference.all(context, other.context).allSatisfy { $0.gravity == .note }
    }
}
