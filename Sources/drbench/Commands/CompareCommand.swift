import ArgumentParser
import History
import Measurement
import Text

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compares what two benchmarks measured, and says what is known to have changed.",
        discussion: """
            A and B are numbers of the history ('drbench history' lists them), latest, latest~1, git revisions (the latest \
            run of each), or measurements.json files. Without B it is the latest run, without both the last two that can \
            be compared.

            Each metric of each scenario, load and parameters is judged over its repetitions: improved, regressed or \
            changed if the Mann–Whitney test says so (corrected for how many metrics there are), the interval of the \
            difference lies wholly beyond --relevant-change, and the effect is large; same if the interval lies within it; \
            else inconclusive, with the reason. So with no change fewer than 1 in 100 comparisons name one. In virtual \
            time, runs of one seed are compared repetition by repetition: their numbers do not vary by chance.

            Runs of different clocks are never compared; those of different engines, kernels or (in real time) machines \
            only with --allow-different-context. Other differences are named.

            Exit status: 0; with --gate 1 if something regressed (what is inconclusive does not fail); 2 wrong usage; \
            3 there are no such runs, or they cannot be compared.
            """)

    enum Format: String, CaseIterable, ExpressibleByArgument { case terminal, json, markdown }

    @Argument(help: ArgumentHelp("The earlier run.", valueName: "a"))
    var before: RunReference?

    @Argument(help: ArgumentHelp("The later run.", valueName: "b"))
    var after: RunReference?

    @Flag(help: "Exit with 1 if something regressed.")
    var gate = false

    @Option(help: "How to print it.")
    var format = Format.terminal

    @Option(help: ArgumentHelp("Only this metric; may be repeated.", valueName: "name"))
    var metric: [String] = []

    @Option(help: ArgumentHelp("The smallest change that matters, in percent.", valueName: "percent"))
    var relevantChange = 2.0

    @Flag(help: "Compare runs of different engines, kernels and machines, too.")
    var allowDifferentContext = false

    @OptionGroup var source: HistoryOption

    func validate() throws {
        guard relevantChange > 0, relevantChange < 100 else {
            throw ValidationError(
                "--relevant-change is \(relevantChange), expected a percentage: more than 0, less than 100")
        }
        try OptionChecks.words(metric, of: "--metric")
    }

    func run() throws {
        let (old, new) = try runs()
        let comparison: Comparison
        let noise = try source.existing().map { RunNoise(try $0.comparableRuns()) }
        do {
            comparison = try Comparison(
                old.run, named: old.name, new.run, named: new.name,
                rules: ComparisonRules(relevantChange: relevantChange / 100), noise: noise,
                metrics: Set(metric), allowsDifferentContext: allowDifferentContext)
        } catch .noSuchMetric(let names, let known) {
            throw ValidationError("\(ComparisonError.noSuchMetric(names, known: known))")
        } catch {
            throw EnvironmentError("\(old.name) and \(new.name): \(error)")
        }
        switch format {
        case .terminal: Console.write(comparison.text(coloured: Console.showsColours), as: .coloured)
        case .json: Console.write(try comparison.json(), as: .json)
        case .markdown: Console.write(comparison.markdown)
        }
        guard !gate || comparison.count(.regressed) == 0 else { throw ExitCode.failed }
    }

    private func runs() throws -> (before: (name: String, run: MeasuredRun), after: (name: String, run: MeasuredRun)) {
        guard let before else {
            guard let pair = try source.open().latestPair() else {
                throw EnvironmentError("'\(source.path)' has no two runs that can be compared")
            }
            let references = [pair.before, pair.after].map { RunReference(argument: "\($0.number)") }
            return (try references[0].resolve(in: source), try references[1].resolve(in: source))
        }
        let latest = RunReference(argument: "latest")
        return (try before.resolve(in: source), try (after ?? latest).resolve(in: source))
    }
}
