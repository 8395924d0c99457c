internal import Scenario
internal import Verdict

/// Every expectation with what was expected and what was found, those of one step together.
struct ChecksSection {
    private let verdict: Verdict

    init(_ verdict: Verdict) { self.verdict = verdict }

    var markup: Markup {
        var groups: [(place: String, checks: [CheckResult])] = []
        for check in verdict.checks {
            if groups.last?.place == check.place {
                groups[groups.count - 1].checks.append(check)
            } else {
                groups.append((check.place, [check]))
            }
        }
        let notes = verdict.notes ?? []
        return """
            \(groups.map(markup))\(.when(!notes.isEmpty, "<pre>\(notes.joined(separator: "\n"))</pre>\n"))
            """
    }

    private func markup(of group: (place: String, checks: [CheckResult])) -> Markup {
        """
        <h3>\(group.place == "end" ? "Over the whole run" : "Step “\(group.place)”")</h3>
        <ul class="checks">
        \(group.checks.map(markup))</ul>

        """
    }

    private func markup(of check: CheckResult) -> Markup {
        let passed = check.status == .passed
        let word = passed ? "holds" : check.status == .failed ? "does not hold" : "cannot be judged"
        return """
            <li class="check \(check.status.rawValue)"><details\(.when(!passed, " open"))>\
            <summary><span class="mark" aria-hidden="true">\(passed ? "✓" : check.status == .failed ? "✗" : "?")</span> \
            <span class="statement">\(check.statement)</span> <span class="word">\(word)</span></summary>
            <dl class="pairs"><dt>expected</dt><dd>\(check.expected)</dd><dt>actual</dt><dd>\(check.actual)</dd>\
            \(check.control.markup { "<dt>control</dt><dd>\($0)</dd>" })\
            <dt>at</dt><dd><code>\(check.location.description)</code></dd></dl>
            \(details(check.details))</details></li>

            """
    }

    private func details(_ lines: [String]) -> Markup {
        guard !lines.isEmpty else { return "" }
        var text = lines.prefix(60).joined(separator: "\n")
        if lines.count > 60 { text += "\n… and \(lines.count - 60) more" }
        return "<pre tabindex=\"0\">\(text)</pre>\n"
    }
}
