import Testing

@testable import Reading
@testable import Scenario

@Suite("Whatever a file can multiply is refused at its place, before anything is made of it")
struct LimitTests {
    private static let get = #"timeline: [{http: {from: client, to: "203.0.113.2:80"}}]"#

    /// The first mistake of a body, and how many seconds it took to tell.
    private func first(_ body: String) -> (line: String, seconds: Double) {
        let start = ContinuousClock.now
        let line = Sample.mistakes(body).first ?? "none"
        let passed = (ContinuousClock.now - start).components
        return (line, Double(passed.seconds) + Double(passed.attoseconds) * 1e-18)
    }

    private func axes(_ count: Int, values: Int) -> String {
        let words = (0..<values).map { "v\($0)" }.joined(separator: ", ")
        return "{\((0..<count).map { "m\($0): [\(words)]" }.joined(separator: ", "))}"
    }

    @Test("cells are multiplied, not made, to be counted; a product beyond all numbers is one, too")
    func cells() {
        #expect(
            first("matrix: \(axes(7, values: 10))").line
                == "3:9: error: the matrix has 10000000 cells, expected at most 10000")
        #expect(
            first("matrix: \(axes(2, values: 101))").line
                == "3:9: error: the matrix has 10201 cells, expected at most 10000")
        let many = first("matrix: \(axes(50, values: 10))")
        #expect(many.line == "3:9: error: the matrix has uncountably many cells, expected at most 10000")
        #expect(many.seconds < 5)
    }

    @Test("the permitted number of cells is made")
    func permittedCells() throws {
        let tree = try #require(YAMLReader.read(axes(2, values: 100), file: "f").tree)
        let matrix = Matrix(tree, cells: nil)
        #expect(matrix.diagnostics == [])
        #expect(matrix.cells.count == Limits.scenarios)
        #expect(matrix.cells.last?.name == "v99-v99")
    }

    @Test("cells' names are put together: no two are the same, and none is too long for a folder")
    func namesOfCells() {
        #expect(
            first("matrix: {a: [x, x-y], b: [y-z, z]}").line
                == "3:9: error: two cells are named 'x-y-z': x, y-z and x-y, z, expected a name for each")
        let word = String(repeating: "w", count: 60)
        #expect(first("matrix: {a: [\(word)], b: [\(word)]}").line.hasPrefix("3:9: error: the longest name of a cell"))
        #expect(first("matrix: \(axes(100, values: 1))").line.hasPrefix("3:9: error: the longest name of a cell"))
    }

    private func parameters(_ levels: Int, _ value: (Int) -> String, lowest: String) -> String {
        let lines = (1..<levels).map { "  p\($0): \(value($0 - 1))\n" }.joined()
        return "parameters:\n  p0: \(lowest)\n\(lines)timeline: [{name: $(p\(levels - 1)), wait: 1s}]"
    }

    @Test("parameters that name each other grow to a limit: as text, as lists, and in chains")
    func parameters() {
        func ten(_ text: String) -> String { String(repeating: text, count: 10) }
        let bombs = [
            parameters(10, { "\"\(ten("$(p\($0))"))\"" }, lowest: "xxxxxxxxxx"),
            parameters(10, { "[\(ten("$(p\($0)), "))]" }, lowest: "[x]"),
            parameters(
                10, { p in "{\((0..<10).map { n in "k\(n): [$(p\(p))]" }.joined(separator: ", "))}" }, lowest: "x"),
            parameters(5_000, { "$(p\($0))" }, lowest: "x"),
            parameters(5_000, { "\"a$(p\($0))\"" }, lowest: "x"),
            parameters(90, { "[[$(p\($0))]]" }, lowest: "x"),
        ]
        for bomb in bombs {
            let (line, seconds) = first(bomb)
            #expect(
                line.contains(#/^\d+:\d+: error: the parameters make more than \d+ (values|bytes of text|levels)$/#),
                "\(line)")
            #expect(seconds < 10)
        }
        // A long text, put in often.
        let long = String(repeating: "x", count: 100_000)
        let list = "[\(String(repeating: "$(long), ", count: 100))]"
        for use in [
            "run: {on: lb, command: \(list)}", "wait: 1s, name: \"\(String(repeating: "$(long)", count: 100))\"",
        ] {
            let told = Sample.mistakes("parameters: {long: \(long)}\ntimeline: [{\(use)}]")
            #expect(told.contains { $0.contains("the parameters make more than") }, "\(told)")
        }
        #expect(Sample.mistakes(parameters(20, { "\"$(p\($0))x\"" }, lowest: "x")) == [])
    }

    @Test("aliases count as what they stand for, in values and in text; with parameters and merge keys as well")
    func aliases() {
        let long = String(repeating: "x", count: 100_000)
        let text = "x: &x \(long)\ny: [\(String(repeating: "*x, ", count: 100))]\n"
        #expect(first(text).line.contains("error: too much text, each alias counted as what it stands for"))
        let merged =
            "source: &m {\((0..<1000).map { "k\($0): v" }.joined(separator: ", "))}\n"
            + (0..<300).map { "x\($0): {<<: *m}\n" }.joined()
        #expect(first(merged).line.contains("error: too many values, expected at most 200000"))
        // Many different keys, merged: as long as they are few enough they take no quadratic time.
        let keys = (0..<20_000).map { "k\($0): v" }.joined(separator: ", ")
        let wide = first("hosts: {<<: {\(keys)}, \(keys.replacing("k", with: "l"))}")
        #expect(wide.seconds < 10)
    }

    @Test("variants are counted, and so is what all scenarios of a file have together")
    func variants() {
        let many = "variants: {\((0...10_000).map { "v\($0): {title: t}" }.joined(separator: ", "))}"
        #expect(
            first(many).line.contains("error: the file has 10001 variants, expected at most 10000 scenarios in a file"))
        let base = "services: [\(String(repeating: "a,", count: 50_000))]"
        let heavy = "\(base)\nvariants: {\((0..<1000).map { "v\($0): {title: t}" }.joined(separator: ", "))}"
        let (line, seconds) = first(heavy)
        #expect(Sample.mistakes(heavy).contains { $0.contains("values, each with its topology") }, "\(line)")
        #expect(seconds < 30)
    }

    private func waits(_ count: Int) -> String { "timeline:\n" + String(repeating: "  - wait: 1s\n", count: count) }

    @Test("steps have a maximum, which is told at the first step beyond it")
    func steps() {
        #expect(Sample.mistakes(waits(Limits.steps)) == [])
        #expect(
            Sample.mistakes(waits(Limits.steps + 5))
                == ["10004:5: error: the list has 10005 entries, expected at most 10000"])
        let meanwhile = String(repeating: "{after: 1s, close: c}, ", count: 1_001)
        let told = Sample.mistakes("timeline: [{wait: 1s, meanwhile: [\(meanwhile)]}]")
        #expect(told.contains { $0.contains("error: the list has 1001 entries") }, "\(told)")
    }

    @Test("steps, names, connections and what happens meanwhile are read in linear time")
    func linear() {
        func body(_ count: Int) -> String {
            let request = #"tcp: {from: client, to: "203.0.113.2:80"}"#
            return "timeline:\n"
                + (0..<count).map {
                    "  - {name: s\($0), open: {connection: c\($0), \(request)}}\n  - {close: c\($0)}\n"
                }.joined()
        }
        _ = first(body(10))
        let (small, large) = (first(body(250)), first(body(4_000)))
        #expect(small.line == "none" && large.line == "none")
        // Sixteen times as much; quadratic it would be 256 times.
        #expect(large.seconds < 80 * small.seconds, "\(small.seconds) s and \(large.seconds) s")
    }

    static let quantities: [(body: String, mistake: String)] = {
        func http(_ more: String) -> String { "timeline: [{http: {from: client, to: \"203.0.113.2:80\", \(more)}}]" }
        func load(_ more: String) -> String {
            "timeline: [{load: {from: client, to: \"203.0.113.2:80\", \(more)}}]"
        }
        func send(_ more: String) -> String {
            "timeline: [{send: {from: client, ip: {source: 192.0.2.1, destination: 192.0.2.2}, \(more)}}]"
        }
        let ports = "{source_port: 1..65535, destination_port: 1..65535"
        return [
            (http("bytes: 99999999999999"), "the number 99999999999999 is too much, expected at most 100000000 bytes"),
            (http("bytes: 99999999999999999999999GB"), "is too much, expected at most 100000000 bytes"),
            (http("timeout: 2h"), "'2h' is too much, expected at most 1h"),
            (http("interval: 999999h"), "is too much, expected at most 240h"),
            (http("count: 100001"), "expected a whole number from 1 to 100000"),
            (
                http("count: 100000, bytes: 1MB"),
                "the requests ask for too much, expected at most 1000000000 bytes together"
            ),
            (http("count: 100000, timeout: 1h"), "the timeline can last too long"),
            ("timeline: [{wait: 9223372036s}]", "'9223372036s' is too much, expected at most 240h"),
            ("timeline: [{wait: 99999999999999999999h}]", "is too much, expected at most 240h"),
            ("timeline: [{wait: nan}]", "expected a duration such as"),
            ("timeline: [{wait: -1s}]", "expected a duration"),
            ("timeline: [{wait: 1e9s}]", "expected a duration such as"),
            ("timeline: [{wait: 240h}, {wait: 240h}, {wait: 240h}, {wait: 1s}]", "at most 720h together"),
            ("settle: 999999h", "is too much, expected at most 240h"),
            (load("rate: 10000000, duration: 1h"), "a load of 36000000000 requests"),
            (load("response: 1GB"), "is too much, expected at most 100000000 bytes"),
            (load("duration: 2h"), "is too much, expected at most 1h"), (load("warm_up: 2h"), "is too much"),
            (load("connections: 1000001"), "expected a whole number from 1 to 1000000"),
            (send("tcp: \(ports), flags: []}"), "with this step too many packets are sent"),
            (send("udp: \(ports), data: x}, count: 1000000"), "with this step too many packets are sent"),
            (
                send(
                    "udp: {source_port: 1..1000, destination_port: 9, data: \(String(repeating: "x", count: 60_000))}"),
                "bytes of different frames together"
            ),
            (
                send("udp: {source_port: 1, destination_port: 9, data: \(String(repeating: "x", count: 70_000))}"),
                "a text of 70000 bytes"
            ),
            (send("icmp: {rest: \"\(String(repeating: "00", count: 70_000))\"}"), "a payload of 70000 bytes"),
            (send("icmp: {}, count: 1000, interval: 240h"), "the timeline can last too long"),
            ("hosts: {lb: {ports: {eth0: {sending: {delay: 99h}}}}}", "is too much, expected at most 1h"),
            (
                "hosts: {lb: {ports: {eth0: {sending: {rate: 9999999999Gbit}}}}}",
                "is too much, expected at most 1000Gbit"
            ),
            ("expect: [{packets: {at: client, filter: tcp, count: 9223372036854775807}}]", "expected a count such as"),
            (
                "expect: [{packets: {at: client, filter: \(String(repeating: "x", count: 5_000)), count: 1}}]",
                "a text of 5000 bytes"
            ),
            (
                "timeline: [{run: {on: lb, command: [\(String(repeating: "x, ", count: 1_001))]}}]",
                "the list has 1001 entries"
            ),
            (
                "timeline: [{run: {on: lb, command: \(String(repeating: "x ", count: 1_001))}}]",
                "a command of 1001 words"
            ),
            (
                "timeline: [{run: {on: lb, command: [a, \(String(repeating: "x", count: 100_000))]}}]",
                "a command of 100003 bytes"
            ),
            ("timeline: [{run: {on: lb, command: [\"a\\0b\"]}}]", "a command with a NUL character"),
            ("hosts: {lb: {iptables: [\"-A INPUT\\n-A OUTPUT\"]}}", "a rule with a control character"),
            (
                "networks: {\((0..<201).map { "n\($0): {cidr: 10.\($0).0.0/16}" }.joined(separator: ", "))}",
                "the mapping has 202 entries, expected at most 200"
            ),
            (
                "hosts: {\((0..<1_000).map { "h\($0): {}" }.joined(separator: ", "))}",
                "the mapping has 1005 entries, expected at most 1000"
            ),
            (
                "security_groups: {web: {rules: [\(String(repeating: "{direction: ingress, remote_group: web}, ", count: 10_000))]}}\n"
                    + "hosts: {lb: {ports: {eth0: {allowed_address_pairs: [\((0..<250).map { "{ip_address: 10.0.0.\($0)}" }.joined(separator: ", "))]}}}}",
                "port security makes"
            ),
            (
                "timeline:\n" + String(repeating: "  - move: {host: lb, to: hv2}\n", count: 1_001),
                "too many moves, expected at most 1000"
            ),
            (
                "timeline:\n" + String(repeating: "  - load: {from: client, to: \"203.0.113.2:80\"}\n", count: 101),
                "too many loads, expected at most 100"
            ),
        ]
    }()

    @Test("every quantity has a bound, alone and summed up", arguments: quantities.indices)
    func quantity(_ index: Int) {
        let (body, mistake) = Self.quantities[index]
        let told = Sample.mistakes(body)
        #expect(
            told.contains { $0.contains(mistake) && $0.contains(#/^\d+:\d+: error: /#) },
            "\(body.prefix(200)): \(told.prefix(3))")
    }

    @Test("of thousands of mistakes the first are told, and how many more there are")
    func mistakes() {
        let told = (0..<500).map { Diagnostic(at: Place(file: "f", line: $0 + 1, column: 1), "wrong \($0)") }.limited()
        #expect(told.count == Limits.mistakes + 1)
        #expect(told.last?.message == "wrong 499 (400 mistakes of this file are told here as one)")
        let few = Array(told.prefix(3))
        #expect(few.limited() == few)
        // Each looks for the name that was meant among all hosts.
        let hosts = (0..<900).map { "host\($0): {}" }.joined(separator: ", ")
        let wrong = (0..<5_000).map { "h\($0)" }.joined(separator: ", ")
        let (line, seconds) = first("hosts: {\(hosts)}\ntimeline: [{flush_neighbours: [\(wrong)]}]")
        #expect(line.contains("unknown host") && line.utf8.count < 1_000, "\(line)")
        #expect(seconds < 60)
    }

    @Test("an excerpt of a very long line shows what is around the column")
    func excerpt() {
        let line = String(repeating: "a", count: 5_000) + "HERE" + String(repeating: "b", count: 5_000)
        let text = Diagnostic(at: Place(file: "f", line: 1, column: 5_001), "wrong", sourceLine: line).excerpt
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.count == 3 && lines.allSatisfy { $0.count < 200 })
        let caret = lines[2].firstIndex(of: "^").map { lines[2].distance(from: lines[2].startIndex, to: $0) } ?? 0
        #expect(Array(lines[1])[caret] == "H")
        let short = Diagnostic(at: Place(file: "f", line: 1, column: 3), "wrong", sourceLine: "a: b").excerpt
        #expect(short == "f:1:3: error: wrong\n    a: b\n      ^")
    }
}
