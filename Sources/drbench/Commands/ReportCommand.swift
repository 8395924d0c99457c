import ArgumentParser
import Dispatch
import FoundationEssentials
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
            commented capture anew, the folder its index.html; verdicts are those of the run. A single run is judged \
            again. The scenarios' files must still be there.
            """)

    @Argument(help: ArgumentHelp("The folder with the results.", valueName: "dir"), completion: .directory)
    var folder = "drbench-results"

    @OptionGroup var folders: ScenarioFolders

    @Option(help: "What is printed: for people (terminal), or what another program reads.")
    var format: OutputFormat = .terminal

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
        if let single = kept.single {
            // Where the run stands among others, their page is above it.
            let above = KeptRun.overview(from: single.fullName)
            let hasOverview = FileManager.default.fileExists(atPath: "\(folder)/\(above)")
            for run in kept.result.runs {
                try kept.run(run).writeReports(run.verdict, overview: hasOverview ? above : nil)
            }
        } else {
            let missing = write(kept)
            try OverviewPage.write(kept.result, to: folder)
            for text in missing { Console.error("drbench: \(text)") }
        }
        let options = RenderOptions(
            detail: quiet ? .quiet : verbose ? .verbose : .normal, colour: format == .terminal && Console.showsColours,
            folder: folder)
        Console.write(try render(kept.result, as: format, options: options))
    }

    /// The page of each run; returns what kept some from being written.
    private func write(_ kept: KeptResults) -> [String] {
        let runs = kept.result.runs.filter(kept.hasEvidence)
        let problems = Mutex([String?](repeating: nil, count: runs.count))
        DispatchQueue.concurrentPerform(iterations: runs.count) { index in
            let verdict = runs[index].verdict
            do {
                try kept.run(runs[index]).writeReports(
                    verdict, overview: KeptRun.overview(from: runs[index].directory ?? ""))
            } catch {
                problems.withLock { $0[index] = "no page for \(verdict.scenario): \(error)" }
            }
        }
        return problems.withLock { $0.compactMap { $0 } }
    }
}
