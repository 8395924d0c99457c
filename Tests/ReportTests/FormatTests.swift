import Foundation
import FoundationXML
import Scenario
import Testing
import Verdict

@testable import Report

@Suite("Formats for other programs")
struct FormatTests {
    /// With a failure that is explained, and files.
    private var result: RunResult {
        var result = Sample.result
        result.runs[1].artefacts = ["report.html", "capture.pcapng"]
        result.runs[1].failures = [
            FlowFailure(
                flow: "tcp 198.51.100.10:57526 → 203.0.113.2:80", outcome: "connected then silent", others: 1,
                end: "dropped by a rule about its conntrack state, at hv1",
                rule: "filter i6c620000-0 1: -m state --state INVALID -j DROP",
                because: "hv1 saw the SYN but not the SYN-ACK.",
                remedies: [.init("switch port security off", "lb-portsec-off"), .init("move it", "b")], frame: 64)
        ]
        result.runs[2].verdict.reason = "needs #zones"
        return result
    }

    @Test("the terminal tells why traffic failed, below what was expected")
    func terminal() throws {
        let text = try render(result, as: .terminal, options: .init(detail: .quiet, folder: "out"))
        #expect(
            text.contains(
                """
                      tcp 198.51.100.10:40312 → 203.0.113.2:80 ESTABLISHED [ASSURED]
                  tcp 198.51.100.10:57526 → 203.0.113.2:80: connected then silent (and 1 more)
                    killed    dropped by a rule about its conntrack state, at hv1
                    by        filter i6c620000-0 1: -m state --state INVALID -j DROP
                    because   hv1 saw the SYN but not the SYN-ACK.
                    try       switch port security off (lb-portsec-off)
                              move it (b)
                  evidence: out/cross-hv-p-old, as a page: out/cross-hv-p-old/report.html

                """))
    }

    // MARK: JUnit

    /// The dialect that junit-10.xsd of Jenkins' xUnit plugin allows, as far as drbench writes it.
    private static let dialect = """
        <!DOCTYPE testsuites [
        <!ELEMENT testsuites (testsuite*)>
        <!ATTLIST testsuites name CDATA #IMPLIED time CDATA #IMPLIED tests CDATA #IMPLIED failures CDATA #IMPLIED
          errors CDATA #IMPLIED>
        <!ELEMENT testsuite (testsuite | testcase | system-out | system-err)*>
        <!ATTLIST testsuite name CDATA #REQUIRED tests CDATA #REQUIRED failures CDATA #REQUIRED errors CDATA #REQUIRED
          skipped CDATA #IMPLIED time CDATA #IMPLIED timestamp CDATA #IMPLIED hostname CDATA #IMPLIED>
        <!ELEMENT testcase (skipped | error | failure | system-out | system-err)*>
        <!ATTLIST testcase name CDATA #REQUIRED time CDATA #IMPLIED classname CDATA #IMPLIED>
        <!ELEMENT skipped (#PCDATA)> <!ATTLIST skipped type CDATA #IMPLIED message CDATA #IMPLIED>
        <!ELEMENT error (#PCDATA)> <!ATTLIST error type CDATA #IMPLIED message CDATA #IMPLIED>
        <!ELEMENT failure (#PCDATA)> <!ATTLIST failure type CDATA #IMPLIED message CDATA #IMPLIED>
        <!ELEMENT system-out (#PCDATA)> <!ELEMENT system-err (#PCDATA)>
        ]>
        """

    private func validate(_ text: String) throws {
        let end = try #require(text.range(of: "?>\n")).upperBound
        let document = try XMLDocument(
            xmlString: text.replacingCharacters(in: end..<end, with: Self.dialect + "\n"), options: [])
        try document.validate()
    }

    @Test("JUnit is of the dialect that Jenkins' schema allows, and libxml2 notices what is not")
    func junitIsValid() throws {
        for detail in RenderOptions.Detail.allCases {
            let text = try render(result, as: .junit, options: .init(detail: detail))
            try validate(text)
            #expect(throws: (any Error).self) {
                try validate(text.replacing("<testsuites name", with: "<testsuites skipped=\"1\" name"))
            }
            #expect(throws: (any Error).self) { try validate(text.replacing("testcase", with: "test")) }
        }
    }

    @Test("JUnit tells why traffic failed, and where the files are")
    func junit() throws {
        let text = try render(result, as: .junit)
        #expect(
            text.contains(
                """
                tcp 198.51.100.10:57526 → 203.0.113.2:80: connected then silent (and 1 more)
                  killed    dropped by a rule about its conntrack state, at hv1
                  by        filter i6c620000-0 1: -m state --state INVALID -j DROP
                  because   hv1 saw the SYN but not the SYN-ACK.
                  try       switch port security off (lb-portsec-off)
                  try       move it (b)
                  see       frame 64 of the capture</failure>
                """))
        #expect(text.contains("evidence: cross-hv-p-old/report.html\nevidence: cross-hv-p-old/capture.pcapng<"))
    }

    // MARK: TAP

    private static let tap = """
        TAP version 13
        1..4
        ok 1 - dr-happy-same
        not ok 2 - cross-hv-p-old
          ---
          message: "four gets: expected 2 conntrack entries on hv1 in SYN_SENT; found 0 of 1: tcp <SYN> & <U+001B>[1mFIN"
          severity: fail
          checks:
            - at: "Scenarios/cross.yaml:31:7"
              step: "four gets"
              expected: "2 conntrack entries on hv1 in SYN_SENT"
              found: "0 of 1: tcp <SYN> & <U+001B>[1mFIN"
          why:
            - flow: "tcp 198.51.100.10:57526 → 203.0.113.2:80: connected then silent (and 1 more)"
              killed: "dropped by a rule about its conntrack state, at hv1"
              by: "filter i6c620000-0 1: -m state --state INVALID -j DROP"
              because: "hv1 saw the SYN but not the SYN-ACK."
              try: "switch port security off; move it"
          evidence:
            - "cross-hv-p-old/report.html"
            - "cross-hv-p-old/capture.pcapng"
          ...
        ok 3 - zones/per-port # SKIP needs \\#zones
        not ok 4 - lossy
          ---
          message: "capture at lb:eth0 lost 3 frames"
          severity: error
          evidence:
            - "lossy"
          ...

        """

    @Test("TAP: a test point per scenario, a skip with its reason, what is wrong in YAML")
    func tap() throws {
        #expect(try render(result, as: .tap, options: .init(timing: false)) == Self.tap)
    }

    /// Perl's own parser of TAP, which prove uses, and of the YAML in it.
    private static let parser = """
        use TAP::Parser; use JSON::PP; binmode(STDIN, ':utf8'); local $/; my $parser = TAP::Parser->new({tap => <STDIN>});
        my @yaml; while (my $part = $parser->next) { push @yaml, $part->data if $part->is_yaml }
        print JSON::PP->new->canonical->utf8->encode({ version => 0 + $parser->version, planned => 0 + $parser->tests_planned,
          passed => [$parser->passed], failed => [$parser->failed], skipped => [$parser->skipped],
          errors => [$parser->parse_errors], yaml => \\@yaml });
        """

    private struct Parsed: Decodable {
        struct Failure: Decodable {
            var message: String
            var checks: [[String: String]]?
            var why: [[String: String]]?
            var evidence: [String]
        }
        var version: Int
        var planned: Int
        var passed: [Int]
        var failed: [Int]
        var skipped: [Int]
        var errors: [String]
        var yaml: [Failure]
    }

    @Test(
        "Perl's TAP::Parser reads all of TAP, and its YAML", .enabled(if: hasTAPParser, "needs perl with TAP::Parser"),
        .timeLimit(.minutes(2)))
    func tapByPerl() throws {
        let output = try perl(["-e", Self.parser], input: try render(result, as: .tap))
        let parsed = try JSONDecoder().decode(Parsed.self, from: output)
        #expect(parsed.version == 13 && parsed.planned == 4 && parsed.errors == [])
        #expect((parsed.passed, parsed.failed, parsed.skipped) == ([1, 3], [2, 4], [3]))
        #expect(
            parsed.yaml.map(\.message)
                == Sample.result.runs.filter { $0.verdict.status.isBad }.map {
                    $0.verdict.reason.replacing("\u{1B}", with: "<U+001B>")
                })
        #expect(parsed.yaml.first?.checks?.first?["expected"] == Sample.check.expected)
        #expect(parsed.yaml.first?.why?.first?["because"] == "hv1 saw the SYN but not the SYN-ACK.")
        #expect(parsed.yaml.first?.evidence == ["cross-hv-p-old/report.html", "cross-hv-p-old/capture.pcapng"])
    }

    @Test("KTAP: diagnostic lines stand in front of the result that they are about")
    func ktap() throws {
        #expect(
            try render(result, as: .ktap) == """
                KTAP version 1
                1..4
                ok 1 dr-happy-same
                # cross-hv-p-old: Scenarios/cross.yaml:31:7: four gets: hv1 has 2 conntrack entries in SYN_SENT
                # cross-hv-p-old:   expected  2 conntrack entries on hv1 in SYN_SENT
                # cross-hv-p-old:   actual    0 of 1: tcp <SYN> & <U+001B>[1mFIN
                # cross-hv-p-old: tcp 198.51.100.10:57526 → 203.0.113.2:80: connected then silent (and 1 more)
                # cross-hv-p-old:   killed    dropped by a rule about its conntrack state, at hv1
                # cross-hv-p-old:   by        filter i6c620000-0 1: -m state --state INVALID -j DROP
                # cross-hv-p-old:   because   hv1 saw the SYN but not the SYN-ACK.
                # cross-hv-p-old:   try       switch port security off (lb-portsec-off)
                # cross-hv-p-old:   try       move it (b)
                # cross-hv-p-old:   see       frame 64 of the capture
                # cross-hv-p-old: evidence: cross-hv-p-old/report.html
                # cross-hv-p-old: evidence: cross-hv-p-old/capture.pcapng
                not ok 2 cross-hv-p-old
                ok 3 zones/per-port # SKIP needs \\#zones
                # lossy: capture at lb:eth0 lost 3 frames
                # lossy: evidence: lossy
                not ok 4 lossy

                """)
    }

    // MARK: GitHub

    @Test("GitHub's annotations: one for each scenario that failed, at its expectation, escaped")
    func github() throws {
        var result = result
        result.runs[1].verdict.title = "100 %: a, b"
        let file = "/work/checkout/\(result.runs[1].verdict.checks[0].location.file)"
        result.runs[1].verdict.checks[0].location.file = file
        #expect(
            try render(result, as: .github, options: .init(root: "/work/checkout")) == """
                ::error file=Scenarios/cross.yaml,line=31,col=7,title=cross-hv-p-old%3A 100 %25%3A a%2C b::\
                hv1 has 2 conntrack entries in SYN_SENT%0Aexpected: 2 conntrack entries on hv1 in SYN_SENT%0A\
                actual: 0 of 1: tcp <SYN> & <U+001B>[1mFIN%0A\
                tcp 198.51.100.10:57526 → 203.0.113.2:80: connected then silent (and 1 more)%0A\
                killed: dropped by a rule about its conntrack state, at hv1%0A\
                by: filter i6c620000-0 1: -m state --state INVALID -j DROP%0Abecause: hv1 saw the SYN but not the SYN-ACK.
                ::error title=lossy%3A a capture that lost frames::capture at lb:eth0 lost 3 frames

                """)
        result.runs.removeAll { $0.verdict.status.isBad }
        #expect(try render(result, as: .github) == "")
    }

    @Test("the summary in Markdown has the totals and what failed, and nothing in it is markup of its own")
    func markdown() throws {
        var result = result
        let evil = "a|b `c` </pre><script>\n## d"
        result.runs[1].verdict.reason = evil
        result.runs[1].verdict.checks[0].actual = evil
        let text = try render(result, as: .markdown, options: .init(timing: false))
        #expect(text.hasPrefix("## drbench: 1 passed, 2 failed, 1 skipped\n"))
        #expect(
            text.contains(
                """
                | FAIL | <code>cross-hv-p-old</code> | <code>a&#124;b `c` &lt;/pre&gt;&lt;script&gt; ## d</code> |
                """))
        #expect(text.contains("  actual    a|b `c` &lt;/pre&gt;&lt;script&gt;&lt;U+000A&gt;## d\n"))
        #expect(!text.contains("<script") && text.ranges(of: "\n## ").count == 0)
        #expect(text.contains("  because   hv1 saw the SYN but not the SYN-ACK."))
        #expect(text.contains("evidence: cross-hv-p-old/report.html"))
        result.runs = (0..<5_000).map { number in
            var run = result.runs[1]
            run.verdict.scenario = "s\(number)"
            run.verdict.checks[0].actual = String(repeating: "x", count: 40_000)
            return run
        }
        #expect(try render(result, as: .markdown).utf8.count < 1 << 20)
    }
}

extension Verdict.Status {
    fileprivate var isBad: Bool { self == .failed || self == .error }
}

private let hasTAPParser = (try? perl(["-MTAP::Parser", "-MJSON::PP", "-e", "1"], input: "")) != nil

private func perl(_ arguments: [String], input: String) throws -> Data {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/perl")
    process.arguments = arguments
    let (stdin, stdout) = (Pipe(), Pipe())
    process.standardInput = stdin
    process.standardOutput = stdout
    process.standardError = FileHandle.nullDevice
    try process.run()
    try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try stdin.fileHandleForWriting.close()
    let output = stdout.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    struct Failed: Error {}
    guard process.terminationStatus == 0 else { throw Failed() }
    return output
}
