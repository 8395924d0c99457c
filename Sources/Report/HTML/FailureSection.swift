internal import Evidence
internal import Verdict

/// A block for each flow that failed: its packet's journey, what ended it, why, and what is known to help.
struct FailureSection {
    private let story: Explanation
    /// Whether the run passed nevertheless.
    private let isExpected: Bool

    init(_ story: Explanation, isExpected: Bool) {
        self.story = story
        self.isExpected = isExpected
    }

    var markup: Markup {
        let groups = story.grouped(story.failures)
        let strays = story.strays
        let silent = story.silentInvalids
        guard !groups.isEmpty || !strays.isEmpty else {
            let nothing: Markup = "<p>No flow failed, and no packet was lost.</p>\n"
            return story.journeys.flows.isEmpty ? "" : "\(nothing)\(silent.map(block))"
        }
        let shown = groups.prefix(12)
        return """
            \(.when(isExpected, "<p class=\"hint\">This run passed: what failed here is what the scenario expects to fail.</p>\n"))\
            \(shown.map(block))\(strays.map(block))\(silent.map(block))\
            \(.when(groups.count > shown.count, "<p class=\"note\">Flows failed in \(groups.count - shown.count) more ways.</p>\n"))
            """
    }

    private func block(of failures: [Explanation.Failure]) -> Markup {
        guard let failure = failures.first else { return "" }
        let others =
            failure.dead.map { dead in
                failure.journeys.map { story.journeys.journeys[$0] }
                    .filter { !$0.end.isGood && $0.number != dead.number }.map(\.number)
            } ?? []
        let more = others.isEmpty ? "" : "and so " + story.numbers(others)
        return block(
            head: failure.flow.text,
            tail: [failure.transcript?.outcome.rawValue, failures.count > 1 ? "and \(failures.count - 1) more" : nil],
            journey: failure.telling, more: more, diagnosis: failure.diagnosis)
    }

    private func block(of stray: Explanation.Stray) -> Markup {
        block(head: stray.name, tail: [], journey: stray.journey, more: "", diagnosis: stray.diagnosis)
    }

    /// What came through by luck.
    private func block(of silent: SilentInvalid) -> Markup {
        """
        <article class="failure"><h3>\(silent.diagnosis.name) at \(silent.place) \
        <span class="outcome">\(silent.text)</span></h3>
        <dl class="pairs"><dt>because</dt><dd class="because">\(silent.diagnosis.because)</dd>\
        \(remedies(silent.diagnosis))<dt>see</dt><dd>\(story.numbers(silent.journeys))</dd></dl></article>

        """
    }

    private func block(
        head: String, tail: [String?], journey: Journey?, more: String, diagnosis: Diagnosis?
    ) -> Markup {
        """
        <article class="failure"><h3><code>\(head)</code>\
        \(tail.compactMap { $0 }.map { " <span class=\"outcome\">\($0)</span>" as Markup })</h3>
        <dl class="pairs">\(diagnosis.markup { "<dt>because</dt><dd class=\"because\"><strong>\($0.name)</strong>: \($0.because)</dd>" })\
        \(journey.markup { self.journey($0, more: more) })\(diagnosis.markup(remedies))\
        \(journey?.lastHop.markup { "<dt>see</dt><dd>frame \($0.frame + 1) of <code>capture.pcapng</code></dd>" } ?? "")</dl></article>

        """
    }

    private func journey(_ journey: Journey, more: String) -> Markup {
        let hops = journey.hops.map { story.line(of: $0) }
        let shown = hops.count > 18 ? hops.prefix(12) + ["… \(hops.count - 16) more"] + hops.suffix(4) : hops[...]
        return """
            <dt>journey</dt><dd><p><button type="button" class="pick" data-n="\(journey.number)">#\(journey.number)</button> \
            <code>\(journey.packet)</code></p>\
            <ol class="hops">\(shown.map { "<li><code>\($0)</code></li>" as Markup })</ol></dd>\
            \(.when(!journey.end.isGood, killed(journey, more: more)))
            """
    }

    private func killed(_ journey: Journey, more: String) -> Markup {
        let rules = journey.blame?.rules ?? []
        return """
            <dt>killed</dt><dd><p class="killed">\(journey.end.text)\(journey.blame.markup { ", at \($0.place)" })</p>\
            \(.when(!rules.isEmpty, "<ol class=\"hops\">\(rules.map { "<li><code>\($0.table) \($0.chain) \($0.number): \($0.rule)</code></li>" as Markup })</ol>"))\
            \((journey.blame?.evidence ?? []).map { "<p>\($0)</p>" as Markup })\
            \(.when(!more.isEmpty, "<p>\(more)</p>"))</dd>
            """
    }

    private func remedies(_ diagnosis: Diagnosis) -> Markup {
        guard !diagnosis.remedies.isEmpty else { return "" }
        return """
            <dt>try</dt><dd><ul>\(diagnosis.remedies.map { "<li>\($0.text) <span class=\"shown\">(<code>\($0.scenario)</code>)</span></li>" as Markup })</ul></dd>
            """
    }
}
