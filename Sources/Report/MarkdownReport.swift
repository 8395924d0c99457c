internal import Scenario
internal import Text
internal import Verdict

/// A summary in GitHub's Markdown, for a job's page: the totals, and each scenario that failed with what was expected, what
/// was found and why. Texts are HTML-escaped and in HTML elements: in no Markdown of their own.
///
/// GitHub takes a mebibyte for each step; what does not fit is left out, with a word about it.
func markdownReport(_ result: RunResult) -> String {
    let totals = result.totals
    let bad = result.runs.filter { $0.verdict.status == .failed || $0.verdict.status == .error }
    var text = """
        ## drbench: \(totals.passed) passed, \(totals.failed + totals.errors) failed, \(totals.skipped) skipped

        \(inCode(result.engine))\(result.seed.map { ", seed \($0)" } ?? "")\
        \(result.timing.map { ", \(result.runs.count) runs in \($0.wall.roundedSeconds) s" } ?? "")

        """
    if !bad.isEmpty {
        text += "\n| verdict | scenario | why |\n|---|---|---|\n"
        for run in bad.prefix(200) {
            let verdict = run.verdict
            text += "| \(verdict.status.label) | \(inCode(verdict.scenario)) | \(inCode(verdict.reason)) |\n"
        }
        if bad.count > 200 { text += "\n\(bad.count - 200) more are in `results.json`.\n" }
    }
    for run in bad.prefix(50) { text += "\n" + details(run) }
    let skipped = result.runs.filter { $0.verdict.status == .skipped }
    if !skipped.isEmpty {
        text += "\n<details><summary>\(skipped.count) skipped</summary>\n\n"
        for run in skipped.prefix(200) {
            text += "- \(inCode(run.verdict.scenario)): \(inCode(run.verdict.reason))\n"
        }
        text += "\n</details>\n"
    }
    guard text.utf8.count > 900_000 else { return text }
    return String(decoding: text.utf8.prefix(900_000), as: UTF8.self) + "\n</pre></details>\n\nThe rest was left out.\n"
}

private func details(_ run: ScenarioRun) -> String {
    let verdict = run.verdict
    var lines = verdict.checks.contains { $0.status != .passed } ? [] : [verdict.reason] + (verdict.notes ?? [])
    for check in verdict.checks where check.status != .passed {
        lines += ["\(check.location): \(check.place): \(check.statement)"]
        lines += ["  expected  \(check.expected)", "  actual    \(check.actual)"]
    }
    for failure in run.failures ?? [] {
        lines += ["", failure.head] + failure.facts.map { "  \($0.label.padded(to: 9)) \($0.text)" }
    }
    lines += [""] + run.paths().map { "evidence: \($0)" }
    let texts = lines.map { inHTML($0) }.joined(separator: "\n")
    return """
        <details><summary><b>\(inHTML(verdict.scenario))</b>: \(inHTML(verdict.title))</summary>

        <pre>\(texts)</pre>

        </details>

        """
}

private func inHTML(_ text: String) -> String { text.printable.escapedForHTML }

/// As code, on one line, without what would end a table's cell.
private func inCode(_ text: String) -> String {
    "<code>" + inHTML(text.replacing("\n", with: " ")).replacing("|", with: "&#124;") + "</code>"
}
