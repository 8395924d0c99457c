import Testing

@testable import Reading
@testable import Scenario

@Suite("From YAML to a tree with places")
struct YAMLReaderTests {
    private func place(_ line: Int, _ column: Int) -> Place {
        Place(file: "f", line: line, column: column)
    }

    @Test("a node knows its line and column, counted in characters, also behind a byte order mark and CRLF")
    func places() throws {
        for text in ["ä: é\nb: [x, \"5\"]\n", "\u{FEFF}ä: é\nb: [x, \"5\"]\n", "ä: é\r\nb: [x, \"5\"]\r\n"] {
            let (tree, diagnostics) = YAMLReader.read(text, file: "f")
            #expect(diagnostics == [])
            let root = try #require(tree)
            #expect(root["ä"]?.location == place(1, 4))
            #expect(root.location(of: ["b"]) == place(2, 1))
            #expect(root["b"]?.elements?.map(\.location) == [place(2, 5), place(2, 8)])
            #expect(root["b"]?.elements?[1].content == .scalar("5", plain: false))
        }
    }

    @Test("an alias stands for its anchor's value, at the anchor's place")
    func anchors() throws {
        let root = try #require(YAMLReader.read("a: &x {b: 1}\nc: *x\n", file: "f").tree)
        #expect(root["c"]?["b"]?.location == place(1, 11))
    }

    @Test("a merge key takes a mapping's keys over; what stands beside it, and what stands earlier, goes before")
    func mergeKeys() throws {
        let text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 3}\nd: {<<: *b}\ne: {\"<<\": 1}\n"
        let (tree, diagnostics) = YAMLReader.read(text, file: "f")
        #expect(diagnostics == [])
        func written(_ key: String) -> [String]? { tree?[key]?.entries?.map { "\($0.key) \($0.value.text ?? "")" } }
        #expect(written("c") == ["x 3", "y 1", "z 2"])
        #expect(written("d") == ["y 2", "z 2"])
        #expect(written("e") == ["<< 1"])
        #expect(tree?["c"]?.entry("z")?.keyLocation == place(2, 14))
    }

    @Test("laid over another tree, maps merge key by key and everything else is replaced")
    func overlay() throws {
        func tree(_ text: String) throws -> Tree { try #require(YAMLReader.read(text, file: "f").tree) }
        func written(_ tree: Tree) -> String {
            switch tree.content {
            case .null: "~"
            case .scalar(let text, _): text
            case .list(let list): "[\(list.map(written).joined(separator: ", "))]"
            case .map(let entries): "{\(entries.map { "\($0.key): \(written($0.value))" }.joined(separator: ", "))}"
            }
        }
        let base = try tree("{a: {x: 1, y: [1, 2]}, b: {z: 1}, c: 1, d: 1}")
        let over = try tree("{new: 1, d: {k: 1}, c: ~, a: {y: [3], x: ~, w: 2}, gone: ~}")
        #expect(written(base.overlaid(by: over)) == "{a: {y: [3], w: 2}, b: {z: 1}, d: {k: 1}, new: 1, gone: ~}")
    }

    @Test(
        "plain words mean what YAML 1.2 says",
        arguments: [
            ("", .null), ("~", .null), ("null", .null), ("true", .boolean), ("False", .boolean), ("yes", .text),
            ("5", .number), ("-5", .number), ("1.5", .number), (".5", .number), ("5.", .number), ("1e3", .number),
            ("0x1F", .number), ("0o17", .number), (".inf", .number), (".nan", .number), ("9.4.1", .text),
            ("02:00", .text),
            ("1:30", .text), ("-", .text), (".", .text), ("e3", .text), ("0x", .text), ("1e", .text),
            ("203.0.113.2", .text),
        ] as [(String, Tree.PlainKind)])
    func plainKinds(_ text: String, _ kind: Tree.PlainKind) { #expect(Tree.kind(ofPlain: text) == kind) }

    @Test(
        "garbage ends in a diagnostic",
        arguments: [
            ("", "f:1:1: error: the file is empty, expected a mapping"),
            ("# nothing\n", "f:1:1: error: the file is empty, expected a mapping"),
            ("a: \u{0}", "f:1:4: error: not YAML: control characters are not allowed (U+0000)"),
            ("a: b\n\u{7}", "f:2:1: error: not YAML: control characters are not allowed (U+0007)"),
            (
                "a: 1\n---\nb: 2\n",
                "f:2:1: error: not YAML: expected a single document in the stream: but found another document"
            ),
            ("%YAML 3.0\n---\na: 1\n", "f:1:1: error: not YAML: found incompatible YAML document"),
            (
                String(repeating: "[", count: 150) + String(repeating: "]", count: 150),
                "f:1:102: error: nested too deeply, expected at most 100 levels"
            ),
            (String(repeating: "[", count: 100_000), "f:1:1: error: nested too deeply, expected at most 100 levels"),
            (
                (0..<2000).map { String(repeating: " ", count: $0) + "a:\n" }.joined(),
                "f:1:1: error: the file has 2005000 bytes, expected at most 1000000"
            ),
            (
                String(repeating: "- a\n", count: 300_000),
                "f:1:1: error: the file has 1200000 bytes, expected at most 1000000"
            ),
        ].map(Garbage.init))
    func garbage(_ garbage: Garbage) {
        let (tree, diagnostics) = YAMLReader.read(garbage.text, file: "f")
        #expect(tree == nil)
        #expect(diagnostics.map(\.description) == [garbage.message])
    }

    @Test("an alias counts as all it stands for")
    func aliasBomb() {
        var text = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        for level in 1...9 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        let (tree, diagnostics) = YAMLReader.read(text, file: "f")
        #expect(tree == nil)
        #expect(diagnostics.map(\.message) == ["too many values"])
    }

    @Test("a file cut off anywhere is read or refused")
    func truncation() {
        let octets = Array(Everything.scenario.utf8)
        for length in stride(from: 0, to: octets.count, by: 7) {
            let (scenarios, diagnostics) = Sample.read(
                String(decoding: octets[..<length], as: UTF8.self), topology: Everything.topology)
            #expect(scenarios.isEmpty != true || diagnostics.hasErrors)
        }
    }

    @Test("a file with any octets changed is read or refused")
    func mutation() {
        var random = SeededGenerator(state: 20_170_324)
        let original = Array(Everything.scenario.utf8)
        let pieces = [
            "{", "}", "[", "]", ":", "- ", "\n", "~", "&a ", "*a", "'", "\"", "\t", "0", "x", "\u{0}", "|", "? ",
        ]
        for _ in 0..<300 {
            var octets = original
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0..<octets.count, using: &random)
                let piece = pieces[Int.random(in: 0..<pieces.count, using: &random)]
                octets.replaceSubrange(at..<min(at + 1, octets.count), with: Array(piece.utf8))
            }
            let (scenarios, diagnostics) = Sample.read(
                String(decoding: octets, as: UTF8.self), topology: Everything.topology)
            #expect(!scenarios.isEmpty || diagnostics.hasErrors)
        }
    }

    @Test("random octets are refused")
    func noise() {
        var random = SeededGenerator(state: 4)
        for _ in 0..<200 {
            let octets = (0..<200).map { _ in UInt8.random(in: 0...255, using: &random) }
            switch TextFile.text(of: octets, file: "f") {
            case .failure(let problem): #expect(problem.message == "not UTF-8")
            case .success(let text): #expect(Sample.read(text).diagnostics.hasErrors)
            }
        }
    }

    @Test("what is not UTF-8 is told where")
    func notText() {
        #expect(
            TextFile.text(of: Array("a: b\nc: ".utf8) + [0xFF, 0x41], file: "f")
                == .failure(FileProblem(file: "f", message: "not UTF-8", line: 2, column: 4)))
    }

    @Test("a root that is no mapping is refused", arguments: ["[a]", "a", "5", "~"])
    func roots(_ text: String) { #expect(Sample.read(text).diagnostics.hasErrors) }
}

/// Shown in test output by its message: the text may have a million octets.
struct Garbage: Sendable, CustomTestStringConvertible {
    var text: String
    var message: String

    var testDescription: String { message }
}

/// SplitMix64: the same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
