import ArgumentParser
import Engine
import FoundationEssentials
import Kernel
import Lab
import Plan
import Scenario
import Synchronization

struct UpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Builds a scenario's network and stays, for people to look around in it.",
        discussion: """
            Nothing of the timeline happens, unless --until says so. 'drbench shell HOST' opens a shell in it; Ctrl-C, or \
            'drbench down', ends it and leaves capture and evidence of all that happened meanwhile. In the lab kernel the \
            clock is the host's while it is up.
            """)

    @Argument(help: "A scenario, NAME/VARIANT for one variant, or a YAML file.")
    var scenario: String

    @Option(help: ArgumentHelp("Carry the timeline out up to this step first: its number or name.", valueName: "step"))
    var until: UntilStep?

    @OptionGroup var engineOptions: EngineOptions

    @Option(help: "The folder for evidence and captures.")
    var out = "drbench-results"

    @Option(help: "What the lab kernel's randomness follows from.")
    var seed: UInt64?

    @Flag(help: "Let the lab kernel's clock be the host's from the start: not only once it is up.")
    var realTime = false

    @OptionGroup var folders: ScenarioFolders

    func validate() throws { try OptionChecks.path(out, of: "--out") }

    func run() throws {
        let scenario = try folders.load(only: self.scenario)
        let needs = try [scenario].checkPlans()
        var plan = try Plan(scenario)
        let count = try until?.count(in: scenario) ?? 0
        // There is no need to wait for what may still come: people wait.
        plan.settle = 0
        plan.awaitsIPVSStatistics = false
        let choice = try engineOptions.choose(needs: needs)
        let missing = scenario.allNeeds(plan).filter { !choice.capabilities.has($0) }
        guard missing.isEmpty else {
            let reasons = missing.map { "\($0) (\(choice.capabilities.reason(against: $0)))" }
            throw EnvironmentError("the \(choice.engine.name) engine lacks \(reasons.joined(separator: ", "))")
        }
        let results = try ResultsFolder(out, .shared)
        let folder = try results.prepare(scenario.fullName)
        // Both are in use until the end, whatever else is done with them.
        let signal = try withExtendedLifetime((results, folder)) {
            try stay(scenario, plan, until: count, choice, folder)
        }
        if let signal { Interruption.end(by: signal) }
        let kept = RunLayout.kept(in: folder)
        Console.output(
            "\(scenario.fullName) is down; evidence: \(place(of: scenario)) (\(kept.joined(separator: ", ")))")
    }

    /// Where the evidence is, as the user named the folder.
    private func place(of scenario: Scenario) -> String {
        "\(out)/\(RunLayout.directory(of: scenario.fullName))"
    }

    /// Returns once the lab has ended as it should, or with the signal that ended it before it was up.
    private func stay(
        _ scenario: Scenario, _ plan: Plan, until count: Int, _ choice: EngineChoice, _ folder: Folder
    ) throws -> Int32? {
        let lab = try Labs.claim(
            scenario.fullName, engine: choice.engine.name, places: plan.namespaces.map(\.name))
        Interruption.watch()
        let course = Course()
        var request = RunRequest(
            plan: plan, directory: folder.path, seed: seed ?? UInt64.random(in: 1...999_999_999),
            realTime: realTime)
        request.until = count
        let greeting = greeting(scenario, plan, until: count, choice)
        request.visit = Visit(
            folder: lab, comesAfterEvidence: false,
            opened: {
                course.noteOpen()
                Console.output(lines: greeting)
                return true
            }, failed: { course.note($0) })
        var failure: RunFailure?
        do throws(RunFailure) {
            try choice.engine.run(request) { event in
                if case .problem(let text) = event { course.note(text) }
            }
        } catch {
            failure = error
        }
        let (problems, wasOpen) = course.soFar
        guard failure != nil || !problems.isEmpty else { return nil }
        if !wasOpen, let signal = Interruption.signal { return signal }
        for line in failure?.console ?? [] { Console.error("console  \(line)") }
        let kept = RunLayout.kept(in: folder)
        let reasons = problems.isEmpty ? [failure?.description ?? ""] : problems
        let why = reasons.map { scenario.withPlace($0) }.joined(separator: "; ")
        throw EnvironmentError(
            "\(scenario.fullName): \(why)",
            [
                "kept in \(place(of: scenario)), as far as it came: "
                    + (kept.isEmpty ? "nothing" : kept.joined(separator: ", "))
            ])
    }

    private func greeting(_ scenario: Scenario, _ plan: Plan, until count: Int, _ choice: EngineChoice) -> [String] {
        let isOnly = LabFolder.all(root: Labs.root).count == 1
        let description = LabDescription(plan, lab: isOnly ? nil : scenario.fullName)
        let steps = scenario.timeline
        let state =
            count == 0
            ? "nothing of its timeline has happened; --until STEP carries it out, of \(steps.count)"
            : "after step \(count) of \(steps.count), '\(steps[count - 1].name)'"
        return
            ["\(scenario.fullName) is up: \(choice.explanation)", state, ""] + description.lines + ["", "try"]
            + description.suggestions().lines
            + ["", "Ctrl-C, or 'drbench down\(isOnly ? "" : " " + scenario.fullName)', ends it"]
    }
}

/// What is known of a lab from within its events.
private final class Course: Sendable {
    private let state = Mutex((problems: [String](), wasOpen: false))

    func note(_ problem: String) { state.withLock { $0.problems.append(problem) } }
    func noteOpen() { state.withLock { $0.wasOpen = true } }
    var soFar: (problems: [String], wasOpen: Bool) { state.withLock { $0 } }
}
