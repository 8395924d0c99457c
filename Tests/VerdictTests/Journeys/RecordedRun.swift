import Capture
import Evidence
import Foundation
import Reading
import Scenario
import Testing
import Verdict

/// A run of a shipped scenario as drbench left it, kept in Tests/VerdictTests/Runs (evidence.json without its spaces).
struct RecordedRun {
    let scenario: Scenario
    let evidence: Evidence
    let frames: [RunFrame]

    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path(percentEncoded: false)
    static let library = ScenarioLibrary(
        scenarios: ["\(repository)/Scenarios"], topologies: "\(repository)/netns")
    static let names: [String] = {
        let folder = "\(repository)/Tests/VerdictTests/Runs"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.map { $0.replacingOccurrences(of: "+", with: "/") }.sorted()
    }()
    private static let scenarios = library.load().scenarios

    init(_ name: String) throws {
        scenario = try #require(Self.scenarios.first { $0.fullName == name })
        let folder =
            "\(Self.repository)/Tests/VerdictTests/Runs/" + name.replacingOccurrences(of: "/", with: "+")
        evidence = try JSONDecoder().decode(
            Evidence.self, from: Data(contentsOf: URL(filePath: "\(folder)/evidence.json")))
        let started = evidence.started
        let capture = try CaptureFile(path: "\(folder)/capture.pcapng")
        frames = capture.frames.map {
            RunFrame(port: $0.port, time: $0.time - started, wireLength: $0.wireLength, octets: $0.octets)
        }
    }

    var journeys: Journeys { Journeys(scenario: scenario, evidence: evidence, frames: frames) }
}
