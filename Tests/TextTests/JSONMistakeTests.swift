import Foundation
import Testing
import Text

@Suite("What is wrong with a text in JSON")
struct JSONMistakeTests {
    private enum Status: String, Decodable { case passed, failed }
    private struct Run: Decodable {
        var name: String
        var status: Status?
        var count: Int?
        var wall: Double?
        var isThere: Bool?
        var ports: [String: [Int8]]?
        var inner: [Run]?
    }

    private func mistake(in text: String) -> String? {
        mistake(in: Data(text.utf8))
    }

    private func mistake(in data: Data) -> String? {
        let error = #expect(throws: JSONMistake.self) { try JSONDecoder().decode([Run].self, from: data, of: "f.json") }
        let text = error?.description
        for word in [
            "Swift", "DecodingError", "Debug", "debugDescription", "Dictionary", "Array<", "Optional", "Coding",
        ]
        where text?.contains(word) == true { Issue.record("\(text ?? "") has '\(word)' in it") }
        return text
    }

    @Test(
        "a value of another kind, with its path, its place, what belongs there and what is there",
        arguments: [
            (#"{}"#, "f.json:1:1: expected a list, found an object"),
            ("[\n  {\"name\": 7}]", "f.json:2:12: [0].name: expected a text, found the number 7"),
            (#"[{"count": 1}]"#, "f.json:1:2: [0]: 'name' is missing"),
            (#"[{"name": null}]"#, "f.json:1:11: [0].name: expected a text, found null"),
            (#"[{"name": "a", "count": "b"}]"#, "f.json:1:25: [0].count: expected a whole number, found the text 'b'"),
            (
                #"[{"name": "ä", "count": 1e300}]"#,
                "f.json:1:25: [0].count: the number 1e300 does not fit here"
            ),
            (
                #"[{"name": "a", "count": 0.5}]"#,
                "f.json:1:25: [0].count: the number 0.5 does not fit here"
            ),
            (
                #"[{"name": "a", "count": 1, "wall": 0.5}, {"name": "a", "wall": 0.5, "inner": [{"name": "", "count": 300, "ports": {"p": [300]}}]}]"#,
                "f.json:1:122: [1].inner[0].ports.p[0]: the number 300 does not fit here"
            ),
            (#"[{"name": "a", "wall": []}]"#, "f.json:1:24: [0].wall: expected a number, found a list"),
            (
                #"[{"name": "a", "isThere": "yes"}]"#,
                "f.json:1:27: [0].isThere: expected true or false, found the text 'yes'"
            ),
            (
                #"[{"name": "a", "status": "flaky"}]"#,
                "f.json:1:26: [0].status: the text 'flaky' is nothing that drbench knows here"
            ),
            (
                #"[{"name": "a", "ports": {"hv1:uplink": [1, {}]}}]"#,
                "f.json:1:44: [0].ports[\"hv1:uplink\"][1]: expected a whole number, found an object"
            ),
            (
                #"[{"name": "a", "inner": [{"name": "b"}, {"name": "c", "inner": [4]}]}]"#,
                "f.json:1:65: [0].inner[1].inner[0]: expected an object, found the number 4"
            ),
            (
                #"[{"name": "a", "ports": {"\u001b]": 1}}]"#,
                "f.json:1:37: [0].ports[\"<U+001B>]\"]: expected a list, found the number 1"
            ),
        ])
    func values(text: String, shown: String) { #expect(mistake(in: text) == shown) }

    @Test(
        "a text that is not JSON, with the place",
        arguments: [
            ("", "f.json:1:1: is not valid JSON: expected a value, found the end of the file"),
            ("[1,\n 2", "f.json:2:3: is not valid JSON: expected ',' or ']', found the end of the file"),
            ("[{\"ä\": x}]", "f.json:1:8: is not valid JSON: expected a value, found 'x'"),
            ("[{\"a\" 1}]", "f.json:1:7: is not valid JSON: expected ':', found '1'"),
            ("[{a: 1}]", "f.json:1:3: is not valid JSON: expected a key in quotes, found 'a'"),
            ("[] x", "f.json:1:4: is not valid JSON: expected nothing more, found 'x'"),
            ("[tru]", "f.json:1:2: is not valid JSON: expected a value, found 't'"),
            ("[1.]", "f.json:1:4: is not valid JSON: expected a digit, found ']'"),
            ("[\"a", "f.json:1:4: is not valid JSON: expected a quote at the text's end, found the end of the file"),
            ("[\"\\q\"]", "f.json:1:4: is not valid JSON: expected an escaped character such as \\n, found 'q'"),
            ("[\"\\u12\"]", "f.json:1:5: is not valid JSON: expected four hexadecimal digits, found '1'"),
            ("[\"\\ud800\"]", "f.json:1:2: is not valid JSON: a text with half a surrogate pair"),
        ])
    func syntax(text: String, shown: String) { #expect(mistake(in: text) == shown) }

    @Test("a byte that is not UTF-8, and a hundred thousand levels")
    func extremes() {
        #expect(
            mistake(in: Data([0x5B, 0x22, 0x61, 0xE9, 0x22, 0x5D]))
                == "f.json:1:4: is not valid JSON: a text that is not UTF-8")
        let deep = String(repeating: "[", count: 100_000)
        #expect(mistake(in: deep) == "f.json:1:513: is not valid JSON: it is more than 512 levels deep")
    }

    @Test("what can be read is read")
    func valid() throws {
        let runs = try JSONDecoder().decode(
            [Run].self, from: Data(#"[{"name": "a", "status": "passed"}]"#.utf8), of: "f.json")
        #expect(runs.map(\.name) == ["a"] && runs[0].status == .passed)
    }
}
