import Engine
import FoundationEssentials
import Testing

@Suite("Which lab kernel is used")
struct LabKernelTests {
    /// A cache with builds named `VERSION/BUILT`, and what was chosen from it.
    private func choice(of version: String, from builds: [String]) throws -> String? {
        let cache = FileManager.default.temporaryDirectory.path + "/kernels-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: cache) }
        for build in builds {
            let parts = build.split(separator: "/")
            let folder = "\(cache)/\(parts[0])-\(parts[1])"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data("VERSION=\(parts[0])\nBUILT=\(parts[1])\n".utf8).write(to: URL(filePath: folder + "/kernel.env"))
            guard
                FileManager.default.createFile(
                    atPath: folder + "/linux", contents: Data(), attributes: [.posixPermissions: 0o755])
            else { throw CocoaError(.fileWriteUnknown) }
        }
        return LabKernel.choose(version: version, sources: nil, caches: [cache]).map { "\($0.version)/\($0.built)" }
    }

    @Test("the newest build of the wanted version is used")
    func newest() throws {
        #expect(try choice(of: "6.1", from: ["6.1/2026-01", "6.1/2026-02", "6.12/2026-03"]) == "6.1/2026-02")
        #expect(try choice(of: "6.12", from: ["6.1/2026-09", "6.12/2026-03"]) == "6.12/2026-03")
    }

    @Test("a kernel built in the default version's place is used in its place")
    func fallback() throws {
        #expect(try choice(of: LabKernel.defaultVersion, from: ["5.10/2026-01", "6.1/2026-02"]) == "6.1/2026-02")
    }

    @Test("a version asked for by name is never replaced by another")
    func byName() throws {
        #expect(try choice(of: "7.2", from: ["6.1/2026-02", "6.12/2026-03"]) == nil)
        #expect(try choice(of: LabKernel.defaultVersion, from: []) == nil)
    }
}
