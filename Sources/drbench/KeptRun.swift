import Capture
import Engine
import Evidence
import FoundationEssentials
import Glibc
import Kernel
import Report
import Scenario
import Verdict

/// What a run left in its folder, read again.
final class KeptRun {
    let scenario: Scenario
    let folder: String
    let evidence: Evidence
    let frames: [RunFrame]
    /// The capture file, which `frames` point into.
    private let octets: [UInt8]
    private let damage: CaptureFile.Damage?
    /// What became of each packet, put together when it is first asked for: terminal and page tell the same story.
    private(set) lazy var story = Explanation(
        scenario: scenario, evidence: evidence,
        journeys: Journeys(scenario: scenario, evidence: evidence, frames: frames))

    /// The capture with comments, where there is something to say: `capture.pcapng` itself stays as the run left it, for it
    /// is what was seen, and what runs are compared by.
    static let commentedCapture = "commented.pcapng"
    /// What is made of a run behind it.
    static let reports = [ScenarioPage.fileName, commentedCapture]

    init(of scenario: Scenario, in folder: String) throws(EnvironmentError) {
        self.scenario = scenario
        self.folder = folder
        let capture: CaptureFile
        do {
            evidence = try JSONDecoder().decode(
                Evidence.self, from: Data(contentsOf: URL(filePath: "\(folder)/\(RunFiles.evidence)")))
            octets = try CaptureFile.contents(of: "\(folder)/\(RunFiles.capture)")
            capture = PcapNGReader.read(octets)
        } catch {
            throw EnvironmentError("the evidence cannot be read: \(error)")
        }
        damage = capture.damage
        let started = evidence.started
        frames = capture.frames.map {
            RunFrame(port: $0.port, time: $0.time - started, wireLength: $0.wireLength, octets: $0.octets)
        }
    }

    /// What it means.
    var verdict: Verdict {
        if let damage {
            return .error(
                scenario, because: "the capture file cannot be read: \(damage)", engine: evidence.engine)
        }
        return judge(scenario: scenario, evidence: evidence, frames: frames)
    }

    /// The page of all runs, seen from the folder of one.
    static func overview(from directory: String) -> String {
        String(repeating: "../", count: directory.split(separator: "/").count) + OverviewPage.fileName
    }

    /// Writes the run's page, and its capture with comments.
    func writeReports(_ verdict: Verdict, overview: String?) throws(EnvironmentError) {
        let comments = PacketComments(story.journeys).comments
        if comments.isEmpty {
            unlink("\(folder)/\(Self.commentedCapture)")
        } else {
            try write(PcapNGComments.added(comments, to: octets), to: Self.commentedCapture)
        }
        let page = ScenarioPage(
            scenario: scenario, evidence: evidence, story: story, verdict: verdict,
            artefacts: artefacts, overview: overview)
        try write(page.html.utf8, to: ScenarioPage.fileName)
    }

    private func write(_ octets: some Collection<UInt8>, to name: String) throws(EnvironmentError) {
        do {
            try writeFile("\(folder)/\(name)", octets)
        } catch {
            throw EnvironmentError("\(error)")
        }
    }

    /// The run's files, those in folders by themselves.
    private var artefacts: [String] {
        Self.files(in: folder).filter { $0 != ScenarioPage.fileName }.flatMap { name in
            let inside = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(name)"))?.sorted() ?? []
            return inside.isEmpty ? [name] : inside.map { "\(name)/\($0)" }
        }
    }

    /// What there is of a run in its folder, what was made of it first.
    static func files(in folder: String) -> [String] {
        reports.filter { access("\(folder)/\($0)", F_OK) == 0 } + OutputFolder.kept(in: folder)
    }
}

extension OverviewPage {
    /// Writes the page of all runs into their folder.
    static func write(_ result: RunResult, to folder: String) throws {
        let directories = result.runs.compactMap(\.directory).filter {
            FileManager.default.fileExists(atPath: "\(folder)/\($0)/\(ScenarioPage.fileName)")
        }
        let path = "\(folder)/\(fileName)"
        do {
            try writeFile(path, OverviewPage(result, pages: Set(directories)).html.utf8)
        } catch {
            throw EnvironmentError("\(error)")
        }
    }
}
