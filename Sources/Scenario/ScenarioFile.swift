/// A topology's text by its name; nil if there is none.
struct TopologySource: Sendable {
    /// What exists, for suggestions.
    var names: [String]
    var read: @Sendable (String) -> (tree: Tree?, diagnostics: [Diagnostic])?
}

/// One scenario file: its text to scenarios, itself and its variants.
struct ScenarioFile {
    let name: String
    let file: String
    let topologies: TopologySource
    let checks: ScenarioChecks
    private(set) var scenarios: [Scenario] = []
    private(set) var diagnostics: [Diagnostic] = []

    init(name: String, file: String, topologies: TopologySource, checks: ScenarioChecks) {
        self.name = name
        self.file = file
        self.topologies = topologies
        self.checks = checks
    }

    /// Reads the file; what has errors is left out of `scenarios`.
    mutating func read(_ text: String) {
        let start = SourceLocation(file: file, line: 1, column: 1)
        if !NameForm.scenario.matches(name) {
            diagnostics.append(
                Diagnostic(
                    at: start, "'\(Tree.shortened(name))' cannot be a scenario's name",
                    expected: NameForm.scenario.expected))
        }
        let (tree, problems) = YAMLReader.read(text, file: file)
        diagnostics += problems
        guard let tree else { return }
        guard tree.entries != nil else {
            diagnostics.append(
                Diagnostic(at: tree.location, "found \(tree.found)", expected: "a scenario, which is a mapping"))
            return
        }
        let base = tree.without([ScenarioFormat.variantsKey])
        decode(base, variant: nil, damaged: problems.hasErrors)
        guard let variants = tree[ScenarioFormat.variantsKey] else { return }
        guard let entries = variants.entries else {
            diagnostics.append(
                Diagnostic(
                    at: variants.location, "found \(variants.found)",
                    expected: "a mapping from each variant's name to what it changes"))
            return
        }
        for entry in entries { readVariant(entry, of: base, damaged: problems.hasErrors) }
    }

    private mutating func readVariant(_ entry: Tree.Entry, of base: Tree, damaged: Bool) {
        if !NameForm.scenario.matches(entry.key) {
            diagnostics.append(
                Diagnostic(
                    at: entry.keyLocation, "'\(Tree.shortened(entry.key))' cannot be a variant's name",
                    expected: NameForm.scenario.expected))
        }
        guard let keys = entry.value.entries else {
            diagnostics.append(
                Diagnostic(
                    at: entry.value.location, "found \(entry.value.found)",
                    expected: "a variant (a mapping with title and what it changes)"))
            return
        }
        // A variant without a title of its own would be listed under the scenario's, which says something else.
        if entry.value[ScenarioFormat.titleKey] == nil {
            diagnostics.append(
                Diagnostic(
                    at: entry.keyLocation, "variant '\(Tree.shortened(entry.key))' needs 'title'",
                    expected: "one line for drbench list"))
        }
        if let inner = keys.first(where: { $0.key == ScenarioFormat.variantsKey }) {
            diagnostics.append(Diagnostic(at: inner.keyLocation, "a variant has no variants of its own"))
        }
        let overlay = entry.value.without([ScenarioFormat.variantsKey])
        decode(base.overlaid(by: overlay), variant: entry.key, damaged: damaged)
    }

    private mutating func decode(_ own: Tree, variant: String?, damaged: Bool) {
        var tree = own
        var known = true
        if let topology = own[ScenarioFormat.topologyKey], let name = topology.text {
            if let (base, problems) = topologies.read(name) {
                diagnostics += problems
                if let base, base.entries != nil {
                    tree = base.without(["description"]).overlaid(by: own)
                } else {
                    known = false
                }
            } else {
                known = false
                diagnostics.append(
                    Diagnostic(
                        at: topology.location, "unknown topology '\(Tree.shortened(name))'",
                        expected: topologies.names.isEmpty ? nil : Reader.oneOf(topologies.names),
                        suggestion: NearestName.of(name, among: topologies.names)))
            }
        } else {
            known = false
        }
        let (scenario, problems) = Self.decode(
            tree, as: ScenarioFormat.scenario, names: known ? Names(of: tree) : nil, checks: checks)
        diagnostics += problems
        guard var scenario, known, !damaged, !problems.hasErrors else { return }
        scenario.name = name
        scenario.variant = variant
        scenarios.append(scenario)
    }

    /// Decodes and checks a whole tree. nil names: nothing can be called unknown, and nothing fits together.
    static func decode(
        _ tree: Tree, as shape: Shape<Scenario>, names: Names?, checks: ScenarioChecks
    ) -> (Scenario?, [Diagnostic]) {
        let reader = Reader(names: names, checks: checks)
        let scenario = shape.read(tree, reader)
        if let scenario, let names { Consistency(scenario: scenario, tree: tree, names: names, reader: reader).check() }
        return (scenario, reader.diagnostics)
    }
}
