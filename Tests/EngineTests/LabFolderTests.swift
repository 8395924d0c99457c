import Foundation
import Testing

@testable import Engine

@Suite("Labs that are up")
struct LabFolderTests {
    private let folder: Folder
    private var root: String { folder.path + "/labs" }

    init() throws { folder = try Workplace.folder() }

    private func card(_ name: String) -> LabFolder.Card {
        .init(name: name, processID: getpid(), engine: "uml", places: ["lb", "hv1"])
    }

    @Test("a lab is found by its name as long as it is held, and then nothing is left of it")
    func life() throws {
        do {
            let lab = try LabFolder(claiming: card("story/newton"), root: root)
            #expect(LabFolder.all(root: root) == [card("story/newton")])
            #expect(lab.path == root + "/story+newton")
            let mode = try FileManager.default.attributesOfItem(atPath: root)[.posixPermissions] as? Int
            #expect(mode == 0o700)
        }
        #expect(LabFolder.all(root: root).isEmpty)
        #expect(!FileManager.default.fileExists(atPath: root))
    }

    @Test("a second one of the same name is refused, with who has it; another name is not")
    func second() throws {
        let lab = try LabFolder(claiming: card("one"), root: root)
        let obstacle = #expect(throws: LabFolder.Obstacle.self) {
            _ = try LabFolder(claiming: card("one"), root: root)
        }
        #expect(obstacle?.description.contains("one is up already (process \(getpid()))") == true)
        let other = try LabFolder(claiming: card("two"), root: root)
        #expect(LabFolder.all(root: root).map(\.name) == ["one", "two"])
        withExtendedLifetime((lab, other)) {}
    }

    @Test("what a killed drbench left is no lab, is removed, and its name is free")
    func stale() throws {
        for name in ["gone", "again"] {
            let path = "\(root)/\(name)"
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            for file in ["lock", "door"] { try Data().write(to: URL(filePath: "\(path)/\(file)")) }
            try JSONEncoder().encode(card(name)).write(to: URL(filePath: "\(path)/lab"))
        }
        let lab = try LabFolder(claiming: card("again"), root: root)
        #expect(LabFolder.all(root: root) == [card("again")])
        #expect(!FileManager.default.fileExists(atPath: root + "/gone"))
        #expect(!FileManager.default.fileExists(atPath: lab.path + "/door"))
    }

    @Test("a folder that others may enter is not trusted")
    func open() throws {
        try FileManager.default.createDirectory(
            atPath: root, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        #expect(throws: LabFolder.Obstacle.self) { _ = try LabFolder(claiming: card("one"), root: root) }
    }

    @Test("a lab that is not open yet cannot be entered, and that is said")
    func closed() throws {
        let lab = try LabFolder(claiming: card("one"), root: root)
        let obstacle = #expect(throws: LabFolder.Obstacle.self) { _ = try LabFolder.connect(to: "one", root: root) }
        #expect(obstacle?.description == "one cannot be entered: it is not ready yet, or just ending")
        let listener = try lab.listen()
        let socket = try LabFolder.connect(to: "one", root: root)
        close(socket)
        close(listener)
    }

    @Test("a path longer than a socket's address is no obstacle")
    func longPath() throws {
        let name = String(repeating: "long", count: 40)
        let lab = try LabFolder(claiming: card(name), root: root)
        let listener = try lab.listen()
        close(try LabFolder.connect(to: name, root: root))
        close(listener)
    }

    @Test("XDG_RUNTIME_DIR says where, otherwise it is below /tmp, for each user")
    func places() {
        #expect(LabFolder.root(environment: ["XDG_RUNTIME_DIR": "/run/user/7"]) == "/run/user/7/drbench")
        #expect(LabFolder.root(environment: [:]) == "/tmp/drbench-\(geteuid())")
        #expect(LabFolder.root(environment: ["XDG_RUNTIME_DIR": "relative"]) == "/tmp/drbench-\(geteuid())")
    }
}
