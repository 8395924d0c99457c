internal import Scenario

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
    /// Whether to make mutants of the file's other scenarios, too, and not only those that somebody wrote.
    let collectsMutants: Bool
    private(set) var scenarios: [Scenario] = []
    private(set) var mutants: [Mutant] = []
    private(set) var diagnostics: [Diagnostic] = []

    /// A scenario before it is decoded.
    private struct Draft {
        var variant: String?
        /// With everything that is laid over something, the topology at the bottom, and the parameters put in.
        var tree: Tree
        /// nil if there is none of that name.
        var topology: Topology?
        var mutations: Tree?
        /// The value of each axis of the matrix.
        var cell: [String: String] = [:]
        var location: SourceLocation
    }
    /// Only those of a file with mutations are kept: a file may have thousands.
    private var drafts: [Draft] = []
    private let memory = ReadingMemory()
    private var known: Set<Diagnostic> = []
    private var variantNames: Set<String> = []
    /// Of all scenarios, with what is below them.
    private var valuesRead = 0
    /// Whether a limit was reached, and told: no further scenario is read.
    private var isExhausted = false
    private var keepsDrafts = false
    private var isDamaged = false

    init(
        name: String, file: String, topologies: TopologySource, checks: ScenarioChecks, collectsMutants: Bool = false
    ) {
        self.name = name
        self.file = file
        self.collectsMutants = collectsMutants
        self.topologies = topologies
        self.checks = checks
    }

    /// Reads the file; what has errors is left out of `scenarios`.
    mutating func read(_ text: String) {
        let start = SourceLocation(file: file, line: 1, column: 1)
        if !NameForm.scenario.matches(name) {
            note(
                Diagnostic(
                    at: start, "'\(Tree.shortened(name))' cannot be a scenario's name",
                    expected: NameForm.scenario.expected))
        } else if ReservedNames.takes(scenario: name) {
            note(
                Diagnostic(
                    at: start, "'\(name)' cannot be a scenario's name: among results, drbench's own file has it",
                    expected: "another name of the file"))
        }
        let (tree, problems) = YAMLReader.read(text, file: file)
        note(problems)
        isDamaged = problems.hasErrors
        guard let tree else { return }
        guard tree.entries != nil else {
            note(Diagnostic(at: tree.location, "found \(tree.found)", expected: "a scenario, which is a mapping"))
            return
        }
        let base = tree.without(ScenarioFormat.fileKeys)
        keepsDrafts = collectsMutants || tree.says(key: Mutations.key)
        if let matrix = tree[Matrix.key] {
            readMatrix(Matrix(matrix, cells: tree[Matrix.cellsKey]), of: base)
        } else {
            if let cells = tree.entry(Matrix.cellsKey) {
                note(Diagnostic(at: cells.keyLocation, "'cells' without 'matrix'"))
            }
            add([base], variant: nil, at: tree.location)
        }
        if let variants = tree[ScenarioFormat.variantsKey] { readVariants(variants, of: base) }
        readMutants()
    }

    /// Each mistake once: what a scenario has wrong is found again in every variant.
    private mutating func note(_ problem: Diagnostic) {
        if known.insert(problem).inserted { diagnostics.append(problem) }
        if diagnostics.count > 10 * Limits.mistakes { isExhausted = true }
    }

    private mutating func note(_ problems: [Diagnostic]) {
        for problem in problems { note(problem) }
    }

    /// Whether so many values more can be read; says so once if not.
    private mutating func takes(_ size: Int, at location: SourceLocation) -> Bool {
        guard !isExhausted else { return false }
        valuesRead += size
        guard valuesRead > Limits.valuesOfAllScenarios else { return true }
        isExhausted = true
        note(
            Diagnostic(
                at: location,
                "the scenarios of this file have more than \(Limits.valuesOfAllScenarios) values, each with its topology",
                expected: "fewer variants, cells or mutations"))
        return false
    }

    /// A scenario of the file.
    /// - Parameter layers: what the file lays one over another, lowest first; below them is the topology.
    private mutating func add(
        _ layers: [Tree], variant: String?, cell: [String: String] = [:], at location: SourceLocation
    ) {
        guard !isExhausted else { return }
        let (filled, problems) = Parameters.filled(layers)
        note(problems)
        let name = filled.last { $0[ScenarioFormat.topologyKey] != nil }?[ScenarioFormat.topologyKey]
        let topology = name?.text.flatMap { topologies.read($0) }
        if let name, let text = name.text, topology == nil {
            note(.unknown("topology", text, at: name.location, known: topologies.names))
        }
        // Its other keys were reported where it was read by itself.
        let below = topology?.tree.flatMap { tree in
            tree.entries.map { entries in
                let shared = entries.filter { ScenarioFormat.sharedKeys.contains($0.key) }
                return Tree(content: .map(shared), location: tree.location)
            }
        }
        // One that is no mapping at all has nothing that could be laid over.
        if below == nil, let topology { note(topology.diagnostics) }
        let all = [below].compactMap { $0 } + filled
        let tree = all.dropFirst().reduce(all[0]) { $0.overlaid(by: $1) }
        guard takes(tree.size, at: location) else { return }
        let draft = Draft(
            variant: variant, tree: tree.without([Mutations.key]), topology: below == nil ? nil : topology,
            mutations: tree[Mutations.key], cell: cell, location: location)
        if keepsDrafts { drafts.append(draft) }
        decode(draft)
    }

    private mutating func readMatrix(_ matrix: Matrix, of base: Tree) {
        note(matrix.diagnostics)
        for cell in matrix.cells {
            // Unless a cell says what it shows, the values do.
            let hasTitle = cell.overlays.contains { $0[ScenarioFormat.titleKey] != nil }
            let isFilled = base[ScenarioFormat.titleKey]?.text?.contains("$(") ?? false
            add(
                [hasTitle || isFilled ? base : base.titled(with: cell.values)] + cell.overlays, variant: cell.name,
                cell: cell.axes, at: matrix.location)
            variantNames.insert(cell.name)
        }
    }

    private mutating func readVariants(_ variants: Tree, of base: Tree) {
        guard let entries = variants.entries else {
            note(
                Diagnostic(
                    at: variants.location, "found \(variants.found)",
                    expected: "a mapping from each variant's name to what it changes"))
            return
        }
        let room = Limits.scenarios - max(1, variantNames.count)
        if entries.count > room {
            note(
                Diagnostic(
                    at: entries[room].keyLocation, "the file has \(entries.count) variants",
                    expected: "at most \(Limits.scenarios) scenarios in a file, cells of its matrix included"))
            return
        }
        for entry in entries { readVariant(entry, of: base) }
    }

    private mutating func readVariant(_ entry: Tree.Entry, of base: Tree) {
        if !NameForm.scenario.matches(entry.key) {
            note(
                Diagnostic(
                    at: entry.keyLocation, "'\(Tree.shortened(entry.key))' cannot be a variant's name",
                    expected: NameForm.scenario.expected))
        }
        guard let keys = entry.value.entries else {
            note(
                Diagnostic(
                    at: entry.value.location, "found \(entry.value.found)",
                    expected: "a variant (a mapping with title and what it changes)"))
            return
        }
        // A variant without a title of its own would be listed under the scenario's, which says something else.
        if entry.value[ScenarioFormat.titleKey] == nil {
            note(
                Diagnostic(
                    at: entry.keyLocation, "variant '\(Tree.shortened(entry.key))' needs 'title'",
                    expected: "one line for drbench list"))
        }
        for inner in keys where ScenarioFormat.fileKeys.contains(inner.key) {
            note(Diagnostic(at: inner.keyLocation, "a variant has no \(inner.key) of its own"))
        }
        if !variantNames.insert(entry.key).inserted {
            note(
                Diagnostic(
                    at: entry.keyLocation, "a cell of the matrix is named '\(Tree.shortened(entry.key))' already"))
        }
        // The scenario's mutations are about its own set-up.
        add(
            [base.without([Mutations.key]), entry.value.without(ScenarioFormat.fileKeys)], variant: entry.key,
            at: entry.keyLocation)
    }

    /// What each scenario's mutations make of it; an invented one that makes no sense is none.
    private mutating func readMutants() {
        guard !isDamaged, !diagnostics.hasErrors else { return }
        var mutations = Mutations()
        for draft in drafts where !isExhausted {
            let others = drafts.filter { $0.variant != draft.variant }.map { ("/" + ($0.variant ?? name), $0.tree) }
            for mutation in mutations.drafts(
                of: draft.tree, written: draft.mutations, others: collectsMutants ? others : [])
            {
                guard takes(mutation.tree.size, at: draft.location) else { break }
                let (scenario, problems) = decoded(mutation.tree, on: draft.topology)
                if mutation.isWritten { note(problems) }
                guard var scenario, !problems.hasErrors else { continue }
                let original = draft.variant.map { "\(name)/\($0)" } ?? name
                scenario.name = name
                scenario.location = draft.location
                scenario.variant = (draft.variant ?? "") + "+" + mutation.name.drop { $0 == "/" }
                mutants.append(Mutant(original: original, change: mutation.change, scenario: scenario))
            }
        }
        note(mutations.diagnostics)
    }

    private mutating func decode(_ draft: Draft) {
        var (scenario, problems) = decoded(draft.tree, on: draft.topology)
        note(problems)
        guard draft.topology != nil, !isDamaged, !problems.hasErrors else { return }
        scenario?.name = name
        scenario?.location = draft.location
        scenario?.variant = draft.variant
        scenario?.cell = draft.cell
        if let scenario { scenarios.append(scenario) }
    }

    private func decoded(_ tree: Tree, on topology: Topology?) -> (Scenario?, [Diagnostic]) {
        let names = topology.map { _ in Names(of: tree) }
        var (scenario, problems) = Self.decode(
            tree, as: ScenarioFormat.scenario, names: names, checks: checks, memory: memory)
        if let topology, topology.diagnostics.hasErrors {
            // Told already, and not to be told again of every scenario that stands on it.
            problems.removeAll { $0.location.file == topology.file }
        }
        return (scenario, problems + (topology?.diagnostics ?? []))
    }

    /// Decodes and checks a whole tree. nil names: nothing can be called unknown, and nothing fits together.
    static func decode(
        _ tree: Tree, as shape: Shape<Scenario>, names: Names?, checks: ScenarioChecks,
        memory: ReadingMemory = ReadingMemory()
    ) -> (Scenario?, [Diagnostic]) {
        let reader = Reader(names: names, checks: checks, memory: memory)
        var scenario = shape.read(tree, reader)
        if let names {
            if let scenario, !reader.hasTooMany {
                Consistency(scenario: scenario, tree: tree, names: names, reader: reader).check()
            }
            scenario?.completeCables(names)
        }
        return (scenario, reader.diagnostics)
    }
}

extension Tree {
    /// Whether this mapping, or a variant or cell in it, has a key.
    fileprivate func says(key: String) -> Bool {
        guard let entries else { return false }
        return entries.contains { $0.key == key }
            || [ScenarioFormat.variantsKey, Matrix.cellsKey].contains { name in
                self[name]?.entries?.contains { $0.value[key] != nil } ?? false
            }
            || self[Matrix.key]?.entries?.contains { axis in
                axis.value.entries?.contains { $0.value[key] != nil } ?? false
            } ?? false
    }

    /// With the values of a matrix's cell behind its title.
    fileprivate func titled(with values: [String]) -> Tree {
        guard let title = entry(ScenarioFormat.titleKey), let text = title.value.text else { return self }
        let value = Tree(
            content: .scalar("\(text): \(values.joined(separator: ", "))", plain: true), location: title.value.location)
        let entry = Entry(key: title.key, keyLocation: title.keyLocation, value: value)
        return overlaid(by: Tree(content: .map([entry]), location: location))
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
