import Evidence
import Foundation
import Net
import Scenario
import Testing
import Verdict

@Suite("Journeys")
struct JourneyTests {
    @Test("a packet that goes through the director is one journey, in the order of the wiring")
    func oneJourney() throws {
        var bench = try Bench.networked()
        // The order of the capture is not that of the way.
        try bench.tcp("S", at: "lb:eth0", time: 1, from: "gw", to: "lb")
        try bench.tcp("S", at: "lb:eth0", time: 1, from: "lb", to: "rs1", ttl: 62)
        try bench.tcp("S", at: "hv1:tapa5000021-00", time: 1, from: "lb", to: "rs1", ttl: 62)
        try bench.tcp("S", at: "hv1:tap1b000010-00", time: 1, from: "lb", to: "rs1", ttl: 62)
        try bench.tcp("S", at: "hv1:tap1b000010-00", time: 1, from: "gw", to: "lb")
        try bench.tcp("S", at: "rs1:eth0", time: 1, from: "lb", to: "rs1", ttl: 62)
        try bench.tcp("S", at: "hv1:uplink", time: 1, from: "gw", to: "lb")
        try bench.tcp("S", at: "gw:eth0", time: 1, from: "gw", to: "lb")
        let journeys = bench.journeys
        #expect(journeys.count == 1)
        let journey = try #require(journeys.first)
        #expect(
            journey.hops.map { "\($0.port) \($0.direction.rawValue)" } == [
                "gw:eth0 out", "hv1:uplink in", "hv1:tap1b000010-00 out", "lb:eth0 in", "lb:eth0 out",
                "hv1:tap1b000010-00 in", "hv1:tapa5000021-00 out", "rs1:eth0 in",
            ])
        #expect(journey.hops.map(\.frame) == [7, 6, 4, 0, 1, 3, 2, 5])
    }

    @Test("a frame that is sent again, the same to the octet, is another journey")
    func repeated() throws {
        var bench = try Bench.networked()
        for time in [1, 1001] {
            try bench.arp(
                1, at: "gw:eth0", "hv1:uplink", "hv1:tap1b000010-00", "lb:eth0", time: time, from: "gw",
                to: "broadcast",
                sender: "203.0.113.1", target: "203.0.113.3")
        }
        let journeys = bench.journeys
        #expect(journeys.map(\.hops.count) == [4, 4])
        #expect(journeys.map(\.end) == [.delivered, .delivered])
    }

    @Test("a question for an address that nobody has is flooded only")
    func nobody() throws {
        var bench = try Bench.networked()
        try bench.arp(
            1, at: "gw:eth0", "hv1:uplink", time: 1, from: "gw", to: "broadcast", sender: "203.0.113.1",
            target: "203.0.113.77")
        #expect(bench.journeys.map(\.end) == [.floodedOnly])
    }

    @Test(
        "a flow begins with its SYN, though of the same moment its answer was captured first",
        arguments: ["S.", "R."])
    func answerFirst(_ flags: String) throws {
        var bench = try Bench.networked()
        try bench.tcp(
            flags, at: "rs1:eth0", "hv1:tapa5000021-00", "hv1:tap1b000010-00", "lb:eth0", time: 1, from: "rs1",
            to: "lb", source: "203.0.113.4:80", destination: "203.0.113.3:40312", ttl: 64, id: 1)
        try bench.tcp(
            "S", at: "lb:eth0", "hv1:tap1b000010-00", "hv1:tapa5000021-00", "rs1:eth0", time: 1, from: "lb", to: "rs1",
            source: "203.0.113.3:40312", destination: "203.0.113.4:80", ttl: 64, id: 2)
        // In virtual time there is but one moment.
        for index in bench.frames.indices { bench.frames[index].time = 1_000_000 }
        let all = Journeys(scenario: bench.scenario, evidence: bench.evidence, frames: bench.frames)
        #expect(all.flows.map(\.text) == ["tcp 203.0.113.3:40312 → 203.0.113.4:80"])
        #expect(all.flows.first?.forward == [1])
        #expect(all.flows.first?.reply == [0])
        #expect(all.journeys.map(\.isReply) == [true, false])
        #expect(all.journeys.map(\.answers) == [2, nil])
    }

    @Test("of a masqueraded answer that was captured first the client is the one that it comes to")
    func masqueradedAnswerFirst() throws {
        var bench = try Bench.networked()
        let (client, real) = ("198.51.100.10:40312", "203.0.113.4:80")
        try bench.tcp(
            "S.", at: "rs1:eth0", "hv1:tapa5000021-00", "hv1:tap1b000010-00", "lb:eth0", time: 1, from: "rs1",
            to: "lb", source: real, destination: client, sequence: 5, ttl: 64, id: 1)
        try bench.tcp(
            "S.", at: "lb:eth0", "hv1:tap1b000010-00", "hv1:uplink", "gw:eth0", time: 1, from: "lb", to: "gw",
            source: "203.0.113.2:80", destination: client, sequence: 5, ttl: 63, id: 1)
        try bench.tcp(
            "S", at: "gw:eth0", "hv1:uplink", "hv1:tap1b000010-00", "lb:eth0", time: 1, from: "gw", to: "lb", id: 2)
        try bench.tcp(
            "S", at: "lb:eth0", "hv1:tap1b000010-00", "hv1:tapa5000021-00", "rs1:eth0", time: 1, from: "lb", to: "rs1",
            destination: real, ttl: 62, id: 2)
        for index in bench.frames.indices { bench.frames[index].time = 1_000_000 }
        let all = Journeys(scenario: bench.scenario, evidence: bench.evidence, frames: bench.frames)
        #expect(all.journeys.map(\.hops.count) == [8, 8])
        #expect(all.flows.map(\.text) == ["tcp 198.51.100.10:40312 → 203.0.113.2:80"])
        #expect(all.journeys.map(\.isReply) == [true, false])
    }

    @Test("an ARP answer that was captured before its question, of the same moment, answers it", arguments: [0, 1])
    func arpAnswerFirst(_ pause: Int) throws {
        var bench = try Bench.networked()
        try bench.arp(
            2, at: "rs1:eth0", "hv1:tapa5000021-00", "hv1:tap1b000010-00", "lb:eth0", time: 1, from: "rs1", to: "lb",
            sender: "203.0.113.4", target: "203.0.113.3")
        for index in bench.frames.indices { bench.frames[index].time = 1_000_000 }
        try bench.arp(
            1, at: "lb:eth0", "hv1:tap1b000010-00", "hv1:tapa5000021-00", "rs1:eth0", time: 1 + pause, from: "lb",
            to: "broadcast", sender: "203.0.113.3", target: "203.0.113.4")
        // An answer does not come before its question has been asked.
        #expect(bench.journeys.map(\.answers) == [pause == 0 ? 2 : nil, nil])
    }

    @Test("a reset that comes without what it would refuse begins a flow of its own")
    func resetFirst() throws {
        var bench = try Bench.networked()
        try bench.tcp("R.", at: "gw:eth0", "hv1:uplink", time: 1, from: "gw", to: "lb")
        try bench.tcp("S", at: "gw:eth0", "hv1:uplink", time: 2, from: "gw", to: "lb", id: 8)
        let all = Journeys(scenario: bench.scenario, evidence: bench.evidence, frames: bench.frames)
        #expect(all.flows.map(\.text) == ["tcp 198.51.100.10:40312 → 203.0.113.2:80"])
        #expect(all.flows.first?.forward == [0, 1])
    }

    @Test("who made a request began it, by its own word")
    func transcript() throws {
        var bench = try Bench.networked()
        bench.addStep("a get", 1...2) {
            $0.transcripts = [
                Transcript(
                    protocol: "tcp", client: "lb", source: endpoint("203.0.113.3:40312"),
                    destination: endpoint("203.0.113.4:80"), started: 1_000_000, ended: 2_000_000, outcome: .answered)
            ]
        }
        try bench.tcp(
            ".", at: "rs1:eth0", "hv1:tapa5000021-00", "hv1:tap1b000010-00", "lb:eth0", time: 1, from: "rs1", to: "lb",
            source: "203.0.113.4:80", destination: "203.0.113.3:40312", ttl: 64)
        let all = Journeys(scenario: bench.scenario, evidence: bench.evidence, frames: bench.frames)
        #expect(all.flows.map(\.text) == ["tcp 203.0.113.3:40312 → 203.0.113.4:80"])
        #expect(all.journeys.map(\.isReply) == [true])
    }

    @Test("two rules that both counted leave it undecided; a count that is used up decides")
    func undecided() throws {
        var bench = try Bench.networked()
        bench.evidence.ended = 10_000_000_000
        let first = "-p tcp -m state --state INVALID -j DROP"
        let second = "-p tcp -m state --state NEW -j DROP"
        func rules(_ one: Int, _ other: Int) -> [RuleCounter] {
            [rule(first, one, chain: "FORWARD"), rule(second, other, number: 2, chain: "FORWARD")]
        }
        try bench.tcp(".", at: "gw:eth0", "hv1:uplink", time: 1, from: "gw", to: "lb", sequence: 2, id: 8)
        bench.evidence.initial.rules["hv1"] = rules(0, 0)
        bench.evidence.final.rules["hv1"] = rules(1, 1)
        let journey = try #require(bench.journeys.first)
        #expect(
            journey.end
                == .undecided(between: ["'filter FORWARD 1: \(first)'", "'filter FORWARD 2: \(second)'"]))
        bench.evidence.final.rules["hv1"] = rules(0, 1)
        #expect(bench.journeys.first?.end == .droppedByConntrackRule)
        #expect(bench.journeys.first?.blame?.rule?.number == 2)
    }

    @Test("a bridge drops what is too big for the next cable, and nobody is told")
    func blackHole() throws {
        var bench = try Bench.networked()
        bench.evidence.ended = 10_000_000_000
        bench.scenario.timeline = [
            Step(
                name: "a smaller uplink",
                action: .run(on: "hv1", arguments: ["ip", "link", "set", "uplink", "mtu", "1450"], mayFail: false),
                location: Bench.location(1))
        ]
        bench.evidence.steps = [StepRecord(name: "a smaller uplink", started: 0, ended: 500_000)]
        try bench.tcp(
            ".", at: "rs1:eth0", "hv1:tapa5000021-00", time: 1, from: "rs1", to: "gw", source: "203.0.113.2:80",
            destination: "198.51.100.10:40312", ttl: 64, data: 1460)
        let all = Journeys(scenario: bench.scenario, evidence: bench.evidence, frames: bench.frames)
        let journey = try #require(all.journeys.first)
        #expect(journey.end == .tooBig)
        let diagnosis = Diagnostician(scenario: bench.scenario, evidence: bench.evidence, journeys: all)
            .diagnosis(of: journey)
        #expect(diagnosis?.name == "MTU black hole")
    }

    @Test("a million captured frames become journeys in less than 10 seconds and 1 GB")
    func million() throws {
        #if DEBUG
            let packets = 2_500
        #else
            let packets = 125_000
        #endif
        var bench = try Bench.networked()
        for number in 0..<packets {
            let sequence = UInt32(truncatingIfNeeded: number &* 1448)
            let id = UInt16(truncatingIfNeeded: number)
            let time = number / 4
            try bench.tcp(
                ".", at: "gw:eth0", "hv1:uplink", "hv1:tap1b000010-00", "lb:eth0", time: time, from: "gw", to: "lb",
                sequence: sequence, data: 20, id: id)
            try bench.tcp(
                ".", at: "lb:eth0", "hv1:tap1b000010-00", "hv1:tapa5000021-00", "rs1:eth0", time: time + 1, from: "lb",
                to: "rs1", sequence: sequence, ttl: 62, data: 20, id: id)
        }
        bench.evidence.ended = Nanoseconds(packets) * 1_000_000
        // The processor's time: others may share it.
        let start = processorTime()
        let all = bench.journeys
        let time = processorTime() - start
        #expect(all.count == packets)
        #expect(all.allSatisfy { $0.hops.count == 8 })
        #expect(time < 10, "\(bench.frames.count) frames took \(time) s")
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let peak =
            status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
            .flatMap { Int($0.filter(\.isNumber)) } ?? 0
        #expect(peak < 1_000_000, "\(peak) kB at most")
    }

    /// Of this thread, in seconds.
    private func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
