import Capture
import Dispatch
import Engine
import Evidence
import FoundationEssentials
import Glibc
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
    /// Absolute; each run gets a folder of its own in it.
    var output: String
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
        return results.withLock { $0.compactMap { $0 } }
    }

    /// Runs scenarios one after another on one and the same boot of the engine's kernel, in real time, and all of them again
    /// for each further output folder: what is compared takes turns. Writes no pages.
    /// - Parameter outputs: absolute, within `output` or the same.
    /// - Returns: for each output folder, in the order of `scenarios`.
    func runInTurn(_ scenarios: [Scenario], outputs: [String]) -> [[ScenarioRun]] {
        var rounds = outputs.map { _ in scenarios.map { ScenarioRun(verdict: .skipped($0, because: "not run")) } }
        var requests: [RunRequest] = []
        var places: [(round: Int, index: Int)] = []
        for (round, output) in outputs.enumerated() {
            for (index, scenario) in scenarios.enumerated() {
                let plan = Result { try Plan(scenario) }
                if let obstacle = obstacle(to: scenario, try? plan.get()) {
                    rounds[round][index].verdict = .skipped(scenario, because: obstacle)
                    continue
                }
                let folder = "\(output)/\(scenario.fullName)"
                do {
                    let plan = try plan.get()
                    try OutputFolder.prepare(folder)
                    requests.append(
                        RunRequest(plan: plan, directory: folder, seed: seed, realTime: true, timeLimit: timeLimit))
                    places.append((round, index))
                } catch {
                    rounds[round][index].verdict = .error(scenario, because: "\(error)")
                }
            }
        }
        var ends: [(problems: [String], failure: RunFailure?)] = []
        for place in places.prefix(1) { progress.started(scenarios[place.index].fullName) }
        engine.runInTurn(requests, in: output) { number, problems, failure in
            ends.append((problems, failure))
            if number + 1 < places.count { progress.started(scenarios[places[number + 1].index].fullName) }
        }
        for (place, end) in zip(places, ends) {
            let scenario = scenarios[place.index]
            let folder = "\(outputs[place.round])/\(scenario.fullName)"
            var verdict = judged(scenario, folder: folder, problems: end.problems, failure: end.failure).0
            if end.failure?.kind == .interrupted, let signal = Interruption.signal {
                verdict = .skipped(scenario, because: "not run: drbench got \(Interruption.name(of: signal))")
            }
            progress.finished(verdict)
            rounds[place.round][place.index] = ScenarioRun(verdict: verdict, directory: scenario.fullName)
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
        let folder = "\(output)/\(scenario.fullName)"
        // A step that is not there was reported before anything ran.
        let count = (try? until?.count(in: scenario)) ?? scenario.timeline.count
        let remark = scenario.remark(until: count)
        let scenario = scenario.until(count)
        var (verdict, kept) = verdict(on: scenario, plan, folder: folder)
        if checksDeterminism, verdict.status != .error {
            let again = folder + ".again"
            _ = self.verdict(on: scenario, plan, folder: again)
            if let difference = RunComparison.firstDifference(folder, again) {
                verdict = .error(scenario, because: "not deterministic: \(difference)", engine: verdict.engine)
            } else {
                try? FileManager.default.removeItem(atPath: again)
            }
        }
        if writesPages, let kept {
            do {
                try kept.writeReports(verdict, overview: KeptRun.overview(from: scenario.fullName))
            } catch {
                verdict = .error(scenario, because: "\(error)", engine: verdict.engine)
            }
        }
        if let remark { verdict.notes = (verdict.notes ?? []) + [remark] }
        let wall = ContinuousClock.now - start
        // What held needs no explanation but that of its page.
        let isBad = verdict.status == .failed || verdict.status == .error
        return ScenarioRun(
            verdict: verdict, directory: scenario.fullName, artefacts: isBad ? KeptRun.files(in: folder) : nil,
            failures: verdict.status == .failed ? kept?.story.flowFailures() : nil,
            timing: Timing(
                wall: Nanoseconds(wall.components.seconds * 1_000_000_000)
                    + Nanoseconds(wall.components.attoseconds / 1_000_000_000)))
    }

    /// The verdict, and the run that it is about if it left one.
    private func verdict(
        on scenario: Scenario, _ planned: Result<Plan, any Error>, folder: String
    ) -> (Verdict, KeptRun?) {
        let plan: Plan
        do {
            var traced = try planned.get()
            traced.tracesRules = tracesRules
            plan = traced
            try OutputFolder.prepare(folder)
        } catch {
            return (.error(scenario, because: "\(error)"), nil)
        }
        var request = RunRequest(
            plan: plan, directory: folder, seed: seed, realTime: realTime, timeLimit: timeLimit)
        if until != nil { request.until = scenario.timeline.count }
        do {
            if let pause { request.visit = try pause.visit(scenario, plan, engine: engine.name, folder: folder) }
        } catch {
            return (.error(scenario, because: "\(error)"), nil)
        }
        let (problems, failure) = engine.outcome(of: request)
        pause?.goOn()
        return judged(scenario, folder: folder, problems: problems, failure: failure)
    }

    /// What a run that has ended left means.
    private func judged(
        _ scenario: Scenario, folder: String, problems: [String], failure: RunFailure?
    ) -> (Verdict, KeptRun?) {
        if failure != nil || !problems.isEmpty {
            // A laboratory that names a problem ends early for that reason.
            let reason = problems.isEmpty ? failure?.description ?? "" : problems.joined(separator: "; ")
            var verdict = Verdict.error(scenario, because: reason)
            verdict.notes = (failure?.console ?? []).map { "console  \($0)" }
            let kept = OutputFolder.kept(in: folder)
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
    /// What it says that it needs, and what its plan needs.
    func allNeeds(_ plan: Plan?) -> [String] {
        let planned = plan?.needs ?? []
        return needs + planned.subtracting(needs).sorted()
    }
}

/// The folders that runs write to.
enum OutputFolder {
    /// Makes the folder, empty but for what is not drbench's own.
    static func prepare(_ path: String) throws {
        let manager = FileManager.default
        try make(path)
        for name in RunFiles.all + KeptRun.reports {
            let file = "\(path)/\(name)"
            guard access(file, F_OK) == 0 else { continue }
            do {
                try manager.removeItem(atPath: file)
            } catch {
                throw EnvironmentError("cannot remove the last run's \(file)")
            }
        }
    }

    /// Makes the folder of all runs and returns its absolute path: a guest's working directory is another.
    static func absolute(_ path: String) throws -> String {
        do {
            try make(path)
        } catch {
            throw EnvironmentError("\(error); --out DIR names another place for results")
        }
        guard let real = realpath(path, nil) else { throw EnvironmentError("cannot find '\(path)' again") }
        defer { free(real) }
        return String(cString: real)
    }

    /// Makes a folder, and those above it, unless it is there; then it must be writable.
    static func make(_ path: String) throws(EnvironmentError) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += part
            let code = mkdir(made, 0o777) < 0 ? errno : 0
            // An existing folder below one that may not be written to can give another error than EEXIST.
            if code != 0, code != EEXIST, access(made, F_OK) < 0 {
                throw EnvironmentError("cannot make the folder '\(made)': \(String(cString: strerror(code)))")
            }
            made += "/"
        }
        guard access(path + "/.", W_OK | X_OK) == 0 else {
            throw EnvironmentError("cannot write to the folder '\(path)': \(String(cString: strerror(errno)))")
        }
    }

    /// Which of a run's files are there.
    static func kept(in path: String) -> [String] {
        RunFiles.all.filter { access("\(path)/\($0)", F_OK) == 0 }
    }
}

/// Compares what two runs of one scenario left.
enum RunComparison {
    /// The first frame that is not the same in two capture files, by its number in Wireshark; nil if it is not the frames
    /// that differ.
    private static func differentFrame(_ first: String, _ second: String) -> String? {
        guard let one = try? CaptureFile(path: first), let other = try? CaptureFile(path: second) else { return nil }
        let index =
            zip(one.frames, other.frames).enumerated().first { $1.0 != $1.1 }?.offset
            ?? min(one.frames.count, other.frames.count)
        let frame = [one, other].compactMap { file in
            file.frames.indices.contains(index) ? (file.frames[index].port, file.ports) : nil
        }.first
        guard let (port, ports) = frame, ports.indices.contains(port) else { return nil }
        return "frame \(index + 1), at \(ports[port].name)"
    }

    /// Where the first difference is: a file and the line, frame or octet; nil if they are the same to the byte.
    static func firstDifference(_ first: String, _ second: String) -> String? {
        for name in [RunFiles.evidence, RunFiles.capture] {
            let one = FileManager.default.contents(atPath: "\(first)/\(name)") ?? Data()
            let other = FileManager.default.contents(atPath: "\(second)/\(name)") ?? Data()
            guard one != other else { continue }
            let offset = zip(one, other).enumerated().first { $1.0 != $1.1 }?.offset ?? min(one.count, other.count)
            guard name == RunFiles.evidence else {
                let frame = differentFrame("\(first)/\(name)", "\(second)/\(name)")
                return "\(name) \(frame ?? "from octet \(offset) on"), see \(second)"
            }
            let line = one.prefix(offset).filter { $0 == 0x0A }.count
            func text(_ data: Data) -> String {
                let lines = data.split(separator: 0x0A, omittingEmptySubsequences: false)
                return line < lines.count ? String(decoding: lines[line], as: UTF8.self) : "nothing"
            }
            return "\(name) line \(line + 1): '\(text(one))' and then '\(text(other))', see \(second)"
        }
        return nil
    }
}
