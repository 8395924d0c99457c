import Foundation
import Import
import Reading
import Scenario

/// A bundle that was recorded in a lab: each file is what its tool printed there, in the scenarios `bundle.yaml` and
/// `hybrid-bundle.yaml` of Tests/SuiteTests.
struct RecordedBundle {
    static let newton = RecordedBundle("newton")
    static let junoHybrid = RecordedBundle("juno-hybrid")

    let name: String
    let folder: String

    private init(_ name: String) {
        self.name = name
        folder = Bundle.module.bundleURL.appending(path: "Bundles/\(name)").path
    }

    /// What a copy of it is imported as, with `change` made to it first.
    func imported(
        change: (String) throws -> Void = { _ in }
    ) throws -> (result: ImportedScenario, scenario: Scenario?, diagnostics: [Diagnostic]) {
        let parent = FileManager.default.temporaryDirectory.appending(path: "bundle-\(UUID().uuidString)")
        let topologies = parent.appending(path: "netns")
        try FileManager.default.createDirectory(at: topologies, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: parent) }
        try Data("description: nothing\n".utf8).write(to: topologies.appending(path: "empty.yaml"))
        let copy = parent.appending(path: name)
        try FileManager.default.copyItem(atPath: folder, toPath: copy.path)
        try change(copy.path)
        let result = try ImportedScenario(bundle: copy.path, rules: "")
        let file = copy.appending(path: "imported.yaml")
        try Data(result.text.utf8).write(to: file)
        let (scenarios, diagnostics) = ScenarioLibrary(scenarios: [], topologies: topologies.path).load(file: file.path)
        return (result, scenarios.first, diagnostics)
    }
}
