import ArgumentParser
import Engine
import Evidence
import FoundationEssentials
import Glibc
import Kernel
import Report
import Scenario
import Text
import Verdict

/// What 'drbench run' left in a folder: the results of several runs, or one run by itself.
struct KeptResults: Sendable {
    /// As the user named it.
    let path: String
    let folder: Folder
    /// Of a single run, judged again.
    let result: RunResult
    /// What the folder's run is of, if it is a run by itself.
    let single: Scenario?
    private let known: [String: Scenario]

    static let resultsFile = "results.json"

    /// - Throws: `EnvironmentError` if there are no results, or they cannot be read.
    init(_ named: String, in folders: ScenarioFolders) throws {
        do {
            path = Self.variantsPath(named) ?? named
            folder = try Folder(path)
        } catch {
            throw EnvironmentError("\(error)")
        }
        if let result = try Self.results(in: folder) {
            self.result = result
            single = nil
            let (folder, runs) = (folder, result.runs)
            known = try Self.load(
                runs.filter { Self.hasFile(RunFiles.evidence, of: $0, in: folder) }
                    .map { ($0.verdict.scenario, $0.verdict.checks.first?.location.file) }, folders)
            return
        }
        guard folder.kind(of: RunFiles.evidence) != nil else {
            throw EnvironmentError("\(path) has neither \(Self.resultsFile) nor \(RunFiles.evidence)")
        }
        let evidence = try Evidence(in: folder)
        known = try Self.load([(evidence.scenario, nil)], folders)
        guard let scenario = known[evidence.scenario] else {
            throw EnvironmentError("there is no scenario \(evidence.scenario); --scenarios names another folder")
        }
        single = scenario
        result = RunResult(
            engine: "\(evidence.engine.name), Linux \(evidence.engine.kernel)", seed: evidence.engine.seed,
            runs: [ScenarioRun(suite: scenario.suiteName, verdict: try KeptRun(of: scenario, in: folder).verdict)])
    }

    /// A variant's folder where it is named as the variant is: `RESULTS/SCENARIO/VARIANT`.
    private static func variantsPath(_ named: String) -> String? {
        // A folder of its scenario's run may have the name, too.
        let files = [resultsFile, RunFiles.evidence]
        guard files.allSatisfy({ access("\(named)/\($0)", F_OK) < 0 }) else { return nil }
        var parts = named.split(separator: "/", omittingEmptySubsequences: false)
        while parts.last?.isEmpty == true { parts.removeLast() }
        guard let variant = parts.popLast(), !parts.isEmpty else { return nil }
        let path = (parts + [Substring(RunLayout.variants), variant]).joined(separator: "/")
        return access("\(path)/\(RunFiles.evidence)", F_OK) == 0 ? path : nil
    }

    /// The results of several runs; nil if there are none.
    private static func results(in folder: Folder) throws(EnvironmentError) -> RunResult? {
        let bytes: [UInt8]?
        do {
            bytes = try folder.read(resultsFile, limit: ReadLimit.results)
        } catch {
            throw EnvironmentError("\(error)")
        }
        guard let bytes else { return nil }
        let read: RunResult
        do {
            read = try JSONDecoder().decode(RunResult.self, from: Data(bytes), of: folder.path(of: resultsFile))
        } catch {
            throw EnvironmentError("the results are damaged: \(error)")
        }
        guard read.version == RunResult.currentVersion else {
            throw EnvironmentError(
                "\(folder.path(of: resultsFile)) is of format \(read.version), not \(RunResult.currentVersion)")
        }
        // Counted again: the totals are to be those of the runs.
        return RunResult(engine: read.engine, seed: read.seed, runs: read.runs, timing: read.timing)
    }

    /// A run as it was left. Throws `EnvironmentError` with what is missing.
    func run(_ run: ScenarioRun) throws(EnvironmentError) -> KeptRun {
        if let single { return try KeptRun(of: single, in: folder) }
        guard let scenario = known[run.verdict.scenario] else {
            throw EnvironmentError("its scenario's file is not there any more")
        }
        guard let folder = try Self.folder(of: run, in: folder) else {
            throw EnvironmentError("\(path(of: run)) is not there any more")
        }
        return try KeptRun(of: scenario, in: folder)
    }

    /// Where a run's files are, for messages.
    func path(of run: ScenarioRun) -> String {
        single == nil ? folder.path(of: RunLayout.directory(of: run.verdict.scenario)) : path
    }

    /// Whether a run left evidence.
    func hasEvidence(_ run: ScenarioRun) -> Bool {
        single != nil || run.directory != nil && Self.hasFile(RunFiles.evidence, of: run, in: folder)
    }

    /// A run's file; nil if there is none.
    /// - Throws: `FileError` if it cannot be read.
    func file(_ name: String, of run: ScenarioRun, limit: Int) throws -> [UInt8]? {
        try (single == nil ? Self.folder(of: run, in: folder) : folder)?.read(name, limit: limit)
    }

    static func hasFile(_ name: String, of run: ScenarioRun, in folder: Folder) -> Bool {
        (try? Self.folder(of: run, in: folder))?.kind(of: name) != nil
    }

    /// The folder of a run among others; nil if it is not there. What results say of it must be what a run writes.
    private static func folder(of run: ScenarioRun, in folder: Folder) throws(EnvironmentError) -> Folder? {
        let name = run.verdict.scenario
        guard let directory = run.directory else { return nil }
        guard directory == RunLayout.directory(of: name) else {
            throw EnvironmentError(
                "\(folder.path(of: resultsFile)): the run of \(name) is said to be in '\(directory)', but would be in '"
                    + "\(RunLayout.directory(of: name))': it was changed, or is of an earlier release")
        }
        do {
            return try RunLayout.existingFolder(of: name, in: folder)
        } catch {
            throw EnvironmentError("\(error)")
        }
    }

    /// Scenarios by their full names: from the files that the run took them from, where those are known and there.
    private static func load(
        _ runs: [(name: String, file: String?)], _ folders: ScenarioFolders
    ) throws -> [String: Scenario] {
        var files: [String] = []
        var seen: Set<String> = []
        var names: [String] = []
        for (name, file) in runs {
            if let file, file.hasSuffix(".yaml") || file.hasSuffix(".yml"),
                seen.contains(file) || FileManager.default.fileExists(atPath: file)
            {
                if seen.insert(file).inserted { files.append(file) }
            } else {
                names.append(name)
            }
        }
        var known: [String: Scenario] = [:]
        // A variant's file can be known by its scenario's only: what is in both is the same.
        for (files, names) in [(files, []), ([], names)] where !files.isEmpty || !names.isEmpty {
            for scenario in try folders.existing(files: files, names: names) { known[scenario.fullName] = scenario }
        }
        return known
    }
}
