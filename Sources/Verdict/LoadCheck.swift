internal import Evidence
internal import Measurement
internal import Scenario

extension Expectation.LoadResult {
    func judged(in scope: Scope) throws(Unjudgeable) -> Finding {
        guard let load = scope.loads.first, scope.loads.count == 1 else {
            throw Unjudgeable("\(scope.loads.count) loads \(scope.period), not one")
        }
        var finding = Finding("the load '\(load.name)' is measured")
        finding.details = load.outcomes.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        if let answered {
            finding.require(
                answered.contains(load.answered), expected: answered.of("request") + " answered",
                actual: "\(load.answered)")
        }
        if let failed {
            let reasons = load.outcomes.filter { $0.key != Outcome.answered.rawValue }.sorted { $0.key < $1.key }
            let words = reasons.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
            finding.require(
                failed.contains(load.failed), expected: failed.of("request") + " failed",
                actual: "\(load.failed)" + (words.isEmpty ? "" : " (\(words))"))
        }
        if let requestsPerSecond {
            finding.require(
                requestsPerSecond.contains(Int(saturating: load.requestsPerSecond)),
                expected: "\(requestsPerSecond) requests per second",
                actual: "\(Int(saturating: load.requestsPerSecond))")
        }
        if let throughput {
            finding.require(
                throughput.contains(Int(saturating: load.throughput)), expected: "\(throughput) bit/s",
                actual: "\(Int(saturating: load.throughput)) bit/s")
        }
        for (quantile, bound) in quantiles.sorted(by: { $0.key < $1.key }) {
            let value = load.latency.value(atQuantile: quantile)
            finding.require(
                value.map { bound.contains(Int(clamping: $0)) } ?? false,
                expected: "a latency p\(Self.percentage(quantile)) of \(bound.durationWords)",
                actual: value.map { "\(Nanoseconds(clamping: $0).seconds) s" } ?? "no answer")
        }
        if let directorShare {
            guard let share = load.directorShare else {
                throw Unjudgeable("the load '\(load.name)' has no director, or its clients no traffic")
            }
            finding.require(
                directorShare.contains(Int(saturating: share * 100_000)),
                expected: "\(directorShare.percentWords) of the clients' octets at the director",
                actual: Int(saturating: share * 100_000).percent)
        }
        return finding
    }

    private static func percentage(_ quantile: Double) -> String {
        let value = (quantile * 1000).rounded() / 10
        return value == value.rounded() ? "\(Int(saturating: value))" : "\(value)"
    }
}
