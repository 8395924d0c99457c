import Foundation
import Testing

@testable import Reading
@testable import Scenario

/// Scenarios/CATALOGUE.md and Scenarios/README.md name scenarios and link to their files.
@Suite("The pages beside the scenarios")
struct CatalogueTests {
    private static let checkout = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
    private static let folder = checkout + "/Scenarios"

    private struct Link: Hashable {
        var name: String
        var file: String
    }

    /// Links to scenario files.
    private func links(in page: String) throws -> [Link] {
        let text = try String(contentsOfFile: "\(Self.folder)/\(page)", encoding: .utf8)
        return text.matches(of: #/\[([^\]\n]+)\]\(([^)\n]+\.yaml)\)/#).map {
            Link(name: String($0.output.1), file: String($0.output.2))
        }
    }

    private static let library = ScenarioLibrary(scenarios: [folder], topologies: checkout + "/netns")

    @Test("every link leads to a file that has the scenario", arguments: ["CATALOGUE.md", "README.md"])
    func links(_ page: String) throws {
        let scenarios = Self.library.load().scenarios
        let names = Set(scenarios.map(\.fullName) + scenarios.map(\.name))
        let links = try links(in: page)
        #expect(links.count > 20)
        for link in links {
            #expect(FileManager.default.fileExists(atPath: "\(Self.folder)/\(link.file)"), "\(link)")
            // In prose a link may say anything.
            guard page == "CATALOGUE.md" else { continue }
            #expect(names.contains(link.name), "\(link)")
            let file = URL(filePath: link.file).deletingPathExtension().lastPathComponent
            #expect(link.name == file || link.name.hasPrefix(file + "/"), "\(link)")
        }
    }

    @Test("every scenario stands in the catalogue")
    func complete() throws {
        let listed = Set(try links(in: "CATALOGUE.md").map(\.file))
        let files = try ScenarioLibrary.yamlFiles(below: Self.folder).get().map {
            String($0.dropFirst(Self.folder.count + 1))
        }
        #expect(files.filter { !listed.contains($0) } == [])
    }
}
