import Capture
import Dispatch
import Engine
import Evidence
import FoundationEssentials
import Kernel
import Lab
import Plan
import Report
import Scenario
import Synchronization
import Verdict

/// Runs scenarios, several at a time, and judges them.
struct Bench: Sendable {
    var engine: any Engine
    /// What the engine's kernel has; a scenario that needs more is skipped.
    var capabilities: Capabilities
    /// Each run gets a folder of its own in it.
    var results: ResultsFolder
    /// A folder within, that they get theirs in.
    var below: String?
    var seed: UInt64
    var realTime: Bool
    var timeLimit: Double
    var jobs: Int
    var progress: Progress
    /// Whether each scenario runs twice, to compare what the two runs left.
    var checksDeterminism = false
    /// Whether the kernel is to tell which rules every packet meets.
    var tracesRules = false
    /// Whether each run gets its page and its commented capture.
    var writesPages = false
    /// The last step that is carried out; nil for the whole timeline.
    var until: UntilStep?
    /// What keeps a run whose verdict is a failure there, for people to look around; nil if nothing does.
    var pause: Pause?

    /// One for each processor.
    static var defaultJobs: Int { max(1, ProcessInfo.processInfo.activeProcessorCount) }

    /// In the order of `scenarios`, whatever order they end in.
    func run(_ scenarios: [Scenario], suite: @Sendable (Scenario) -> String) -> [ScenarioRun] {
        let next = Mutex(0)
        let results = Mutex([ScenarioRun?](repeating: nil, count: scenarios.count))
        // Each iteration keeps its thread until no scenario is left: a guest dies with the thread that started it.
        DispatchQueue.concurrentPerform(iterations: min(jobs, scenarios.count)) { _ in
            while true {
                let index = next.withLock { next in
                    defer { next += 1 }
                    return next
                }
                guard index < scenarios.count else { return }
                let scenario = scenarios[index]
                if let signal = Interruption.signal {
                    let verdict = Verdict.skipped(
                        scenario, because: "not run: drbench got \(Interruption.name(of: signal))")
                    results.withLock { $0[index] = ScenarioRun(suite: suite(scenario), verdict: verdict) }
                    continue
                }
                progress.started(scenario.fullName)
                var result = run(scenario)
                result.suite = suite(scenario)
                progress.finished(result.verdict)
                results.withLock { $0[index] = result }
            }
        }
        if checksDeterminism { try? self.results.removeEmpty(RunLayout.again) }
        return results.withLock { $0.compactMap { $0 } }
    }

    /// Runs scenarios one after another on one and the same boot of the engine's kernel, in real time, and all of them again
    /// for each further round: what is compared takes turns. Writes no pages.
    /// - Parameter rounds: where each round's runs get their folders, within that of all.
    /// - Returns: for each round, in the order of `scenarios`.
    func runInTurn(_ scenarios: [Scenario], rounds places: [String?]) -> [[ScenarioRun]] {
        var rounds = places.map { _ in scenarios.map { ScenarioRun(verdict: .skipped($0, because: "not run")) } }
        var requests: [RunRequest] = []
        var runs: [(round: Int, index: Int, folder: Folder)] = []
        for (round, below) in places.enumerated() {
            for (index, scenario) in scenarios.enumerated() {
                let plan = Result { try Plan(scenario) }
                if let obstacle = obstacle(to: scenario, try? plan.get()) {
                    rounds[round][index].verdict = .skipped(scenario, because: obstacle)
                    continue
                }
                do {
                    let plan = try plan.get()
                    let folder = try results.prepare(scenario.fullName, below: below)
                    requests.append(
                        RunRequest(
                            plan: plan, directory: folder.path, seed: seed, realTime: true, timeLimit: timeLimit))
                    runs.append((round, index, folder))
                } catch {
                    rounds[round][index].verdict = .error(scenario, because: "\(error)")
                }
            }
        }
        var ends: [(problems: [String], failure: RunFailure?)] = []
        for run in runs.prefix(1) { progress.started(scenarios[run.index].fullName) }
        engine.runInTurn(requests, in: results.path) { number, problems, failure in
            ends.append((problems, failure))
            if number + 1 < runs.count { progress.started(scenarios[runs[number + 1].index].fullName) }
        }
        for (run, end) in zip(runs, ends) {
            let scenario = scenarios[run.index]
            var verdict = judged(
                scenario, folder: run.folder, below: results.folder, problems: end.problems, failure: end.failure
            ).0
            if end.failure?.kind == .interrupted, let signal = Interruption.signal {
                verdict = .skipped(scenario, because: "not run: drbench got \(Interruption.name(of: signal))")
            }
            progress.finished(verdict)
            rounds[run.round][run.index] = ScenarioRun(
                verdict: verdict, directory: RunLayout.directory(of: scenario.fullName))
        }
        return rounds
    }

    /// Why a scenario cannot run here; nil if nothing is known against it.
    private func obstacle(to scenario: Scenario, _ plan: Plan?) -> String? {
        let missing = scenario.allNeeds(plan).filter { !capabilities.has($0) }
        if !missing.isEmpty {
            let reasons = missing.map { "\($0) (\(capabilities.reason(against: $0)))" }.joined(separator: ", ")
            return "the \(engine.name) engine lacks \(reasons)"
        }
        let absent = (plan?.programWords ?? []).filter { !Tools.isInstalled($0) }
        return absent.isEmpty
            ? nil : "not installed: \(absent.joined(separator: ", ")) ('\(Tools.installer(of: absent))' installs it)"
    }

    private func run(_ scenario: Scenario) -> ScenarioRun {
        let start = ContinuousClock.now
        let plan = Result { try Plan(scenario) }
        if let obstacle = obstacle(to: scenario, try? plan.get()) {
            return ScenarioRun(verdict: .skipped(scenario, because: obstacle))
        }
        // A step that is not there was reported before anything ran.
        let count = (try? until?.count(in: scenario)) ?? scenario.timeline.count
        let remark = scenario.remark(until: count)
        let scenario = scenario.until(count)
        let folder: Folder
        do {
            folder = try results.prepare(scenario.fullName, below: below)
        } catch {
            return ScenarioRun(verdict: .error(scenario, because: "\(error)"))
        }
        var (verdict, kept) = verdict(on: scenario, plan, folder: folder)
        if checksDeterminism, verdict.status != .error, let difference = differenceInSecondRun(scenario, plan, folder) {
            verdict = .error(scenario, because: "not deterministic: \(difference)", engine: verdict.engine)
        }
        if writesPages, let kept {
            do {
                try kept.writeReports(verdict, overview: OverviewPage.link(from: scenario.fullName))
            } catch {
                verdict = .error(scenario, because: "\(error)", engine: verdict.engine)
            }
        }
        if let remark { verdict.notes = (verdict.notes ?? []) + [remark] }
        let wall = ContinuousClock.now - start
        // What held needs no explanation but that of its page.
        let isBad = verdict.status == .failed || verdict.status == .error
        return ScenarioRun(
            verdict: verdict, directory: RunLayout.directory(of: scenario.fullName),
            artefacts: isBad ? RunLayout.kept(in: folder) : nil,
            failures: verdict.status == .failed ? kept?.story.flowFailures() : nil,
            timing: Timing(
                wall: Nanoseconds(wall.components.seconds * 1_000_000_000)
                    + Nanoseconds(wall.components.attoseconds / 1_000_000_000)))
    }

    /// Runs a scenario once more, at a place of its own, and tells where what it left is not the same; nil if it is, and then
    /// the second run's files go.
    private func differenceInSecondRun(
        _ scenario: Scenario, _ plan: Result<Plan, any Error>, _ first: Folder
    ) -> String? {
        let below = [RunLayout.again, below].compactMap { $0 }.joined(separator: "/")
        do {
            let again = try results.prepare(scenario.fullName, below: below)
            _ = verdict(on: scenario, plan, folder: again)
            if let difference = try RunComparison.firstDifference(first, again) { return difference }
            try RunLayout.clear(again)
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// The verdict, and the run that it is about if it left one.
    /// - Parameter folder: the run's, without what an earlier one left.
    private func verdict(
        on scenario: Scenario, _ planned: Result<Plan, any Error>, folder: Folder
    ) -> (Verdict, KeptRun?) {
        let plan: Plan
        do {
            var traced = try planned.get()
            traced.tracesRules = tracesRules
            plan = traced
        } catch {
            return (.error(scenario, because: "\(error)"), nil)
        }
        var request = RunRequest(
            plan: plan, directory: folder.path, seed: seed, realTime: realTime, timeLimit: timeLimit)
        if until != nil { request.until = scenario.timeline.count }
        do {
            if let pause { request.visit = try pause.visit(scenario, plan, engine: engine.name, folder: folder) }
        } catch {
            return (.error(scenario, because: "\(error)"), nil)
        }
        let (problems, failure) = engine.outcome(of: request)
        pause?.goOn()
        return judged(scenario, folder: folder, below: folder, problems: problems, failure: failure)
    }

    /// What a run that has ended left means.
    /// - Parameter guestFolder: what the guest has as its folder, the run's or one above it.
    private func judged(
        _ scenario: Scenario, folder: Folder, below guestFolder: Folder, problems: [String], failure: RunFailure?
    ) -> (Verdict, KeptRun?) {
        if failure != nil || !problems.isEmpty {
            // A laboratory that names a problem ends early for that reason.
            let reasons = problems.isEmpty ? [failure?.description ?? ""] : problems
            // A guest's name for the folder says nothing to people; but a command is quoted as it was.
            let reason = reasons.map {
                let text = scenario.withPlace($0)
                return text.contains("the command '")
                    ? text : text.replacing("\(Guest.runFolder)/", with: "\(guestFolder.path)/")
            }.joined(separator: "; ")
            var verdict = Verdict.error(scenario, because: reason)
            verdict.location = reasons.lazy.compactMap { scenario.place(of: $0) }.first
            verdict.notes = (failure?.console ?? []).map { "console  \($0)" }
            let kept = RunLayout.kept(in: folder)
            verdict.notes?.append("kept     " + (kept.isEmpty ? "nothing" : kept.joined(separator: ", ")))
            return (verdict, nil)
        }
        do {
            let kept = try KeptRun(of: scenario, in: folder)
            return (kept.verdict, kept)
        } catch {
            return (.error(scenario, because: "\(error)"), nil)
        }
    }
}

extension Scenario {
    /// What went wrong in a run, with the place in the scenario's file of the step that it names: `step 'gets': …`, or `… in
    /// step 'gets'`.
    func withPlace(_ problem: String) -> String { place(of: problem).map { "\($0): \(problem)" } ?? problem }

    /// Where the step stands in the scenario's file that a problem names; nil if it names none.
    func place(of problem: String) -> SourceLocation? {
        let named = timeline.filter { problem.contains("step '\($0.name)'") }
        return named.max { $0.name.utf8.count < $1.name.utf8.count }?.location
    }

    /// What it says that it needs, and what its plan needs.
    func allNeeds(_ plan: Plan?) -> [String] {
        let planned = plan?.needs ?? []
        return needs + planned.subtracting(needs).sorted()
    }
}
