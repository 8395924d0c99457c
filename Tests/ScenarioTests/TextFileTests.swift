import FoundationEssentials
import Glibc
import Testing

@testable import Reading
@testable import Scenario

@Suite("Only regular files are read, and none further than its limit")
struct TextFileTests {
    private func problem(_ path: String, upTo limit: Int = Limits.fileBytes) -> String? {
        guard case .failure(let problem) = TextFile.read(path, upTo: limit) else { return nil }
        #expect(problem.diagnostic.description.hasPrefix("\(path):1:1: error: "))
        return problem.message
    }

    @Test("a FIFO, a device, a directory and a socket are told by their kind, at once")
    func kinds() throws {
        let folder = try Folder()
        let fifo = "\(folder.path)/fifo.yaml"
        try #require(mkfifo(fifo, 0o600) == 0)
        #expect(problem(fifo) == "is a FIFO, not a regular file")
        let link = "\(folder.path)/link.yaml"
        try #require(symlink(fifo, link) == 0)
        #expect(problem(link) == "is a FIFO, not a regular file")
        #expect(problem("/dev/zero") == "is a device, not a regular file")
        #expect(problem(folder.path) == "is a folder, not a regular file")
        #expect(problem("\(folder.path)/none.yaml") == "there is no such file")
        let loop = "\(folder.path)/loop.yaml"
        try #require(symlink(loop, loop) == 0)
        #expect(problem(loop)?.hasPrefix("cannot be read: ") ?? false)
        // The control: the same by a link to what is one.
        try folder.write("title: x\n", to: "real.yaml")
        let good = "\(folder.path)/good.yaml"
        try #require(symlink("\(folder.path)/real.yaml", good) == 0)
        #expect(try TextFile.read(good).get() == "title: x\n")
    }

    @Test("a file's size is looked at before it is read")
    func size() throws {
        let folder = try Folder()
        let path = "\(folder.path)/large.yaml"
        // Without a block on the disk: whoever read it would need a hundred gigabytes.
        let descriptor = open(path, O_CREAT | O_WRONLY, 0o600)
        try #require(descriptor >= 0 && ftruncate(descriptor, 100_000_000_000) == 0)
        close(descriptor)
        #expect(problem(path) == "has 100000000000 bytes, expected at most \(Limits.fileBytes)")
        let small = "\(folder.path)/small.yaml"
        try folder.write(String(repeating: "x", count: 11), to: "small.yaml")
        #expect(problem(small, upTo: 10) == "has 11 bytes, expected at most 10")
        #expect(problem(small, upTo: 11) == nil)
        // It says that it has none, and has some.
        #expect(problem("/proc/self/status", upTo: 10) == "has more than 10 bytes, which is the limit")
        #expect(problem("/proc/self/status") == nil)
    }
}

/// A folder of its own, gone with the test.
final class Folder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/drbench-reading-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func write(_ text: String, to name: String) throws {
        let url = URL(filePath: "\(path)/\(name)")
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
