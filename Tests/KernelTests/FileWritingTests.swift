import Foundation
import Glibc
import Kernel
import Testing

@Suite("Writing files")
struct FileWritingTests {
    @Test("a file is written in place of what it held, whatever holds its octets")
    func replaces() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "drbench-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try writeFile(path, [UInt8](repeating: 7, count: 3_000_000))
        #expect(FileManager.default.contents(atPath: path) == Data(repeating: 7, count: 3_000_000))
        try writeFile(path, "→ text".utf8)
        #expect(FileManager.default.contents(atPath: path) == Data("→ text".utf8))
        // Without contiguous storage.
        try writeFile(path, (0..<5).lazy.map { UInt8($0) })
        #expect(FileManager.default.contents(atPath: path) == Data([0, 1, 2, 3, 4]))
        try writeFile(path, Data())
        #expect(FileManager.default.contents(atPath: path) == Data())
    }

    @Test("what cannot be written is an error that names the file")
    func errors() {
        #expect(throws: KernelError("create /nonexistent/file", code: ENOENT)) {
            try writeFile("/nonexistent/file", [1])
        }
        #expect(throws: KernelError("write /dev/full", code: ENOSPC)) { try writeFile("/dev/full", [1]) }
        #expect(throws: Never.self) { try writeFile("/dev/full", [UInt8]()) }
    }
}
