import Evidence
import Foundation
import Scenario
import Testing
import Verdict

// Testing has a type of this name too.
import struct Scenario.SourceLocation

@testable import Report

@Suite("Pages")
struct PageTests {
    private func page(_ run: RecordedRun, verdict: Verdict? = nil) -> String {
        ScenarioPage(
            scenario: run.scenario, evidence: run.evidence, story: run.story, verdict: verdict ?? run.verdict,
            artefacts: ["capture.pcapng", "rules/hv1.ipv4.rules"], overview: "../index.html"
        ).html
    }

    @Test(
        "a run's page is well-formed, small, asks nobody for anything, and shows every captured port",
        arguments: RecordedRun.names)
    func selfContained(name: String) throws {
        let run = try RecordedRun(name)
        let html = page(run)
        #expect(Tags(html).problem == nil)
        #expect(Tags(html).references.allSatisfy { !$0.contains(":") && !$0.hasPrefix("//") || $0 == "data:," })
        #expect(!html.contains("@import"))
        #expect(html.ranges(of: "url(").count == html.ranges(of: "url(#arrow)").count)
        #expect(html.utf8.count < 1_000_000)
        for port in run.evidence.ports { #expect(html.contains("data-port=\"\(port.name)\""), "\(port.name)") }
        #expect(page(run) == html)
    }

    @Test("every line through a diagram begins and ends in it, and runs along its axes", arguments: RecordedRun.names)
    func ways(name: String) throws {
        let run = try RecordedRun(name)
        let diagram = DiagramLayout.diagram(of: run.scenario, run.evidence)
        for journey in run.journeys.journeys {
            let spots = diagram.way(of: journey).spots
            #expect(!spots.isEmpty, "#\(journey.number)")
            #expect(spots.allSatisfy { (0...diagram.width).contains($0.x) && (0...diagram.height).contains($0.y) })
            for (one, two) in zip(spots, spots.dropFirst()) { #expect(one.x == two.x || one.y == two.y) }
        }
        for (index, box) in diagram.boxes.enumerated() where box.kind == .machine {
            for other in diagram.boxes[(index + 1)...] where other.kind == .machine {
                let apart =
                    box.x + box.width < other.x || other.x + other.width < box.x || box.y + box.height < other.y
                    || other.y + other.height < box.y
                #expect(apart, "\(box.name) and \(other.name)")
            }
        }
    }

    @Test("the page tells the failure, marks the guilty rule and opens the checks that failed")
    func story() throws {
        let run = try RecordedRun("cross-hv-p-old")
        var verdict = run.verdict
        verdict.checks[1].status = .failed
        let html = page(run, verdict: verdict)
        #expect(html.contains("<strong>cross-hypervisor INVALID</strong>"))
        #expect(html.ranges(of: "<tr class=\"guilty\">").count == 1)
        #expect(html.contains("-m state --state INVALID -j DROP</code> <strong class=\"killed\">◀ ended 18 packets"))
        #expect(html.ranges(of: "<li class=\"check failed\"><details open>").count == 1)
        #expect(html.contains("<a href=\"rules/hv1.ipv4.rules\">"))
        #expect(html.contains("<a href=\"../index.html\">"))
        #expect(html.contains("hv1 saw the SYN but not the SYN-ACK"))
    }

    @Test("names that look like markup stay text")
    func hostile() throws {
        let evil = "</script><script>alert(1)</script>\"'&\u{1B}\u{202E}<!--"
        var run = try RecordedRun("cross-hv-p-old")
        run.evidence.steps[0].name = evil
        run.evidence.steps[0].transcripts[0].detail = evil
        run.evidence.steps[0].command = CommandRecord(arguments: [evil], status: 1, output: evil, errors: evil)
        run.evidence.engine.kernel = evil
        for index in run.evidence.final.rules["hv1", default: []].indices {
            run.evidence.final.rules["hv1"]?[index].rule = evil
            run.evidence.final.rules["hv1"]?[index].chain = evil
        }
        let check = CheckResult(
            place: evil, location: SourceLocation(file: evil, line: 1, column: 1), statement: evil, status: .failed,
            expected: evil, actual: evil, details: [evil], control: evil)
        let verdict = Verdict(
            scenario: evil, title: evil, status: .failed, reason: evil, checks: [check], engine: run.evidence.engine)
        let overview = OverviewPage(
            RunResult(engine: evil, runs: [ScenarioRun(suite: evil, verdict: verdict, directory: evil)]), pages: [evil])
        for html in [page(run, verdict: verdict), overview.html] {
            #expect(Tags(html).problem == nil)
            #expect(!html.contains("<script>alert") && !html.contains("\u{1B}") && !html.contains("\u{202E}"))
            #expect(html.ranges(of: "</script>").count <= 2)
            #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\u{FFFD}\u{FFFD}&lt;!--"))
        }
        #expect(overview.html.contains("href=\"%3C/script%3E%3Cscript%3Ealert%281%29%3C/script%3E%22%27%26%1B"))
    }

    @Test("the overview has a row for each run, links to the pages that there are, and filters")
    func overview() {
        func run(_ name: String, _ status: Verdict.Status) -> ScenarioRun {
            ScenarioRun(
                suite: "arp",
                verdict: Verdict(scenario: name, title: "title of \(name)", status: status, reason: "why \(name)"),
                directory: name)
        }
        let html = OverviewPage(
            RunResult(engine: "uml", seed: 7, runs: [run("a", .passed), run("b/c", .failed), run("d", .error)]),
            pages: ["a", "b/c"]
        ).html
        #expect(Tags(html).problem == nil)
        #expect(html.contains("<a href=\"b/c/report.html\">") && !html.contains("d/report.html"))
        #expect(html.ranges(of: "<tr data-status=").count == 3)
        #expect(html.ranges(of: "name=\"status\"").count == 3)
        #expect(html.contains("why b/c") && !html.contains("why a"))
    }

    @Test("a line keeps to the right of the cables, there and back")
    func right() {
        typealias Spot = Diagram.Spot
        let there = [Spot(x: 10, y: 10), Spot(x: 10, y: 50), Spot(x: 90, y: 50)]
        #expect(
            Diagram.keepingRight(there, by: 4) == [Spot(x: 6, y: 10), Spot(x: 6, y: 54), Spot(x: 90, y: 54)])
        #expect(
            Diagram.keepingRight(there.reversed(), by: 4) == [
                Spot(x: 90, y: 46), Spot(x: 14, y: 46), Spot(x: 14, y: 10),
            ])
    }

    @Test("packets beyond the limit are left out, those that died the last ones")
    func limit() throws {
        let journeys = try RecordedRun("cross-hv-p-old").journeys.journeys
        let many = (0..<60).flatMap { round in
            journeys.enumerated().map { index, journey in
                var copy = journey
                copy.number = round * journeys.count + index + 1
                return copy
            }
        }
        let chosen = PacketData.chosen(many)
        #expect(many.count > PacketData.limit)
        #expect(chosen.count <= PacketData.limit && chosen.count > PacketData.limit / 2)
        #expect(zip(chosen, chosen.dropFirst()).allSatisfy { $0.number < $1.number })
    }

    @Test("captures say where packets were dropped")
    func comments() throws {
        let run = try RecordedRun("cross-hv-p-old")
        let comments = PacketComments(run.journeys)
        #expect(comments.comments.count == run.journeys.journeys.filter { !$0.end.isGood }.count)
        #expect(
            comments.comments.min { $0.key < $1.key }?.value
                == "packet #11 dropped here: hv1 filter/neutron-linuxbri-i6c620000-0 rule 1 "
                + "(-m state --state INVALID -j DROP); conntrack SYN_SENT [UNREPLIED]")
    }
}

/// A document's elements, as far as their balance goes: HTML needs no more than that here, for all is written in full.
private struct Tags {
    /// The first element that is not closed, or closed without being open.
    private(set) var problem: String?
    /// What attributes refer to.
    private(set) var references: [String] = []
    private static let void: Set<Substring> = ["meta", "link", "br", "input", "img"]

    init(_ html: String) { problem = read(html) }

    /// What is wrong; nil if nothing is.
    private mutating func read(_ html: String) -> String? {
        var open: [Substring] = []
        var rest = html[...]
        while let start = rest.firstIndex(of: "<") {
            rest = rest[rest.index(after: start)...]
            guard let end = rest.firstIndex(of: ">") else { return "an element without an end" }
            let tag = rest[..<end]
            rest = rest[rest.index(after: end)...]
            if tag.hasPrefix("!DOCTYPE") { continue }
            let name = tag.drop { $0 == "/" }.prefix { !$0.isWhitespace && $0 != "/" }
            for attribute in [" href=\"", " src=\""] {
                guard let range = tag.firstRange(of: attribute) else { continue }
                references.append(String(tag[range.upperBound...].prefix { $0 != "\"" }))
            }
            if tag.hasPrefix("/") {
                guard open.popLast() == name else { return "</\(name)> \(html[..<start].suffix(60))" }
            } else if !tag.hasSuffix("/"), !Self.void.contains(name) {
                open.append(name)
                if name == "script" || name == "style" {
                    // Text up to its end, whatever it has.
                    guard let close = rest.firstRange(of: "</\(name)>") else { return "<\(name)>" }
                    rest = rest[close.lowerBound...]
                }
            }
        }
        return open.last.map { "<\($0)> is open" }
    }
}
