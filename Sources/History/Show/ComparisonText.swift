internal import FoundationEssentials
public import Measurement
internal import Text

extension Comparison {
    /// For people: contexts, one line for each metric, and how many of each verdict.
    public func text(coloured: Bool) -> String {
        var lines = [
            "before    \(before.text)", "after     \(after.text)", "context   \(after.context.text)",
        ]
        lines += contexts.map { difference in
            "\(difference.gravity == .note ? "note" : "differs")".padded(to: 10) + difference.text.printable
        }
        var rows: [[String]] = []
        for result in results { rows.append(result.cells) }
        let widths = (0..<5).map { column in rows.map { $0[column].count }.max() ?? 0 }
        var series: MeasuredSeries?
        for (result, cells) in zip(results, rows) {
            if result.series != series {
                series = result.series
                lines += ["", result.series.description.printable]
            }
            let columns = [
                cells[0].padded(to: widths[0]), cells[1].leftPadded(to: widths[1]) + " →",
                cells[2].leftPadded(to: widths[2]), cells[3].padded(to: widths[3]), cells[4].padded(to: widths[4]),
            ]
            let verdict = result.verdict.label(coloured: coloured) + (result.reason.map { ": \($0)" } ?? "")
            lines.append("  " + columns.joined(separator: "  ") + "  " + verdict)
        }
        lines.append("")
        lines += onlyBefore.map { "only before  \($0.description.printable)" }
        lines += onlyAfter.map { "only after   \($0.description.printable)" }
        lines += [method, summary]
        return lines.joined(separator: "\n") + "\n"
    }

    /// A table for a summary of a CI job or a pull request; what is the same is only counted.
    public var markdown: String {
        func cell(_ text: String) -> String {
            text.printable.replacing("\\", with: "\\\\").replacing("|", with: "\\|").replacing("<", with: "&lt;")
        }
        var lines = ["**\(summary)**", "", "before: \(cell(before.text))  ", "after: \(cell(after.text))"]
        lines += contexts.map { "- \(cell($0.text))" }
        let shown = results.filter { $0.verdict != .same }
        if !shown.isEmpty {
            lines += [
                "", "| what | metric | before | after | change | p, δ | verdict |", "|---|---|--:|--:|--:|---|---|",
            ]
            lines += shown.map { result in
                let verdict = result.verdict.rawValue + (result.reason.map { ": \($0)" } ?? "")
                let cells = [result.series.description] + result.cells + [verdict]
                return "| " + cells.map(cell).joined(separator: " | ") + " |"
            }
        }
        return (lines + ["", method]).joined(separator: "\n") + "\n"
    }

    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }

    /// `1 regressed, 1 inconclusive, 12 same`
    public var summary: String {
        let counts = MetricComparison.Verdict.allCases.map { (verdict: $0, count: count($0)) }.filter { $0.count > 0 }
        return counts.map { "\($0.count) \($0.verdict.rawValue)" }.joined(separator: ", ")
    }

    private var method: String {
        let relevant = NumberText.digits(rules.relevantChange * 100, 3)
        guard results.contains(where: { $0.method == .statistical }) else {
            return "virtual time with one seed: compared repetition by repetition; a change of \(relevant) % matters"
        }
        return
            "a change of \(relevant) % matters; intervals of \(NumberText.digits((1 - rules.significance) * 100, 4)) %; "
            + "p by Mann and Whitney, corrected by Holm; δ is Cliff's"
    }
}

extension Comparison.Side {
    var text: String {
        let revision = context.revision.map { ", revision \($0.shortRevision)" } ?? ""
        return "\(name.printable), \(DateText(started).short)\(revision)"
    }
}

extension MetricComparison {
    /// Name, before, after, change with its interval, p and effect.
    fileprivate var cells: [String] {
        [
            metric.printable, NumberText.value(before.merged ?? before.median, unit: unit),
            NumberText.value(after.merged ?? after.median, unit: unit), changeText,
            adjustedP.map { "p \(NumberText.probability($0)), δ \(NumberText.signed(effect))" } ?? "",
        ]
    }

    private var changeText: String {
        guard let relative else { return shift.estimate == 0 ? "±0" : "from nothing" }
        guard relative.low != 0 || relative.high != 0 else { return "±0" }
        let estimate = NumberText.change(relative.estimate)
        guard let low = relative.low, let high = relative.high, before.repetitions > 1 else { return estimate }
        return "\(estimate) [\(NumberText.signed(low * 100)), \(NumberText.signed(high * 100))]"
    }
}

extension MetricComparison.Verdict {
    func label(coloured: Bool) -> String {
        // SGR codes of ECMA-48, 8.3.117.
        let colour: Int? =
            switch self {
            case .regressed: 31
            case .improved: 32
            case .inconclusive, .changed: 33
            case .same: nil
            }
        guard coloured, let colour else { return rawValue }
        return "\u{1B}[\(colour)m\(rawValue)\u{1B}[0m"
    }
}

extension MeasurementContext {
    /// `virtual time, uml, Linux 6.12.117-drbench, seed 5`; in real time the processor, too.
    public var text: String {
        var parts = ["\(clock.rawValue) time", engine, "Linux \(kernel)"]
        if let seed { parts.append("seed \(seed)") }
        if clock == .real { parts.append("\(machine.processors) × \(machine.processor)") }
        return parts.joined(separator: ", ").printable
    }
}

extension String {
    /// The first ten digits of a git revision, and the `+` of a checkout that was changed.
    var shortRevision: String {
        let isChanged = hasSuffix("+")
        return String(prefix(while: { $0 != "+" }).prefix(10)).printable + (isChanged ? "+" : "")
    }
}
