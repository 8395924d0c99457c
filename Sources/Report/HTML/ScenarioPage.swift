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
    ///   - story: the run's explanation, which the terminal tells, too.
    ///   - artefacts: the run's files, relative to the page.
    ///   - overview: the page with all runs, relative to this one; nil if there is none.
    public init(
        scenario: Scenario, evidence: Evidence, story: Explanation, verdict: Verdict, artefacts: [String] = [],
        overview: String? = nil
    ) {
        self.scenario = scenario
        self.evidence = evidence
        self.verdict = verdict
        self.artefacts = artefacts
        self.overview = overview
        self.story = story
    }

    /// The document. Equal runs give equal bytes.
    public var html: String {
        let diagram = DiagramLayout.diagram(of: scenario, evidence)
        let packets = PacketData(story, diagram, evidence)
        let sections: [(id: String, title: String, content: Markup)] = [
            ("expectations", "What was expected", ChecksSection(verdict).markup),
            (
                "why", "Traffic that failed, and why",
                FailureSection(story, isExpected: verdict.status == .passed).markup
            ),
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
            <p class="reason">\(meaning)</p>
            \(facts)\
            \(legend)\
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
            data: packets.json
        ).text
    }

    /// The reason, for someone who has never seen such a page.
    private var meaning: Markup {
        switch verdict.status {
        case .passed: "\(verdict.reason): the network did what the scenario expects, failures included."
        case .failed: "Something else was seen than the scenario expects: \(verdict.reason)"
        case .error: "The run cannot be judged: \(verdict.reason)"
        case .skipped: "The scenario did not run: \(verdict.reason)"
        }
    }

    /// What the words and lines mean.
    private var legend: Markup {
        """
        <details class="legend"><summary>How to read this page</summary>
        <p>drbench builds a network out of real Linux parts, drives clients through it and captures every port. This page is \
        one run of one scenario: what was expected of it, what became of each packet, and what the kernel counted.</p>
        <dl class="pairs"><dt>director</dt><dd>the load balancer (IPVS); it takes packets for the VIP, the service's \
        address, and sends each to a <em>real server</em></dd>
        <dt>hypervisor</dt><dd>a compute node: its bridge and its iptables rules (port security) stand between the machines \
        on it and its uplink</dd>
        <dt>journey</dt><dd>one packet through all ports that saw it, to where it ended. \
        <code>in hv1:uplink ttl 63 gw → lb SYN_SENT</code> is: it came into <em>hv1</em> by its port <em>uplink</em>, its \
        TTL was 63, its MAC addresses were those of <em>gw</em> and <em>lb</em>, and hv1's conntrack had its connection as \
        SYN_SENT</dd>
        <dt>rule</dt><dd>a line of iptables or ebtables, with how many packets it counted</dd></dl></details>

        """
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
