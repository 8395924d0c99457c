public import Measurement

/// What became of one metric of one series from one run to another.
public struct MetricComparison: Codable, Sendable, Equatable {
    public enum Verdict: String, Codable, Sendable, CaseIterable {
        case regressed
        case improved
        /// Another number, of which neither the higher nor the lower is better.
        case changed
        /// Not changed by as much as matters, and that is known.
        case same
        /// Nothing is known.
        case inconclusive
    }

    /// How the verdict was found.
    public enum Method: String, Codable, Sendable {
        /// In virtual time with one seed: repetition by repetition, without chance.
        case exact
        /// By the Mann–Whitney test and the interval of the shift.
        case statistical
    }

    public struct Side: Codable, Sendable, Equatable {
        public var repetitions: Int
        public var median: Double
        public var lowest: Double
        public var highest: Double
        /// The quantile of all repetitions' latencies together, for quantiles of latencies.
        public var merged: Double?
    }

    public var series: MeasuredSeries
    public var metric: String
    public var unit: String
    public var better: Metric.Better?
    public var before: Side
    public var after: Side
    public var method: Method
    /// Of the later values above the earlier ones, in the metric's unit. With the method `exact`, the median of the
    /// differences of the pairs, and the smallest and largest of them.
    public var shift: Shift
    /// Of Mann and Whitney; nil where the method is exact.
    public var p: Double?
    /// The same, corrected for how many metrics were compared.
    public var adjustedP: Double?
    /// Cliff's delta.
    public var effect: Double
    public var verdict: Verdict
    /// Why, where the numbers do not say it.
    public var reason: String?

    /// The shift as a part of the earlier median; nil if that is 0.
    public var relative: Shift? {
        guard before.median != 0 else { return nil }
        var relative = shift
        let base = abs(before.median)
        relative.estimate /= base
        relative.low = shift.low.map { $0 / base }
        relative.high = shift.high.map { $0 / base }
        return relative
    }

    /// What a change in this direction is.
    func change(upwards: Bool) -> Verdict {
        guard let better else { return .changed }
        return (better == .higher) == upwards ? .improved : .regressed
    }
}

extension MetricComparison.Side {
    init(_ samples: MetricSamples) {
        let values = samples.values.map(\.value)
        self.init(
            repetitions: values.count, median: values.median ?? 0, lowest: values.min() ?? 0,
            highest: values.max() ?? 0, merged: samples.merged)
    }
}
