import ArgumentParser
import Capture
import Engine
import Evidence
import FoundationEssentials
import Reading
import Report
import Scenario
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
        if from == nil { try record(chosen) }
        for scenario in chosen { try explain(scenario) }
    }

    /// Where the runs with rule tracing are, within the output folder.
    private static let tracedFolder = ".traced"

    /// Runs them, and leaves what was seen in the output folder; once more with rule tracing, where a run can be repeated.
    private func record(_ scenarios: [Scenario]) throws {
        let needs = try scenarios.checkPlans()
        let choice = try engineOptions.choose(needs: needs)
        var bench = Bench(
            engine: choice.engine, capabilities: choice.capabilities, output: try OutputFolder.absolute(out),
            seed: seed ?? UInt64.random(in: 1...999_999_999), realTime: false, timeLimit: 120, jobs: 1,
            progress: Progress(total: scenarios.count, style: .silent, colour: false) { Console.write($0) })
        try run(scenarios, on: bench)
        guard trace, !tally, choice.engine.name == "uml" else { return }
        bench.output = try OutputFolder.absolute("\(out)/\(Self.tracedFolder)")
        bench.tracesRules = true
        try run(scenarios, on: bench)
    }

    private func run(_ scenarios: [Scenario], on bench: Bench) throws {
        for run in bench.run(scenarios, suite: { $0.suiteName })
        where run.verdict.status == .skipped || run.verdict.status == .error {
            throw EnvironmentError("\(run.verdict.scenario): \(run.verdict.reason)")
        }
    }

    private func explain(_ scenario: Scenario) throws {
        let root = from ?? out
        let candidates = ["\(root)/\(scenario.fullName)", root]
        guard
            let folder = candidates.first(where: {
                FileManager.default.fileExists(atPath: "\($0)/\(RunFiles.evidence)")
            })
        else {
            // Of all scenarios some are skipped where their programs are not installed.
            if tally { return }
            throw EnvironmentError("there is no run of \(scenario.fullName) in \(root)")
        }
        let run = try KeptRun(of: scenario, in: folder)
        guard run.evidence.scenario == scenario.fullName else {
            throw EnvironmentError("\(folder) has a run of \(run.evidence.scenario), not of \(scenario.fullName)")
        }
        let (evidence, frames, journeys) = (run.evidence, run.frames, run.story.journeys)
        if tally {
            Console.output(run.story.count)
            // What is not as the scenario says, or undecided.
            for text in Journeys.disagreements(scenario: scenario, evidence: evidence, frames: frames) {
                Console.output("    \(text)")
            }
            return
        }
        let traces = try traces(of: run)
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            let story = TracedJourneys(journeys: journeys, traces: traces)
            Console.output(String(decoding: try encoder.encode(story), as: UTF8.self))
            return
        }
        let chosen = try chosen(from: journeys, frames)
        Console.output(run.story.text(of: chosen, folder: folder))
        if let traces {
            let text = run.story.text(of: traces, for: chosen)
            if !text.isEmpty { Console.output("\n\(text)") }
        } else if trace {
            Console.output("\n" + withoutTraces(evidence))
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
    private func traces(of run: KeptRun) throws -> RuleTraces? {
        let folder = "\(out)/\(Self.tracedFolder)/\(run.scenario.fullName)"
        guard from == nil, trace, run.evidence.engine.virtualTime,
            FileManager.default.fileExists(atPath: "\(folder)/\(RunFiles.evidence)")
        else { return nil }
        let traced = try KeptRun(of: run.scenario, in: folder)
        return RuleTraces(
            scenario: run.scenario, evidence: run.evidence, frames: run.frames,
            journeys: run.story.journeys.journeys, traced: traced.evidence, tracedFrames: traced.frames)
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
