import ArgumentParser
import Dispatch
import Engine
import Evidence
import FoundationEssentials
import Report
import Scenario
import Synchronization
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
        let results = Mutex([RunDifference?](repeating: nil, count: pairs.count))
        DispatchQueue.concurrentPerform(iterations: pairs.count) { index in
            let difference = pairs[index].difference(before, after)
            results.withLock { $0[index] = difference }
        }
        let difference = ResultDifference(
            before: before.side, after: after.side, runs: results.withLock { $0.compactMap { $0 } })
        Console.write(json ? try difference.json() : difference.text(limit: verbose ? .max : 12))
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
    fileprivate func difference(_ one: KeptResults, _ other: KeptResults) -> RunDifference {
        guard let before else { return RunDifference(scenario: name, state: .onlyAfter) }
        guard let after else { return RunDifference(scenario: name, state: .onlyBefore) }
        let folders = [one.path(of: before), other.path(of: after)]
        if one.hasEvidence(before), other.hasEvidence(after),
            before.verdict == after.verdict,
            [RunFiles.evidence, RunFiles.capture].allSatisfy({ file in
                let contents = folders.map { FileManager.default.contents(atPath: "\($0)/\(file)") }
                return contents[0] != nil && contents[0] == contents[1]
            })
        {
            return RunDifference(scenario: name, state: .identical)
        }
        var notes: [String] = []
        let facts = [(one, before), (other, after)].map { kept, run in
            guard kept.hasEvidence(run) else {
                return RunFacts(verdict: run.verdict, evidence: nil, journeys: nil)
            }
            do {
                let left = try kept.run(run)
                return RunFacts(verdict: run.verdict, evidence: left.evidence, journeys: left.story.journeys)
            } catch {
                notes.append("\(kept.path(of: run)): \(error)")
                return RunFacts(verdict: run.verdict, evidence: nil, journeys: nil)
            }
        }
        return RunDifference(
            scenario: name, facts[0], facts[1],
            note: notes.isEmpty ? nil : "only verdicts could be compared: \(notes.joined(separator: "; "))")
    }
}

extension KeptResults {
    fileprivate var side: ResultDifference.Side {
        ResultDifference.Side(folder: folder, engine: result.engine, seed: result.seed)
    }
}
