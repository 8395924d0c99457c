import ArgumentParser
import Capture
import Engine
import Evidence
import FoundationEssentials
import Kernel
import Reading
import Report
import Scenario
import Text
import Verdict

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Tells what became of a scenario's packets, and why.",
        discussion: """
            Runs the scenario (or reads a run that was kept), puts what all ports captured together to journeys, and \
            prints them as a ladder: machines as columns, time downwards. Each flow that failed gets a block: the \
            journey, the hop that ended it, why, and what is known to help.

            In the lab kernel it runs the scenario a second time with the same seed and rule tracing on, and shows each \
            rule that these packets met, in which conntrack state, and what it did. A kept run cannot be traced: run \
            'explain' without --from, and with the run's seed (--seed) to see the same packets.

            FILTER is a packet's number (#12) or a filter in tcpdump's language, 'tcp port 80 and host 203.0.113.2'.
            """)

    @Argument(help: "A scenario, NAME/VARIANT for one variant, or a YAML file.", completion: .scenarios)
    var scenario: String

    @Argument(help: ArgumentHelp("What to show; default: the flows that failed.", valueName: "filter"))
    var filter: [String] = []

    @Option(
        help: ArgumentHelp("A kept run's folder, or that of several, instead of running.", valueName: "folder"),
        completion: .directory)
    var from: String?

    @OptionGroup var engineOptions: EngineOptions

    @Option(help: "The folder for evidence and captures.", completion: .directory)
    var out = "drbench-results"

    @Option(help: "What the lab kernel's randomness follows from: the same number repeats a run to the byte.")
    var seed: UInt64?

    @OptionGroup var folders: ScenarioFolders

    @Flag(help: "Print all journeys as JSON, and which rules each packet met.")
    var json = false

    @Flag(inversion: .prefixedNo, help: "Run a second time to see which rules packets met.")
    var trace = true

    @Flag(help: .hidden)
    var tally = false

    func validate() throws {
        try OptionChecks.path(out, of: "--out")
        try OptionChecks.path(from, of: "--from")
    }

    func run() throws {
        let chosen =
            try tally ? folders.load(scenario == "all" ? [] : [scenario]) : [folders.load(only: scenario)]
        if let from {
            let folder: Folder
            do {
                folder = try Folder(from)
            } catch {
                throw EnvironmentError("\(error)")
            }
            for scenario in chosen { try explain(scenario, from: folder) }
        } else {
            let results = try record(chosen)
            for scenario in chosen { try explain(scenario, from: results.folder) }
        }
    }

    /// Runs them, and leaves what was seen in the output folder; once more with rule tracing, where a run can be repeated.
    private func record(_ scenarios: [Scenario]) throws -> ResultsFolder {
        let needs = try scenarios.checkPlans()
        let choice = try engineOptions.choose(needs: needs)
        let results = try ResultsFolder(out)
        var bench = Bench(
            engine: choice.engine, capabilities: choice.capabilities, results: results,
            seed: seed ?? UInt64.random(in: 1...999_999_999), realTime: false, timeLimit: 120, jobs: 1,
            progress: Progress(total: scenarios.count, style: .silent, colour: false) {
                Console.write($0, as: .coloured)
            })
        try run(scenarios, on: bench)
        guard trace, !tally, choice.engine.name == "uml" else { return results }
        bench.below = RunLayout.traced
        bench.tracesRules = true
        try run(scenarios, on: bench)
        return results
    }

    private func run(_ scenarios: [Scenario], on bench: Bench) throws {
        for run in bench.run(scenarios, suite: { $0.suiteName })
        where run.verdict.status == .skipped || run.verdict.status == .error {
            throw EnvironmentError("\(run.verdict.scenario): \(run.verdict.reason)")
        }
    }

    /// - Parameter root: the folder of all runs, or that of the one.
    private func explain(_ scenario: Scenario, from root: Folder) throws {
        guard let folder = try Self.folder(of: scenario, in: root) else {
            // Of all scenarios some are skipped where their programs are not installed.
            if tally { return }
            throw EnvironmentError("there is no run of \(scenario.fullName) in \(root.path)")
        }
        let run = try KeptRun(of: scenario, in: folder)
        guard run.evidence.scenario == scenario.fullName else {
            throw EnvironmentError("\(folder.path) has a run of \(run.evidence.scenario), not of \(scenario.fullName)")
        }
        let (evidence, frames, journeys) = (run.evidence, run.frames, run.story.journeys)
        if tally {
            Console.write(run.story.count + "\n")
            // What is not as the scenario says, or undecided.
            for text in Journeys.disagreements(scenario: scenario, evidence: evidence, frames: frames) {
                Console.output("    \(text)")
            }
            return
        }
        let traces = try traces(of: run, in: root)
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            let story = TracedJourneys(journeys: journeys, traces: traces)
            Console.write(String(decoding: try encoder.encode(story), as: UTF8.self) + "\n", as: .json)
            return
        }
        let chosen = try chosen(from: journeys, frames)
        Console.write(run.story.text(of: chosen, folder: folder.path) + "\n")
        if let traces {
            let text = run.story.text(of: traces, for: chosen)
            if !text.isEmpty { Console.write("\n\(text)\n") }
        } else if trace {
            Console.output(lines: ["", withoutTraces(evidence)])
        }
    }

    /// Journeys, with the rules that their packets met beside them.
    private struct TracedJourneys: Encodable {
        var journeys: Journeys
        var traces: RuleTraces?

        private enum Key: CodingKey { case traces }

        func encode(to encoder: any Encoder) throws {
            try journeys.encode(to: encoder)
            var container = encoder.container(keyedBy: Key.self)
            try container.encodeIfPresent(traces, forKey: .traces)
        }
    }

    /// What the run with rule tracing shows of this one; nil if there is none.
    private func traces(of run: KeptRun, in root: Folder) throws -> RuleTraces? {
        guard from == nil, trace, run.evidence.engine.virtualTime,
            let runs = try Self.attempt({ try RunLayout.existingFolder([RunLayout.traced], in: root) }),
            let folder = try Self.attempt({ try RunLayout.existingFolder(of: run.scenario.fullName, in: runs) }),
            folder.kind(of: RunFiles.evidence) != nil
        else { return nil }
        let traced = try KeptRun(of: run.scenario, in: folder)
        return RuleTraces(
            scenario: run.scenario, evidence: run.evidence, frames: run.frames,
            journeys: run.story.journeys.journeys, traced: traced.evidence, tracedFrames: traced.frames)
    }

    /// The folder with a scenario's run, within that of all runs or that itself; nil if there is none.
    private static func folder(of scenario: Scenario, in root: Folder) throws -> Folder? {
        let own = try attempt { try RunLayout.existingFolder(of: scenario.fullName, in: root) }
        return [own, root].compactMap { $0 }.first { $0.kind(of: RunFiles.evidence) != nil }
    }

    private static func attempt<Result>(_ body: () throws -> Result) throws(EnvironmentError) -> Result {
        do {
            return try body()
        } catch {
            throw EnvironmentError("\(error)")
        }
    }

    /// Why no rules are shown, and how to see them.
    private func withoutTraces(_ evidence: Evidence) -> String {
        guard evidence.engine.virtualTime else {
            return "No rules are traced: only in the lab kernel (--engine uml) can a run be repeated exactly."
        }
        let seed = evidence.engine.seed.map { " --seed \($0)" } ?? ""
        return "A kept run has no rule traces: 'drbench explain \(evidence.scenario)\(seed)' runs it again with them."
    }

    /// The numbers of the journeys that the filter means; nil without a filter.
    private func chosen(from journeys: Journeys, _ frames: [RunFrame]) throws -> Set<Int>? {
        let text = filter.joined(separator: " ")
        guard !text.isEmpty else { return nil }
        if let number = Int(text.hasPrefix("#") ? text.dropFirst() : text[...]) { return [number] }
        let matches: (RunFrame) -> Bool
        do {
            matches = try compileFilter(text)
        } catch {
            Console.error("drbench: \(error)")
            throw ExitCode.invalid
        }
        return Set(
            journeys.journeys.filter { journey in journey.hops.contains { matches(frames[$0.frame]) } }.map(\.number))
    }
}
