public import Evidence
public import Scenario
public import Verdict

/// One scenario's run as a page in one file: the verdict, why packets died, the network with each packet's way on it, the
/// ladder, the kernel's state over time, the rules.
public struct ScenarioPage {
    private let scenario: Scenario
    private let evidence: Evidence
    private let verdict: Verdict
    private let story: Explanation
    private let artefacts: [String]
    private let overview: String?

    /// - Parameters:
    ///   - artefacts: the run's files, relative to the page.
    ///   - overview: the page with all runs, relative to this one; nil if there is none.
    public init(
        scenario: Scenario, evidence: Evidence, journeys: Journeys, verdict: Verdict, artefacts: [String] = [],
        overview: String? = nil
    ) {
        self.scenario = scenario
        self.evidence = evidence
        self.verdict = verdict
        self.artefacts = artefacts
        self.overview = overview
        story = Explanation(scenario: scenario, evidence: evidence, journeys: journeys)
    }

    /// The document. Equal runs give equal bytes. Throws what the JSON encoder throws, which it does for no run.
    public func html() throws -> String {
        let diagram = DiagramLayout.diagram(of: scenario, evidence)
        let packets = PacketData(story, diagram, evidence)
        let sections: [(id: String, title: String, content: Markup)] = [
            ("expectations", "What was expected", ChecksSection(verdict).markup),
            ("why", "What failed, and why", FailureSection(story).markup),
            ("network", "The network, packet by packet", NetworkSection(story, diagram, packets).markup),
            ("ladder", "The ladder", ladder),
            ("state", "What the kernel had, step by step", StateSection(evidence).markup),
            ("rules", "Rules and what they counted", RulesSection(evidence, story.journeys).markup),
            ("files", "Files of this run", files),
        ]
        let shown = sections.filter { !$0.content.text.isEmpty }
        let body: Markup = """
            <a class="skip" href="#main">To the content</a>
            <header class="top">
            \(overview.markup { "<p class=\"back\"><a href=\"\($0)\">← All scenarios</a></p>\n" })\
            <h1>\(verdict.status.badge) <span class="name">\(verdict.scenario)</span></h1>
            <p class="title">\(verdict.title)</p>
            <p class="reason">\(verdict.reason)</p>
            \(facts)\
            <nav aria-label="Sections"><ul>\(shown.map { "<li><a href=\"#\($0.id)\">\($0.title)</a></li>" as Markup })</ul></nav>
            </header>
            <main id="main">
            \(shown.map { section in
                """
                <section id="\(section.id)" aria-labelledby="\(section.id)-title">
                <h2 id="\(section.id)-title">\(section.title)</h2>
                \(section.content)</section>

                """ as Markup
            })</main>
            <footer><p>Written by drbench. Times are seconds since the run's start.</p></footer>
            """
        return HTMLDocument(
            title: "\(verdict.status.label) \(verdict.scenario)", body: body, script: PackageResources.scenario_js,
            data: try HTMLDocument.json(packets)
        ).text
    }

    private var facts: Markup {
        var facts = [
            (
                "kernel",
                evidence.engine.name + " " + evidence.engine.kernel
                    + (evidence.engine.virtualTime ? ", virtual time" : "")
            )
        ]
        if let seed = evidence.engine.seed { facts.append(("seed", String(seed))) }
        facts.append(("topology", scenario.topology))
        if let neutron = scenario.neutron {
            let release = neutron.release ?? "rules from files"
            facts.append(("Neutron", "\(release), \(neutron.driver)"))
        }
        if !scenario.tags.isEmpty { facts.append(("tags", scenario.tags.joined(separator: ", "))) }
        if let source = scenario.source { facts.append(("source", source)) }
        facts.append(("packets", story.tally))
        return """
            <dl class="facts">\(facts.map { "<div><dt>\($0.0)</dt><dd>\($0.1)</dd></div>" as Markup })</dl>

            """
    }

    /// Without what is neither part of a flow nor met its end: the neighbours' talk.
    private var ladder: Markup {
        let told = story.journeys.journeys.filter { $0.flow != nil || !$0.end.isGood }
        guard !told.isEmpty else { return "" }
        let others = story.journeys.journeys.count - told.count
        return """
            <p class="hint">Choose a packet to see its way in the network above.\
            \(.when(others > 0, " \(others) packets of no flow that arrived, such as ARP, are left out."))</p>
            \(LadderTable(told).markup)
            """
    }

    private var files: Markup {
        guard !artefacts.isEmpty else { return "" }
        return """
            <ul class="files">\(artefacts.map { "<li><a href=\"\($0.percentEncodedPath)\">\($0)</a></li>" as Markup })</ul>

            """
    }
}
