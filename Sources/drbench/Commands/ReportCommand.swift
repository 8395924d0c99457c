import ArgumentParser
import Dispatch
import Evidence
import FoundationEssentials
import Kernel
import Reading
import Report
import Scenario
import Synchronization
import Verdict

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Writes the reports of kept runs again.",
        discussion: """
            DIR is what 'drbench run' wrote (--out), or the folder of a single run. Each run gets its page and its \
            commented capture anew, the folder its index.html; verdicts are those of the run, but for a run whose files \
            are damaged, are gone, or are another run's: that is an error. A single run is judged again. The scenarios' \
            files must still be there. The exit status is that of the run.
            """)

    @Argument(help: ArgumentHelp("The folder with the results.", valueName: "dir"), completion: .directory)
    var folder = "drbench-results"

    @OptionGroup var folders: ScenarioFolders

    @Option(help: "What is printed: for people (terminal), or what another program reads.")
    var format: OutputFormat = .terminal

    @OptionGroup var skips: SkipOptions

    @Flag(name: .shortAndLong, help: "Print failures and totals only.")
    var quiet = false

    @Flag(name: .shortAndLong, help: "Print every check and what it saw.")
    var verbose = false

    func validate() throws {
        try OptionChecks.path(folder, of: "the folder")
        if quiet, verbose { throw ValidationError("--quiet and --verbose exclude each other") }
    }

    func run() throws {
        let kept = try KeptResults(folder, in: folders)
        var obstacles: [String] = []
        var result = kept.result
        if let single = kept.single {
            let page = KeptOverview(of: single, from: kept)
            for run in result.runs { try kept.run(run).writeReports(run.verdict, overview: page.link) }
        } else {
            // Nothing is written while a run writes there, too.
            let results = try ResultsFolder(existing: folder)
            result = write(kept)
            do {
                try OverviewPage.write(result, to: results.folder)
            } catch {
                obstacles.append("\(error)")
            }
        }
        let options = RenderOptions(
            detail: quiet ? .quiet : verbose ? .verbose : .normal, colour: format == .terminal && Console.showsColours,
            folder: kept.path)
        Console.write(try render(result, as: format, options: options), as: format.outgoing)
        for obstacle in obstacles { Console.error("drbench: \(obstacle)") }
        if !obstacles.isEmpty { throw ExitCode.cannotRun }
        try skips.exit(for: result)
    }

    /// Writes the page of each run. Returns the results with those that cannot be read as errors.
    private func write(_ kept: KeptResults) -> RunResult {
        let runs = Mutex(kept.result.runs)
        DispatchQueue.concurrentPerform(iterations: kept.result.runs.count) { index in
            let run = kept.result.runs[index]
            // What did not run has left nothing.
            guard run.verdict.status != .skipped, run.directory != nil else { return }
            do {
                let left = try kept.run(run)
                if let engine = run.verdict.engine, engine != left.evidence.engine {
                    throw EnvironmentError(
                        "\(kept.path(of: run)) is not the run that \(KeptResults.resultsFile) speaks of: it was run with "
                            + "\(left.evidence.engine.text), that with \(engine.text)")
                }
                guard left.evidence.scenario == run.verdict.scenario else {
                    throw EnvironmentError(
                        "\(kept.path(of: run)) has a run of \(left.evidence.scenario), not of \(run.verdict.scenario)")
                }
                try left.writeReports(run.verdict, overview: OverviewPage.link(from: run.verdict.scenario))
            } catch {
                // A run that failed as such may have left anything.
                guard run.verdict.status != .error else { return }
                runs.withLock { $0[index].verdict = run.verdict.withdrawn(because: "\(error)") }
            }
        }
        let result = kept.result
        return RunResult(
            engine: result.engine, seed: result.seed, runs: runs.withLock { $0 }, timing: result.timing)
    }
}

/// The page of all runs, above that of a single one.
private struct KeptOverview {
    /// Seen from the run's folder; nil if there is none.
    let link: String?

    init(of scenario: Scenario, from kept: KeptResults) {
        let link = OverviewPage.link(from: scenario.fullName)
        self.link = FileManager.default.fileExists(atPath: kept.folder.path(of: link)) ? link : nil
    }
}

extension EngineRecord {
    /// `uml, Linux 6.12.117-drbench, seed 1`.
    fileprivate var text: String { "\(name), Linux \(kernel)" + (seed.map { ", seed \($0)" } ?? "") }
}

extension Verdict {
    /// Of a run that is not there any more as it was judged.
    fileprivate func withdrawn(because reason: String) -> Verdict {
        Verdict(scenario: scenario, title: title, status: .error, reason: reason, engine: engine)
    }
}
