import Capture
import Engine
import Evidence
import FoundationEssentials
import Kernel
import Report
import Scenario
import Text
import Verdict

/// What a run left in its folder, read again.
final class KeptRun {
    let scenario: Scenario
    let folder: Folder
    let evidence: Evidence
    let frames: [RunFrame]
    /// The capture file, which `frames` point into.
    private let octets: [UInt8]
    /// What became of each packet, put together when it is first asked for: terminal and page tell the same story.
    private(set) lazy var story = Explanation(
        scenario: scenario, evidence: evidence,
        journeys: Journeys(scenario: scenario, evidence: evidence, frames: frames))

    /// The capture with comments, where there is something to say: `capture.pcapng` itself stays as the run left it, for it
    /// is what was seen, and what runs are compared by.
    static let commentedCapture = "commented.pcapng"
    /// What is made of a run behind it.
    static let reports = [ScenarioPage.fileName, commentedCapture]

    /// - Throws: `EnvironmentError` with what cannot be read, or makes no sense.
    init(of scenario: Scenario, in folder: Folder) throws(EnvironmentError) {
        self.scenario = scenario
        self.folder = folder
        evidence = try Evidence(in: folder)
        let bytes: [UInt8]?
        do {
            bytes = try folder.read(RunFiles.capture, limit: ReadLimit.capture)
        } catch {
            throw EnvironmentError("\(error)")
        }
        guard let bytes else { throw EnvironmentError("\(folder.path) has no \(RunFiles.capture)") }
        octets = bytes
        let capture = PcapNGReader.read(octets)
        if let disagreement = CaptureAccount.disagreement(capture, evidence) {
            throw EnvironmentError("\(folder.path(of: RunFiles.capture)) is damaged: \(disagreement)")
        }
        frames = RunFrame.all(of: capture, since: evidence.started)
    }

    /// What it means.
    var verdict: Verdict { judge(scenario: scenario, evidence: evidence, frames: frames) }

    /// Writes the run's page, and its capture with comments.
    func writeReports(_ verdict: Verdict, overview: String?) throws(EnvironmentError) {
        let comments = PacketComments(story.journeys).comments
        let commented = comments.isEmpty ? nil : PcapNGComments.added(comments, to: octets)
        do {
            if let commented {
                try folder.write(Self.commentedCapture, commented)
            } else {
                try folder.remove(Self.commentedCapture)
            }
        } catch {
            throw EnvironmentError("\(error)")
        }
        let page = ScenarioPage(
            scenario: scenario, evidence: evidence, story: story, verdict: verdict,
            artefacts: RunLayout.keptFiles(in: folder).filter { $0 != ScenarioPage.fileName }, overview: overview)
        do {
            try folder.write(ScenarioPage.fileName, page.html.utf8)
        } catch {
            throw EnvironmentError("\(error)")
        }
    }
}

extension Evidence {
    /// What a run left in its folder.
    /// - Throws: `EnvironmentError` with what is missing, or cannot be so.
    init(in folder: Folder) throws(EnvironmentError) {
        let bytes: [UInt8]?
        do {
            bytes = try folder.read(RunFiles.evidence, limit: ReadLimit.evidence)
        } catch {
            throw EnvironmentError("\(error)")
        }
        guard let bytes else { throw EnvironmentError("\(folder.path) has no \(RunFiles.evidence)") }
        do {
            self = try JSONDecoder().decode(
                Evidence.self, from: Data(bytes), of: folder.path(of: RunFiles.evidence))
        } catch {
            throw EnvironmentError("the evidence is damaged: \(error)")
        }
        if let damage {
            throw EnvironmentError("\(folder.path(of: RunFiles.evidence)) is damaged: \(damage)")
        }
    }
}

extension OverviewPage {
    /// Where it is, seen from the folder of a run.
    static func link(from fullName: String) -> String { RunLayout.wayUp(from: fullName) + fileName }

    /// Writes the page of all runs into their folder.
    static func write(_ result: RunResult, to folder: Folder) throws {
        let pages = result.runs.filter { run in
            run.directory != nil && KeptResults.hasFile(ScenarioPage.fileName, of: run, in: folder)
        }
        do {
            try folder.write(fileName, OverviewPage(result, pages: Set(pages.compactMap(\.directory))).html.utf8)
        } catch {
            throw EnvironmentError("\(error)")
        }
    }
}
