import Foundation
import Testing

@testable import Kernel

@Suite("Files that a run leaves")
struct PlainFileTests {
    @Test("a file is written whole, in place of what it was")
    func whole() throws {
        let path = NSTemporaryDirectory() + "/\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let long = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
        for octets in [long, [], [7]] {
            try PlainFile.write(octets, to: path)
            #expect(try Data(contentsOf: URL(filePath: path)) == Data(octets))
        }
        // Not contiguous in memory.
        try PlainFile.write("répétition".utf8.reversed().reversed(), to: path)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "répétition")
    }

    @Test("what cannot be created or written is an error that names the file")
    func errors() {
        #expect(throws: KernelError("create a file", code: ENOENT, explanation: "/nowhere/at/all")) {
            try PlainFile.write([1], to: "/nowhere/at/all")
        }
        #expect(throws: KernelError("write a file", code: ENOSPC, explanation: "/dev/full")) {
            try PlainFile.write([1], to: "/dev/full")
        }
    }
}
