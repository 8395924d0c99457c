internal import Scenario

/// What one file's scenarios have in common and each would look at again: the files with rules that they name, and their
/// packet filters. Belongs to one file's reading, and one thread.
final class ReadingMemory {
    private var dumps: [String: Result<RuleDump, FileProblem>] = [:]
    private var filters: [String: String?] = [:]
    /// Of all files with rules.
    private var dumpBytes = 0

    /// A file with rules, read once.
    func dump(_ kind: RuleDump.Kind, at path: String) -> Result<RuleDump, FileProblem> {
        let key = "\(kind.rawValue) \(path)"
        if let known = dumps[key] { return known }
        // Whatever is more could be in no plan either.
        let limit = min(Limits.dumpBytes, Limits.planBytes - dumpBytes)
        let read = TextFile.read(path, upTo: limit, escapes: true).map { RuleDump($0, kind) }
        dumpBytes += (try? read.get().text.utf8.count) ?? 0
        dumps[key] = read
        return read
    }

    /// What is wrong with a packet filter; nil if nothing is.
    func problem(ofFilter filter: String, _ checks: ScenarioChecks) -> String? {
        if let known = filters[filter] { return known }
        let problem = checks.validateFilter(filter)
        filters[filter] = .some(problem)
        return problem
    }
}
