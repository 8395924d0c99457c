internal import Scenario
internal import Text
internal import Verdict

/// The Test Anything Protocol, version 13 (testanything.org/tap-version-13-specification.html), which all that reads TAP
/// understands: a test point per scenario, what is wrong with it in a YAML block.
func tapReport(_ result: RunResult) -> String {
    var lines = ["TAP version 13", "1..\(result.runs.count)"]
    for (index, run) in result.runs.enumerated() {
        let verdict = run.verdict
        let point = "\(index + 1) - \(verdict.scenario.escapedForTAP)"
        switch verdict.status {
        case .passed: lines.append("ok \(point)")
        case .skipped: lines.append("ok \(point) # SKIP \(verdict.reason.printable.escapedForTAP)")
        case .failed, .error: lines += ["not ok \(point)", "  ---"] + yaml(run).map { "  " + $0 } + ["  ..."]
        }
    }
    return lines.joined(separator: "\n") + "\n"
}

private func yaml(_ run: ScenarioRun) -> [String] {
    let verdict = run.verdict
    var lines = ["message: \(verdict.reason.quotedForYAML)", "severity: \(verdict.status.severity)"]
    let bad = verdict.checks.filter { $0.status != .passed }
    lines += list("checks", bad) { check in
        [
            ("at", check.location.description), ("step", check.place), ("expected", check.expected),
            ("found", check.actual),
        ]
    }
    lines += list("why", run.failures ?? []) { failure in
        [
            ("flow", failure.head), ("killed", failure.end), ("by", failure.rule), ("because", failure.because),
            ("try", failure.remedies.isEmpty ? nil : failure.remedies.map(\.text).joined(separator: "; ")),
        ]
    }
    let paths = run.paths()
    if !paths.isEmpty { lines += ["evidence:"] + paths.map { "  - \($0.quotedForYAML)" } }
    if let timing = run.timing { lines.append("duration_ms: \(timing.wall / 1_000_000)") }
    return lines
}

private func list<Item>(_ name: String, _ items: [Item], _ fields: (Item) -> [(String, String?)]) -> [String] {
    guard !items.isEmpty else { return [] }
    return ["\(name):"]
        + items.flatMap { item in
            fields(item).compactMap { name, value in value.map { "\(name): \($0.quotedForYAML)" } }.enumerated().map {
                ($0.offset == 0 ? "  - " : "    ") + $0.element
            }
        }
}

/// The kernel's test protocol (Documentation/dev-tools/ktap.rst): TAP without YAML, what is wrong in diagnostic lines in front
/// of the result, no `-` before names.
func ktapReport(_ result: RunResult) -> String {
    var lines = ["KTAP version 1", "1..\(result.runs.count)"]
    for (index, run) in result.runs.enumerated() {
        let verdict = run.verdict
        let point = "\(index + 1) \(verdict.scenario.escapedForTAP)"
        switch verdict.status {
        case .passed: lines.append("ok \(point)")
        case .skipped: lines.append("ok \(point) # SKIP \(verdict.reason.printable.escapedForTAP)")
        case .failed, .error:
            let bad = verdict.checks.filter { $0.status != .passed }
            var texts = bad.isEmpty ? [verdict.reason] : []
            for check in bad {
                texts += ["\(check.location): \(check.place): \(check.statement)"]
                texts += ["  expected  \(check.expected)", "  actual    \(check.actual)"]
            }
            for failure in run.failures ?? [] {
                texts.append(failure.head)
                texts += failure.facts.map { "  \($0.label.padded(to: 9)) \($0.text)" }
            }
            texts += run.paths().map { "evidence: \($0)" }
            lines += texts.map { "# \(verdict.scenario.printable): \($0.printable)" } + ["not ok \(point)"]
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
        printable.replacing("\\", with: "\\\\").replacing("#", with: "\\#")
    }

    /// A double-quoted YAML scalar (YAML 1.2.2, 7.3.1).
    fileprivate var quotedForYAML: String {
        "\"" + printable.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\t", with: "\\t") + "\""
    }
}
