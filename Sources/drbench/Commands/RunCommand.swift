import ArgumentParser
import Engine
import FoundationEssentials
import Kernel
import Reading
import Report
import Scenario
import Text

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs scenarios and judges what was seen.",
        discussion: """
            Without a name, all shipped scenarios run but those that only measure (tag 'bench'). A name stands for a scenario with all its variants, \
            NAME/VARIANT for one variant; patterns like 'release-*' and YAML files are taken too.
            """)

    @OptionGroup var selection: ScenarioSelection

    @OptionGroup var engineOptions: EngineOptions

    @Option(help: "The folder for evidence, captures and reports.", completion: .directory)
    var out = "drbench-results"

    @Option(help: "What the lab kernel's randomness follows from: the same number repeats a run to the byte.")
    var seed: UInt64?

    @Option(name: .shortAndLong, help: "How many scenarios run at a time (default: one per processor).")
    var jobs: Int?

    @Option(help: "Wall-clock limit for one scenario, in seconds.")
    var timeout: Double = 120

    @Flag(help: "Let the lab kernel's clock be the host's instead of jumping to the next timer.")
    var realTime = false

    @Option(
        help: ArgumentHelp(
            "Stop after this step of the timeline, its number or name, and judge what belongs to those until then.",
            valueName: "step"))
    var until: UntilStep?

    @Flag(help: "Stay in a run that failed, as it is, until Ctrl-C or 'drbench down'; implies --jobs 1.")
    var pauseOnFailure = false

    @Flag(help: "Run every scenario twice and compare what the two runs left.")
    var checkDeterminism = false

    @Flag(inversion: .prefixedNo, help: "Write a page for each run and one for all (index.html).")
    var html = true

    @Option(help: "What is printed at the end: for people (terminal), or what another program reads.")
    var format: OutputFormat = .terminal

    @OptionGroup var skips: SkipOptions

    @Flag(name: .shortAndLong, help: "Print failures and totals only.")
    var quiet = false

    @Flag(name: .shortAndLong, help: "Print every check and what it saw.")
    var verbose = false

    func validate() throws {
        try OptionChecks.jobs(jobs)
        try OptionChecks.timeout(timeout)
        try OptionChecks.path(out, of: "--out")
        if realTime, checkDeterminism {
            throw ValidationError("--check-determinism needs virtual time: in --real-time no two runs are the same")
        }
        if pauseOnFailure, checkDeterminism {
            throw ValidationError("--pause-on-failure and --check-determinism exclude each other")
        }
        if pauseOnFailure, let jobs, jobs > 1 { throw ValidationError("--pause-on-failure runs one at a time") }
        if quiet, verbose { throw ValidationError("--quiet and --verbose exclude each other") }
    }

    func run() throws {
        let scenarios = try selection.load(nameless: .tests, judgement: .run)
        let needs = try scenarios.checkPlans()
        for scenario in scenarios { _ = try until?.count(in: scenario) }
        let choice = try engineOptions.choose(needs: needs)
        if checkDeterminism, choice.engine.name != "uml" {
            Console.error("drbench: --check-determinism needs the lab kernel's virtual time (--engine uml)")
            throw ExitCode.invalid
        }
        let results = try ResultsFolder(out)
        Interruption.watch()
        let seed = seed ?? UInt64.random(in: 1...999_999_999)
        let options = RenderOptions(
            detail: quiet ? .quiet : verbose ? .verbose : .normal, colour: Console.showsColours, header: false,
            folder: out.count > 1 && out.hasSuffix("/") ? String(out.dropLast()) : out)
        let isForPeople = format == .terminal
        if !quiet, isForPeople {
            Console.output("engine  \(choice.explanation)")
            if choice.engine.name == "uml" {
                Console.output(
                    "seed    \(seed)\(self.seed == nil ? " (chosen now; --seed \(seed) repeats this run)" : "")")
            }
            if let until {
                Console.output(
                    "until   step \(until.text): what is expected of later steps and of the whole run is skipped")
            }
            Console.output("")
        }
        let bench = Bench(
            engine: choice.engine, capabilities: choice.capabilities, results: results, seed: seed, realTime: realTime,
            timeLimit: timeout, jobs: pauseOnFailure ? 1 : jobs ?? Bench.defaultJobs,
            progress: Progress(
                total: scenarios.count,
                style: quiet || !isForPeople ? .silent : verbose ? .lines : Console.isTerminal ? .live : .silent,
                colour: options.colour
            ) { Console.write($0, as: .coloured) },
            checksDeterminism: checkDeterminism, writesPages: html, until: until,
            pause: pauseOnFailure ? Pause(output: out, options: options) : nil)
        let start = ContinuousClock.now
        let runs = bench.run(scenarios) { $0.suiteName }
        let wall = ContinuousClock.now - start
        let result = RunResult(
            engine: choice.explanation, seed: choice.engine.name == "uml" ? seed : nil, runs: runs,
            timing: Timing(
                wall: wall.components.seconds * 1_000_000_000 + wall.components.attoseconds / 1_000_000_000))
        // What cannot be written must not keep what was found from being printed.
        let obstacles = write(result, to: results)
        Console.write(try render(result, as: format, options: options), as: format.outgoing)
        if isForPeople { try GitHub.report(result) }
        for obstacle in obstacles { Console.error("drbench: \(obstacle)") }
        if let signal = Interruption.signal {
            let place = obstacles.isEmpty ? "; \(out)/\(KeptResults.resultsFile) has what was found" : ""
            Console.error("drbench: ended by \(Interruption.name(of: signal))\(place)")
            Interruption.end(by: signal)
        }
        if !obstacles.isEmpty { throw ExitCode.cannotRun }
        try skips.exit(for: result)
    }

    /// Writes the files about all runs. Returns why some could not be.
    private func write(_ result: RunResult, to results: ResultsFolder) -> [String] {
        var obstacles: [String] = []
        func attempt(_ body: () throws -> Void) {
            do { try body() } catch { obstacles.append("\(error)") }
        }
        attempt {
            let text = try render(result, as: .json, options: RenderOptions(timing: false))
            try results.folder.write(KeptResults.resultsFile, text.utf8)
        }
        attempt {
            let text = try render(result, as: .junit, options: RenderOptions(detail: .verbose))
            try results.folder.write("junit.xml", text.utf8)
        }
        attempt {
            if html {
                try OverviewPage.write(result, to: results.folder)
            } else {
                try results.folder.remove(OverviewPage.fileName)
            }
        }
        return obstacles
    }
}

/// What scenarios that are skipped mean for the exit status.
struct SkipOptions: ParsableArguments {
    @Flag(help: "Exit with 0 also if every scenario was skipped, and so nothing was shown.")
    var allowSkips = false

    /// Throws the exit code that a result means, but for 0: 1 if an expectation failed; 3 if a run could not be judged, or
    /// nothing ran.
    func exit(for result: RunResult) throws {
        guard result.succeeded else { throw result.totals.failed > 0 ? ExitCode.failed : ExitCode.cannotRun }
        guard result.totals.passed == 0, !allowSkips else { return }
        Console.error("drbench: nothing ran; --allow-skips makes that exit with 0")
        throw ExitCode.cannotRun
    }
}
