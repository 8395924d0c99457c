import Evidence
import Net
import Scenario
import Testing
import Verdict

@Suite("Conntrack at the moment of a packet")
struct ConntrackMomentsTests {
    private func bench() throws -> Bench {
        var bench = try Bench.networked(until: 10_000_000_000)
        // What a later snapshot shows is another state.
        bench.evidence.final.conntrack["hv1"] = [entry("TIME_WAIT", ["ASSURED"])]
        return bench
    }

    private func history(_ changes: [ConntrackHistory.Change]) -> ConntrackHistory {
        var history = ConntrackHistory(namespace: "hv1", entry: entry("SYN_SENT"))
        history.changes = changes
        return history
    }

    private func states(_ bench: Bench) -> [String?] {
        bench.journeys.map { $0.hops.first { $0.port == "hv1:uplink" }?.conntrack }
    }

    @Test("a handshake of one instant: each packet has the state that it made, not the snapshot's")
    func handshake() throws {
        var bench = try bench()
        let time: Nanoseconds = 1_000_500_000
        try bench.tcp(
            "S", at: "gw:eth0", "hv1:uplink", "hv1:tap1b000010-00", "lb:eth0", time: 1000, from: "gw", to: "lb", id: 1)
        try bench.tcp(
            "S.", at: "lb:eth0", "hv1:tap1b000010-00", "hv1:uplink", "gw:eth0", time: 1000, from: "lb", to: "gw",
            source: "203.0.113.2:80", destination: "198.51.100.10:40312", ttl: 64, id: 2)
        try bench.tcp(
            ".", at: "gw:eth0", "hv1:uplink", "hv1:tap1b000010-00", "lb:eth0", time: 1000, from: "gw", to: "lb",
            sequence: 2, id: 3)
        bench.evidence.conntrack = [
            history([
                .init(time: time, kind: .new, state: "SYN_SENT", flags: ["UNREPLIED"]),
                .init(time: time, kind: .updated, state: "SYN_RECV", flags: []),
                .init(time: time, kind: .updated, state: "ESTABLISHED", flags: ["ASSURED"]),
            ])
        ]
        #expect(Set(states(bench)) == ["SYN_SENT [UNREPLIED]", "SYN_RECV", "ESTABLISHED [ASSURED]"])
        #expect(states(bench).first == "SYN_SENT [UNREPLIED]")
    }

    @Test("what comes when nothing changes has the last state; behind the entry's end there is none of it")
    func later() throws {
        var bench = try bench()
        bench.evidence.final.conntrack = [:]
        for (time, flags) in [(1000, "S"), (2000, "."), (9000, ".")] {
            try bench.tcp(
                flags, at: "gw:eth0", "hv1:uplink", "hv1:tap1b000010-00", "lb:eth0", time: time, from: "gw", to: "lb",
                sequence: UInt32(time), id: UInt16(time))
        }
        bench.evidence.conntrack = [
            history([
                .init(time: 1_000_100_000, kind: .new, state: "SYN_SENT", flags: ["UNREPLIED"]),
                .init(time: 5_000_000_000, kind: .destroyed, state: nil, flags: []),
            ])
        ]
        #expect(states(bench) == ["SYN_SENT [UNREPLIED]", "SYN_SENT [UNREPLIED]", nil])
    }

    @Test("a packet that the kernel logged is INVALID, by content, and blame quotes the kernel")
    func invalid() throws {
        var bench = try bench()
        try bench.tcp("S", at: "gw:eth0", "hv1:uplink", time: 500, from: "gw", to: "lb", id: 3)
        try bench.tcp("P.", at: "gw:eth0", "hv1:uplink", time: 1000, from: "gw", to: "lb", sequence: 2, data: 9, id: 4)
        let octets = bench.frames[2].octets.dropFirst(14)
        let reason = "nf_ct_proto_6: packet (index 3) in dir 0 invalid, state SYN_SENT"
        bench.evidence.invalid = [
            InvalidPacket(
                namespace: "hv1", time: 1_000_100_000, reason: reason, octets: Hexadecimal.encode(octets),
                entry: entry("SYN_SENT", ["UNREPLIED"]))
        ]
        bench.evidence.conntrack = [
            history([.init(time: 500_100_000, kind: .new, state: "SYN_SENT", flags: ["UNREPLIED"])])
        ]
        let text = "-m state --state INVALID -j DROP"
        bench.evidence.initial.rules["hv1"] = [rule(text, 0, chain: "FORWARD")]
        bench.evidence.final.rules["hv1"] = [rule(text, 1, chain: "FORWARD")]
        let journeys = Journeys(scenario: bench.scenario, evidence: bench.evidence, frames: bench.frames).journeys
        let hops = journeys.map { $0.lastHop }
        #expect(hops.map { $0?.conntrack } == ["SYN_SENT [UNREPLIED]", "SYN_SENT [UNREPLIED], INVALID"])
        #expect(hops.map { $0?.invalid } == [nil, reason])
        // Of the two that the rule's single count would fit, the one that is known to be INVALID took it.
        #expect(journeys[0].end != .droppedByConntrackRule)
        #expect(journeys[1].end == .droppedByConntrackRule)
        #expect(journeys[1].blame?.evidence.contains("conntrack said '\(reason)'") == true)
    }

    @Test("what conntrack ignored it accepted: that is not INVALID")
    func ignored() throws {
        var bench = try bench()
        bench.evidence.final.conntrack = [:]
        try bench.tcp("S", at: "gw:eth0", "hv1:uplink", time: 1000, from: "gw", to: "lb", id: 3)
        bench.evidence.invalid = [
            InvalidPacket(
                namespace: "hv1", time: 1_000_100_000,
                reason: "nf_ct_proto_6: packet (index 1) in dir 1 ignored, state SYN_RECV",
                octets: Hexadecimal.encode(bench.frames[0].octets.dropFirst(14)), entry: entry("SYN_RECV"))
        ]
        let journeys = Journeys(scenario: bench.scenario, evidence: bench.evidence, frames: bench.frames).journeys
        #expect(journeys.first?.lastHop?.invalid == nil)
        #expect(journeys.first?.lastHop?.conntrack == "SYN_RECV")
        #expect(SilentInvalid.all(in: journeys) == [])
    }

    @Test("evidence of a run in which nobody listened still tells what snapshots tell")
    func old() throws {
        var bench = try bench()
        try bench.tcp(
            ".", at: "gw:eth0", "hv1:uplink", "hv1:tap1b000010-00", "lb:eth0", time: 1000, from: "gw", to: "lb")
        #expect(states(bench) == ["TIME_WAIT [ASSURED]"])
    }
}

@Suite("Rule traces")
struct RuleTracesTests {
    private func traces(_ traced: [TracedPacket], second: [RunFrame]? = nil) throws -> RuleTraces {
        var bench = try Bench.networked(until: 10_000_000_000)
        try bench.tcp("S", at: "gw:eth0", "hv1:uplink", time: 1, from: "gw", to: "lb", id: 1)
        try bench.tcp(".", at: "gw:eth0", "hv1:uplink", time: 1, from: "gw", to: "lb", sequence: 2, id: 2)
        bench.evidence.initial.rules["hv1"] = [
            rule("policy ACCEPT", 0, number: 0, chain: "FORWARD"), rule("-j own", 0, chain: "FORWARD"),
            rule("-m state --state INVALID -j DROP", 0, chain: "own"), rule("-j ACCEPT", 0, number: 2, chain: "own"),
        ]
        var evidence = bench.evidence
        evidence.traces = try traced.map { packet in
            // By the number of the frame that it is to be.
            var packet = packet
            let frame = bench.frames[try #require(Int(packet.octets))]
            packet.octets = Hexadecimal.encode(frame.octets.dropFirst(14))
            return packet
        }
        let journeys = Journeys(scenario: bench.scenario, evidence: bench.evidence, frames: bench.frames).journeys
        return RuleTraces(
            scenario: bench.scenario, evidence: bench.evidence, frames: bench.frames, journeys: journeys,
            traced: evidence, tracedFrames: second ?? bench.frames)
    }

    private func packet(_ frame: Int, _ steps: [(String, String?)]) -> TracedPacket {
        // At another time than in the first run.
        var packet = TracedPacket(namespace: "hv1", time: 77, octets: "\(frame)")
        packet.steps = steps.map { .init(rule: $0.0, state: $0.1) }
        return packet
    }

    @Test("traced packets are matched by content; each step has the rule's text, the state and what it did")
    func steps() throws {
        let found = try traces([
            packet(2, [("filter:FORWARD:rule:1", nil), ("filter:own:rule:1", nil)]),
            packet(0, [("filter:FORWARD:rule:1", "NEW"), ("filter:own:return:2", "NEW")]),
        ])
        #expect(found.difference == nil)
        #expect(found.passages.map(\.journey) == [1, 2])
        let first = try #require(found.passages.first).steps
        #expect(first.map(\.rule) == ["-j own", "-j ACCEPT"])
        #expect(first.map(\.verdict) == ["own", "ACCEPT"])
        #expect(first.map(\.state) == ["NEW", "NEW"])
        let second = try #require(found.passages.last).steps
        #expect(second.map(\.verdict) == ["own", "DROP"])
        #expect(second.map(\.state) == ["INVALID", "INVALID"])
    }

    @Test("a chain's end is no rule; a policy has its word")
    func ends() throws {
        let found = try traces([packet(0, [("filter:own:return:3", "NEW"), ("filter:FORWARD:policy:2", "NEW")])])
        let steps = try #require(found.passages.first).steps
        #expect(steps.map(\.number) == [0, 0])
        #expect(steps.map(\.verdict) == ["return", "ACCEPT"])
    }

    @Test("a traced run with another frame says so")
    func difference() throws {
        var bench = Bench()
        try bench.tcp("S", at: "gw:eth0", "hv1:uplink", time: 1, from: "gw", to: "lb", sequence: 9, id: 1)
        let found = try traces([], second: bench.frames)
        #expect(found.difference == "frame 1 at gw:eth0 is another one")
    }
}
