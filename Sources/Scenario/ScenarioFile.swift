/// Where topologies come from.
struct TopologySource: Sendable {
    /// What exists, for suggestions.
    var names: [String]
    /// nil if there is none of this name.
    var read: @Sendable (String) -> Topology?
}

/// A topology as it was read, with what is wrong with it by itself.
struct Topology: Sendable {
    var file: String
    var tree: Tree?
    var diagnostics: [Diagnostic]

    /// Decoded as a network that could be built as it stands.
    init(_ text: String, file: String, checks: ScenarioChecks) {
        self.file = file
        (tree, diagnostics) = YAMLReader.read(text, file: file)
        guard let tree else { return }
        diagnostics += ScenarioFile.decode(tree, as: ScenarioFormat.topology, names: Names(of: tree), checks: checks).1
    }

    /// One that cannot be read at all.
    init(_ problem: FileProblem) {
        file = problem.file
        diagnostics = [problem.diagnostic]
    }
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
        let topology = own[ScenarioFormat.topologyKey].flatMap { place in place.text.map { ($0, place.location) } }
        let base = topology.flatMap { topologies.read($0.0) }
        if let topology, base == nil {
            diagnostics.append(.unknown("topology", topology.0, at: topology.1, known: topologies.names))
        }
        var tree = own
        var names: Names?
        if let below = base?.tree, let entries = below.entries {
            // Its other keys were reported where it was read by itself.
            let shared = entries.filter { ScenarioFormat.sharedKeys.contains($0.key) }
            tree = Tree(content: .map(shared), location: below.location).overlaid(by: own)
            names = Names(of: tree)
        }
        var (scenario, problems) = Self.decode(tree, as: ScenarioFormat.scenario, names: names, checks: checks)
        if let base, base.diagnostics.hasErrors {
            // Told already, and not to be told again of every scenario that stands on it.
            problems.removeAll { $0.location.file == base.file }
            problems += base.diagnostics
        } else if let base {
            problems += base.diagnostics
        }
        diagnostics += problems
        guard names != nil, !damaged, !problems.hasErrors else { return }
        scenario?.name = name
        scenario?.variant = variant
        if let scenario { scenarios.append(scenario) }
    }

    /// Decodes and checks a whole tree. nil names: nothing can be called unknown, and nothing fits together.
    static func decode(
        _ tree: Tree, as shape: Shape<Scenario>, names: Names?, checks: ScenarioChecks
    ) -> (Scenario?, [Diagnostic]) {
        let reader = Reader(names: names, checks: checks)
        var scenario = shape.read(tree, reader)
        if let names {
            if let scenario {
                Consistency(scenario: scenario, tree: tree, names: names, reader: reader).check()
            }
            scenario?.completeCables(names)
        }
        return (scenario, reader.diagnostics)
    }
}

extension Scenario {
    /// A cable is written at one end or at both; in the model both ends have it.
    fileprivate mutating func completeCables(_ names: Names) {
        for host in hosts.indices {
            for port in hosts[host].ports.indices where hosts[host].ports[port].peer == nil {
                let name = "\(hosts[host].name):\(hosts[host].ports[port].name)"
                hosts[host].ports[port].peer = names.cables[name]
            }
        }
    }
}
