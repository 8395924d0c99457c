public import Measurement

/// By how much whole runs of the same thing differ on their own, learned from a history.
///
/// Where memory was put, what else the machine did, how warm it was: no number of repetitions within a run shows it.
public struct RunNoise: Sendable, Equatable {
    private var deviations: [MetricKey: Double] = [:]

    /// With fewer differences than these a history says nothing.
    private static let leastDifferences = 5

    /// - Parameter runs: comparable ones, in their order.
    public init(_ runs: [(number: Int, run: MeasuredRun)]) {
        for trend in Trend.all(runs) {
            // A new level is a change, not noise.
            let borders = Set(trend.changes.map(\.run))
            let differences = zip(trend.points, trend.points.dropFirst()).compactMap { old, new in
                borders.contains(new.run) || old.value == 0 ? nil : abs(new.value - old.value) / abs(old.value)
            }
            guard differences.count >= Self.leastDifferences, let median = differences.median else { continue }
            // The median of a normal distribution's distances is 0.6745 deviations, and a difference has twice the variance.
            deviations[MetricKey(series: trend.series, metric: trend.metric, unit: trend.unit)] =
                median / 0.6745 / 2.0.squareRoot()
        }
    }

    /// One standard deviation, as a part of the number; nil if too few runs were kept.
    func deviation(of comparison: MetricComparison) -> Double? {
        deviations[MetricKey(series: comparison.series, metric: comparison.metric, unit: comparison.unit)]
    }
}
