import ArgumentParser
import FoundationEssentials
import Reading
import Scenario

extension CompletionKind {
    /// A scenario's name; behind `NAME/` those of its variants; and YAML files.
    static var scenarios: CompletionKind {
        .custom { _, _, prefix in (scenarioNames(prefix) + yamlFiles(prefix)).filter { $0.hasPrefix(prefix) } }
    }

    private static func scenarioNames(_ prefix: String) -> [String] {
        guard let installation = Installation.find() else { return [] }
        let library = ScenarioLibrary(
            scenarios: [installation.scenarios], topologies: installation.topologies)
        guard let slash = prefix.firstIndex(of: "/") else { return library.names() }
        // Only this file is read: all of them take half a second.
        return library.load(named: [String(prefix[..<slash])])?.scenarios.map(\.fullName) ?? []
    }

    /// The files in the folder that has been typed so far, and the folders in it.
    private static func yamlFiles(_ prefix: String) -> [String] {
        let folder = prefix.lastIndex(of: "/").map { String(prefix[...$0]) } ?? ""
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
        return names.sorted().compactMap { name in
            guard !name.hasPrefix(".") else { return nil }
            var isDirectory = false
            _ = FileManager.default.fileExists(atPath: folder + name, isDirectory: &isDirectory)
            return isDirectory ? "\(folder)\(name)/" : name.hasSuffix(".yaml") ? folder + name : nil
        }
    }
}
