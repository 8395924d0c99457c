import FoundationEssentials
import Glibc
import Measurement
import Testing

@testable import History

/// The built program, as a whole; see DRBENCH_PROGRAM in the Makefile.
@Suite("drbench compare and history", .enabled(if: Workplace.isBuilt, "drbench is not built"))
struct CommandTests {
    let workplace: Workplace

    init() throws { workplace = try Workplace() }

    private func drbench(_ words: String, path: String? = nil) throws -> (status: Int32, output: String) {
        let prefix = "DRBENCH_HISTORY=\(workplace.file) " + (path.map { "PATH=\($0) " } ?? "")
        let pipe = try #require(popen("cd \(workplace.folder) && \(prefix)\(Workplace.drbench) \(words) 2>&1", "r"))
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = fread(&buffer, 1, buffer.count, pipe), count > 0 { output += buffer[..<count] }
        return ((pclose(pipe) >> 8) & 0xFF, String(decoding: output, as: UTF8.self))
    }

    private func write(_ factor: Double, started: Int64, as name: String, clock: MeasurementClock = .real) throws {
        let values = (0..<10).map { factor * (100 + Double($0 * 7 % 10) / 10) }
        let context = MeasurementContext.sample(clock: clock, revision: "abcdef\(started)")
        let run = MeasuredRun.sample(values, started: started, context: context)
        try workplace.write(String(decoding: JSONEncoder().encode(run), as: UTF8.self), to: name)
    }

    @Test("a slower run fails the gate, a faster one passes it")
    func gate() throws {
        try write(1, started: 100, as: "1.json")
        try write(0.8, started: 200, as: "2.json")
        #expect(try drbench("compare").status == 3)
        let imported = try drbench("history import 1.json 2.json 1.json")
        #expect(imported.output == "run 1  1.json\nrun 2  2.json\nrun 1  1.json\n")
        let slower = try drbench("compare --gate")
        #expect(slower.status == 1)
        #expect(slower.output.hasSuffix("\n1 regressed\n"))
        #expect(try drbench("compare").status == 0)
        #expect(try drbench("compare 2 1 --gate").status == 0)
        #expect(try drbench("compare abcdef1 abcdef200 --gate").status == 1)
        #expect(try drbench("compare latest~1 latest --gate").status == 1)
        #expect(try drbench("compare ./1.json --gate --format markdown").output.hasPrefix("**1 regressed**"))
        #expect(try drbench("compare 1 1.json --gate --metric requests_per_second").output.hasSuffix("\n1 same\n"))
    }

    @Test("wrong usage is 2, what is not there or cannot be compared is 3, each with one reason")
    func statuses() throws {
        try write(1, started: 100, as: "real.json")
        try write(1, started: 200, as: "virtual.json", clock: .virtual)
        #expect(try drbench("history import real.json virtual.json").status == 0)
        #expect(try drbench("compare --format html").status == 2)
        #expect(try drbench("compare 1 1 --metric nonsense").status == 2)
        #expect(try drbench("compare 1 1 --relevant-change 0").status == 2)
        for words in [
            "compare", "compare 1 2", "compare 1 7", "compare missing.json", "history import missing.json",
            "history remove 9", "history import real.json --history /proc/none/h.sqlite", "history --history real.json",
        ] {
            let (status, output) = try drbench(words)
            #expect(status == 3, "\(words): \(output)")
            #expect(output.split(separator: "\n").count == 1, "\(words): \(output)")
        }
        #expect(try drbench("compare 1 2 --allow-different-context").output.contains("never compared"))
        #expect(try drbench("history remove 1").output == "removed run 1\n")
        #expect(try drbench("history").output.split(separator: "\n").count == 2)
        #expect(try drbench("history export --format openmetrics").output.hasSuffix("# EOF\n"))
    }

    @Test("without gnuplot it says which package is missing")
    func noGnuplot() throws {
        try write(1, started: 100, as: "1.json")
        var run = MeasuredRun.sample([1, 2], started: 300)
        run.measurements += MeasuredRun.sample([3], parameters: ["mode": "NAT"]).measurements
        try workplace.write(String(decoding: JSONEncoder().encode(run), as: UTF8.self), to: "modes.json")
        let (status, output) = try drbench("history plot ./modes.json", path: workplace.folder)
        #expect(status == 3)
        #expect(output.contains("apt-get install gnuplot-nox"))
    }
}
