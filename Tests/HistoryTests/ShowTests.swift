import FoundationEssentials
import Measurement
import Testing

@testable import History

@Suite("What people read")
struct ShowTests {
    @Test(
        "numbers have their unit's prefix and four digits",
        arguments: [
            (0.0012344, "seconds", "1.234 ms"), (0.00099999, "seconds", "1 ms"), (12.0, "seconds", "12 s"),
            (0, "seconds", "0 s"), (3e-9, "seconds", "3 ns"), (0.125, "ratio", "12.5 %"),
            (1_234_567, "bytes per second", "1.235 MB/s"), (999, "bytes", "999 B"),
            (12345, "requests per second", "12.35 k"),
            (-2.5, "", "−2.5"), (0, "", "0"), (1e-7, "", "0.0000001"),
        ])
    func value(value: Double, unit: String, text: String) {
        #expect(NumberText.value(value, unit: unit) == text)
    }

    @Test("changes have a sign, probabilities what counts")
    func changes() {
        #expect(NumberText.change(0.0912) == "+9.12 %")
        #expect(NumberText.change(-0.25) == "−25.0 %")
        #expect(NumberText.change(.infinity) == "from nothing")
        #expect(NumberText.probability(0.0123) == "0.012")
        #expect(NumberText.probability(1.0825e-5) == "1.1e-5")
        #expect(NumberText.probability(9.96e-6) == "1.0e-5")
        #expect(NumberText.probability(0) == "0.0000")
    }

    @Test(
        "dates are UTC",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_399, "2000-02-28T23:59:59Z"), (951_782_400, "2000-02-29T00:00:00Z"),
            (1_760_000_000, "2025-10-09T08:53:20Z"), (-1, "1969-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"), (.max, "9999-12-31T23:59:59Z"), (.min, "-6060-01-02T00:00:01Z"),
        ] as [(Int64, String)])
    func date(seconds: Int64, text: String) {
        #expect(DateText(seconds).description == text)
    }

    private var comparison: Comparison {
        get throws {
            let steady = (0..<10).map { 100 + Double($0 * 7 % 10) / 10 }
            var before = MeasuredRun.sample(steady)
            var after = MeasuredRun.sample(steady.map { $0 * 0.9 }, started: 1_760_003_600)
            for index in before.measurements.indices {
                before.measurements[index].metrics.append(Metric("director_share", 0.1, unit: "ratio"))
                after.measurements[index].metrics.append(Metric("director_share", 0.1, unit: "ratio"))
            }
            after.context.programs["wrk"] = "4.2 | <b>"
            return try Comparison(before, named: "run 1", after, named: "run 2")
        }
    }

    @Test("a comparison names both runs, what differs, each metric and how it was judged")
    func terminal() throws {
        #expect(
            try comparison.text(coloured: false) == """
                before    run 1, 2025-10-09 08:53, revision 0123456789
                after     run 2, 2025-10-09 09:53, revision 0123456789
                context   real time, uml, Linux 6.12.117-drbench, seed 1, 2 × Some Processor
                note      wrk: 4.1.0 → 4.2 | <b>

                modes/dr, closed, mode=DR
                  requests_per_second  100.5 →  90.41  −10.0 % [−10.4, −9.61]  p 1.1e-5, δ −1.00  regressed
                  director_share        10 % →   10 %  ±0                                         same: all values are equal

                a change of 2 % matters; intervals of 99 %; p by Mann and Whitney, corrected by Holm; δ is Cliff's
                1 regressed, 1 same

                """)
        #expect(try comparison.text(coloured: true).contains("\u{1B}[31mregressed\u{1B}[0m"))
    }

    @Test("a Markdown table has what is not the same, and nothing that ends a cell")
    func markdown() throws {
        let text = try comparison.markdown
        #expect(text.hasPrefix("**1 regressed, 1 same**\n"))
        #expect(text.contains("- wrk: 4.1.0 → 4.2 \\| &lt;b>\n"))
        #expect(
            text.contains(
                "\n| modes/dr, closed, mode=DR | requests_per_second | 100.5 | 90.41 | −10.0 % [−10.4, −9.61] "
                    + "| p 1.1e-5, δ −1.00 | regressed |\n"))
        #expect(!text.contains("director_share"))
    }

    @Test("a comparison as JSON can be read again")
    func json() throws {
        let comparison = try comparison
        let again = try JSONDecoder().decode(Comparison.self, from: Data(comparison.json().utf8))
        #expect(again == comparison)
    }

    @Test("runs are a table, variants are counted")
    func table() throws {
        let workplace = try Workplace()
        let history = try History(path: workplace.file)
        try history.append(.full)
        try history.append(.sample([1], started: 1_760_003_600, context: .sample(revision: "0123456789abcdef+")))
        #expect(
            HistoryEntry.table(try history.runs()) == """
                run  started (UTC)     revision     clock    engine  kernel            measurements  scenarios
                  1  2025-10-09 08:53  0123456789   virtual  uml     6.12.117-drbench             2  modes (2)
                  2  2025-10-09 09:53  0123456789+  real     uml     6.12.117-drbench             1  modes

                """)
    }

    @Test("CSV has a line for each metric of each repetition, and quotes what must be")
    func csv() {
        let text = HistoryExport.csv([(7, .full)])
        let lines = text.split(separator: "\r\n").map(String.init)
        #expect(lines[0].hasPrefix("run,started,clock,engine,"))
        #expect(
            lines[1]
                == "7,2025-10-09T08:53:21Z,virtual,uml,6.12.117-drbench,18446744073709551615,bench,0.1.0,0123456789abcdef,"
                + "modes/dr,open,\"mode=DR \"\"ü\"\" / , real_servers=4\",1,requests_per_second,requests per second,"
                + "1234.5678901234567")
        // p50, p90, p99 and p999 of its latencies; latency_p99 is there only once.
        #expect(lines.count == 1 + 2 + 4)
    }

    @Test("JSON holds runs as measurements.json does")
    func exportJSON() throws {
        let text = try HistoryExport.json([(7, .full)])
        let again = try JSONDecoder().decode([HistoryExport.Run].self, from: Data(text.utf8))
        #expect(again.map(\.run) == [.full])
        #expect(again.map(\.number) == [7])
    }
}
