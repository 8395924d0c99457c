import Foundation
import Report
import Testing
import Verdict

/// The pages in a real browser: Browser/pages.mjs steps through packets and sets filters.
@Suite(.enabled(if: Programs.all != nil, "needs node (20 or newer) and chromium"))
struct BrowserTests {
    @Test("pages open without complaints and requests, the slider and the filters work, nothing overflows a phone")
    func pages() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "drbench-pages-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let names = ["cross-hv-p-old", "nat-masq"]
        var runs: [ScenarioRun] = []
        for name in names {
            let run = try RecordedRun(name)
            let verdict = run.verdict
            runs.append(ScenarioRun(suite: "recorded", verdict: verdict, directory: name))
            let path = folder.appending(path: name)
            try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
            let html = ScenarioPage(
                scenario: run.scenario, evidence: run.evidence, story: run.story, verdict: verdict,
                overview: "../index.html"
            ).html
            try html.write(to: path.appending(path: ScenarioPage.fileName), atomically: true, encoding: .utf8)
        }
        let overview = OverviewPage(RunResult(engine: "uml", runs: runs), pages: Set(names)).html
        try overview.write(to: folder.appending(path: OverviewPage.fileName), atomically: true, encoding: .utf8)

        let programs = try #require(Programs.all)
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Browser/pages.mjs")
        let process = Process()
        process.executableURL = URL(filePath: programs.node)
        process.arguments =
            ["--experimental-websocket", script.path(percentEncoded: false), programs.chromium]
            + [folder.path(percentEncoded: false)]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(text)")
    }
}

private enum Programs {
    static let all: (node: String, chromium: String)? = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        func find(_ names: String...) -> String? {
            names.lazy.flatMap { name in folders.map { "\($0)/\(name)" } }
                .first { FileManager.default.isExecutableFile(atPath: $0) }
        }
        guard let node = find("node"), let chromium = find("chromium", "chromium-browser", "google-chrome") else {
            return nil
        }
        // Only since version 20.10 node has a WebSocket.
        let process = Process()
        process.executableURL = URL(filePath: node)
        process.arguments = ["--experimental-websocket", "-e", "process.exit(typeof WebSocket === 'function' ? 0 : 1)"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        process.waitUntilExit()
        return process.terminationStatus == 0 ? (node, chromium) : nil
    }()
}
