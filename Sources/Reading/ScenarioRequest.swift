internal import FoundationEssentials
public import Scenario

extension ScenarioLibrary {
    /// What a command line asks for: everything in the files, and behind it what the words mean in the library; all of the
    /// library for neither. Each scenario once.
    ///
    /// Two files of one name are a mistake: what their scenarios leave would go to the same folder.
    public func load(files: [String], words: [String]) -> (selection: Selection, diagnostics: [Diagnostic]) {
        guard !files.isEmpty else {
            let loaded = words.isEmpty ? load() : load(named: words) ?? load()
            return (loaded.scenarios.selected(by: words), loaded.diagnostics)
        }
        var diagnostics: [Diagnostic] = []
        var owners: [String: String] = [:]
        var own: [String] = []
        func owns(_ file: String) -> Bool {
            let name = Self.name(of: file)
            guard let owner = owners[name] else {
                owners[name] = file
                return true
            }
            if !Self.isSame(owner, file) {
                let start = SourceLocation(file: file, line: 1, column: 1)
                diagnostics.append(Diagnostic(at: start, "a scenario '\(name)' is in \(owner) already"))
            }
            return false
        }
        for file in files where owns(file) { own.append(file) }
        let (scenarios, problems) = load(files: own)
        diagnostics += problems
        var selection = Selection(scenarios: scenarios, unmatched: [])
        guard !words.isEmpty else { return (selection, diagnostics) }

        let rest = load(named: words) ?? load()
        diagnostics += rest.diagnostics
        let found = rest.scenarios.selected(by: words)
        let paths = self.scenarios.flatMap { (try? Self.yamlFiles(below: $0).get()) ?? [] }
        for name in found.scenarios.map(\.name).distinct where owners[name] != nil {
            if let path = paths.first(where: { Self.name(of: $0) == name }) { _ = owns(path) }
        }
        selection.scenarios += found.scenarios.filter { owners[$0.name] == nil }
        // What a word means in a file is asked for with the file.
        let strangers = Set(scenarios.selected(by: words).unmatched.map(\.word))
        selection.unmatched = found.unmatched.filter { strangers.contains($0.word) }
        return (selection, diagnostics)
    }

    private static func isSame(_ one: String, _ other: String) -> Bool {
        func real(_ path: String) -> String { URL(filePath: path).resolvingSymlinksInPath().path }
        return one == other || real(one) == real(other)
    }
}

extension [String] {
    fileprivate var distinct: [String] {
        var known: Set<String> = []
        return filter { known.insert($0).inserted }
    }
}
