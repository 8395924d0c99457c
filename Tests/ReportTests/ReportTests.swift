import Evidence
import FoundationEssentials
import Scenario
import Synchronization
import Testing
import Verdict
import XMLCoder

// Testing has a type of this name too.
import struct Scenario.SourceLocation

@testable import Report

/// One run of every kind.
enum Sample {
    static let check = CheckResult(
        place: "four gets", location: SourceLocation(file: "Scenarios/cross.yaml", line: 31, column: 7),
        statement: "hv1 has 2 conntrack entries in SYN_SENT", status: .failed,
        expected: "2 conntrack entries on hv1 in SYN_SENT", actual: "0 of 1: tcp <SYN> & \u{1B}[1mFIN",
        details: ["tcp 198.51.100.10:40312 → 203.0.113.2:80 ESTABLISHED [ASSURED]"],
        control: "hv1's table has 1 entry")
    static let passedCheck = CheckResult(
        place: "end", location: SourceLocation(file: "Scenarios/cross.yaml", line: 40, column: 3),
        statement: "lb:eth0 carries no frames matching 'src host 203.0.113.2'", status: .passed,
        expected: "no frames matching 'src host 203.0.113.2' at lb:eth0", actual: "0 of the 8 frames there",
        control: "'tcp' matched 8 frames at lb:eth0 in the run")
    static let engine = EngineRecord(name: "uml", kernel: "6.1.0", virtualTime: true, seed: 7)

    static let result = RunResult(
        engine: "uml: the lab kernel has all that is needed", seed: 7,
        runs: [
            ScenarioRun(
                suite: "seed",
                verdict: Verdict(
                    scenario: "dr-happy-same", title: "the first working setup", status: .passed,
                    reason: "the 1 check holds", checks: [passedCheck], engine: engine),
                directory: "dr-happy-same", timing: Timing(wall: 414_600_000, guest: 1_500_000_000)),
            ScenarioRun(
                suite: "seed",
                verdict: Verdict(
                    scenario: "cross-hv-p-old", title: "one real server moved away", status: .failed,
                    reason: "four gets: \(check.message)", checks: [check, passedCheck], engine: engine),
                directory: "cross-hv-p-old", timing: Timing(wall: 12_345_678_900)),
            ScenarioRun(
                suite: "zones",
                verdict: Verdict(
                    scenario: "zones/per-port", title: "zones", status: .skipped, reason: "the kernel lacks zones"),
                timing: Timing(wall: 0)),
            ScenarioRun(
                suite: "zones",
                verdict: Verdict(
                    scenario: "lossy", title: "a capture that lost frames", status: .error,
                    reason: "capture at lb:eth0 lost 3 frames", engine: engine),
                directory: "lossy", timing: Timing(wall: 5_000_000)),
        ], timing: Timing(wall: 13_000_000_000))
}

@Suite("Reports")
struct ReportTests {
    @Test("the terminal shows a table, every failure in full, and the totals last")
    func terminal() throws {
        #expect(
            try render(Sample.result, as: .terminal) == """
                engine  uml: the lab kernel has all that is needed
                seed    7

                seed
                  PASS   dr-happy-same    0.41 s  the first working setup
                  FAIL   cross-hv-p-old  12.35 s  four gets: expected 2 conntrack entries on hv1 in SYN_SENT; found 0 of 1: tcp <SYN> & <U+001B>[1mFIN

                zones
                  SKIP     /per-port      0.00 s  the kernel lacks zones
                  ERROR  lossy            0.01 s  capture at lb:eth0 lost 3 frames

                FAIL cross-hv-p-old: one real server moved away
                  Scenarios/cross.yaml:31:7: step 'four gets', does not hold: hv1 has 2 conntrack entries in SYN_SENT
                    expected  2 conntrack entries on hv1 in SYN_SENT
                    actual    0 of 1: tcp <SYN> & <U+001B>[1mFIN
                    control   hv1's table has 1 entry
                      tcp 198.51.100.10:40312 → 203.0.113.2:80 ESTABLISHED [ASSURED]
                  evidence: cross-hv-p-old

                ERROR lossy: a capture that lost frames
                  capture at lb:eth0 lost 3 frames
                  evidence: lossy

                could not be judged, counted as failed: lossy
                4 runs in 13.00 s
                1 passed, 2 failed, 1 skipped

                """)
    }

    @Test("quiet leaves failures and totals; without timing there are no times")
    func quiet() throws {
        let quiet = try render(Sample.result, as: .terminal, options: .init(detail: .quiet))
        #expect(quiet.hasPrefix("FAIL cross-hv-p-old: one real server moved away\n"))
        #expect(quiet.hasSuffix("\n1 passed, 2 failed, 1 skipped\n"))
        let passed = RunResult(engine: "native", runs: [Sample.result.runs[0]])
        #expect(try render(passed, as: .terminal, options: .init(detail: .quiet)) == "1 passed, 0 failed, 0 skipped\n")
        #expect(
            try render(passed, as: .terminal, options: .init(timing: false)) == """
                engine  native

                seed
                  PASS   dr-happy-same  the first working setup

                1 passed, 0 failed, 0 skipped

                """)
    }

    @Test("verbose shows what held, with its control and its kernel")
    func verbose() throws {
        let result = RunResult(engine: "native", runs: [Sample.result.runs[0]])
        #expect(
            try render(result, as: .terminal, options: .init(detail: .verbose, timing: false)) == """
                engine  native

                seed
                  PASS   dr-happy-same  the first working setup

                PASS dr-happy-same: the first working setup
                  Scenarios/cross.yaml:40:3: at the end, holds: lb:eth0 carries no frames matching 'src host 203.0.113.2'
                    expected  no frames matching 'src host 203.0.113.2' at lb:eth0
                    actual    0 of the 8 frames there
                    control   'tcp' matched 8 frames at lb:eth0 in the run
                  kernel: uml 6.1.0, virtual time, seed 7
                  evidence: dr-happy-same

                1 passed, 0 failed, 0 skipped

                """)
    }

    @Test("colours only where asked, and they do not shift columns")
    func colour() throws {
        let plain = try render(Sample.result, as: .terminal)
        #expect(!plain.contains("\u{1B}["))
        let coloured = try render(Sample.result, as: .terminal, options: .init(colour: true))
        #expect(coloured.contains("\u{1B}[32mPASS\u{1B}[0m   dr-happy-same    0.41 s  the first"))
        #expect(coloured.replacing(#/\x1B\[\d+m/#, with: "") == plain)
    }

    @Test("JSON has sorted keys, a version, and times only under 'timing'")
    func json() throws {
        let result = RunResult(
            engine: "native", seed: .max, runs: [Sample.result.runs[0]], timing: Timing(wall: 1))
        #expect(
            try render(result, as: .json, options: .init(timing: false)) == """
                {
                  "engine" : "native",
                  "runs" : [
                    {
                      "directory" : "dr-happy-same",
                      "suite" : "seed",
                      "verdict" : {
                        "checks" : [
                          {
                            "actual" : "0 of the 8 frames there",
                            "control" : "'tcp' matched 8 frames at lb:eth0 in the run",
                            "details" : [

                            ],
                            "expected" : "no frames matching 'src host 203.0.113.2' at lb:eth0",
                            "location" : {
                              "column" : 3,
                              "file" : "Scenarios/cross.yaml",
                              "line" : 40
                            },
                            "statement" : "lb:eth0 carries no frames matching 'src host 203.0.113.2'",
                            "status" : "passed",
                            "where" : "end"
                          }
                        ],
                        "engine" : {
                          "kernel" : "6.1.0",
                          "name" : "uml",
                          "seed" : 7,
                          "virtualTime" : true
                        },
                        "reason" : "the 1 check holds",
                        "scenario" : "dr-happy-same",
                        "status" : "passed",
                        "title" : "the first working setup"
                      }
                    }
                  ],
                  "seed" : 18446744073709551615,
                  "totals" : {
                    "errors" : 0,
                    "failed" : 0,
                    "passed" : 1,
                    "skipped" : 0
                  },
                  "version" : 1
                }

                """)
        #expect(try render(result, as: .json).contains(#""timing" : {"#))
    }

    @Test("two runs that differ only in their times are equal to the byte without them")
    func reproducible() throws {
        var slower = Sample.result
        for index in slower.runs.indices { slower.runs[index].timing = Timing(wall: 99_000_000_000) }
        slower.timing = nil
        for format in OutputFormat.allCases {
            let without = RenderOptions(timing: false)
            #expect(
                try render(slower, as: format, options: without) == render(Sample.result, as: format, options: without))
            guard format != .ktap, format != .github else { continue }
            #expect(try render(slower, as: format) != render(Sample.result, as: format))
        }
    }

    @Test("JUnit: a suite per folder, a case per scenario; the laboratory's failures are errors")
    func junit() throws {
        let text = try render(Sample.result, as: .junit, options: .init(timing: false))
        #expect(
            text == """
                <?xml version="1.0" encoding="UTF-8"?>
                <testsuites name="drbench" tests="4" failures="1" errors="1">
                    <testsuite name="seed" tests="2" failures="1" errors="0" skipped="0">
                        <testcase classname="seed" name="dr-happy-same">
                            <system-out>evidence: dr-happy-same</system-out>
                        </testcase>
                        <testcase classname="seed" name="cross-hv-p-old">
                            <failure message="four gets: expected 2 conntrack entries on hv1 in SYN_SENT; found 0 of 1: tcp &lt;SYN&gt; &amp; &lt;U+001B&gt;[1mFIN" type="failed">Scenarios/cross.yaml:31:7: four gets: hv1 has 2 conntrack entries in SYN_SENT
                  expected  2 conntrack entries on hv1 in SYN_SENT
                  actual    0 of 1: tcp &lt;SYN&gt; &amp; &lt;U+001B&gt;[1mFIN
                  control   hv1&apos;s table has 1 entry
                    tcp 198.51.100.10:40312 → 203.0.113.2:80 ESTABLISHED [ASSURED]</failure>
                            <system-out>evidence: cross-hv-p-old</system-out>
                        </testcase>
                    </testsuite>
                    <testsuite name="zones" tests="2" failures="0" errors="1" skipped="1">
                        <testcase classname="zones" name="zones/per-port">
                            <skipped message="the kernel lacks zones" />
                        </testcase>
                        <testcase classname="zones" name="lossy">
                            <error message="capture at lb:eth0 lost 3 frames" type="error">capture at lb:eth0 lost 3 frames</error>
                            <system-out>evidence: lossy</system-out>
                        </testcase>
                    </testsuite>
                </testsuites>

                """)
    }

    @Test("JUnit is well-formed and says the same when it is read back")
    func junitReadBack() throws {
        let text = try render(Sample.result, as: .junit, options: .init(detail: .verbose))
        let decoder = XMLDecoder()
        decoder.trimValueWhitespaces = false
        let read = try decoder.decode(JUnit.self, from: .init(text.utf8))
        #expect((read.tests, read.failures, read.errors) == (4, 1, 1))
        #expect(read.time == "13.000")
        #expect(read.testsuite.map(\.name) == ["seed", "zones"])
        #expect(read.testsuite[0].time == "12.760")
        let cases = read.testsuite.flatMap(\.testcase)
        #expect(cases.map(\.name) == ["dr-happy-same", "cross-hv-p-old", "zones/per-port", "lossy"])
        #expect(cases.map(\.time) == ["0.415", "12.346", "0.000", "0.005"])
        #expect(cases[0].failure == nil)
        #expect(cases[0].output?.contains("lb:eth0 carries no frames") == true)
        #expect(
            cases[1].failure?.message
                == "four gets: expected 2 conntrack entries on hv1 in SYN_SENT; found 0 of 1: tcp <SYN> & <U+001B>[1mFIN"
        )
        #expect(cases[1].failure?.text.contains("actual    0 of 1: tcp <SYN> & <U+001B>[1mFIN\n") == true)
        #expect(cases[2].skipped?.message == "the kernel lacks zones")
        #expect(cases[3].error?.message == "capture at lb:eth0 lost 3 frames")
    }

    @Test("errors count as failures")
    func totals() {
        #expect(!Sample.result.succeeded)
        #expect(!RunResult(engine: "", runs: [Sample.result.runs[3]]).succeeded)
        #expect(RunResult(engine: "", runs: [Sample.result.runs[0], Sample.result.runs[2]]).succeeded)
    }

    @Test("progress is one line that is written over on a terminal, and a line an event in a log")
    func progress() {
        func text(_ style: Progress.Style) -> String {
            let written = Written()
            let progress = Progress(total: 2, style: style) { written.append($0) }
            for run in Sample.result.runs.prefix(2) {
                progress.started(run.verdict.scenario)
                progress.finished(run.verdict)
            }
            return written.text
        }
        #expect(text(.silent) == "")
        #expect(
            text(.lines) == """
                start  dr-happy-same
                [1/2] PASS dr-happy-same
                start  cross-hv-p-old
                [2/2] FAIL cross-hv-p-old  four gets: expected 2 conntrack entries on hv1 in SYN_SENT; found 0 of 1: tcp <SYN> & <U+001B>[1mFIN

                """)
        let clear = "\r\u{1B}[K"
        #expect(
            text(.live)
                == "\(clear)[0/2] running dr-happy-same\(clear)[1/2] running "
                + "\(clear)[1/2] running cross-hv-p-old\(clear)")
    }
}

private final class Written: Sendable {
    private let value = Mutex("")
    func append(_ text: String) { value.withLock { $0 += text } }
    var text: String { value.withLock { $0 } }
}
