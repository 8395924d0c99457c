internal import Scenario
internal import Text
internal import Verdict

/// Annotations for GitHub's actions, by workflow commands
/// (docs.github.com/actions/reference/workflow-commands-for-github-actions): one for each scenario that failed, at the
/// first of its expectations that does not hold.
///
/// - Parameter root: the checkout; paths below it are told relative to it, as GitHub knows them.
func gitHubReport(_ result: RunResult, root: String?) -> String {
    result.runs.compactMap { annotation($0, root: root) }.map { $0 + "\n" }.joined()
}

private func annotation(_ run: ScenarioRun, root: String?) -> String? {
    let verdict = run.verdict
    guard verdict.status == .failed || verdict.status == .error else { return nil }
    let bad = verdict.checks.filter { $0.status != .passed }
    var properties: [(String, String)] = []
    if let location = bad.first?.location ?? verdict.location {
        properties = [
            ("file", location.file.relative(to: root)), ("line", String(location.line)),
            ("col", String(location.column)),
        ]
    }
    properties.append(("title", "\(verdict.scenario): \(verdict.title)"))
    // GitHub shows the beginning; what happened goes first.
    var lines = bad.isEmpty ? [verdict.reason] : []
    for check in bad.prefix(3) {
        lines += ["\(check.statement)", "expected: \(check.expected)", "actual: \(check.actual)"]
    }
    if bad.count > 3 { lines.append("and \(bad.count - 3) more expectations") }
    if let failure = run.failures?.first {
        lines.append(failure.head)
        lines += failure.facts.prefix { $0.label != "try" }.map { "\($0.label): \($0.text)" }
    }
    let message = lines.map(\.printable).joined(separator: "\n").escapedForCommand
    let text = properties.map { "\($0)=\($1.printable.escapedForProperty)" }.joined(separator: ",")
    return "::error \(text)::\(message)"
}

extension String {
    /// As `@actions/core` escapes a command's data.
    fileprivate var escapedForCommand: String {
        replacing("%", with: "%25").replacing("\r", with: "%0D").replacing("\n", with: "%0A")
    }

    /// As it escapes a property's value.
    fileprivate var escapedForProperty: String {
        escapedForCommand.replacing(":", with: "%3A").replacing(",", with: "%2C")
    }

    fileprivate func relative(to root: String?) -> String {
        guard let root, !root.isEmpty else { return self }
        let base = root.hasSuffix("/") ? root : root + "/"
        return hasPrefix(base) ? String(dropFirst(base.count)) : self
    }
}
