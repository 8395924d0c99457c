import ArgumentParser
import Dispatch
import Engine
import Evidence
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

    @Argument(help: ArgumentHelp("The folder with the results.", valueName: "dir"))
    var folder = "drbench-results"

    @Option(help: ArgumentHelp("The folder with scenarios (default: Scenarios of this checkout).", valueName: "dir"))
    var scenarios: String?

    @Option(help: ArgumentHelp("The folder with topologies (default: netns of this checkout).", valueName: "dir"))
    var topologies: String?

    @Flag(name: .shortAndLong, help: "Print failures and totals only.")
    var quiet = false

    @Flag(name: .shortAndLong, help: "Print every check and what it saw.")
    var verbose = false

    func validate() throws {
        if quiet, verbose { throw ValidationError("--quiet and --verbose exclude each other") }
    }

    func run() throws {
        let result: RunResult
        if let data = FileManager.default.contents(atPath: "\(folder)/results.json") {
            do {
                result = try JSONDecoder().decode(RunResult.self, from: data)
            } catch {
                throw EnvironmentError("\(folder)/results.json cannot be read: \(error)")
            }
            let missing = try write(result)
            try OverviewPage.write(result, to: folder)
            for text in missing { Console.error("drbench: \(text)") }
        } else {
            result = try single()
        }
        let options = RenderOptions(
            detail: quiet ? .quiet : verbose ? .verbose : .normal, colour: Console.showsColours, folder: folder)
        Console.output(String(try render(result, as: .terminal, options: options).dropLast()))
    }

    /// The page of each run; returns what kept some from being written.
    private func write(_ result: RunResult) throws -> [String] {
        let runs = result.runs.filter { run in
            run.directory.map { FileManager.default.fileExists(atPath: "\(folder)/\($0)/\(RunFiles.evidence)") }
                ?? false
        }
        let known = try load(
            runs.map { ($0.verdict.scenario, $0.verdict.checks.first?.location.file) })
        let problems = Mutex([String?](repeating: nil, count: runs.count))
        DispatchQueue.concurrentPerform(iterations: runs.count) { index in
            let verdict = runs[index].verdict
            let directory = runs[index].directory ?? ""
            do {
                guard let scenario = known[verdict.scenario] else {
                    throw EnvironmentError("its file is not there any more")
                }
                try KeptRun(of: scenario, in: "\(folder)/\(directory)").writeReports(
                    verdict, overview: KeptRun.overview(from: directory))
            } catch {
                problems.withLock { $0[index] = "no page for \(verdict.scenario): \(error)" }
            }
        }
        return problems.withLock { $0.compactMap { $0 } }
    }

    /// A run by itself, judged again.
    private func single() throws -> RunResult {
        let path = "\(folder)/\(RunFiles.evidence)"
        guard let data = FileManager.default.contents(atPath: path) else {
            throw EnvironmentError("\(folder) has neither results.json nor \(RunFiles.evidence)")
        }
        let evidence: Evidence
        do {
            evidence = try JSONDecoder().decode(Evidence.self, from: data)
        } catch {
            throw EnvironmentError("\(path) cannot be read: \(error)")
        }
        guard let scenario = try load([(evidence.scenario, nil)])[evidence.scenario] else {
            throw EnvironmentError("there is no scenario \(evidence.scenario); --scenarios names another folder")
        }
        let run = try KeptRun(of: scenario, in: folder)
        let verdict = run.verdict
        // Where the run stands among others, their page is above it.
        let above = KeptRun.overview(from: evidence.scenario)
        let hasOverview = FileManager.default.fileExists(atPath: "\(folder)/\(above)")
        try run.writeReports(verdict, overview: hasOverview ? above : nil)
        return RunResult(
            engine: "\(evidence.engine.name), Linux \(evidence.engine.kernel)", seed: evidence.engine.seed,
            runs: [ScenarioRun(suite: scenario.suiteName, verdict: verdict)])
    }

    /// Scenarios by their full names: from the files that the run took them from, where those are known and there.
    private func load(_ runs: [(name: String, file: String?)]) throws -> [String: Scenario] {
        var files: [String] = []
        var names: [String] = []
        for (name, file) in runs {
            if let file, FileManager.default.fileExists(atPath: file) {
                if !files.contains(file) { files.append(file) }
            } else {
                names.append(name)
            }
        }
        var options: [String] = []
        if let scenarios { options += ["--scenarios", scenarios] }
        if let topologies { options += ["--topologies", topologies] }
        var known: [String: Scenario] = [:]
        // Files and names mean different things together.
        for words in [files, names] where !words.isEmpty {
            for scenario in try ScenarioSelection.parse(words + options).load() { known[scenario.fullName] = scenario }
        }
        return known
    }
}
