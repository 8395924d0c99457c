internal import Glibc
internal import Synchronization

/// The two-sided Mann–Whitney U test: whether values of one sample tend to be larger than those of the other.
///
/// Exact where no two values are equal and there are at most 50 in all; else by the normal approximation with correction for
/// ties and continuity. So does SciPy's `mannwhitneyu`, whose results the tests have. But the approximation is poor far from
/// the middle, where it matters: where it says less than 0.01 and there are at most 50 values, the exact probability is
/// found in spite of ties.
///
/// Source: Mann, Whitney, "On a test of whether one of two random variables is stochastically larger than the other", Annals
/// of Mathematical Statistics 18 (1947).
public struct MannWhitney: Sendable, Equatable {
    /// Of how many pairs the first sample's value is the larger one; equal ones are half a pair.
    public let u: Double
    /// The probability of a `u` that far from the middle, if nothing differs. 1 for an empty sample.
    public let p: Double
    public let isExact: Bool
    /// See `EffectSize`.
    let cliffsDelta: Double

    /// Values must be comparable: no NaN.
    public init(_ first: [Double], _ second: [Double]) {
        let (count, otherCount) = (first.count, second.count)
        let pairs = Double(count * otherCount)
        let ranks = Ranks(first, second)
        u = ranks.firstSum - Double(count * (count + 1)) / 2
        cliffsDelta = pairs > 0 ? 1 - 2 * u / pairs : 0
        guard pairs > 0 else {
            (p, isExact) = (1, false)
            return
        }
        let larger = max(u, pairs - u)
        if ranks.tied == 0, count + otherCount <= UDistribution.limit {
            isExact = true
            // By symmetry the upper tail from `larger` is the lower tail up to its counterpart.
            p = min(1, 2 * UDistribution.of(count, otherCount).lowerTail(Int(pairs - larger)))
            return
        }
        let all = Double(count + otherCount)
        let variance = pairs / 12 * (all + 1 - ranks.tied / (all * (all - 1)))
        // All are equal: there is nothing to tell apart.
        guard variance > 0 else {
            (p, isExact) = (1, false)
            return
        }
        let z = (larger - pairs / 2 - 0.5) / variance.squareRoot()
        let approximation = min(1, 2 * NormalDistribution.upperTail(z))
        isExact = approximation < 0.01 && count + otherCount <= UDistribution.limit
        p = isExact ? ranks.exactP : approximation
    }

    /// The smallest p that two samples of these sizes can have.
    public static func smallestP(_ count: Int, _ otherCount: Int) -> Double {
        guard count > 0, otherCount > 0 else { return 1 }
        let logOfWays =
            lgamma(Double(count + otherCount + 1)) - lgamma(Double(count + 1)) - lgamma(Double(otherCount + 1))
        return min(1, 2 * exp(-logOfWays))
    }
}

/// Ranks among the values of two samples together; equal values share the mean of their ranks.
private struct Ranks {
    /// Of the first sample's values.
    var firstSum = 0.0
    /// The sum of t³ − t over the groups of t equal values.
    var tied = 0.0
    /// Of all values in ascending order, doubled: whole numbers.
    private var doubled: [Int] = []
    private let firstCount: Int

    init(_ first: [Double], _ second: [Double]) {
        firstCount = first.count
        let (first, second) = (first.sorted(), second.sorted())
        var (index, otherIndex) = (0, 0)
        while index < first.count || otherIndex < second.count {
            let value =
                index == first.count
                ? second[otherIndex] : otherIndex == second.count ? first[index] : min(first[index], second[otherIndex])
            let (start, otherStart) = (index, otherIndex)
            while index < first.count, first[index] == value { index += 1 }
            while otherIndex < second.count, second[otherIndex] == value { otherIndex += 1 }
            firstSum += Double(index - start) * Double(start + otherStart + 1 + index + otherIndex) / 2
            let group = Double(index - start + otherIndex - otherStart)
            tied += group * group * group - group
            let count = index - start + otherIndex - otherStart
            doubled += [Int](repeating: start + otherStart + 1 + index + otherIndex, count: count)
        }
    }
}

extension Ranks {
    /// Twice the probability of a sum of the first sample's ranks this far out, if any of all the values were as likely in
    /// it: by counting the choices that have each sum.
    fileprivate var exactP: Double {
        // Seen from the end that it is nearer to, so that few sums are to be counted.
        let (sum, turn) = (Int((firstSum * 2).rounded()), 2 * (doubled.count + 1))
        let isHigh = 2 * sum > firstCount * turn
        let ranks = isHigh ? doubled.reversed().map { turn - $0 } : doubled
        let observed = isHigh ? firstCount * turn - sum : sum
        let width = observed + 1
        // Of choosing k of the values so far with each sum, from k × width on.
        var ways = [Double](repeating: 0, count: (firstCount + 1) * width)
        ways[0] = 1
        ways.withUnsafeMutableBufferPointer { ways in
            for (number, rank) in ranks.enumerated() where rank <= observed {
                for chosen in stride(from: min(number + 1, firstCount), to: 0, by: -1) {
                    let (row, before) = (chosen * width, (chosen - 1) * width - rank)
                    var sum = rank
                    while sum <= observed {
                        ways[row + sum] += ways[before + sum]
                        sum += 1
                    }
                }
            }
        }
        let tail = ways[(firstCount * width)...].reduce(0, +)
        return min(1, tail * MannWhitney.smallestP(firstCount, ranks.count - firstCount))
    }
}

/// How U is distributed if nothing differs and no two values are equal.
struct UDistribution: Sendable {
    /// Up to so many values in both samples together all counts of ways are whole numbers that a Double holds.
    static let limit = 50

    /// The probability of each U or a smaller one.
    private let cumulative: [Double]

    private static let known = Mutex<[[Int]: UDistribution]>([:])

    /// - Precondition: at most `limit` values in all.
    static func of(_ count: Int, _ otherCount: Int) -> UDistribution {
        let sizes = [min(count, otherCount), max(count, otherCount)]
        return known.withLock { known in
            if let distribution = known[sizes] { return distribution }
            let distribution = UDistribution(sizes[0], sizes[1])
            known[sizes] = distribution
            return distribution
        }
    }

    /// The ways to get each U are the coefficients of the Gaussian binomial: the product of (1 − q^(m+i)) / (1 − q^i) over i
    /// from 1 to n.
    private init(_ count: Int, _ otherCount: Int) {
        precondition(count + otherCount <= Self.limit)
        let pairs = count * otherCount
        var ways = [Double](repeating: 0, count: pairs + 1)
        ways[0] = 1
        for factor in stride(from: 1, through: count, by: 1) {
            let step = otherCount + factor
            if step <= pairs { for u in (step...pairs).reversed() { ways[u] -= ways[u - step] } }
            if factor <= pairs { for u in factor...pairs { ways[u] += ways[u - factor] } }
        }
        let all = ways.reduce(0, +)
        var sum = 0.0
        cumulative = ways.map { way in
            sum += way
            return sum / all
        }
    }

    /// The probability of `u` or less.
    func lowerTail(_ u: Int) -> Double { u < 0 ? 0 : cumulative[min(u, cumulative.count - 1)] }
}
