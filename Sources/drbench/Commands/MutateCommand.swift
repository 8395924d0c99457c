import ArgumentParser
import Engine
import FoundationEssentials
import Reading
import Report
import Scenario
import Verdict

struct MutateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mutate",
        abstract: "Breaks each scenario's set-up and sees whether its expectations notice.",
        discussion: """
            A scenario's mutations are those that its file names, and the networks of the file's other scenarios: with \
            one of these its own expectations must fail. Unchanged they must hold, or a failure would prove nothing. \
            What survives all of its mutations, has none, or cannot be run is listed. Exit status: 0 if every scenario \
            notices a mutation, 1 otherwise.
            """)

    @OptionGroup var selection: ScenarioSelection

    @OptionGroup var engineOptions: EngineOptions

    @Option(help: "The folder for the evidence.", completion: .directory)
    var out = "drbench-mutations"

    @Option(help: "What the lab kernel's randomness follows from.")
    var seed: UInt64 = 1

    @Option(name: .shortAndLong, help: "How many scenarios run at a time (default: one per processor).")
    var jobs: Int?

    @Flag(help: "Run every mutation, not only until the first is noticed.")
    var all = false

    @Flag(inversion: .prefixedNo, help: "First run each scenario unchanged.")
    var baseline = true

    @Flag(name: .shortAndLong, help: "Print what does not notice and totals only.")
    var quiet = false

    func validate() throws {
        try OptionChecks.jobs(jobs)
        try OptionChecks.path(out, of: "--out")
    }

    fileprivate enum Outcome: String, CaseIterable {
        case noticed, survived
        case notRun = "could not be run"
        case failsUnchanged = "failed unchanged"
        case withoutMutation = "without mutation"
    }

    fileprivate struct Fate {
        var scenario: Scenario
        /// Not yet run.
        var mutants: [Mutant]
        var killers: [String] = []
        /// What was changed in vain.
        var survivors: [String] = []
        /// What could not be run, and why.
        var errors: [String] = []
        var failsUnchanged = false
    }

    func run() throws {
        let scenarios = try selection.load(nameless: .tests, judgement: .run)
        let mutants = try selection.mutants()
        let choice = try engineOptions.choose()
        let byOriginal = Dictionary(grouping: mutants, by: \.original)
        var fates = scenarios.map { scenario in
            Fate(scenario: scenario, mutants: byOriginal[scenario.fullName] ?? [])
        }
        let results = try ResultsFolder(out)
        Interruption.watch()
        let bench = Bench(
            engine: choice.engine, capabilities: choice.capabilities, results: results, seed: seed, realTime: false,
            timeLimit: 120, jobs: jobs ?? Bench.defaultJobs,
            progress: Progress(total: 0, style: .silent, colour: false) { _ in })
        if baseline {
            let unchanged = bench.run(scenarios) { _ in "mutations" }
            for (index, run) in unchanged.enumerated() { fates[index].noteUnchanged(run.verdict) }
        }
        while true {
            let open = fates.indices.filter { fates[$0].isOpen(all: all) }
            guard !open.isEmpty, Interruption.signal == nil else { break }
            let round = open.map { fates[$0].mutants.removeFirst() }
            for (index, (mutant, run)) in zip(open, zip(round, bench.run(round.map(\.scenario)) { _ in "mutations" })) {
                fates[index].note(mutant, run.verdict)
            }
        }
        // Nobody else's until the last run has ended.
        withExtendedLifetime(results) {}
        show(fates)
        if let signal = Interruption.signal { Interruption.end(by: signal) }
        guard fates.allSatisfy({ $0.outcome == .noticed }) else { throw ExitCode.failed }
    }

    private func show(_ fates: [Fate]) {
        for fate in fates where !quiet || fate.outcome != .noticed {
            let name = fate.scenario.fullName
            switch fate.outcome {
            case .noticed: Console.output("  noticed           \(name): \(fate.killers.joined(separator: "; "))")
            case .failsUnchanged: Console.output("  FAILED UNCHANGED  \(name)")
            case .survived: Console.output("  SURVIVED          \(name)")
            case .notRun: Console.output("  COULD NOT RUN     \(name)")
            case .withoutMutation: Console.output("  NO MUTATION       \(name)")
            }
            for survivor in fate.survivors { Console.output("      in vain: \(survivor)") }
            for error in fate.errors { Console.output("      not run: \(error)") }
        }
        let outcomes = fates.map(\.outcome)
        Console.output(
            Outcome.allCases.map { outcome in (outcome, outcomes.count { $0 == outcome }) }
                .filter { $0.1 > 0 || $0.0 == .noticed || $0.0 == .survived }
                .map { "\($0.1) \($0.0.rawValue)" }.joined(separator: ", "))
    }
}

extension MutateCommand.Fate {
    var outcome: MutateCommand.Outcome {
        if failsUnchanged { return .failsUnchanged }
        if !killers.isEmpty { return .noticed }
        if !survivors.isEmpty { return .survived }
        return errors.isEmpty ? .withoutMutation : .notRun
    }

    func isOpen(all: Bool) -> Bool { !mutants.isEmpty && (all || killers.isEmpty) }

    mutating func noteUnchanged(_ verdict: Verdict) {
        switch verdict.status {
        case .passed: return
        case .failed: failsUnchanged = true
        case .error, .skipped: errors.append("unchanged: \(verdict.reason)")
        }
        mutants = []
    }

    mutating func note(_ mutant: Mutant, _ verdict: Verdict) {
        switch verdict.status {
        case .failed: killers.append(mutant.change)
        case .passed: survivors.append("\(mutant.change): all expectations hold")
        case .error, .skipped: errors.append("\(mutant.change): \(verdict.reason)")
        }
    }
}
