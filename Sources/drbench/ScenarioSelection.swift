import ArgumentParser
import Capture
import Engine
import FoundationEssentials
import Plan
import Reading
import Scenario

/// Where scenarios and topologies lie.
struct ScenarioFolders: ParsableArguments {
    @Option(
        help: ArgumentHelp("The folder with scenarios (default: Scenarios of this checkout).", valueName: "dir"),
        completion: .directory)
    var scenarios: String?

    @Option(
        help: ArgumentHelp("The folder with topologies (default: netns of this checkout).", valueName: "dir"),
        completion: .directory)
    var topologies: String?

    func validate() throws {
        try OptionChecks.path(scenarios, of: "--scenarios")
        try OptionChecks.path(topologies, of: "--topologies")
    }

    /// The scenarios that these words choose. Throws as `ScenarioSelection.load` does.
    func load(_ names: [String]) throws -> [Scenario] {
        var selection = try ScenarioSelection.parse(names)
        selection.folders = self
        return try selection.load()
    }

    /// Those that are there of the scenarios of these full names, and those in these files: of what a run left that may be
    /// long ago. Mistakes in files are printed; such a file has no scenarios.
    func existing(files: [String], names: [String]) throws -> [Scenario] {
        var selection = try ScenarioSelection.parse([])
        selection.folders = self
        selection.names = files + names
        let (library, _) = try selection.library()
        // Many are found sooner among all than each by itself.
        let words = files.isEmpty && names.count > 20 ? [] : names
        let (found, diagnostics) = library.load(files: files, words: words)
        for diagnostic in diagnostics { Console.writeError(diagnostic.excerpt + "\n") }
        return found.scenarios
    }

    /// One alone: a scenario's name stands for its variants, too, elsewhere.
    func load(only name: String) throws -> Scenario {
        let chosen = try load([name])
        return chosen.first { $0.fullName == name } ?? chosen[0]
    }
}

/// The scenarios that a command speaks of: the arguments and options that several commands share.
struct ScenarioSelection: ParsableArguments {
    @Argument(
        help: ArgumentHelp("Names, NAME/VARIANT, tags, patterns and YAML files, all of them.", valueName: "scenario"),
        completion: .scenarios)
    var names: [String] = []

    @Option(help: ArgumentHelp("Only scenarios with this tag; may be given several times.", valueName: "tag"))
    var tag: [String] = []

    @OptionGroup var folders: ScenarioFolders

    func validate() throws {
        try OptionChecks.words(names, of: "a scenario's name")
        try OptionChecks.words(tag, of: "--tag")
    }

    /// What is meant where no word and no tag says it.
    enum Nameless {
        case all
        /// What is tested: all but the benchmarks.
        case tests
        /// What is measured: all benchmarks but those that take minutes.
        case benchmarks

        func takes(_ scenario: Scenario) -> Bool {
            switch self {
            case .all: true
            case .tests: !scenario.isBenchmark
            case .benchmarks: scenario.isBenchmark && !scenario.tags.contains(Scenario.longTag)
            }
        }
    }

    /// Whether what is chosen is to be judged, so that what expects nothing is a mistake.
    enum Judgement {
        case none, validated, run
    }

    /// The chosen scenarios. Prints every mistake in the files first; with one, throws `ExitCode.invalid`.
    func load(nameless: Nameless = .all, judgement: Judgement = .none) throws -> [Scenario] {
        let (library, files) = try library()
        let (selection, diagnostics) = library.load(files: files, words: names.filter { !$0.isYAMLFile })
        for diagnostic in diagnostics { Console.writeError(diagnostic.excerpt + "\n") }
        guard !diagnostics.hasErrors else { throw ExitCode.invalid }
        for (word, suggestion) in selection.unmatched {
            let hint = suggestion.map { "; did you mean '\($0)'?" } ?? "; 'drbench list' shows what there is"
            Console.error("drbench: there is no scenario '\(word)'\(hint)")
        }
        guard selection.unmatched.isEmpty else { throw ExitCode.invalid }
        var chosen = selection.scenarios
        if names.isEmpty, tag.isEmpty {
            chosen = chosen.filter(nameless.takes)
        } else if !tag.isEmpty {
            chosen = chosen.filter { !Set($0.tags).isDisjoint(with: tag) }
        }
        guard !chosen.isEmpty else {
            Console.error("drbench: no scenario is chosen; 'drbench list' shows what there is")
            throw ExitCode.invalid
        }
        if judgement != .none { try checkExpectations(of: chosen, library, judgement) }
        return chosen
    }

    /// Nothing expected must not count as something proved.
    ///
    /// A network in which nothing happens either, as `drbench import` writes it, is for 'drbench up', or for its variants:
    /// only to run it alone is a mistake.
    private func checkExpectations(
        of scenarios: [Scenario], _ library: ScenarioLibrary, _ judgement: Judgement
    ) throws {
        let expecting = Set(scenarios.filter { !$0.expectsNothing }.map(\.name))
        let diagnostics = scenarios.filter(\.expectsNothing).compactMap { scenario -> Diagnostic? in
            let isNetwork = scenario.timeline.isEmpty
            if isNetwork, judgement == .run, expecting.contains(scenario.name) { return nil }
            return Diagnostic(
                isNetwork && judgement == .validated ? .warning : .error,
                at: scenario.location ?? SourceLocation(file: scenario.name, line: 1, column: 1),
                "\(scenario.fullName) expects nothing", expected: "an 'expect' of a step or of the whole run")
        }
        for diagnostic in library.told(diagnostics) { Console.writeError(diagnostic.excerpt + "\n") }
        guard !diagnostics.hasErrors else { throw ExitCode.invalid }
    }

    /// Of all scenarios that could be chosen.
    func mutants() throws -> [Mutant] {
        let (library, files) = try library()
        let all =
            files.flatMap { library.mutants(file: $0) }
            + (names.count > files.count || files.isEmpty ? library.mutants() : [])
        return names.isEmpty && tag.isEmpty ? all.filter { Nameless.tests.takes($0.scenario) } : all
    }

    /// The library, and the files that were named beside it.
    fileprivate func library() throws -> (ScenarioLibrary, files: [String]) {
        let installation = Installation.find()
        guard let topologies = folders.topologies ?? installation?.topologies else {
            throw EnvironmentError("no topologies: \(Installation.obstacle)")
        }
        let files = names.filter(\.isYAMLFile)
        guard folders.scenarios != nil || installation != nil || files.count == names.count && !files.isEmpty else {
            throw EnvironmentError("no scenarios: \(Installation.obstacle)")
        }
        let searched = [folders.scenarios ?? installation?.scenarios].compactMap { $0 }
        let library = ScenarioLibrary(
            scenarios: searched, topologies: topologies,
            checks: .all)
        return (library, files)
    }
}

extension String {
    /// Also whatever is written as a path: no scenario's name begins so.
    fileprivate var isYAMLFile: Bool {
        hasSuffix(".yaml") || hasSuffix(".yml") || ["/", "./", "../"].contains { hasPrefix($0) }
    }
}

extension [Scenario] {
    /// Whether a network can be made of each. Prints every mistake first; with one, throws `ExitCode.invalid`.
    /// - Returns: what they need of a kernel, all together.
    @discardableResult
    func checkPlans() throws -> Set<String> {
        var invalid = 0
        var needs: Set<String> = []
        for scenario in self {
            do {
                needs.formUnion(scenario.allNeeds(try Plan(scenario)))
            } catch {
                invalid += 1
                guard invalid <= Limits.mistakes else { continue }
                let location = (error as? PlanError)?.location ?? scenario.location
                Console.error(
                    location.map { "\(Diagnostic(at: $0, "\(scenario.fullName): \(error)"))" }
                        ?? "\(scenario.fullName): error: \(error)")
            }
        }
        if invalid > Limits.mistakes {
            Console.error("drbench: \(invalid - Limits.mistakes) more scenarios cannot be planned")
        }
        guard invalid == 0 else { throw ExitCode.invalid }
        return needs
    }
}

extension Scenario {
    /// The folder of the scenario's file, for JUnit's test suites.
    var suiteName: String {
        let location = timeline.first?.location ?? expectations.first?.location
        return location.map { $0.file.parent.split(separator: "/").last.map(String.init) ?? "scenarios" } ?? "scenarios"
    }
}

extension ScenarioChecks {
    /// With all that drbench knows.
    static let all = ScenarioChecks(
        validateFilter: { filter in
            do {
                _ = try PacketFilter(filter)
                return nil
            } catch {
                return "\(error)"
            }
        }, knownNeeds: Capabilities.known.map(\.name), releases: .neutron)
}

extension ScenarioChecks.Releases {
    /// Those whose rules can be generated.
    fileprivate static let neutron = Self(
        exists: { (try? NeutronRelease(version: $0)) != nil },
        nearest: { NeutronRelease.nearest(to: $0) }, names: NeutronRelease.codeNames, expected: NeutronRelease.expected)
}
