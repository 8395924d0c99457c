import Foundation
import Glibc
import Kernel
import Testing

@Suite("Open folders")
struct FolderTests {
    /// Gone at the end, with all that is in it.
    private final class Ground {
        let path: String
        init() throws {
            path = FileManager.default.temporaryDirectory.appending(path: "drbench-\(UUID().uuidString)").path
            try FileManager.default.createDirectory(atPath: path + "/folder", withIntermediateDirectories: true)
        }
        deinit { try? FileManager.default.removeItem(atPath: path) }
        func text(_ name: String) -> String? {
            FileManager.default.contents(atPath: "\(path)/\(name)").map { String(decoding: $0, as: UTF8.self) }
        }
    }

    @Test("a file is written in place of what it held, whatever holds its bytes")
    func replaces() throws {
        let ground = try Ground()
        let folder = try Folder(ground.path + "/folder")
        try folder.write("a", [UInt8](repeating: 7, count: 3_000_000))
        #expect(try folder.read("a", limit: 3_000_000) == [UInt8](repeating: 7, count: 3_000_000))
        try folder.write("a", "→ text".utf8)
        #expect(ground.text("folder/a") == "→ text")
        // Without contiguous storage.
        try folder.write("a", (0..<5).lazy.map { UInt8($0) })
        #expect(try folder.read("a", limit: 5) == [0, 1, 2, 3, 4])
        try folder.write("a", Data())
        #expect(try folder.read("a", limit: 0) == [])
        #expect(try folder.names() == ["a"])
        #expect(try folder.read("b", limit: 5) == nil)
    }

    @Test(
        "a link in a file's place is replaced and not followed, whether it leads anywhere or not",
        arguments: [true, false])
    func replacesLinks(leadsSomewhere: Bool) throws {
        let ground = try Ground()
        let target = ground.path + "/elsewhere"
        if leadsSomewhere { try Data("before".utf8).write(to: URL(filePath: target)) }
        let folder = try Folder(ground.path + "/folder")
        for name in ["written", ".written.new", "created"] { symlink(target, "\(ground.path)/folder/\(name)") }
        try folder.write("written", "text".utf8)
        close(try folder.create("created"))
        #expect(ground.text("folder/written") == "text" && ground.text("folder/created") == "")
        #expect(folder.kind(of: "written") == .file && folder.kind(of: "created") == .file)
        #expect(ground.text("elsewhere") == (leadsSomewhere ? "before" : nil))
        #expect(try folder.names() == ["created", "written"])
    }

    @Test("a folder's link, and one in place of a folder below it, is refused; a link that a person named is followed")
    func refusesLinkedFolders() throws {
        let ground = try Ground()
        symlink("folder", ground.path + "/link")
        let outer = try Folder(ground.path)
        #expect(throws: FileError(.open, ground.path + "/link", .isNoFolder(.link))) { try outer.subfolder("link") }
        #expect(throws: FileError(.open, ground.path + "/link", .isNoFolder(.link))) {
            try outer.existingSubfolder("link")
        }
        #expect(throws: Never.self) { try Folder(ground.path + "/link") }
        #expect(try outer.existingSubfolder("other") == nil)
        try outer.subfolder("other").write("x", [1])
        #expect(try outer.existingSubfolder("other")?.names() == ["x"])
        #expect(try !outer.removeEmptySubfolder("other"))
        try outer.subfolder("other").remove("x")
        #expect(try outer.removeEmptySubfolder("other"))
    }

    @Test("only regular files up to a size are read: no link, pipe, device, folder or what is larger")
    func readsRegularFilesOnly() throws {
        let ground = try Ground()
        let folder = try Folder(ground.path + "/folder")
        func path(_ name: String) -> String { "\(ground.path)/folder/\(name)" }
        try folder.write("file", [1, 2, 3])
        symlink("file", path("link"))
        mkfifo(path("pipe"), 0o600)
        mkdir(path("inner"), 0o700)
        #expect(try folder.read("file", limit: 3) == [1, 2, 3])
        #expect(throws: FileError(.read, path("file"), .isTooLarge(bytes: 3, limit: 2))) {
            try folder.read("file", limit: 2)
        }
        for (name, kind) in [("link", FileKind.link), ("pipe", .pipe), ("inner", .folder)] {
            #expect(throws: FileError(.read, path(name), .isNoFile(kind))) { try folder.read(name, limit: 9) }
        }
        let devices = try Folder("/dev")
        #expect(throws: FileError(.read, "/dev/zero", .isNoFile(.device))) { try devices.read("zero", limit: 9) }
        // A file whose size is told as 0 and that holds something all the same.
        let process = try Folder("/proc/self")
        #expect(try process.read("status", limit: 1 << 20)?.isEmpty == false)
        #expect(throws: FileError.self) { try process.read("status", limit: 10) }
    }

    @Test(
        "a name is one name, and not a way to somewhere else",
        arguments: ["", ".", "..", "../x", "a/b", "/etc", "a\0b"])
    func refusesPaths(_ name: String) throws {
        let ground = try Ground()
        let folder = try Folder(ground.path + "/folder")
        #expect(throws: FileError.self) { try folder.write(name, [1]) }
        #expect(throws: FileError.self) { try folder.create(name) }
        #expect(throws: FileError.self) { try folder.read(name, limit: 1) }
        #expect(throws: FileError.self) { try folder.remove(name) }
        #expect(throws: FileError.self) { try folder.subfolder(name) }
        #expect(try folder.names() == [] && ground.text("x") == nil)
    }

    @Test("folders are never removed as files, nor with what is in them")
    func removesFilesOnly() throws {
        let ground = try Ground()
        let outer = try Folder(ground.path)
        #expect(throws: FileError(.remove, ground.path + "/folder", .system(EISDIR))) { try outer.remove("folder") }
        #expect(throws: FileError(.create, ground.path + "/folder", .system(EISDIR))) { try outer.create("folder") }
        #expect(throws: FileError(.write, ground.path + "/folder", .system(EISDIR))) { try outer.write("folder", [1]) }
        #expect(throws: Never.self) { try outer.remove("nothing") }
        #expect(try outer.names() == ["folder"])
    }

    @Test("names of the greatest length can be written")
    func longNames() throws {
        let ground = try Ground()
        let folder = try Folder(ground.path + "/folder")
        let name = String(repeating: "ä", count: 127)
        try folder.write(name, [1])
        #expect(try folder.names() == [name])
        #expect(throws: FileError(.write, folder.path(of: name + "aa"), .system(ENAMETOOLONG))) {
            try folder.write(name + "aa", [1])
        }
    }

    @Test("errors are sentences that name the file")
    func errors() {
        #expect(
            "\(FileError(.read, "o/evidence.json", .isNoFile(.link)))"
                == "cannot read o/evidence.json: it is a symbolic link, not a regular file")
        #expect(throws: FileError(.open, "/nonexistent", .system(ENOENT))) { try Folder("/nonexistent") }
        #expect(
            "\(FileError(.write, "o/results.json", .system(ENOSPC)))"
                == "cannot write o/results.json: No space left on device (ENOSPC)")
    }
}
