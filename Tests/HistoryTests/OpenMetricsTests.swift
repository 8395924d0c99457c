import Measurement
import Testing

@testable import History

@Suite("OpenMetrics")
struct OpenMetricsTests {
    private var runs: [(number: Int, run: MeasuredRun)] {
        var odd = MeasuredRun.sample(
            [5], metric: "9 odd-name", better: nil, started: 1_760_000_000,
            parameters: ["scenario": "x", "le": "y\"\\\n"])
        odd.measurements[0].metrics.append(Metric("latency", 0.5, unit: "seconds", better: .lower))
        return [
            (3, .sample([3, 4, 8], started: 1_760_007_200)), (1, .sample([1], started: 1_760_000_000)),
            (2, .sample([2], started: 1_760_000_000)), (4, .full), (5, odd),
        ]
    }

    @Test("the text is what the specification allows")
    func strict() throws {
        let families = try StrictOpenMetrics(OpenMetrics.text(runs)).families
        #expect(
            families.keys.sorted() == [
                "drbench_director_share_ratio", "drbench_latency_p50_seconds", "drbench_latency_p90_seconds",
                "drbench_latency_p999_seconds", "drbench_latency_p99_seconds", "drbench_latency_seconds",
                "drbench_n9_odd_name", "drbench_requests_per_second",
            ])
        let rates = try #require(families["drbench_requests_per_second"]).filter { $0.labels["clock"] == "real" }
        // Runs 1 and 2 began in the same second.
        #expect(rates.map(\.value) == [2, 4])
        #expect(rates.map(\.time) == [1_760_000_000, 1_760_007_200])
        #expect(rates.first?.labels["mode"] == "DR")
        #expect(rates.first?.labels["machine"] == "bench")
        let odd = try #require(families["drbench_latency_seconds"]?.first)
        #expect(odd.labels["parameter_scenario"] == "x")
        #expect(odd.labels["parameter_le"] == "y\"\\\n")
    }

    @Test("nothing is an empty exposition") func empty() throws {
        #expect(OpenMetrics.text([]) == "# EOF\n")
    }

    @Test(
        "the check itself notices what is not allowed",
        arguments: [
            "# TYPE a gauge\na 1\n", "a 1\n# EOF\n", "# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n",
            "# TYPE a gauge\na{b=\"c\",b=\"d\"} 1\n# EOF\n", "# TYPE a gauge\na{b=\"\\x\"} 1\n# EOF\n",
            "# TYPE a gauge\na 1 5\na 2 5\n# EOF\n",
            "# TYPE a gauge\na{b=\"1\"} 1 5\na{b=\"2\"} 1 5\na{b=\"1\"} 1 6\n# EOF\n",
            "# TYPE 9 gauge\n# EOF\n", "# TYPE a gauge\n# TYPE a gauge\n# EOF\n", "# TYPE a gauge\na one\n# EOF\n",
            "# TYPE a gauge\n\n# EOF\n", "# EOF", "# TYPE a gauge\na{b-c=\"1\"} 1\n# EOF\n",
        ])
    func notAllowed(text: String) {
        #expect(throws: StrictOpenMetrics.Wrong.self) { try StrictOpenMetrics(text) }
    }
}

/// Reads OpenMetrics text with gauges and refuses what the specification 1.0 does not allow.
struct StrictOpenMetrics {
    struct Wrong: Error { var line: String }

    struct Sample {
        var labels: [String: String]
        var value: Double
        var time: Int64?
    }

    private(set) var families: [String: [Sample]] = [:]

    init(_ text: String) throws {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.popLast() == "", lines.popLast() == "# EOF" else { throw Wrong(line: "the end") }
        var current: String?
        var last: (labels: [String: String], time: Int64?)?
        var finished: Set<[String: String]> = []
        for line in lines {
            if line.hasPrefix("# ") {
                let words = line.split(separator: " ", maxSplits: 3).map(String.init)
                guard words.count >= 3 else { throw Wrong(line: line) }
                switch words[1] {
                case "TYPE":
                    guard words.count == 4, words[3] == "gauge", Self.isName(words[2]), families[words[2]] == nil
                    else { throw Wrong(line: line) }
                    (current, last, finished) = (words[2], nil, [])
                    families[words[2]] = []
                case "UNIT":
                    guard words.count == 4, words[2] == current, words[2].hasSuffix("_" + words[3]) else {
                        throw Wrong(line: line)
                    }
                case "HELP": guard words[2] == current else { throw Wrong(line: line) }
                default: throw Wrong(line: line)
                }
                continue
            }
            var rest = line[...]
            let name = String(rest.prefix { $0 != "{" && $0 != " " })
            guard name == current else { throw Wrong(line: line) }
            rest = rest.dropFirst(name.count)
            let labels = rest.first == "{" ? try Self.takeLabels(&rest, line) : [:]
            let words = rest.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            guard words.first == "", (2...3).contains(words.count), let value = Double(words[1]) else {
                throw Wrong(line: line)
            }
            let time = words.count == 3 ? Int64(words[2]) : nil
            guard words.count == 2 || time != nil else { throw Wrong(line: line) }
            if let last, last.labels == labels {
                // Points of one metric have ascending times.
                guard let time, let before = last.time, time > before else { throw Wrong(line: line) }
            } else {
                // And are not mixed with those of others.
                if let last { finished.insert(last.labels) }
                guard !finished.contains(labels) else { throw Wrong(line: line) }
            }
            last = (labels, time)
            families[name]?.append(Sample(labels: labels, value: value, time: time))
        }
    }

    private static func isName(_ text: String) -> Bool {
        text.first.map { $0 == "_" || $0.isASCII && $0.isLetter } == true
            && text.allSatisfy { $0 == "_" || $0.isASCII && ($0.isLetter || $0.isNumber) }
    }

    private static func takeLabels(_ rest: inout Substring, _ line: String) throws -> [String: String] {
        var labels: [String: String] = [:]
        rest = rest.dropFirst()
        while true {
            let name = String(rest.prefix { $0 != "=" })
            rest = rest.dropFirst(name.count)
            guard isName(name), labels[name] == nil, rest.hasPrefix("=\"") else { throw Wrong(line: line) }
            rest = rest.dropFirst(2)
            var value = ""
            while let character = rest.popFirst(), character != "\"" {
                guard character == "\\" else {
                    value.append(character)
                    continue
                }
                switch rest.popFirst() {
                case "n": value.append("\n")
                case "\\": value.append("\\")
                case "\"": value.append("\"")
                default: throw Wrong(line: line)
                }
            }
            labels[name] = value
            switch rest.popFirst() {
            case ",": continue
            case "}": return labels
            default: throw Wrong(line: line)
            }
        }
    }
}
