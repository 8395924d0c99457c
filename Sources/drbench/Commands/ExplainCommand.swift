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

    @Option(help: "Where the scenario runs: uml (the lab kernel), native (this host's kernel), or auto.")
    var engine: EngineName = .auto

    @Option(help: "The folder for evidence and captures.", completion: .directory)
    var out = "drbench-results"

    @Option(help: "What the lab kernel's randomness follows from: the same number repeats a run to the byte.")
    var seed: UInt64?

    @Option(
        help: ArgumentHelp("The folder with scenarios (default: Scenarios of this checkout).", valueName: "dir"),
        completion: .directory)
    var scenarios: String?

    @Option(
        help: ArgumentHelp("The folder with topologies (default: netns of this checkout).", valueName: "dir"),
        completion: .directory)
    var topologies: String?

    @Flag(help: "Print all journeys as JSON.")
    var json = false

    @Flag(help: .hidden)
    var tally = false

    func run() throws {
        var words = [scenario]
        if let scenarios { words += ["--scenarios", scenarios] }
        if let topologies { words += ["--topologies", topologies] }
        let selection = try ScenarioSelection.parse(words)
        var chosen = try selection.load()
        // A scenario's name stands for its variants, too; here for itself alone.
        if !tally, let exact = chosen.first(where: { $0.fullName == scenario }) ?? chosen.first { chosen = [exact] }
        if from == nil { try record(chosen) }
        for scenario in chosen { try explain(scenario) }
    }

    /// Runs them, and leaves what was seen in the output folder.
    private func record(_ scenarios: [Scenario]) throws {
        try scenarios.checkPlans()
        let choice = try EngineChoice.make(engine, kernelVersion: nil)
        let bench = Bench(
            engine: choice.engine, capabilities: choice.capabilities, output: try OutputFolder.absolute(out),
            seed: seed ?? UInt64.random(in: 1...999_999_999), realTime: false, timeLimit: 120, jobs: 1,
            progress: Progress(total: scenarios.count, style: .silent, colour: false) { Console.write($0) })
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
        else { throw EnvironmentError("there is no run of \(scenario.fullName) in \(root)") }
        let run = try KeptRun(of: scenario, in: folder)
        guard run.evidence.scenario == scenario.fullName else {
            throw EnvironmentError("\(folder) has a run of \(run.evidence.scenario), not of \(scenario.fullName)")
        }
        let (evidence, frames, journeys) = (run.evidence, run.frames, run.story.journeys)
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            Console.output(String(decoding: try encoder.encode(journeys), as: UTF8.self))
        } else if tally {
            count(journeys, scenario, evidence, frames)
        } else {
            Console.output(run.story.text(of: try chosen(from: journeys, frames), folder: folder))
        }
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

    private func count(_ journeys: Journeys, _ scenario: Scenario, _ evidence: Evidence, _ frames: [RunFrame]) {
        var counts: [String: Int] = [:]
        var unexplained = 0
        let diagnostician = Diagnostician(scenario: scenario, evidence: evidence, journeys: journeys)
        for journey in journeys.journeys {
            if case .undecided(let causes) = journey.end {
                counts["undecided(\(causes.count))", default: 0] += 1
            } else {
                counts[journey.end.text, default: 0] += 1
            }
            if !journey.end.isGood, diagnostician.diagnosis(of: journey) == nil { unexplained += 1 }
        }
        let texts = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        Console.output(
            "\(scenario.fullName): \(texts.joined(separator: ", "))"
                + (unexplained > 0 ? ", \(unexplained) unexplained" : ""))
        let names = Explanation(scenario: scenario, evidence: evidence, journeys: journeys).reasons
        if !names.isEmpty { Console.output("  why: \(names.joined(separator: ", "))") }
        for text in Journeys.disagreements(scenario: scenario, evidence: evidence, frames: frames) {
            Console.output("    \(text)")
        }
    }
}
