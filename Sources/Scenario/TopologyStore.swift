/// The topologies of a directory, each read once.
struct TopologyStore {
    private let files: [(name: String, file: String)]
    private let trees: [String: (tree: Tree?, diagnostics: [Diagnostic])]
    private let checks: ScenarioChecks
    /// What is wrong with the directory, and after `checkAll` with the topologies by themselves.
    private(set) var diagnostics: [Diagnostic] = []

    init(directory: String, checks: ScenarioChecks) {
        self.checks = checks
        var files: [(name: String, file: String)] = []
        var trees: [String: (tree: Tree?, diagnostics: [Diagnostic])] = [:]
        switch ScenarioLibrary.yamlFiles(below: directory) {
        case .failure(let problem): diagnostics.append(problem.diagnostic)
        case .success(let found):
            for file in found {
                let name = ScenarioLibrary.name(of: file)
                if let other = files.first(where: { $0.name == name }) {
                    let start = SourceLocation(file: file, line: 1, column: 1)
                    diagnostics.append(Diagnostic(at: start, "a topology '\(name)' is in \(other.file) already"))
                    continue
                }
                files.append((name, file))
                switch TextFile.read(file) {
                case .success(let text): trees[name] = YAMLReader.read(text, file: file)
                case .failure(let problem): trees[name] = (nil, [problem.diagnostic])
                }
            }
        }
        self.files = files
        self.trees = trees
    }

    var source: TopologySource {
        TopologySource(names: files.map(\.name)) { [trees] in trees[$0] }
    }

    /// Decodes every topology as a network that could be built as it stands.
    mutating func checkAll() {
        for (name, _) in files {
            guard let (tree, problems) = trees[name] else { continue }
            diagnostics += problems
            guard let tree else { continue }
            diagnostics +=
                ScenarioFile.decode(tree, as: ScenarioFormat.topology, names: Names(of: tree), checks: checks).1
        }
    }
}
