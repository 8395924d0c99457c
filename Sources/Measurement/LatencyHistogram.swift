/// Counts times in HDR buckets: exact below 2,048 ns, with three significant digits above, up to 4.8 hours.
///
/// The buckets are those of HdrHistogram with a lowest discernible value of 1 and three significant digits
/// (AbstractHistogram.java, `countsArrayIndex`): each power of two is divided into 1,024 equal parts. It is a type of its own
/// because it records within a lab kernel, where a library more in PID 1 is milliseconds more for every run.
public struct LatencyHistogram: Sendable, Equatable {
    public static let significantDigits = 3
    /// What a sub-bucket's number takes: the first power of two that tells 2 × 10³ values apart.
    private static let bits = 11
    private static let halfCount = 1 << (bits - 1)
    /// The longest time that has a bucket of its own; longer ones count as this one.
    public static let longest = UInt64(1) << 44 - 1

    private var counts: [UInt64]
    public private(set) var count: UInt64 = 0
    /// Exact; 0 if there is none.
    public private(set) var maximum: UInt64 = 0

    public init() {
        counts = [UInt64](repeating: 0, count: Self.index(of: Self.longest) + 1)
    }

    /// - Parameter nanoseconds: a negative time, which only a clock that was set back gives, counts as 0.
    public mutating func record(_ nanoseconds: Int64, times: UInt64 = 1) {
        let value = UInt64(max(0, nanoseconds))
        counts[Self.index(of: min(value, Self.longest))] &+= times
        count &+= times
        if value > maximum { maximum = value }
    }

    /// The sum of both: the same as if all had been recorded in one.
    public mutating func merge(_ other: LatencyHistogram) {
        for index in counts.indices { counts[index] &+= other.counts[index] }
        count &+= other.count
        maximum = max(maximum, other.maximum)
    }

    /// What was recorded, empty buckets left out. The last bucket's value is the maximum itself, as HdrHistogram's p100 is.
    public var distribution: LatencyDistribution {
        var buckets = counts.indices.filter { counts[$0] > 0 }.map {
            LatencyDistribution.Bucket(nanoseconds: Self.highest(in: $0), count: counts[$0])
        }
        if let last = buckets.indices.last { buckets[last].nanoseconds = min(buckets[last].nanoseconds, maximum) }
        return LatencyDistribution(significantDigits: Self.significantDigits, buckets: buckets)
    }

    static func index(of value: UInt64) -> Int {
        // How many low bits a bucket of this size does not tell apart.
        let shift = max(0, UInt64.bitWidth - value.leadingZeroBitCount - bits)
        return shift * halfCount + Int(value >> UInt64(shift))
    }

    /// The highest value that is counted there.
    static func highest(in index: Int) -> UInt64 {
        let shift = max(0, index / halfCount - 1)
        return (UInt64(index - shift * halfCount) + 1) << UInt64(shift) - 1
    }
}

extension LatencyDistribution {
    /// All values of the given distributions in one; nil if there are none. Its digits are the fewest of them.
    public static func merged(_ distributions: [LatencyDistribution]) -> LatencyDistribution? {
        guard let digits = distributions.map(\.significantDigits).min() else { return nil }
        var counts: [UInt64: UInt64] = [:]
        for bucket in distributions.flatMap(\.buckets) { counts[bucket.nanoseconds, default: 0] += bucket.count }
        return LatencyDistribution(
            significantDigits: digits,
            buckets: counts.sorted { $0.key < $1.key }.map { Bucket(nanoseconds: $0.key, count: $0.value) })
    }
}
