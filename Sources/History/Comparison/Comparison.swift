public import Measurement

/// Two runs, compared metric by metric.
public struct Comparison: Codable, Sendable, Equatable {
    public struct Side: Codable, Sendable, Equatable {
        /// Its number in the history, or its file.
        public var name: String
        public var started: Int64
        public var context: MeasurementContext
    }

    public var before: Side
    public var after: Side
    public var rules: ComparisonRules
    /// How their contexts differ, as far as it was no reason to refuse.
    public var contexts: [ContextDifference]
    public var results: [MetricComparison]
    /// What only one of them measured.
    public var onlyBefore: [MeasuredSeries]
    public var onlyAfter: [MeasuredSeries]

    /// - Parameters:
    ///   - noise: how much runs differ on their own, if a history shows it.
    ///   - metrics: only these; empty for all.
    ///   - allowsDifferentContext: compares also what differs in what changes numbers on its own. Never across clocks.
    public init(
        _ before: MeasuredRun, named beforeName: String, _ after: MeasuredRun, named afterName: String,
        rules: ComparisonRules = ComparisonRules(), noise: RunNoise? = nil, metrics: Set<String> = [],
        allowsDifferentContext: Bool = false
    ) throws(ComparisonError) {
        contexts = ContextDifference.all(before.context, after.context)
        if let clock = contexts.first(where: { $0.gravity == .never }) { throw .incomparable(clock) }
        let grave = contexts.filter { $0.gravity == .onRequest }
        guard grave.isEmpty || allowsDifferentContext else { throw .differentContext(grave) }

        self.before = Side(name: beforeName, started: before.started, context: before.context)
        self.after = Side(name: afterName, started: after.started, context: after.context)
        self.rules = rules
        let (old, new) = (before.samples, after.samples)
        let earlier = Dictionary(old.map { ($0.key, $0) }) { first, _ in first }
        let isExact = before.context.isRepeated(by: after.context)
        results = new.compactMap { samples in
            guard let base = earlier[samples.key], metrics.isEmpty || metrics.contains(samples.metric) else {
                return nil
            }
            let exactly = isExact ? rules.compareExactly(base, samples) : nil
            return exactly ?? rules.compareStatistically(base, samples)
        }
        rules.judge(&results, clock: after.context.clock, noise: noise)
        (onlyBefore, onlyAfter) = (Self.series(old, without: new), Self.series(new, without: old))
        guard !results.isEmpty else {
            let known = Set(old.map(\.metric)).intersection(new.map(\.metric))
            let unknown = metrics.subtracting(known).sorted()
            throw unknown.isEmpty ? .nothingInCommon : .noSuchMetric(unknown, known: known.sorted())
        }
    }

    /// The gravest of all: regressed, inconclusive, changed, improved, same.
    public var verdict: MetricComparison.Verdict {
        let found = Set(results.map(\.verdict))
        return [.regressed, .inconclusive, .changed, .improved].first { found.contains($0) } ?? .same
    }

    public func count(_ verdict: MetricComparison.Verdict) -> Int { results.count { $0.verdict == verdict } }

    private static func series(_ samples: [MetricSamples], without others: [MetricSamples]) -> [MeasuredSeries] {
        let known = Set(others.map(\.series))
        var seen: Set<MeasuredSeries> = []
        return samples.map(\.series).filter { !known.contains($0) && seen.insert($0).inserted }
    }
}

extension MeasurementContext {
    /// Whether the other run's numbers must be these, as long as nothing that is tested has changed.
    func isRepeated(by other: MeasurementContext) -> Bool {
        clock == .virtual && other.clock == .virtual && seed != nil && seed == other.seed
    }
}

/// Why two runs are not compared.
public enum ComparisonError: Error, Equatable, CustomStringConvertible {
    case incomparable(ContextDifference)
    case differentContext([ContextDifference])
    case nothingInCommon
    case noSuchMetric([String], known: [String])

    public var description: String {
        switch self {
        case .incomparable(let difference):
            "\(difference.text): numbers of different clocks are never compared"
        case .differentContext(let differences):
            "the runs differ in what changes numbers on its own (\(differences.map(\.text).joined(separator: "; "))); "
                + "--allow-different-context compares them all the same"
        case .nothingInCommon: "the runs have no scenario, load and metric in common"
        case .noSuchMetric(let names, let known):
            "no such metric in both runs: \(names.joined(separator: ", ")); there are \(known.joined(separator: ", "))"
        }
    }
}
