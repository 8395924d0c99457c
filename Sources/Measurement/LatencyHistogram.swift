internal import Histogram

/// Counts times in HdrHistogram's buckets: exact below 2,048 ns, with three significant digits above, up to 4.8 hours.
public struct LatencyHistogram: Sendable {
    public static let significantDigits = 3
    /// The longest time that is told from longer ones; those count as this one.
    public static let longest = UInt64(1) << 44 - 1

    private var histogram = Histogram<UInt64>(
        highestTrackableValue: Self.longest, numberOfSignificantValueDigits: .three)

    public init() {}

    public var count: UInt64 { histogram.totalCount }

    /// - Parameter nanoseconds: a negative time, which only a clock that was set back gives, counts as 0.
    public mutating func record(_ nanoseconds: Int64, times: UInt64 = 1) {
        histogram.record(min(UInt64(max(0, nanoseconds)), Self.longest), count: times)
    }

    /// What was recorded, empty buckets left out. The last bucket's value is the maximum itself, as HdrHistogram's p100 is.
    public var distribution: LatencyDistribution {
        LatencyDistribution(
            significantDigits: Self.significantDigits,
            buckets: histogram.recordedValues().map {
                LatencyDistribution.Bucket(nanoseconds: min($0.value, histogram.maxRecorded), count: $0.count)
            })
    }
}

extension LatencyDistribution {
    /// All values of the given distributions in one; nil if there are none. Its digits are the fewest of them.
    public static func merged(_ distributions: [LatencyDistribution]) -> LatencyDistribution? {
        guard let digits = distributions.map(\.significantDigits).min() else { return nil }
        var counts: [UInt64: UInt64] = [:]
        for bucket in distributions.flatMap(\.buckets) {
            counts[bucket.nanoseconds] = (counts[bucket.nanoseconds] ?? 0).addingSaturated(bucket.count)
        }
        return LatencyDistribution(
            significantDigits: digits,
            buckets: counts.sorted { $0.key < $1.key }.map { Bucket(nanoseconds: $0.key, count: $0.value) })
    }
}
