internal import Evidence
internal import Scenario

extension Expectation.Log {
    func judged(in scope: Scope) throws(Unjudgeable) -> Finding {
        let name = "\(program) on \(on)"
        guard let text = scope.state.logs?[try scope.names.namespace(on)]?[program] else {
            throw Unjudgeable("the evidence has no output of \(name)")
        }
        let all = text.split(whereSeparator: \.isNewline).map(String.init)
        var finding = Finding(
            "\(lines.of("line")) of \(name) with \(prints.map { "'\($0)'" }.joined(separator: " and "))")
        finding.control = "\(all.count.of("line")) printed"
        let leftOut = scope.state.logsLeftOut?[try scope.names.namespace(on)]?[program]
        for wanted in prints {
            let found = all.count { $0.contains(wanted) }
            // There were as many at least; that is enough only if any more would do as well.
            if let leftOut, !(lines.contains(found) && lines.contains(.max)) {
                throw Unjudgeable(
                    "\(name) printed so much that \(leftOut) bytes are not kept: how many lines with '\(wanted)' were among"
                        + " them is not known")
            }
            finding.require(
                lines.contains(found), expected: "\(lines.of("line")) with '\(wanted)' from \(name)",
                actual: "\(found) of \(all.count)")
        }
        finding.details = Array(all.suffix(20))
        return finding
    }
}
