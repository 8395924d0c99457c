internal import Evidence
internal import Text
internal import Verdict

/// A result for people: a table, then every failure in full, then the totals.
struct TerminalReport {
    private let result: RunResult
    private let options: RenderOptions

    init(_ result: RunResult, _ options: RenderOptions) {
        self.result = result
        self.options = options
    }

    var text: String {
        var lines: [String] = []
        if options.detail != .quiet {
            if options.header {
                lines.append("engine  \(result.engine.printable)")
                if let seed = result.seed { lines.append("seed    \(seed)") }
                lines.append("")
            }
            lines += table
            lines.append("")
        }
        for run in result.runs where isShown(run) {
            lines += block(run)
            lines.append("")
        }
        let errors = result.runs.map(\.verdict).filter { $0.status == .error }.map(\.scenario.printable)
        if !errors.isEmpty {
            lines.append("could not be judged, counted as failed: \(errors.joined(separator: ", "))")
        }
        if let timing = result.timing, options.detail != .quiet {
            lines.append("\(result.runs.count) runs in \(timing.wall.roundedSeconds) s")
        }
        let totals = result.totals
        lines.append("\(totals.passed) passed, \(totals.failed + totals.errors) failed, \(totals.skipped) skipped")
        return lines.joined(separator: "\n") + "\n"
    }

    /// One line a run, under the name of its suite: the verdict, the name, the time, and the title of a run that passed or
    /// what is wrong with one that did not.
    private var table: [String] {
        let names = result.runs.map { Self.shortName($0.verdict.scenario).printable }
        // What is longer than any scenario's name pushes its own line only.
        let width = min(names.map(\.count).max() ?? 0, 72)
        let times = result.runs.map { $0.timing.map { "\($0.wall.roundedSeconds) s" } ?? "" }
        let timeWidth = times.map(\.count).max() ?? 0
        var lines: [String] = []
        var suite: String?
        for (run, (name, time)) in zip(result.runs, zip(names, times)) {
            if run.suite != suite {
                if suite != nil { lines.append("") }
                lines.append(run.suite.printable)
                suite = run.suite
            }
            let verdict = run.verdict
            // The label is padded by its bare length: escape sequences take no room.
            let padding = String(repeating: " ", count: 7 - verdict.status.label.count)
            var line = "  " + verdict.status.label(coloured: options.colour) + padding + name.padded(to: width)
            if timeWidth > 0 { line += "  " + time.leftPadded(to: timeWidth) }
            line += "  " + (verdict.status == .passed ? verdict.title : verdict.reason).printable
            lines.append(line.trimmingTrailingSpaces)
        }
        return lines
    }

    /// A variant stands under its scenario: `cross-hv-p-old/newton` is `  /newton` there.
    private static func shortName(_ scenario: String) -> String {
        guard let slash = scenario.firstIndex(of: "/") else { return scenario }
        return "  " + scenario[slash...]
    }

    private func isShown(_ run: ScenarioRun) -> Bool {
        switch run.verdict.status {
        case .failed, .error: true
        case .passed, .skipped: options.detail == .verbose
        }
    }

    private func block(_ run: ScenarioRun) -> [String] {
        let verdict = run.verdict
        var lines = [
            "\(verdict.status.label(coloured: options.colour)) " + "\(verdict.scenario): \(verdict.title)".printable
        ]
        let checks = verdict.checks.filter { options.detail == .verbose || $0.status != .passed }
        if checks.isEmpty, verdict.status != .passed { lines.append("  \(verdict.reason.printable)") }
        for check in checks { lines += block(check) }
        if options.detail == .verbose, let engine = verdict.engine {
            lines.append(
                "  kernel: \(engine.name) \(engine.kernel)".printable + (engine.virtualTime ? ", virtual time" : "")
                    + (engine.seed.map { ", seed \($0)" } ?? ""))
        }
        lines += (verdict.notes ?? []).map { "    " + $0.printable }
        for failure in run.failures ?? [] {
            lines.append("  \(failure.head)".printable)
            var last = ""
            for (label, text) in failure.facts where label != "see" {
                lines.append("    \((label == last ? "" : label).padded(to: 9)) \(text)".printable)
                last = label
            }
        }
        if let directory = run.directory {
            let path = options.folder.map { "\($0)/\(directory)" } ?? directory
            let page = (run.artefacts ?? []).contains(ScenarioPage.fileName)
            lines.append(
                "  evidence: \(path)\(page ? ", as a page: \(path)/\(ScenarioPage.fileName)" : "")".printable)
        }
        return lines
    }

    private func block(_ check: CheckResult) -> [String] {
        let place = check.place == "end" ? "at the end" : "step '\(check.place)'"
        let mark = check.status == .passed ? "holds" : check.status == .failed ? "does not hold" : "cannot be judged"
        var lines = ["  \(check.location): \(place), \(mark): \(check.statement)"]
        lines += ["    expected  \(check.expected)", "    actual    \(check.actual)"]
        if let control = check.control { lines.append("    control   \(control)") }
        lines += check.details.map { "      \($0)" }
        return lines.map(\.printable)
    }
}

extension String {
    fileprivate var trimmingTrailingSpaces: String {
        var text = self[...]
        while text.last == " " { text = text.dropLast() }
        return String(text)
    }
}
