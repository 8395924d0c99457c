import Capture
import Engine
import Evidence
import FoundationEssentials
import Kernel
import Report
import Scenario
import Verdict

/// What a run left in its folder, read again.
struct KeptRun {
    let scenario: Scenario
    let folder: String
    let evidence: Evidence
    let frames: [RunFrame]
    private let capture: CaptureFile

    /// The capture with comments: `capture.pcapng` itself stays as the run left it, for it is what runs are compared by.
    static let commentedCapture = "commented.pcapng"
    /// What is made of a run behind it.
    static let reports = [ScenarioPage.fileName, commentedCapture]

    init(of scenario: Scenario, in folder: String) throws(EnvironmentError) {
        self.scenario = scenario
        self.folder = folder
        do {
            evidence = try JSONDecoder().decode(
                Evidence.self, from: Data(contentsOf: URL(filePath: "\(folder)/\(RunFiles.evidence)")))
            capture = try CaptureFile(path: "\(folder)/\(RunFiles.capture)")
        } catch {
            throw EnvironmentError("the evidence cannot be read: \(error)")
        }
        let started = evidence.started
        frames = capture.frames.map {
            RunFrame(port: $0.port, time: $0.time - started, wireLength: $0.wireLength, octets: Array($0.octets))
        }
    }

    /// What it means.
    var verdict: Verdict {
        if let damage = capture.damage {
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
        let journeys = Journeys(scenario: scenario, evidence: evidence, frames: frames)
        let comments = PacketComments(scenario: scenario, journeys: journeys)
        var commented = capture
        for (frame, comment) in comments.comments { commented.frames[frame].comment = comment }
        let names = comments.names.map { (address: $0.octets, name: $0.name) }
        try write(Data(commented.pcapng(names: names)), to: Self.commentedCapture)
        let page = ScenarioPage(
            scenario: scenario, evidence: evidence, journeys: journeys, verdict: verdict, artefacts: artefacts,
            overview: overview)
        do {
            try write(Data(try page.html().utf8), to: ScenarioPage.fileName)
        } catch {
            throw EnvironmentError("\(error)")
        }
    }

    private func write(_ data: Data, to name: String) throws(EnvironmentError) {
        do {
            try PlainFile.write(data, to: "\(folder)/\(name)")
        } catch {
            throw EnvironmentError("cannot write \(folder)/\(name): \(error)")
        }
    }

    /// The run's files, those in folders by themselves.
    private var artefacts: [String] {
        let kept = [Self.commentedCapture] + OutputFolder.kept(in: folder)
        return kept.flatMap { name in
            let inside = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(name)"))?.sorted() ?? []
            return inside.isEmpty ? [name] : inside.map { "\(name)/\($0)" }
        }
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
            try Data(OverviewPage(result, pages: Set(directories)).html.utf8).write(to: URL(filePath: path))
        } catch {
            throw EnvironmentError("cannot write \(path): \(error)")
        }
    }
}
