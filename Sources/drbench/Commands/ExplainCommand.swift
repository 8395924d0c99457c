import ArgumentParser
import Capture
import Engine
import Evidence
import FoundationEssentials
import Report
import Scenario
import Verdict

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Tells what became of each packet of a scenario, and why.")

    @OptionGroup var selection: ScenarioSelection

    @Option(help: ArgumentHelp("Read a kept run instead of running.", valueName: "folder"))
    var from: String?

    @Flag(help: "One line: how journeys ended.")
    var tally = false

    func run() throws {
        let scenarios = try selection.load()
        for scenario in scenarios {
            guard let from else { continue }
            let folder = "\(from)/\(scenario.fullName)"
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(RunFiles.evidence)") else { continue }
            let evidence = try JSONDecoder().decode(Evidence.self, from: data)
            let capture = try CaptureFile(path: "\(folder)/\(RunFiles.capture)")
            let frames = capture.frames.map {
                RunFrame(
                    port: $0.port, time: $0.time - evidence.started, wireLength: $0.wireLength,
                    octets: Array($0.octets))
            }
            let journeys = Journeys(scenario: scenario, evidence: evidence, frames: frames)
            if tally {
                var counts: [String: Int] = [:]
                for journey in journeys.journeys {
                    if case .undecided(let causes) = journey.end {
                        counts["undecided(\(causes.count))", default: 0] += 1
                    } else { counts[journey.end.text, default: 0] += 1 }
                }
                Console.output(
                    scenario.fullName + ": "
                        + counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "))
                continue
            }
            for journey in journeys.journeys {
                Console.output("#\(journey.number) \(journey.started) \(journey.packet): \(journey.end.text)")
                Console.output("   " + journey.hops.map { "\($0.port) \($0.direction.rawValue)" }.joined(separator: ", "))
                if let blame = journey.blame {
                    Console.output("   \(blame.place): \(blame.rule?.rule ?? "") \(blame.evidence)")
                }
            }
        }
    }
}
