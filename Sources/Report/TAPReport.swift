internal import Scenario
internal import Verdict

/// The Test Anything Protocol, version 14 (testanything.org/tap-version-14-specification.html): a test point per
/// scenario, what is wrong with it in a YAML block.
func tapReport(_ result: RunResult) -> String {
    var lines = ["TAP version 14", "1..\(result.runs.count)"]
    for (index, run) in result.runs.enumerated() {
        let verdict = run.verdict
        let point = "\(index + 1) - \(verdict.scenario.escapedForTAP)"
        switch verdict.status {
        case .passed: lines.append("ok \(point)")
        case .skipped: lines.append("ok \(point) # SKIP \(verdict.reason.printable.escapedForTAP)")
        case .failed, .error:
            lines.append("not ok \(point)")
            lines += ["  ---", "  message: \(verdict.reason.quotedForYAML)", "  severity: \(verdict.status.severity)"]
            let bad = verdict.checks.filter { $0.status != .passed }
            if !bad.isEmpty { lines.append("  checks:") }
            for check in bad {
                lines += [
                    "    - at: \(check.location.description.quotedForYAML)",
                    "      expected: \(check.expected.quotedForYAML)", "      found: \(check.actual.quotedForYAML)",
                ]
            }
            if let directory = run.directory { lines.append("  evidence: \(directory.quotedForYAML)") }
            if let timing = run.timing { lines.append("  duration_ms: \(timing.wall / 1_000_000)") }
            lines.append("  ...")
        }
    }
    return lines.joined(separator: "\n") + "\n"
}

extension Verdict.Status {
    fileprivate var severity: String { self == .error ? "error" : "fail" }
}

extension String {
    /// `#` would begin a directive.
    fileprivate var escapedForTAP: String {
        replacing("\\", with: "\\\\").replacing("#", with: "\\#")
    }

    /// A double-quoted YAML scalar (YAML 1.2.2, 7.3.1).
    fileprivate var quotedForYAML: String {
        "\"" + printable.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\t", with: "\\t") + "\""
    }
}
