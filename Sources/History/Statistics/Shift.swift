/// By how much the values of one sample are above those of another, with an interval that the truth is in with a stated
/// confidence.
///
/// The estimate is that of Hodges and Lehmann: the median of all differences between a value of one and a value of the other.
/// The interval is the one of all shifts that the Mann–Whitney test would not reject. Neither assumes a distribution, and a
/// few wild values hardly move them.
///
/// Source: Hollander, Wolfe, "Nonparametric Statistical Methods", chapter 4.
public struct Shift: Sendable, Equatable, Codable {
    public var estimate: Double
    /// nil if there are too few values for any interval of that confidence.
    public var low: Double?
    public var high: Double?

    public init(estimate: Double, low: Double? = nil, high: Double? = nil) {
        self.estimate = estimate
        self.low = low
        self.high = high
    }

    /// - Parameter confidence: between 0 and 1: 0.99.
    /// - Returns: nil if a sample is empty.
    public init?(from first: [Double], to second: [Double], confidence: Double) {
        var differences: [Double] = []
        differences.reserveCapacity(first.count * second.count)
        for value in second { for base in first { differences.append(value - base) } }
        differences.sort()
        guard !differences.isEmpty else { return nil }
        let middle = differences.count / 2
        estimate =
            differences.count.isMultiple(of: 2)
            ? (differences[middle - 1] + differences[middle]) / 2 : differences[middle]
        let cut = Self.cut(first.count, second.count, tail: (1 - confidence) / 2)
        guard cut > 0, cut <= middle else { return }
        low = differences[cut - 1]
        high = differences[differences.count - cut]
    }

    /// How many of the ordered differences are left out at each end, and one: the largest k with P(U < k) ≤ tail.
    private static func cut(_ count: Int, _ otherCount: Int, tail: Double) -> Int {
        guard count + otherCount <= UDistribution.limit else {
            let pairs = Double(count * otherCount)
            let deviation = (pairs * Double(count + otherCount + 1) / 12).squareRoot()
            return Int((pairs / 2 - NormalDistribution.value(exceededWith: tail) * deviation).rounded(.down))
        }
        let distribution = UDistribution.of(count, otherCount)
        var cut = 0
        while cut < count * otherCount, distribution.lowerTail(cut) <= tail { cut += 1 }
        return cut
    }
}
