import ArgumentParser
import Engine
import FoundationEssentials
import Report
import Scenario
import Verdict

struct MutateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mutate",
        abstract: "Breaks each scenario's set-up and sees whether its expectations notice.",
        discussion: """
            A scenario's mutations are those that its file names, and the networks of the file's other scenarios: with \
            one of these its own expectations must fail. What survives all of its mutations, or has none, is listed. \
            Exit status: 0 if nothing survives, 1 otherwise.
            """)

    @OptionGroup var selection: ScenarioSelection

    @Option(help: "Where a scenario runs: uml (the lab kernel), native (this host's kernel), or auto.")
    var engine: EngineName = .auto

    @Option(help: "The folder for the evidence.")
    var out = "drbench-results/mutations"

    @Option(help: "What the lab kernel's randomness follows from.")
    var seed: UInt64 = 1

    @Option(name: .shortAndLong, help: "How many scenarios run at a time (default: one per processor).")
    var jobs: Int?

    @Flag(help: "Run every mutation, not only until the first is noticed.")
    var all = false

    @Flag(name: .shortAndLong, help: "Print what survives and totals only.")
    var quiet = false

    fileprivate struct Fate {
        var scenario: Scenario
        /// Not yet run.
        var mutants: [Mutant]
        var killers: [String] = []
        /// What was changed in vain, and why nothing failed.
        var survivors: [String] = []
    }

    func run() throws {
        let scenarios = try selection.load()
        let mutants = try selection.mutants()
        let choice = try EngineChoice.make(engine, kernelVersion: nil)
        var fates = scenarios.map { scenario in
            Fate(scenario: scenario, mutants: mutants.filter { $0.original == scenario.fullName })
        }
        let output = try OutputFolder.absolute(out)
        Interruption.watch()
        let bench = Bench(
            engine: choice.engine, capabilities: choice.capabilities, output: output, seed: seed, realTime: false,
            timeLimit: 120, jobs: jobs ?? Bench.defaultJobs,
            progress: Progress(total: 0, style: .silent, colour: false) { _ in })
        while true {
            let open = fates.indices.filter { !fates[$0].mutants.isEmpty && (all || fates[$0].killers.isEmpty) }
            guard !open.isEmpty, Interruption.signal == nil else { break }
            let round = open.map { fates[$0].mutants.removeFirst() }
            for (index, (mutant, run)) in zip(open, zip(round, bench.run(round.map(\.scenario)) { _ in "mutations" })) {
                fates[index].note(mutant, run.verdict)
            }
        }
        show(fates)
        if let signal = Interruption.signal { Interruption.end(by: signal) }
        guard fates.allSatisfy({ !$0.killers.isEmpty }) else { throw ExitCode.failed }
    }

    private func show(_ fates: [Fate]) {
        for fate in fates {
            let name = fate.scenario.fullName
            if fate.killers.isEmpty {
                Console.output(fate.survivors.isEmpty ? "  NO MUTATION  \(name)" : "  SURVIVED     \(name)")
            } else if !quiet {
                Console.output("  noticed      \(name): \(fate.killers.joined(separator: "; "))")
            }
            if !quiet || fate.killers.isEmpty {
                for survivor in fate.survivors { Console.output("                 in vain: \(survivor)") }
            }
        }
        let noticed = fates.count { !$0.killers.isEmpty }
        let without = fates.count { $0.killers.isEmpty && $0.survivors.isEmpty }
        Console.output("\(noticed) noticed, \(fates.count - noticed - without) survived, \(without) without mutation")
    }
}

extension MutateCommand.Fate {
    mutating func note(_ mutant: Mutant, _ verdict: Verdict) {
        switch verdict.status {
        case .failed: killers.append(mutant.change)
        case .passed: survivors.append("\(mutant.change): all expectations hold")
        case .error, .skipped: survivors.append("\(mutant.change): \(verdict.reason)")
        }
    }
}
