internal import Evidence
internal import Text
public import Verdict

extension Explanation {
    /// Which rules packets met, one line for each step: where, in which conntrack state, what it did, and the rule.
    ///
    /// - Parameters:
    ///   - chosen: the numbers of journeys to speak of; nil for those that failed.
    public func text(of traces: RuleTraces, for chosen: Set<Int>?) -> String {
        let numbers = chosen ?? Set(deadJourneys)
        var lines: [String] = []
        if let difference = traces.difference {
            lines += wrapped(
                "the run with tracing is not the same as the first one, \(difference): what it shows need not be what "
                    + "happened in the first", label: "beware")
        }
        let shown = journeys.journeys.filter { numbers.contains($0.number) }
        for journey in shown.prefix(Self.tracedPackets) {
            lines.append("rules of #\(journey.number) \(journey.packet)")
            let passages = traces.passages.filter { $0.journey == journey.number }
            if passages.isEmpty {
                lines += wrapped("it met no rules", label: "")
                continue
            }
            for passage in passages {
                for (index, step) in passage.steps.enumerated() {
                    lines.append(line(of: step, namespace: index == 0 ? passage.namespace : ""))
                }
            }
        }
        if shown.count > Self.tracedPackets {
            lines.append("and \(shown.count - Self.tracedPackets) packets more; name a packet or a filter to see them")
        }
        return lines.map(\.printable).joined(separator: "\n")
    }

    private static let tracedPackets = 12

    /// Of each flow that failed, told once for those that failed alike: the first packet that met its end.
    private var deadJourneys: [Int] { grouped(failures).compactMap { $0.first?.dead?.number } }

    /// `hv1     INVALID      filter neutron-linuxbri-i6c620000-0 1  DROP  -m state --state INVALID -j DROP`.
    private func line(of step: RuleTraces.Step, namespace: String) -> String {
        var line = "  " + namespace.padded(to: 9)
        line += (step.state ?? "-").padded(to: 12)
        line += "\(step.table) \(step.chain)" + (step.number > 0 ? " \(step.number)" : "") + "  "
        if step.number == 0 { return line + (step.rule == "policy" ? "policy \(step.verdict ?? "")" : "return") }
        line += step.verdict.map { Self.isFinal($0) ? "\($0)  " : "" } ?? ""
        return line + (step.rule.map(Self.withoutComment) ?? "a rule that is not there any more")
    }

    /// Comments say in many words what the rule is.
    private static func withoutComment(_ rule: String) -> String {
        guard let start = rule.firstRange(of: "-m comment --comment "), let first = rule[start.upperBound...].first
        else { return rule }
        let text = rule[start.upperBound...].dropFirst()
        guard let end = text.firstIndex(of: first == "\"" ? "\"" : " ") else { return rule }
        return String(rule[..<start.lowerBound] + text[end...].dropFirst(first == "\"" ? 2 : 1))
    }

    private static func isFinal(_ verdict: String) -> Bool { ["ACCEPT", "DROP", "REJECT"].contains(verdict) }
}
