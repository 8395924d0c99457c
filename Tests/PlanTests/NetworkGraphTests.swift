import Foundation
import Net
import Plan
import Reading
import Scenario
import Testing

@Suite("A network for Graphviz")
struct NetworkGraphTests {
    private static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path(percentEncoded: false)
    private static let scenarios = ScenarioLibrary(
        scenarios: ["\(repository)Scenarios"], topologies: "\(repository)netns"
    ).load().scenarios

    private static func graph(_ name: String) throws -> String {
        try Plan(#require(scenarios.first { $0.fullName == name })).networkGraph
    }

    @Test("it has each namespace with its interfaces and addresses, cables thick, bridge ports thin")
    func content() throws {
        let lines = try Self.graph("cross-hv-p-old").split(separator: "\n").map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        #expect(lines.contains(#"subgraph "cluster hv1" {"#))
        #expect(lines.contains(#"label="hv1 (hypervisor)""#))
        #expect(lines.contains { $0.hasPrefix(#""rs2:eth0" [label="eth0\nfa:16:3e:00:00:05\n203.0.113.5/27"#) })
        // The VIP, on what the real server has it on.
        #expect(lines.contains { $0.hasPrefix(#""rs2:"#) && $0.contains("203.0.113.2/32") })
        #expect(lines.contains { $0.hasPrefix(#""lb:eth0" -- "hv1:tap"#) && $0.hasSuffix("[penwidth=2]") })
        #expect(lines.contains { $0.hasPrefix(#""hv1:brq"#) && $0.contains(#" -- "hv1:tap"#) && $0.hasSuffix("\"") })
        #expect(lines.filter { $0.contains(" -- ") && $0.contains(#""hv1:uplink""#) }.count == 2)
    }

    private static let dot = "/usr/bin/dot"

    @Test(
        "Graphviz draws every shipped scenario's network without a complaint",
        .enabled(if: FileManager.default.isExecutableFile(atPath: dot), "'netns/setup.sh --tests' installs Graphviz"))
    func drawn() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "drbench-graphs-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // One for each topology; variants differ in what is not drawn.
        let chosen = Dictionary(grouping: Self.scenarios, by: \.topology).values.compactMap(\.first)
        #expect(chosen.count > 5)
        var files: [String] = []
        for (number, scenario) in chosen.enumerated() {
            let file = folder.appending(path: "\(number).dot")
            try Plan(scenario).networkGraph.write(to: file, atomically: true, encoding: .utf8)
            files.append(file.path(percentEncoded: false))
        }
        let process = Process()
        let errors = Pipe()
        process.executableURL = URL(filePath: Self.dot)
        process.arguments = ["-Tsvg", "-O"] + files
        process.standardError = errors
        try process.run()
        let complaints = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(complaints == "")
        for file in files {
            let drawing = try String(contentsOfFile: file + ".svg", encoding: .utf8)
            #expect(drawing.contains("<svg") && drawing.contains("eth0"), "\(file)")
        }
    }
}
