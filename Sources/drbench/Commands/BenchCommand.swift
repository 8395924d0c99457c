import ArgumentParser
import Engine
import FoundationEssentials
import Glibc
import History
import Kernel
import Measurement
import Report
import Scenario
import Text
import Verdict

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures the loads of scenarios.",
        discussion: """
            Without a name, all shipped scenarios with the tag 'bench' are measured, but those that take minutes (tag \
            'long'). In the lab kernel's virtual time link rates, delays and queues decide, and the numbers are the same \
            on every machine. With --real-time, and always on this host's kernel, the processor does, and all are \
            measured in turns on one boot of a kernel. The two are never compared with each other. The numbers go to \
            measurements.json in the folder, to a page with plots (index.html), and to the history: see 'drbench \
            compare' and 'drbench history'.
            """)

    @OptionGroup var selection: ScenarioSelection

    @OptionGroup var engineOptions: EngineOptions

    @Option(help: "The folder for measurements and evidence.")
    var out = "drbench-bench"

    @Option(
        help: "What the lab kernel's randomness follows from, each repetition's from it and the repetition's number.")
    var seed: UInt64 = 1

    @Option(help: "How often each is measured; what is compared takes turns.")
    var repetitions = 1

    @Option(
        name: .shortAndLong,
        help: "How many are measured at a time in virtual time (default: one per processor); in real time it is one.")
    var jobs: Int?

    @Option(help: "Wall-clock limit for one measurement, in seconds.")
    var timeout: Double = 600

    @Flag(help: "Let the lab kernel's clock be the host's: the processor decides.")
    var realTime = false

    @OptionGroup var history: HistoryOption

    @Flag(inversion: .prefixedNo, help: "Keep what was measured in the history.")
    var keep = true

    @Flag(name: .shortAndLong, help: "Print the table and failures only.")
    var quiet = false

    func validate() throws {
        try OptionChecks.jobs(jobs)
        try OptionChecks.number(repetitions, of: "--repetitions", in: 1...10_000)
        try OptionChecks.timeout(timeout)
        try OptionChecks.path(out, of: "--out")
    }

    func run() throws {
        let scenarios = try selection.load(nameless: .benchmarks, judgement: .run)
        let idle = scenarios.filter { !$0.hasLoad }
        guard idle.isEmpty else {
            Console.error("drbench: \(idle[0].fullName) has no load to measure: a 'load' step makes one")
            throw ExitCode.invalid
        }
        let needs = try scenarios.checkPlans()
        let choice = try engineOptions.choose(needs: needs)
        let results = try ResultsFolder(out)
        Interruption.watch()
        let clock: MeasurementClock = realTime || choice.engine.name == "native" ? .real : .virtual
        if !quiet {
            Console.output("engine  \(choice.explanation)")
            Console.output("clock   \(clock.explanation)")
            if choice.engine.name == "uml" { Console.output("seed    \(seed)") }
            Console.output("")
        }
        var bench = Bench(
            engine: choice.engine, capabilities: choice.capabilities, results: results, seed: seed, realTime: realTime,
            timeLimit: timeout, jobs: clock == .real ? 1 : jobs ?? Bench.defaultJobs,
            progress: Progress(
                total: scenarios.count * repetitions, style: quiet || !Console.isTerminal ? .silent : .live,
                colour: Console.showsColours
            ) { Console.write($0, as: .coloured) })
        var measured = MeasuredRun(
            started: Int64(time(nil)),
            context: .here(clock: clock, choice: choice, seed: seed, programs: scenarios.programs))
        var runs: [ScenarioRun] = []
        func below(_ repetition: Int) -> String? {
            repetitions == 1 ? nil : "\(RunLayout.repetitions)/\(repetition)"
        }
        // In real time one boot for all; in virtual time each must be a boot of its own, to be the same again.
        let inTurn =
            clock == .real ? bench.runInTurn(scenarios, rounds: (1...repetitions).map(below)) : []
        for repetition in 1...repetitions {
            bench.seed = Self.seed(seed, repetition)
            bench.below = below(repetition)
            let round = clock == .real ? inTurn[repetition - 1] : bench.run(scenarios) { $0.suiteName }
            runs += round
            for (scenario, run) in zip(scenarios, round) where run.verdict.isMeasured {
                guard let folder = try results.existing(scenario.fullName, below: bench.below) else { continue }
                measured.measurements += try Measurement.all(of: scenario, in: folder, repetition: repetition)
            }
            if Interruption.signal != nil { break }
        }
        Console.write(MeasurementTable(measured).text)
        try write(measured, to: results.folder)
        if Interruption.signal == nil, !measured.measurements.isEmpty { try show(measured, in: results.folder) }
        let bad = runs.filter { $0.verdict.status != .passed }
        for run in bad {
            Console.output("\(run.verdict.status.rawValue.uppercased()) \(run.verdict.scenario): \(run.verdict.reason)")
        }
        if let signal = Interruption.signal { Interruption.end(by: signal) }
        if bad.contains(where: { $0.verdict.status == .failed }) { throw ExitCode.failed }
        if bad.contains(where: { $0.verdict.status == .error }) || measured.measurements.isEmpty {
            throw ExitCode.cannotRun
        }
    }

    /// The first repetition has the given seed, so that `drbench run --seed` shows the same run.
    static func seed(_ seed: UInt64, _ repetition: Int) -> UInt64 {
        // Far apart, and below 2^63: a kernel's command line takes no more.
        (seed &+ UInt64(repetition - 1) &* 0x9E37_79B9_7F4A_7C15) & UInt64(Int64.max)
    }

    /// Keeps a whole run in the history, and draws it beside those before it.
    private func show(_ measured: MeasuredRun, in folder: Folder) throws {
        var number: Int?
        var trends: [Trend] = []
        if keep {
            let kept = try History(path: history.path)
            number = try kept.append(measured)
            trends = Trend.all(try kept.comparableRuns())
        }
        do {
            try MeasuredReport.write(measured, number: number, trends: trends, to: folder)
        } catch {
            // The numbers are there all the same; 'drbench history plot' draws them once it can be done.
            Console.error("drbench: no page: \(error)")
        }
        if let number, !quiet { Console.output("run \(number) of \(history.path); page: \(out)/index.html") }
    }

    private func write(_ measured: MeasuredRun, to folder: Folder) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        do {
            try folder.write("measurements.json", try encoder.encode(measured))
        } catch {
            throw EnvironmentError("\(error)")
        }
    }
}

extension MeasurementClock {
    fileprivate var explanation: String {
        switch self {
        case .virtual: "virtual time: link rates, delays and queues decide"
        case .real: "real time: the processor decides, one measurement at a time"
        }
    }
}

extension Verdict {
    /// Whether there are numbers: also of a run that did not hold what was expected of it.
    fileprivate var isMeasured: Bool { status == .passed || status == .failed }
}

extension Scenario {
    /// The tag of what is measured, and left out where functions are tested.
    static let benchTag = "bench"
    /// The tag of what is measured only when it is named.
    static let longTag = "long"

    var isBenchmark: Bool { tags.contains(Self.benchTag) }

    var hasLoad: Bool {
        timeline.flatMap(\.actions).contains { action in
            if case .load = action { true } else { false }
        }
    }
}

extension [Scenario] {
    /// The programs that they start, of those that drbench knows: others are not asked for their version.
    fileprivate var programs: Set<String> {
        var words = Set(flatMap { $0.hosts.flatMap { $0.programs.compactMap(\.command.first) } }.filter(Tools.isKnown))
        for case .run(_, let arguments, _) in flatMap({ $0.timeline.flatMap(\.actions) }) {
            words.formUnion(arguments.prefix(1).filter(Tools.isKnown))
            // A shell's.
            let script = arguments.dropFirst().joined(separator: " ").split {
                !$0.isLetter && !$0.isNumber && $0 != "-"
            }.map(String.init)
            words.formUnion(script.filter(Tools.isKnown))
        }
        return words
    }
}
