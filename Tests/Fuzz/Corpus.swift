import Foundation

/// What inputs begin as: files of this repository.
enum Corpus {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path(percentEncoded: false)

    /// Of a folder, by the ends of their names; sorted.
    static func files(_ folders: [String], _ suffix: String, upTo limit: Int = 60_000) -> [(
        name: String, bytes: [UInt8]
    )] {
        var found: [(String, [UInt8])] = []
        for folder in folders {
            let base = repository + folder
            let names = ((try? FileManager.default.subpathsOfDirectory(atPath: base)) ?? []).sorted()
            for name in names where name.hasSuffix(suffix) {
                guard let data = FileManager.default.contents(atPath: "\(base)/\(name)"), data.count <= limit else {
                    continue
                }
                found.append((String(name.split(separator: "/").last ?? "x"), [UInt8](data)))
            }
        }
        return found
    }

    static func copy(_ path: String, to target: String) throws {
        try? FileManager.default.removeItem(atPath: target)
        try FileManager.default.createDirectory(
            atPath: URL(filePath: target).deletingLastPathComponent().path, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: path, toPath: target)
    }
}
