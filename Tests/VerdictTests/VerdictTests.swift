import Evidence
import Scenario
import Testing
import Verdict

// Testing has types of this name too.
import struct Scenario.Expectation

@Suite("A run's verdict")
struct VerdictTests {
    private static let expectation = Expectation(
        .conntrack(.init(on: "hv1", count: zero)), location: Bench.location(9))

    @Test("a capture that lost frames proves nothing")
    func lostFrames() {
        var bench = Bench()
        bench.scenario.expectations = [Self.expectation]
        bench.evidence.ports[1].dropped = 3
        let verdict = judge(scenario: bench.scenario, evidence: bench.evidence, frames: [])
        #expect(verdict.status == .error)
        #expect(verdict.reason == "capture at lb:eth0 lost 3 frames")
        #expect(verdict.checks.isEmpty)
    }

    @Test("a run that broke off, or with problems of the laboratory, has no verdict")
    func brokenRun() {
        var bench = Bench()
        bench.scenario.expectations = [Self.expectation]
        bench.evidence.complete = false
        bench.evidence.problems = ["hv1: add bridge brq0: EPERM (Operation not permitted)"]
        let verdict = judge(scenario: bench.scenario, evidence: bench.evidence, frames: [])
        #expect(verdict.status == .error)
        #expect(
            verdict.reason
                == "hv1: add bridge brq0: EPERM (Operation not permitted); the run did not come to its end")
    }

    @Test("a scenario that expects nothing does not pass")
    func nothingExpected() {
        let bench = Bench()
        let verdict = judge(scenario: bench.scenario, evidence: bench.evidence, frames: [])
        #expect(verdict.status == .error)
        #expect(verdict.reason == "the scenario expects nothing")
    }

    @Test("evidence of another scenario, or with other steps, is refused")
    func otherEvidence() {
        var bench = Bench()
        bench.scenario.expectations = [Self.expectation]
        bench.evidence.scenario = "dr-happy-same"
        #expect(
            judge(scenario: bench.scenario, evidence: bench.evidence, frames: []).reason
                == "this is the evidence of dr-happy-same, not of cross-hv-p-old")
        bench.evidence.scenario = "cross-hv-p-old"
        bench.addStep("get", 1...2)
        bench.evidence.steps = []
        #expect(
            judge(scenario: bench.scenario, evidence: bench.evidence, frames: []).reason
                == "the evidence has 0 of 1 step")
        bench.addStep("put", 1...2)
        bench.scenario.timeline.removeLast()
        #expect(
            judge(scenario: bench.scenario, evidence: bench.evidence, frames: []).reason
                == "the evidence has step 'put' in place of 'get'")
    }

    @Test("frames cut off anywhere, or full of anything, are judged without a crash")
    func cutFrames() throws {
        var bench = Bench()
        try bench.tcp("P.", at: "lb:eth0", time: 1, from: "gw", to: "lb", data: 4)
        try bench.arp(1, at: "lb:eth0", time: 2, from: "gw", to: "lb", sender: "203.0.113.1", target: "203.0.113.2")
        var frames: [RunFrame] = []
        for frame in bench.frames {
            for length in 0...frame.octets.count {
                frames.append(RunFrame(port: 1, time: 1, wireLength: 99, octets: frame.octets.prefix(length)))
                for value in [UInt8(0), 0x0F, 0x4F, 0x60, 0xFF] {
                    let filled = [UInt8](repeating: value, count: frame.octets.count - length)
                    frames.append(RunFrame(port: 1, time: 1, octets: frame.octets.prefix(length) + filled))
                }
            }
        }
        bench.frames = frames
        bench.evidence.final.rules["lb"] = [rule("-j DROP", 1 << 20, chain: "INPUT")]
        #expect(try bench.check(.packets(.init(at: "lb", filter: "", count: zero))).status == .failed)
        #expect(try bench.check(.arp(.init(at: "lb", whoHas: Bench.vip, requests: zero))).status == .failed)
        let drop = Expectation.Drop(on: "lb", packet: "", from: "lb", to: "lb", chain: "INPUT", rule: "DROP")
        #expect(try bench.check(.drop(drop)).status == .passed)
    }

    @Test("a frame of a port that was not captured is refused, not a crash")
    func strayFrame() {
        var bench = Bench()
        bench.scenario.expectations = [Self.expectation]
        let frame = RunFrame(port: 99, time: 0, octets: [1])
        #expect(
            judge(scenario: bench.scenario, evidence: bench.evidence, frames: [frame]).reason
                == "a frame names port 99 of 9")
    }

    @Test("the reason of a failed run is its first failed check; steps come before the end")
    func reason() {
        var bench = Bench()
        bench.scenario.expectations = [
            Expectation(.conntrack(.init(on: "hv1", state: "SYN_SENT")), location: Bench.location(9)),
            Self.expectation,
        ]
        bench.addStep("get", 1...2)
        bench.scenario.timeline[0].expectations = [
            Expectation(.counter(.init(on: "rs1", name: "Ip.InAddrErrors", grows: .some)), location: Bench.location(4))
        ]
        let verdict = judge(scenario: bench.scenario, evidence: bench.evidence, frames: [])
        #expect(verdict.status == .failed)
        #expect(
            verdict.reason
                == "get: expected Ip.InAddrErrors on rs1 to grow by at least 1; found 0 (from 0 to 0) (and 1 more)")
        #expect(verdict.checks.map(\.place) == ["get", "end", "end"])
        #expect(verdict.checks.map(\.status) == [.failed, .failed, .passed])
        #expect(verdict.checks[0].location == Bench.location(4))
    }

    @Test("a check that cannot be judged makes the verdict an error, whatever else holds")
    func unjudgeable() {
        var bench = Bench()
        bench.scenario.expectations = [
            Self.expectation,
            Expectation(.packets(.init(at: "lb", filter: "tcp prot 80")), location: Bench.location(3)),
        ]
        let verdict = judge(scenario: bench.scenario, evidence: bench.evidence, frames: [])
        #expect(verdict.status == .error)
        #expect(verdict.reason == "end: filter 'tcp prot 80': syntax error")
    }

    @Test("a passed run says how much was checked")
    func passed() {
        var bench = Bench()
        bench.scenario.expectations = [Self.expectation, Self.expectation]
        let verdict = judge(scenario: bench.scenario, evidence: bench.evidence, frames: [])
        #expect(verdict.status == .passed)
        #expect(verdict.reason == "all 2 checks hold")
        #expect(verdict.engine?.seed == 1)
    }

    @Test("names that mean nothing are errors that list what there is")
    func unknownNames() throws {
        let bench = Bench()
        let port = try bench.check(.packets(.init(at: "rs9:eth0", filter: "tcp")))
        #expect(port.status == .error)
        #expect(
            port.message
                == "no port 'rs9:eth0' was captured; captured: \(Bench.portNames.joined(separator: ", "))")
        let ambiguous = try bench.check(.packets(.init(at: "hv1", filter: "tcp")))
        #expect(
            ambiguous.message == "'hv1' can mean hv1:uplink, hv1:tap1b000010-00, hv1:tapa5000021-00: name one")
        let namespace = try bench.check(.conntrack(.init(on: "hv3")))
        #expect(namespace.message == "'hv3' is none of gw, lb, rs1, rs2, hv1, hv2, fab")
        let host = try bench.check(.packets(.init(at: "hv1:tap(lb9)", filter: "tcp")))
        #expect(host.message == "'lb9' is none of the hosts gw, lb, rs1, rs2")
        let chain = try bench.check(.rule(.init(on: "hv1", chain: "i(lb:eth7)", rule: "DROP", packets: .some)))
        #expect(chain.message == "lb has no port 'eth7'")
    }

    @Test("skipped and broken runs have verdicts too")
    func withoutEvidence() {
        let bench = Bench()
        let skipped = Verdict.skipped(bench.scenario, because: "the engine lacks zones")
        #expect(skipped.status == .skipped)
        #expect(skipped.reason == "the engine lacks zones")
        let broken = Verdict.error(bench.scenario, because: "the kernel did not boot")
        #expect(broken.status == .error)
        #expect(broken.scenario == "cross-hv-p-old")
    }
}
