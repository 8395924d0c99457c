import Capture
import Evidence
import Foundation
import Reading
import Report
import Scenario
import Testing
import Verdict

/// Runs of shipped scenarios as drbench left them; VerdictTests keeps them, and judges by them.
struct RecordedRun {
    var scenario: Scenario
    var evidence: Evidence
    let frames: [RunFrame]

    private static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path(percentEncoded: false)
    private static let folder = "\(repository)/Tests/VerdictTests/Runs"
    static let names: [String] = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        .map { $0.replacing("+", with: "/") }
    private static let scenarios = ScenarioLibrary(
        scenarios: ["\(repository)/Scenarios"], topologies: "\(repository)/netns"
    ).load().scenarios

    init(_ name: String) throws {
        scenario = try #require(Self.scenarios.first { $0.fullName == name })
        let folder = "\(Self.folder)/\(name.replacing("/", with: "+"))"
        let evidence = try JSONDecoder().decode(
            Evidence.self, from: Data(contentsOf: URL(filePath: "\(folder)/evidence.json")))
        frames = try CaptureFile(path: "\(folder)/capture.pcapng").frames.map {
            RunFrame(
                port: $0.port, time: $0.time - evidence.started, wireLength: $0.wireLength, octets: $0.octets)
        }
        self.evidence = evidence
    }

    /// One of its files as it is; `name` is the folder's.
    static func file(_ file: String, of name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: "\(folder)/\(name)/\(file)")))
    }

    var journeys: Journeys { Journeys(scenario: scenario, evidence: evidence, frames: frames) }
    var story: Explanation { Explanation(scenario: scenario, evidence: evidence, journeys: journeys) }
    var verdict: Verdict { judge(scenario: scenario, evidence: evidence, frames: frames) }
}
