import ArgumentParser
import FoundationEssentials
import History
import Measurement
import Report
import Text

struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "What was measured so far: runs, trends, and their export.",
        subcommands: [List.self, Plot.self, Export.self, Import.self, Remove.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists runs, and the trends of what may be compared with the latest.",
            discussion: """
                With a scenario (or a folder of variants) each of its metrics is a line with its medians from run to run, \
                lowest ▁ to highest █; without one only metrics whose level changed are. Where the level changed is found \
                by ranks; three runs at least make a level.
                """)

        @Argument(help: ArgumentHelp("Only runs of this scenario.", valueName: "scenario"))
        var scenario: String?

        @Option(help: ArgumentHelp("Only this metric; may be repeated.", valueName: "name"))
        var metric: [String] = []

        @Option(help: ArgumentHelp("How many runs at most, the latest.", valueName: "count"))
        var last = 100

        @OptionGroup var source: HistoryOption

        func validate() throws {
            try OptionChecks.number(last, of: "--last", in: 1...1_000_000)
            try OptionChecks.words(metric, of: "--metric")
        }

        func run() throws {
            guard let history = try source.existing() else {
                Console.output("no runs are kept yet in '\(source.path)': 'drbench bench' keeps what it measures")
                return
            }
            let entries = try history.runs(matching: RunFilter(scenario: scenario)).suffix(last)
            guard !entries.isEmpty else {
                Console.output("no runs\(scenario.map { " of '\($0)'" } ?? "") are kept in '\(source.path)'")
                return
            }
            Console.write(HistoryEntry.table(Array(entries)))
            let trends = Trend.all(try history.comparableRuns(scenario: scenario, last: last)).filter { trend in
                (metric.isEmpty || metric.contains(trend.metric)) && (scenario != nil || !trend.changes.isEmpty)
            }
            if !trends.isEmpty { Console.write("\n" + Trend.text(trends)) }
        }
    }

    struct Plot: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Draws a run and its place in the history: SVG files, and one page with all of them.",
            discussion: """
                Metrics over the parameters that vary (throughput over real servers by mode), distributions of latencies, \
                and trends with the runs at which the level changed. gnuplot draws; its programs are kept beside what they \
                draw.
                """)

        @Argument(help: ArgumentHelp("The run, as for 'drbench compare'.", valueName: "run"))
        var reference = RunReference(argument: "latest")

        @Option(name: .shortAndLong, help: ArgumentHelp("Where to.", valueName: "dir"))
        var out = "drbench-history"

        @Option(help: ArgumentHelp("Trends only of this metric; may be repeated.", valueName: "name"))
        var metric: [String] = []

        @OptionGroup var source: HistoryOption

        func validate() throws {
            try OptionChecks.path(out, of: "--out")
            try OptionChecks.words(metric, of: "--metric")
        }

        func run() throws {
            let (name, run) = try reference.resolve(in: source)
            let number = name.hasPrefix("run ") ? Int(name.dropFirst(4)) : nil
            let trends = try source.existing().map { try Trend.all($0.comparableRuns()) } ?? []
            let results = try ResultsFolder(out)
            try MeasuredReport.write(
                run, number: number, trends: trends.filter { metric.isEmpty || metric.contains($0.metric) },
                to: results.folder)
            Console.output("\(out)/\(OverviewPage.fileName)")
        }
    }

    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints runs as CSV, JSON or OpenMetrics text.",
            discussion: """
                JSON holds everything, CSV a line for each metric of each repetition, OpenMetrics the medians with the times \
                of their runs, for 'promtool tsdb create-blocks-from openmetrics'.
                """)

        enum Format: String, CaseIterable, ExpressibleByArgument { case csv, json, openmetrics }

        @Argument(help: ArgumentHelp("Only runs of this scenario.", valueName: "scenario"))
        var scenario: String?

        @Option(help: "The format.")
        var format: Format

        @OptionGroup var source: HistoryOption

        func run() throws {
            let history = try source.open()
            var runs: [(number: Int, run: MeasuredRun)] = []
            for entry in try history.runs(matching: RunFilter(scenario: scenario)) {
                if let run = try history.run(entry.number) { runs.append((entry.number, run)) }
            }
            switch format {
            case .csv: Console.write(HistoryExport.csv(runs))
            case .json: Console.write(try HistoryExport.json(runs), as: .json)
            case .openmetrics: Console.write(OpenMetrics.text(runs))
            }
        }
    }

    struct Import: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keeps runs from measurements.json files, as those of another machine; the same run is kept once."
        )

        @Argument(help: ArgumentHelp("What 'drbench bench' wrote.", valueName: "file"))
        var files: [String]

        @OptionGroup var source: HistoryOption

        func validate() throws {
            for file in files { try OptionChecks.path(file, of: "a file") }
        }

        func run() throws {
            // All are read before one is kept.
            let runs = try files.map { file throws in (file, try RunReference.read(file)) }
            let history = try History(path: source.path)
            for (file, run) in runs { Console.output("run \(try history.append(run))  \(file)") }
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forgets runs, by their numbers; these are not used again.")

        @Argument(help: ArgumentHelp("Numbers of runs.", valueName: "run"))
        var numbers: [Int]

        @OptionGroup var source: HistoryOption

        func validate() throws {
            for number in numbers { try OptionChecks.number(number, of: "a run's number", in: 1...1_000_000_000) }
        }

        func run() throws {
            let removed = try source.open().remove(numbers)
            for number in removed { Console.output("removed run \(number)") }
            let missing = numbers.filter { !removed.contains($0) }
            guard missing.isEmpty else {
                throw EnvironmentError("the history has no run \(missing.map { "\($0)" }.joined(separator: ", "))")
            }
        }
    }
}
