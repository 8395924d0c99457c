import Engine
import Kernel
import Plan
import Report
import Scenario
import Synchronization
import Text
import Verdict

/// What `--pause-on-failure` does when a run's evidence is there and its laboratory still is, too.
final class Pause: Sendable {
    /// The folder of all runs, as the user named it.
    private let output: String
    private let options: RenderOptions
    /// Whether the run that is under way has paused.
    private let hasPaused = Mutex(false)

    init(output: String, options: RenderOptions) {
        self.output = output
        self.options = options
    }

    /// - Parameter folder: the run's.
    func visit(_ scenario: Scenario, _ plan: Plan, engine: String, folder: Folder) throws -> Visit {
        let lab = try Labs.claim(scenario.fullName, engine: engine, places: plan.namespaces.map(\.name))
        return Visit(
            folder: lab, comesAfterEvidence: true,
            opened: {
                guard let kept = try? KeptRun(of: scenario, in: folder) else { return false }
                let verdict = kept.verdict
                guard verdict.status == .failed else { return false }
                self.hasPaused.withLock { $0 = true }
                Console.writeError(self.text(verdict, kept, plan) + "\n", as: .coloured)
                return true
            }, failed: { reason in Console.error("drbench: cannot stay in \(scenario.fullName): \(reason)") })
    }

    /// After a pause that Ctrl-C ended, what is left runs.
    func goOn() {
        let hasPaused = hasPaused.withLock { hasPaused in
            defer { hasPaused = false }
            return hasPaused
        }
        if hasPaused { Interruption.forgetKeyboard() }
    }

    private func text(_ verdict: Verdict, _ kept: KeptRun, _ plan: Plan) -> String {
        let name = verdict.scenario
        let run = ScenarioRun(verdict: verdict, failures: kept.story.flowFailures())
        var options = options
        options.detail = .quiet
        let what = (try? render(RunResult(engine: "", runs: [run]), as: .terminal, options: options)) ?? ""
        var blamed: [String] = []
        for journey in kept.story.journeys.journeys where !journey.end.isGood {
            guard let place = journey.blame?.place, !blamed.contains(place) else { continue }
            blamed.append(place)
        }
        let isOnly = LabFolder.all(root: Labs.root).count == 1
        let description = LabDescription(plan, lab: isOnly ? nil : name)
        let lines =
            ["", "\(name) has failed and stays as it is; its clock goes on as the host's", ""] + description.lines
            + ["", "try"] + description.suggestions(blamed: Array(blamed.prefix(2))).lines
            + [
                "  tshark -r \(output)/\(RunLayout.directory(of: name))/\(RunFiles.capture)",
                "", "Ctrl-C, or 'drbench down\(isOnly ? "" : " " + name)', goes on",
            ]
        // Without its totals, which are of this run alone.
        return what.components(before: "\n\n") + lines.map(\.printable).joined(separator: "\n")
    }
}

extension String {
    /// The text up to the last place where `mark` is.
    fileprivate func components(before mark: String) -> String {
        guard let found = ranges(of: mark).last else { return self }
        return String(self[..<found.lowerBound]) + "\n"
    }
}
