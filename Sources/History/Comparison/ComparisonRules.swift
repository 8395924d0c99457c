internal import Measurement

/// When a difference is one.
public struct ComparisonRules: Codable, Sendable, Equatable {
    /// The smallest change that matters, as a part of the earlier median.
    public var relevantChange: Double
    /// How probable it may be that any verdict of a comparison of two runs is a false alarm. The intervals have one minus
    /// this as their confidence.
    public var significance: Double
    /// By how much two runs of the same thing differ as a whole in real time, as a part of the number: one standard
    /// deviation. No number of repetitions in one run says anything about it. Where a history shows that it is more, that
    /// holds (`RunNoise`).
    public var runToRun: Double

    public init(relevantChange: Double = 0.02, significance: Double = 0.01, runToRun: Double = 0.005) {
        self.relevantChange = relevantChange
        self.significance = significance
        self.runToRun = runToRun
    }

    /// How many repetitions on each side can show something among so many metrics.
    public func repetitionsNeeded(among tests: Int) -> Int {
        var count = 1
        while MannWhitney.smallestP(count, count) * Double(max(tests, 1)) > significance { count += 1 }
        return count
    }
}

extension ComparisonRules {
    /// Repetition by repetition, for numbers that only a changed program can change.
    func compareExactly(_ before: MetricSamples, _ after: MetricSamples) -> MetricComparison? {
        let later = Dictionary(after.values.map { ($0.repetition, $0.value) }) { first, _ in first }
        let pairs = before.values.compactMap { old in later[old.repetition].map { (old: old.value, new: $0) } }
        let differences = pairs.map { $0.new - $0.old }
        guard let median = differences.median else { return nil }
        let shift = Shift(estimate: median, low: differences.min(), high: differences.max())
        let effect = EffectSize.cliffsDelta(from: pairs.map(\.old), to: pairs.map(\.new))
        var comparison = MetricComparison(before, after, method: .exact, shift: shift, effect: effect)
        let changes = pairs.map { pair in
            pair.old == pair.new
                ? 0 : pair.old == 0 ? .infinity * (pair.new - pair.old) : (pair.new - pair.old) / abs(pair.old)
        }
        let ups = changes.count { $0 >= relevantChange }
        let downs = changes.count { $0 <= -relevantChange }
        let typical = changes.median ?? 0
        switch (ups, downs) {
        case (0, 0):
            comparison.verdict = .same
            comparison.reason = differences.allSatisfy { $0 == 0 } ? "identical" : nil
        case (_, 0) where typical >= relevantChange: comparison.verdict = comparison.change(upwards: true)
        case (0, _) where typical <= -relevantChange: comparison.verdict = comparison.change(upwards: false)
        default:
            comparison.verdict = .inconclusive
            comparison.reason = "of \(changes.count) repetitions \(ups) went up and \(downs) down"
        }
        return comparison
    }

    /// Everything but the correction for how many are compared and the verdict, which needs it.
    func compareStatistically(_ before: MetricSamples, _ after: MetricSamples) -> MetricComparison? {
        let (old, new) = (before.values.map(\.value), after.values.map(\.value))
        guard let shift = Shift(from: old, to: new, confidence: 1 - significance) else { return nil }
        let test = MannWhitney(old, new)
        var comparison = MetricComparison(
            before, after, method: .statistical, shift: shift, effect: test.cliffsDelta)
        comparison.p = test.p
        return comparison
    }

    /// Gives the verdicts of what was compared by statistics.
    ///
    /// A change is one if all of these say so: its p, corrected by Holm for all metrics of the comparison; its interval, which
    /// lies wholly beyond the smallest relevant change, also when it is widened for how runs differ as a whole; and the
    /// effect, which is large. It is the same if the interval lies wholly within the relevant change. Everything else is
    /// inconclusive.
    func judge(_ comparisons: inout [MetricComparison], clock: MeasurementClock, noise: RunNoise?) {
        // Values that are all equal cannot be a false alarm, and are no reason to be stricter with others (Tarone 1990).
        let tested = comparisons.indices.filter { comparisons[$0].method == .statistical && comparisons[$0].varies }
        for (index, p) in zip(tested, Holm.adjusted(tested.map { comparisons[$0].p ?? 1 })) {
            comparisons[index].adjustedP = p
        }
        for index in comparisons.indices where comparisons[index].method == .statistical {
            let known = noise?.deviation(of: comparisons[index]) ?? 0
            (comparisons[index].verdict, comparisons[index].reason) = verdict(
                on: comparisons[index], among: tested.count, runToRun: clock == .real ? max(runToRun, known) : 0)
        }
    }

    private func verdict(
        on comparison: MetricComparison, among tests: Int, runToRun: Double
    ) -> (MetricComparison.Verdict, reason: String?) {
        let (count, otherCount) = (comparison.before.repetitions, comparison.after.repetitions)
        guard let low = comparison.shift.low, let high = comparison.shift.high else {
            return (.inconclusive, tooFew(count, otherCount, among: 1))
        }
        let base = abs(comparison.before.median)
        let limit = relevantChange * base
        if low == 0, high == 0 { return (.same, comparison.varies ? nil : "all values are equal") }
        if low > -limit, high < limit { return (.same, nil) }
        let isBeyond = low > 0 && low >= limit || high < 0 && high <= -limit
        // The two are independent, so their squares add.
        let estimate = comparison.shift.estimate
        let near = low > 0 ? estimate - low : high - estimate
        let allowance =
            NormalDistribution.value(exceededWith: significance / 2) * 2.0.squareRoot() * runToRun * base
        let isBeyondRuns = isBeyond && abs(estimate) - (near * near + allowance * allowance).squareRoot() >= limit
        let p = comparison.adjustedP ?? 1
        if isBeyondRuns, p <= significance, abs(comparison.effect) >= EffectSize.large {
            return (comparison.change(upwards: low > 0), nil)
        }
        if isBeyond || p <= significance || low > 0 || high < 0 {
            if MannWhitney.smallestP(count, otherCount) * Double(max(tests, 1)) > significance {
                return (.inconclusive, tooFew(count, otherCount, among: tests))
            }
            if isBeyond, p <= significance { return (.inconclusive, "runs may differ by this much on their own") }
            if isBeyond { return (.inconclusive, "may be chance among \(tests) metrics") }
            return (.inconclusive, "changed, but whether by as much as matters is open")
        }
        return (.inconclusive, "the interval is too wide")
    }

    private func tooFew(_ count: Int, _ otherCount: Int, among tests: Int) -> String {
        let repetitions = count == otherCount ? "\(count)" : "\(count) and \(otherCount)"
        return "\(repetitions) repetitions are too few: \(repetitionsNeeded(among: tests)) could tell"
    }
}

extension MetricComparison {
    init(_ before: MetricSamples, _ after: MetricSamples, method: Method, shift: Shift, effect: Double) {
        self.init(
            series: after.series, metric: after.metric, unit: after.unit, better: after.better,
            before: Side(before), after: Side(after), method: method, shift: shift,
            effect: effect, verdict: .inconclusive)
    }

    /// Whether any two of the values differ.
    var varies: Bool {
        min(before.lowest, after.lowest) != max(before.highest, after.highest)
    }
}
