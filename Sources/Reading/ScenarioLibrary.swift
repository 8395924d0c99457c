internal import FoundationEssentials
public import Scenario
internal import Text

/// The scenarios in some directories, and the topologies that they stand on.
///
/// Reading needs no privileges and changes nothing. Files are taken in the order of their paths.
public struct ScenarioLibrary: Sendable {
    /// Directories; every `*.yaml` in them and below them is a scenario.
    public let scenarios: [String]
    /// The directory of topologies; a topology's name is its file's, without `.yaml`.
    public let topologies: String
    public let checks: ScenarioChecks

    public init(scenarios: [String], topologies: String, checks: ScenarioChecks = ScenarioChecks()) {
        self.scenarios = scenarios
        self.topologies = topologies
        self.checks = checks
    }

    /// Everything, with all mistakes of all files: also those of topologies that no scenario uses. A scenario with an
    /// error is left out, its other variants are not.
    public func load() -> (scenarios: [Scenario], diagnostics: [Diagnostic]) {
        let store = TopologyStore(directory: topologies, checks: checks)
        var diagnostics = store.diagnostics(all: true)
        var files: [String] = []
        for directory in scenarios {
            switch Self.yamlFiles(below: directory) {
            case .success(let found): files += found
            case .failure(let problem): diagnostics.append(problem.diagnostic)
            }
        }
        var result: [Scenario] = []
        var owners: [String: String] = [:]
        for file in files {
            let name = Self.name(of: file)
            if let other = owners[name] {
                if other != file {
                    let start = SourceLocation(file: file, line: 1, column: 1)
                    diagnostics.append(Diagnostic(at: start, "a scenario '\(name)' is in \(other) already"))
                }
                continue
            }
            owners[name] = file
            let (scenarios, problems) = read(file: file, store.source)
            result += scenarios
            diagnostics += problems
        }
        return (result, withLines(diagnostics))
    }

    /// Only the files that have these scenarios, by NAME or NAME/VARIANT; nil if a word may mean anything else, such as a
    /// tag, so that all of the library must be looked at. What other files have wrong is no matter then.
    public func load(named words: [String]) -> (scenarios: [Scenario], diagnostics: [Diagnostic])? {
        let names = Set(words.map { String($0.prefix { $0 != "/" }) })
        let files = scenarios.flatMap { directory in (try? Self.yamlFiles(below: directory).get()) ?? [] }
            .filter { names.contains(Self.name(of: $0)) }
        // One file for each name: with two of a name the whole library says which it takes.
        guard files.count == names.count, Set(files.map(Self.name(of:))) == names else { return nil }
        return load(files: files)
    }

    /// The scenarios' names without their variants, by the names of their files: nothing is read.
    public func names() -> [String] {
        Set(scenarios.flatMap { directory in (try? Self.yamlFiles(below: directory).get()) ?? [] }.map(Self.name(of:)))
            .sorted()
    }

    /// What must fail: every mutation that a file of the library names, and every scenario's expectations in the networks
    /// of its file's other scenarios. Files with errors have none.
    public func mutants() -> [Mutant] {
        let store = TopologyStore(directory: topologies, checks: checks)
        return scenarios.flatMap { directory in (try? Self.yamlFiles(below: directory).get()) ?? [] }.flatMap { file in
            mutants(file: file, store.source)
        }
    }

    /// The same of one file.
    public func mutants(file: String) -> [Mutant] {
        mutants(file: file, TopologyStore(directory: topologies, checks: checks).source)
    }

    private func mutants(file: String, _ topologies: TopologySource) -> [Mutant] {
        guard case .success(let text) = TextFile.read(file) else { return [] }
        var reading = ScenarioFile(
            name: Self.name(of: file), file: file, topologies: topologies, checks: checks, collectsMutants: true)
        reading.read(text)
        return reading.mutants
    }

    /// What is wrong with scenarios that were read from this library's files, with the lines that it is about; the first of
    /// each file, and how many more.
    public func told(_ diagnostics: [Diagnostic]) -> [Diagnostic] { withLines(diagnostics) }

    /// One file, wherever it is, on a topology of this library.
    public func load(file: String) -> (scenarios: [Scenario], diagnostics: [Diagnostic]) { load(files: [file]) }

    /// Some files, in their order.
    public func load(files: [String]) -> (scenarios: [Scenario], diagnostics: [Diagnostic]) {
        let store = TopologyStore(directory: topologies, checks: checks)
        var result: [Scenario] = []
        var diagnostics: [Diagnostic] = []
        for file in files {
            let loaded = read(file: file, store.source)
            result += loaded.scenarios
            diagnostics += loaded.diagnostics
        }
        return (result, withLines(store.diagnostics(all: false) + diagnostics))
    }

    private func read(file: String, _ topologies: TopologySource) -> (scenarios: [Scenario], diagnostics: [Diagnostic])
    {
        switch TextFile.read(file) {
        case .failure(let problem): return ([], [problem.diagnostic])
        case .success(let text):
            var reading = ScenarioFile(name: Self.name(of: file), file: file, topologies: topologies, checks: checks)
            reading.read(text)
            return (reading.scenarios, reading.diagnostics)
        }
    }

    /// Each mistake once, in order, with the line of its file.
    private func withLines(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
        var lines: [String: [String]] = [:]
        return diagnostics.tidied().limited().map { diagnostic in
            let file = diagnostic.location.file
            if lines[file] == nil {
                let text = try? TextFile.read(file, upTo: Limits.dumpBytes).get()
                lines[file] = text?.split(omittingEmptySubsequences: false) { $0.isNewline }.map(String.init) ?? []
            }
            var result = diagnostic
            if let all = lines[file], (1...max(all.count, 1)).contains(diagnostic.location.line), !all.isEmpty {
                result.sourceLine = all[diagnostic.location.line - 1]
            }
            return result
        }
    }

    static func name(of file: String) -> String {
        let last = file.split(separator: "/").last.map(String.init) ?? file
        return last.hasSuffix(".yaml") ? String(last.dropLast(5)) : last
    }

    /// Sorted by path. Hidden files, an editor's leftovers, are none.
    static func yamlFiles(below directory: String) -> Result<[String], FileProblem> {
        let base = directory.count > 1 && directory.hasSuffix("/") ? String(directory.dropLast()) : directory
        do {
            let paths = try FileManager.default.subpathsOfDirectory(atPath: base)
            let files = paths.filter { path in
                path.hasSuffix(".yaml") && !path.split(separator: "/").contains { $0.hasPrefix(".") }
            }
            return .success(files.sorted().map { "\(base)/\($0)" })
        } catch {
            return .failure(FileProblem(file: directory, message: "cannot be read as a directory"))
        }
    }
}
