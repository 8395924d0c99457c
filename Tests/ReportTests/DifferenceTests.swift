import Evidence
import Testing
import Verdict

@testable import Report

@Suite("Differences between runs")
struct DifferenceTests {
    private func facts(_ run: RecordedRun, _ verdict: Verdict? = nil) -> RunFacts {
        RunFacts(verdict: verdict ?? run.verdict, evidence: run.evidence, journeys: run.journeys)
    }

    private func side(_ folder: String, seed: UInt64 = 7) -> ResultDifference.Side {
        .init(folder: folder, engine: "uml, Linux 6.12", seed: seed)
    }

    @Test("a run does not differ from itself, whatever its times are", arguments: ["cross-hv-p-old", "nat-masq"])
    func same(name: String) throws {
        let run = try RecordedRun(name)
        var later = run
        later.evidence.ended += 5_000_000
        for step in later.evidence.steps.indices {
            for index in later.evidence.steps[step].transcripts.indices {
                later.evidence.steps[step].transcripts[index].ended += 1_000
            }
        }
        let difference = RunDifference(scenario: name, facts(run), facts(later))
        #expect(difference.state == .same && difference.changes == [])
    }

    @Test("what changed is told by its kind, with what it was and what it is")
    func changed() throws {
        let run = try RecordedRun("cross-hv-p-old")
        var other = run
        var verdict = run.verdict
        verdict.status = .failed
        verdict.checks[0].status = .failed
        verdict.checks[0].actual = "rs1, rs1, rs1, rs1"
        verdict.checks.removeLast()
        other.evidence.steps[0].transcripts[0].outcome = .answered
        other.evidence.steps[0].transcripts[0].server = "rs1"
        let rules = try #require(other.evidence.final.rules["hv1"])
        let guilty = try #require(rules.firstIndex { $0.rule.contains("INVALID") && $0.packets == 18 })
        other.evidence.final.rules["hv1"]?[guilty].packets = 2
        other.evidence.final.counters["client", default: [:]]["Tcp.RetransSegs"] = nil
        other.evidence.final.conntrack["hv1"]?.removeAll { $0.state == "SYN_SENT" }
        other.evidence.final.ipvs["lb"]?.services[0].statistics.inPackets += 1
        let difference = RunDifference(scenario: "cross-hv-p-old", facts(run), facts(other, verdict))
        let text = ResultDifference(before: side("a"), after: side("b"), runs: [difference]).text()
        #expect(
            text == """
                --- a  (uml, Linux 6.12, seed 7)
                +++ b  (uml, Linux 6.12, seed 7)

                cross-hv-p-old
                  verdict      passed → failed
                  outcome      four gets
                               connected then silent, rs1, connected then silent, rs1 → rs1, rs1, connected then silent, rs1
                  expectation  four gets: the requests end as connected then silent, rs1, connected then silent, rs1
                               holds → does not hold, rs1, rs1, rs1, rs1
                  expectation  lb has 2 IPVS connections in FIN_WAIT to rs1: holds → none
                  rule         hv1 ipv4 filter neutron-linuxbri-i6c620000-0: -m state --state INVALID -j DROP: 18 → 2
                  counter      client Tcp.RetransSegs: 10 → 0
                  ipvs         lb tcp 203.0.113.2:80 incoming packets: 14 → 15
                  conntrack    hv1 tcp SYN_SENT [UNREPLIED]: 2 → 0

                1 of 1 run differs, 1 with another verdict

                """)
    }

    @Test("journeys are compared by what they are of and how they end")
    func journeys() throws {
        let run = try RecordedRun("cross-hv-p-old")
        let before = RunFacts(verdict: run.verdict, evidence: nil, journeys: run.journeys)
        let after = RunFacts(verdict: run.verdict, evidence: nil, journeys: nil)
        // What could not be put together is not known to differ.
        #expect(RunDifference(scenario: "x", before, after).state == .same)
        let other = try RecordedRun("nat-masq")
        let changes = RunDifference(
            scenario: "x", before, RunFacts(verdict: run.verdict, evidence: nil, journeys: other.journeys)
        ).changes
        #expect(changes.allSatisfy { $0.kind == .journeys })
        #expect(
            changes.contains {
                $0.subject.hasPrefix(
                    "ACK client, gw, hv1: dropped by a rule about its conntrack state, at hv1, by filter")
                    && $0.after == "0"
            })
    }

    @Test("the counts tell whether anything differs, and JSON says the same")
    func counts() throws {
        func text(_ states: [RunDifference.State]) -> (text: String, isEmpty: Bool) {
            let runs = states.enumerated().map { RunDifference(scenario: "s\($0.offset)", state: $0.element) }
            let difference = ResultDifference(before: side("a"), after: side("b", seed: 8), runs: runs)
            return (String(difference.text().split(separator: "\n").last ?? ""), difference.isEmpty)
        }
        #expect(text([.identical]) == ("the runs are the same to the byte", true))
        #expect(text([.same]) == ("the runs are the same but for times and numbers", true))
        #expect(text([.identical, .identical]) == ("all 2 runs are the same to the byte", true))
        #expect(
            text([.identical, .same]) == ("all 2 runs are the same, 1 to the byte, but for times and numbers", true))
        #expect(
            text([.identical, .changed, .onlyAfter, .same])
                == ("1 of 4 runs differs; 1 only on one side; 2 the same, 1 to the byte", false))
        let difference = ResultDifference(
            before: side("a"), after: side("b"), runs: [RunDifference(scenario: "s", state: .onlyBefore)])
        #expect(
            try difference.json() == """
                {
                  "after" : {
                    "engine" : "uml, Linux 6.12",
                    "folder" : "b",
                    "seed" : 7
                  },
                  "before" : {
                    "engine" : "uml, Linux 6.12",
                    "folder" : "a",
                    "seed" : 7
                  },
                  "runs" : [
                    {
                      "changes" : [

                      ],
                      "scenario" : "s",
                      "state" : "only before"
                    }
                  ],
                  "version" : 1
                }

                """)
    }
}
