internal import Scenario
internal import Verdict

extension Explanation {
    /// How the run's packets ended, and by what, in two lines: `NAME: 40 delivered, 2 dropped by a rule`, and `  why: …`
    /// with the names of the mechanisms; `?` for what nothing explains.
    public var count: String {
        var counts: [String: Int] = [:]
        for journey in journeys.journeys {
            counts[journey.end.kind, default: 0] += 1
            for copy in journey.lostCopies ?? [] { counts["(copy) \(copy.end.kind)", default: 0] += 1 }
        }
        let texts = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        let reasons = reasons
        return "\(scenario.fullName): \(texts.joined(separator: ", "))"
            + (reasons.isEmpty ? "" : "\n  why: \(reasons.joined(separator: ", "))")
    }

    /// The names of what made flows fail and packets die, each once.
    private var reasons: [String] {
        var names: [String] = []
        func add(_ name: String) {
            if !names.contains(name) { names.append(name) }
        }
        for failure in failures { add(failure.diagnosis?.name ?? "? (\(failure.flow.text))") }
        for journey in journeys.journeys {
            if !journey.end.isGood { add(diagnostician.diagnosis(of: journey)?.name ?? "?") }
            for diagnosis in copyDiagnoses(of: journey) { add(diagnosis.name) }
        }
        return names
    }
}

extension JourneyEnd {
    /// `text`, without what it is undecided between.
    fileprivate var kind: String { if case .undecided = self { "undecided" } else { text } }
}
