import Foundation
import Import
import Reading
import Scenario

/// A bundle of one's own, below a temporary folder that has an empty topology, too.
final class BundleCopy {
    let parent: URL
    let folder: URL
    private let library: ScenarioLibrary

    /// - Parameter original: what it begins as; nil for an empty folder.
    init(of original: String?, named name: String = "bundle") throws {
        parent = FileManager.default.temporaryDirectory.appending(path: "bundle-\(UUID().uuidString)")
        let topologies = parent.appending(path: "netns")
        try FileManager.default.createDirectory(at: topologies, withIntermediateDirectories: true)
        try Data("description: nothing\n".utf8).write(to: topologies.appending(path: "empty.yaml"))
        folder = parent.appending(path: name)
        library = ScenarioLibrary(scenarios: [], topologies: topologies.path)
        if let original {
            try FileManager.default.copyItem(atPath: original, toPath: folder.path)
        } else {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
    }

    deinit { try? FileManager.default.removeItem(at: parent) }

    func write(_ file: String, _ text: String) throws { try write(file, Data(text.utf8)) }

    func write(_ file: String, _ data: Data) throws {
        let url = folder.appending(path: file)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: url)
    }

    func read(_ file: String) throws -> Data { try Data(contentsOf: folder.appending(path: file)) }

    /// Changes one of a bundle's texts.
    func edit(_ file: String, _ old: String, _ new: String) throws {
        let text = String(decoding: try read(file), as: UTF8.self)
        guard text.contains(old) else { throw CocoaError(.fileReadCorruptFile) }
        try write(file, text.replacing(old, with: new))
    }

    /// Below the bundle's folder, sorted.
    func files() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { path in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: folder.appending(path: path).path, isDirectory: &isFolder)
                && !isFolder.boolValue
        }.sorted()
    }

    func imported() throws -> ImportedScenario { try ImportedScenario(bundle: folder.path, rules: "") }

    /// What 'drbench validate' says of an imported scenario.
    func validated(_ result: ImportedScenario) throws -> (scenario: Scenario?, diagnostics: [Diagnostic]) {
        let file = folder.appending(path: "imported.yaml")
        try Data(ImportMark.marked(result.text).utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let (scenarios, diagnostics) = library.load(file: file.path)
        return (scenarios.first, diagnostics)
    }

    /// Why it is refused; nil if it is not.
    func refusal() -> String? {
        do {
            _ = try imported()
            return nil
        } catch {
            return "\(error)"
        }
    }
}
