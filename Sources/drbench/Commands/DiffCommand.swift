import ArgumentParser
import Dispatch
import Engine
import Evidence
import FoundationEssentials
import Report
import Scenario
import Synchronization
import Text
import Verdict

struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Tells what is different in two kept runs.",
        discussion: """
            RUN1 and RUN2 are what 'drbench run' wrote (--out), or the folders of single runs, which may be of different \
            scenarios: drbench-results/cross-hv-p-old drbench-results/cross-hv-p-old/newton. Compared are verdicts, how \
            requests ended, expectations, journeys (which way, and how they ended), what rules and the kernel counted, \
            IPVS and conntrack; not times, and no port numbers.

            Exit status, as diff's: 0 nothing differs, 1 something does, 2 wrong usage, 3 a run cannot be read.
            """)

    @Argument(
        help: ArgumentHelp("The run that is taken for the earlier one.", valueName: "run1"), completion: .directory)
    var before: String

    @Argument(help: ArgumentHelp("The run that is compared with it.", valueName: "run2"), completion: .directory)
    var after: String

    @Argument(
        help: ArgumentHelp("Only these scenarios, by their full names.", valueName: "scenario"),
        completion: .scenarios)
    var names: [String] = []

    @OptionGroup var folders: ScenarioFolders

    @Flag(help: "Print the differences as JSON.")
    var json = false

    @Flag(name: .shortAndLong, help: "Print every difference, not only the first of each kind.")
    var verbose = false

    func validate() throws {
        try OptionChecks.path(before, of: "the first run")
        try OptionChecks.path(after, of: "the second run")
    }

    func run() throws {
        let before = try KeptResults(before, in: folders)
        let after = try KeptResults(after, in: folders)
        let pairs = try pairs(before, after)
        let results = Mutex([(RunDifference, damage: [String])?](repeating: nil, count: pairs.count))
        DispatchQueue.concurrentPerform(iterations: pairs.count) { index in
            let difference = pairs[index].difference(before, after)
            results.withLock { $0[index] = difference }
        }
        let found = results.withLock { $0.compactMap { $0 } }
        let difference = ResultDifference(before: before.side, after: after.side, runs: found.map(\.0))
        if json {
            Console.write(try difference.json(), as: .json)
        } else {
            Console.write(difference.text(limit: verbose ? .max : 12))
        }
        let damage = found.flatMap(\.damage)
        for text in damage { Console.error("drbench: \(text)") }
        guard damage.isEmpty else { throw ExitCode.cannotRun }
        guard difference.isEmpty else { throw ExitCode.failed }
    }

    fileprivate struct Pair {
        var name: String
        var before: ScenarioRun?
        var after: ScenarioRun?
    }

    /// The runs of each scenario; two single runs are a pair whatever they are of.
    private func pairs(_ before: KeptResults, _ after: KeptResults) throws -> [Pair] {
        if before.single != nil, after.single != nil, let one = before.result.runs.first,
            let other = after.result.runs.first
        {
            let (old, new) = (one.verdict.scenario, other.verdict.scenario)
            return [Pair(name: old == new ? old : "\(old) → \(new)", before: one, after: other)]
        }
        let old = Dictionary(before.result.runs.map { ($0.verdict.scenario, $0) }) { first, _ in first }
        let new = Dictionary(after.result.runs.map { ($0.verdict.scenario, $0) }) { first, _ in first }
        var all = before.result.runs.map(\.verdict.scenario)
        all += after.result.runs.map(\.verdict.scenario).filter { old[$0] == nil }
        for name in names where old[name] == nil && new[name] == nil {
            throw ValidationError("neither of the two has a run of '\(name)'")
        }
        // A single run is compared with its like.
        let single = [before, after].compactMap { $0.single?.fullName }.first
        return all.filter { (names.isEmpty || names.contains($0)) && single ?? $0 == $0 }.map {
            Pair(name: $0, before: old[$0], after: new[$0])
        }
    }
}

extension DiffCommand.Pair {
    /// Whether both have a file, and the same bytes in it.
    private func isSame(_ file: String, _ one: KeptResults, _ other: KeptResults, limit: Int) -> Bool {
        guard let before, let after, let bytes = try? one.file(file, of: before, limit: limit) else { return false }
        return (try? other.file(file, of: after, limit: limit)) == bytes
    }

    /// What is different, and what of them cannot be read though it was judged.
    fileprivate func difference(_ one: KeptResults, _ other: KeptResults) -> (RunDifference, damage: [String]) {
        guard let before else { return (RunDifference(scenario: name, state: .onlyAfter), []) }
        guard let after else { return (RunDifference(scenario: name, state: .onlyBefore), []) }
        var damage: [String] = []
        var notes: [String] = []
        func read(_ kept: KeptResults, _ run: ScenarioRun) -> KeptRun? {
            do {
                return try kept.run(run)
            } catch {
                notes.append("\(kept.path(of: run)): \(error)")
                // What went wrong may have left anything.
                if run.verdict.status == .passed || run.verdict.status == .failed { damage.append("\(error)") }
                return nil
            }
        }
        if one.hasEvidence(before), other.hasEvidence(after),
            before.verdict == after.verdict,
            isSame(RunFiles.evidence, one, other, limit: ReadLimit.evidence),
            isSame(RunFiles.capture, one, other, limit: ReadLimit.capture)
        {
            _ = read(one, before)
            return (RunDifference(scenario: name, state: .identical), damage)
        }
        let facts = [(one, before), (other, after)].map { kept, run in
            let left = run.directory == nil && kept.single == nil ? nil : read(kept, run)
            return RunFacts(verdict: run.verdict, evidence: left?.evidence, journeys: left?.story.journeys)
        }
        let difference = RunDifference(
            scenario: name, facts[0], facts[1],
            note: notes.isEmpty ? nil : "only verdicts could be compared: \(notes.joined(separator: "; "))")
        return (difference, damage)
    }
}

extension KeptResults {
    fileprivate var side: ResultDifference.Side {
        ResultDifference.Side(folder: path, engine: result.engine, seed: result.seed)
    }
}
