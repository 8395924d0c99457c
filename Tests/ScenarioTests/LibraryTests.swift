import FoundationEssentials
import Testing

@testable import Reading
@testable import Scenario

/// The package's own directory.
let repository = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

@Suite("A library of files")
struct LibraryTests {
    /// A directory of files that goes away with the test.
    private func withLibrary(
        _ files: [String: String], _ body: (ScenarioLibrary, _ directory: String) throws -> Void
    ) throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "drbench-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for (path, text) in files {
            let folder = "\(directory)/\(path.split(separator: "/").dropLast().joined(separator: "/"))"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            #expect(FileManager.default.createFile(atPath: "\(directory)/\(path)", contents: Data(text.utf8)))
        }
        try body(ScenarioLibrary(scenarios: ["\(directory)/s"], topologies: "\(directory)/t"), directory)
    }

    private func lines(_ diagnostics: [Diagnostic], in directory: String) -> [String] {
        diagnostics.map { $0.description.replacing(directory + "/", with: "") }
    }

    @Test("files are found below their directory and taken in the order of their paths")
    func order() throws {
        let scenario = Sample.head
        try withLibrary([
            "t/net.yaml": Sample.topology, "s/b/one.yaml": scenario, "s/a/two.yaml": scenario, "s/three.yaml": scenario,
            "s/.hidden.yaml": "[", "s/notes.txt": "[", "s/a/old.yaml~": "[",
        ]) { library, _ in
            let (scenarios, diagnostics) = library.load()
            #expect(diagnostics == [])
            #expect(scenarios.map(\.name) == ["two", "one", "three"])
        }
    }

    @Test("by their names only the files are read that have them; a tag or a pattern may mean any")
    func named() throws {
        let library = ScenarioLibrary(scenarios: ["\(repository)/Scenarios"], topologies: "\(repository)/netns")
        let some = try #require(library.load(named: ["dr-happy-same/newton", "cross-hv-p-old"]))
        let all = library.load().scenarios.filter { ["dr-happy-same", "cross-hv-p-old"].contains($0.name) }
        #expect(some.scenarios == all)
        #expect(all.count > 3)
        #expect(library.load(named: ["core"]) == nil)
        #expect(library.load(named: ["cross-*"]) == nil)
        #expect(library.load(named: ["cross-hv-p-old", "core"]) == nil)
    }

    @Test("one name in two files is an error, and the first file has it")
    func duplicates() throws {
        try withLibrary(["t/net.yaml": Sample.topology, "s/a/one.yaml": Sample.head, "s/b/one.yaml": Sample.head]) {
            library, directory in
            let (scenarios, diagnostics) = library.load()
            #expect(
                lines(diagnostics, in: directory) == [
                    "s/b/one.yaml:1:1: error: a scenario 'one' is in s/a/one.yaml already"
                ])
            #expect(scenarios.count == 1)
        }
    }

    @Test("mistakes of all files come at once, those of a shared topology only once, with the line and a caret")
    func mistakes() throws {
        try withLibrary([
            "t/net.yaml": Sample.topology + "\ncolour: red", "s/one.yaml": Sample.head,
            "s/two.yaml": Sample.head + "\tx",
            "s/Three.yaml": Sample.head, "s/four.yaml": "title: a\ntopology: nett\n",
        ]) { library, directory in
            let (scenarios, diagnostics) = library.load()
            #expect(scenarios.isEmpty)
            #expect(
                lines(diagnostics, in: directory) == [
                    "s/Three.yaml:1:1: error: 'Three' cannot be a scenario's name, expected at most 120 lower-case letters, digits, '.', '-' and '_', no '.', '-' or '_' first",
                    "s/four.yaml:2:11: error: unknown topology 'nett'; did you mean 'net'?",
                    "s/two.yaml:3:1: error: not YAML: while scanning a plain scalar: found a tab character that violates indentation",
                    "t/net.yaml:19:1: error: unknown key 'colour' in a topology, expected one of description, networks, security_groups, switches, fabric, hypervisors, hosts, services",
                ])
            #expect(
                diagnostics[1].excerpt.replacing(directory + "/", with: "")
                    == "s/four.yaml:2:11: error: unknown topology 'nett'; did you mean 'net'?\n    topology: nett\n              ^"
            )
            #expect(diagnostics[2].excerpt.hasSuffix("\n    \tx\n    ^"))
        }
    }

    @Test("a topology that no scenario uses is checked as well")
    func unusedTopology() throws {
        try withLibrary(["t/net.yaml": "hosts: {lb: {on: hv1}}", "s/readme.txt": ""]) { library, directory in
            #expect(
                lines(library.load().diagnostics, in: directory) == [
                    "t/net.yaml:1:18: error: unknown hypervisor or switch 'hv1'"
                ])
        }
    }

    @Test("a variant's mistake does not take the scenario away")
    func variant() throws {
        let text = Sample.head + "variants: {a: {title: a, settle: x}, b: {title: b}}"
        let (scenarios, diagnostics) = Sample.read(text)
        #expect(diagnostics.count == 1)
        #expect(scenarios.map(\.fullName) == ["s", "s/b"])
    }

    @Test("a scenario needs a title and a topology, and is read on without them")
    func emptyScenario() {
        #expect(
            Sample.read("{settle: x, hosts: {lb: {on: hv9}}}").diagnostics.map(\.description) == [
                "s.yaml:1:1: error: a scenario needs 'title', expected one line for drbench list",
                "s.yaml:1:1: error: a scenario needs 'topology', expected a topology's name: that of its file in netns/",
                "s.yaml:1:10: error: found 'x', expected a duration such as 2s, 500ms or 15min",
            ])
    }

    @Test("a topology's mistake is told once and hides none of the scenario's")
    func topologyMistake() {
        let topology = Sample.topology.replacing("uplink: fab}\nhosts", with: "uplink: fib}\nhosts")
        let (scenarios, diagnostics) = Sample.read(
            Sample.head + "settle: x\nvariants: {a: {title: a}}", topology: topology)
        #expect(scenarios.isEmpty)
        #expect(
            diagnostics.map(\.description) == [
                "net.yaml:8:17: error: unknown switch 'fib'; did you mean 'fab'?",
                "s.yaml:3:9: error: found 'x', expected a duration such as 2s, 500ms or 15min",
            ])
    }

    @Test("missing files and directories are diagnostics")
    func missing() {
        let library = ScenarioLibrary(scenarios: ["/nowhere/s"], topologies: "/nowhere/t")
        #expect(
            library.load().diagnostics.map(\.description) == [
                "/nowhere/s:1:1: error: cannot be read as a directory",
                "/nowhere/t:1:1: error: cannot be read as a directory",
            ])
        #expect(
            library.load(file: "/nowhere/a.yaml").diagnostics.map(\.description) == [
                "/nowhere/a.yaml:1:1: error: there is no such file",
                "/nowhere/t:1:1: error: cannot be read as a directory",
            ])
    }

    @Test("one file can be loaded by itself")
    func oneFile() throws {
        try withLibrary(["t/net.yaml": Sample.topology, "x/mine.yaml": Sample.head]) { library, directory in
            let (scenarios, diagnostics) = library.load(file: "\(directory)/x/mine.yaml")
            #expect(diagnostics == [])
            #expect(scenarios.map(\.fullName) == ["mine"])
        }
    }

    @Test("what files have is taken beside what words mean in the library, each scenario once")
    func filesAndWords() throws {
        let files = [
            "t/net.yaml": Sample.topology, "s/a.yaml": Sample.head, "s/b.yaml": Sample.head, "x/mine.yaml": Sample.head,
            "x/b.yaml": Sample.head, "y/mine.yaml": Sample.head,
        ]
        try withLibrary(files) { library, directory in
            func load(_ files: [String], _ words: [String]) -> (
                names: [String], unmatched: [String], problems: [String]
            ) {
                let (selection, diagnostics) = library.load(files: files.map { "\(directory)/\($0)" }, words: words)
                return (
                    selection.scenarios.map(\.fullName), selection.unmatched.map(\.word),
                    diagnostics.map { $0.description.replacing("\(directory)/", with: "") }
                )
            }
            #expect(load([], []) == (["a", "b"], [], []))
            #expect(load([], ["b"]) == (["b"], [], []))
            #expect(load(["x/mine.yaml"], []) == (["mine"], [], []))
            #expect(load(["x/mine.yaml"], ["a"]) == (["mine", "a"], [], []))
            #expect(load(["x/mine.yaml"], ["mine", "b", "nobody"]) == (["mine", "b"], ["nobody"], []))
            #expect(load(["x/mine.yaml", "x/../x/mine.yaml"], []) == (["mine"], [], []))
            #expect(load(["s/a.yaml"], ["a", "b"]) == (["a", "b"], [], []))
            #expect(
                load(["x/b.yaml"], ["b"]).problems
                    == ["s/b.yaml:1:1: error: a scenario 'b' is in x/b.yaml already"])
            #expect(
                load(["x/mine.yaml", "y/mine.yaml"], []).problems
                    == ["y/mine.yaml:1:1: error: a scenario 'mine' is in x/mine.yaml already"])
        }
    }

    @Test(
        "scenarios are selected by name, variant, tag and glob",
        arguments: [
            ([], ["a", "a/newton", "release-1", "release-2"]), (["a"], ["a", "a/newton"]), (["a/newton"], ["a/newton"]),
            (["core"], ["a", "a/newton"]), (["release-*"], ["release-1", "release-2"]), (["*/newton"], ["a/newton"]),
            (["release-2", "a/newton", "core"], ["a", "a/newton", "release-2"]), (["b"], []),
        ] as [([String], [String])])
    func selection(_ words: [String], _ names: [String]) {
        #expect(Self.some.selected(by: words).scenarios.map(\.fullName) == names)
    }

    private static let some = [
        Scenario(name: "a", title: "", tags: ["core"], topology: ""),
        Scenario(name: "a", variant: "newton", title: "", tags: ["core"], topology: ""),
        Scenario(name: "release-1", title: "", topology: ""), Scenario(name: "release-2", title: "", topology: ""),
    ]

    @Test("a word that selects nothing is told, with what was probably meant")
    func unmatched() {
        let unmatched = Self.some.selected(by: ["cor", "a", "release1", "elephant"]).unmatched
        #expect(unmatched.map(\.word) == ["cor", "release1", "elephant"])
        #expect(unmatched.map(\.suggestion) == ["core", "release-1", nil])
    }
}
