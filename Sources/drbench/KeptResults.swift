import ArgumentParser
import Engine
import Evidence
import FoundationEssentials
import Report
import Scenario
import Verdict

/// What 'drbench run' left in a folder: the results of several runs, or one run by itself.
struct KeptResults: Sendable {
    let folder: String
    /// Of a single run, judged again.
    let result: RunResult
    /// What the folder's run is of, if it is a run by itself.
    let single: Scenario?
    private let known: [String: Scenario]

    /// - Throws: `EnvironmentError` if there are no results, or they cannot be read; `ExitCode.invalid` if a scenario's file
    ///   has mistakes.
    init(_ folder: String, in folders: ScenarioFolders) throws {
        self.folder = folder
        if let data = FileManager.default.contents(atPath: "\(folder)/results.json") {
            do {
                result = try JSONDecoder().decode(RunResult.self, from: data)
            } catch {
                throw EnvironmentError("\(folder)/results.json cannot be read: \(error)")
            }
            single = nil
            let runs = result.runs.filter { run in
                run.directory.map { FileManager.default.fileExists(atPath: "\(folder)/\($0)/\(RunFiles.evidence)") }
                    ?? false
            }
            known = try Self.load(
                runs.map { ($0.verdict.scenario, $0.verdict.checks.first?.location.file) }, folders)
            return
        }
        let path = "\(folder)/\(RunFiles.evidence)"
        guard let data = FileManager.default.contents(atPath: path) else {
            throw EnvironmentError("\(folder) has neither results.json nor \(RunFiles.evidence)")
        }
        let evidence: Evidence
        do {
            evidence = try JSONDecoder().decode(Evidence.self, from: data)
        } catch {
            throw EnvironmentError("\(path) cannot be read: \(error)")
        }
        known = try Self.load([(evidence.scenario, nil)], folders)
        guard let scenario = known[evidence.scenario] else {
            throw EnvironmentError("there is no scenario \(evidence.scenario); --scenarios names another folder")
        }
        single = scenario
        result = RunResult(
            engine: "\(evidence.engine.name), Linux \(evidence.engine.kernel)", seed: evidence.engine.seed,
            runs: [ScenarioRun(suite: scenario.suiteName, verdict: try KeptRun(of: scenario, in: folder).verdict)])
    }

    /// A run as it was left. Throws `EnvironmentError` with what is missing.
    func run(_ run: ScenarioRun) throws(EnvironmentError) -> KeptRun {
        if let single { return try KeptRun(of: single, in: folder) }
        guard let scenario = known[run.verdict.scenario] else {
            throw EnvironmentError("its scenario's file is not there any more")
        }
        return try KeptRun(of: scenario, in: path(of: run))
    }

    /// Where a run's files are.
    func path(of run: ScenarioRun) -> String { run.directory.map { "\(folder)/\($0)" } ?? folder }

    /// Whether a run left evidence.
    func hasEvidence(_ run: ScenarioRun) -> Bool {
        (single != nil || run.directory != nil)
            && FileManager.default.fileExists(atPath: "\(path(of: run))/\(RunFiles.evidence)")
    }

    /// Scenarios by their full names: from the files that the run took them from, where those are known and there.
    private static func load(
        _ runs: [(name: String, file: String?)], _ folders: ScenarioFolders
    ) throws -> [String: Scenario] {
        var files: [String] = []
        var names: [String] = []
        for (name, file) in runs {
            if let file, FileManager.default.fileExists(atPath: file) {
                if !files.contains(file) { files.append(file) }
            } else {
                names.append(name)
            }
        }
        var known: [String: Scenario] = [:]
        // A variant's file can be known by its scenario's only: what is in both is the same.
        for words in [files, names] where !words.isEmpty {
            for scenario in try folders.load(words) { known[scenario.fullName] = scenario }
        }
        return known
    }
}
