internal import FoundationEssentials
internal import Text
internal import Verdict

extension ResultDifference {
    /// For programs: the model itself, with sorted keys.
    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }

    /// For people: each run that differs with what differs, and the counts.
    ///
    /// - Parameter limit: lines of each kind and run; what is beyond is counted.
    public func text(limit: Int = 12) -> String {
        var lines = [head("---", before), head("+++", after), ""]
        for run in runs where run.state != .same && run.state != .identical {
            lines += block(run, limit: limit) + [""]
        }
        lines += runs.compactMap { run in run.note.map { "\(run.scenario): \($0)" } }
        lines.append(summary)
        return lines.map(\.printable).joined(separator: "\n") + "\n"
    }

    private func head(_ mark: String, _ side: Side) -> String {
        "\(mark) \(side.folder)  (\(side.engine)" + (side.seed.map { ", seed \($0)" } ?? "") + ")"
    }

    private func block(_ run: RunDifference, limit: Int) -> [String] {
        switch run.state {
        case .onlyBefore: return ["\(run.scenario): only in \(before.folder)"]
        case .onlyAfter: return ["\(run.scenario): only in \(after.folder)"]
        case .same, .identical: return []
        case .changed: break
        }
        var lines = [run.scenario]
        for kind in RunFacts.Kind.allCases {
            let changes = run.changes.filter { $0.kind == kind }
            for change in changes.prefix(limit) { lines += text(of: change) }
            if changes.count > limit {
                lines.append("  \(kind.rawValue.padded(to: 12)) … and \(changes.count - limit) more")
            }
        }
        return lines
    }

    private func text(of change: RunDifference.Change) -> [String] {
        let label = "  \(change.kind.rawValue.padded(to: 12)) "
        let values = "\(change.before ?? "none") → \(change.after ?? "none")"
        let line = label + (change.subject.isEmpty ? values : "\(change.subject): \(values)")
        guard line.count > 110, !change.subject.isEmpty else { return [line] }
        return [label + change.subject, "               \(values)"]
    }

    private var summary: String {
        func count(_ states: RunDifference.State...) -> Int { runs.count { states.contains($0.state) } }
        let identical = count(.identical)
        let same = count(.same) + identical
        guard !isEmpty else {
            let all = runs.count == 1 ? "the runs are the same" : "all \(runs.count) runs are the same"
            if identical == runs.count { return all + " to the byte" }
            return all + (identical > 0 ? ", \(identical) to the byte," : "") + " but for times and numbers"
        }
        let changed = count(.changed)
        let verdicts = runs.count { $0.changes.contains { $0.kind == .verdict } }
        let alone = count(.onlyBefore, .onlyAfter)
        var parts = [
            "\(changed) of \(runs.count) \(runs.count == 1 ? "run" : "runs") \(changed == 1 ? "differs" : "differ")"
                + (verdicts > 0 ? ", \(verdicts) with another verdict" : "")
        ]
        if alone > 0 { parts.append("\(alone) only on one side") }
        if same > 0 { parts.append("\(same) the same" + (identical > 0 ? ", \(identical) to the byte" : "")) }
        return parts.joined(separator: "; ")
    }
}
