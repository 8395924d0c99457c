internal import Scenario

/// The topologies of a directory, each read once.
struct TopologyStore {
    private var names: [String] = []
    private var topologies: [String: Topology] = [:]
    /// What is wrong with the directory.
    private var problems: [Diagnostic] = []

    init(directory: String, checks: ScenarioChecks) {
        switch ScenarioLibrary.yamlFiles(below: directory) {
        case .failure(let problem): problems.append(problem.diagnostic)
        case .success(let files):
            for file in files { read(file, checks) }
        }
    }

    private mutating func read(_ file: String, _ checks: ScenarioChecks) {
        let name = ScenarioLibrary.name(of: file)
        if let other = topologies[name] {
            let start = SourceLocation(file: file, line: 1, column: 1)
            problems.append(Diagnostic(at: start, "a topology '\(name)' is in \(other.file) already"))
            return
        }
        names.append(name)
        switch TextFile.read(file) {
        case .success(let text): topologies[name] = Topology(text, file: file, checks: checks)
        case .failure(let problem): topologies[name] = Topology(problem)
        }
    }

    var source: TopologySource {
        TopologySource(names: names) { [topologies] in topologies[$0] }
    }

    /// Of the directory; with `all`, of every topology in it as well.
    func diagnostics(all: Bool) -> [Diagnostic] {
        problems + (all ? names.flatMap { topologies[$0]?.diagnostics ?? [] } : [])
    }
}
