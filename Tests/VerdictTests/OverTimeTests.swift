import Evidence
import Net
import Scenario
import Testing
import Verdict

// Testing has types of these names too.
import struct Scenario.Expectation

@Suite("Expectations over time, and alternatives")
struct OverTimeTests {
    /// Requests by the milliseconds of their beginning and end; an answered one by the host.
    private func bench(_ requests: (ClosedRange<Int>, String?)...) -> Bench {
        var bench = Bench()
        bench.addStep("gets", 1...9000) { step in
            step.transcripts = requests.map { time, server in
                Transcript(
                    protocol: "http", client: "client", destination: endpoint("203.0.113.2:80"),
                    started: Nanoseconds(time.lowerBound) * 1_000_000,
                    ended: Nanoseconds(time.upperBound) * 1_000_000,
                    outcome: server == nil ? .connectTimedOut : .answered, server: server)
            }
        }
        return bench
    }

    private func atMost(_ milliseconds: Int) -> Expectation.Count {
        .init(minimum: 0, maximum: milliseconds * 1_000_000)
    }

    @Test("an outage is the longest time from one answer to the next")
    func outage() throws {
        let bench = bench(
            (100...200, "rs1"), (300...800, nil), (900...1400, nil), (1500...1600, "rs2"), (1700...1800, "rs2"))
        #expect(try bench.check(.traffic(.init(outage: atMost(1400))), step: 0).status == .passed)
        #expect(
            try bench.check(.traffic(.init(outage: atMost(1399))), step: 0).message
                == "expected an outage of at most 1.399000 s; found 1.400000 s, from 0.200000 to 1.600000")
    }

    @Test("before the first answer and after the last one it counts as well, and without any answer all the time")
    func edges() throws {
        let late = bench((0...500, nil), (500...700, "rs1"))
        #expect(try late.check(.traffic(.init(outage: atMost(1)))).actual.hasPrefix("0.700000 s, from 0.000000"))
        let early = bench((0...100, "rs1"), (100...900, nil))
        #expect(try early.check(.traffic(.init(outage: atMost(1)))).actual.hasPrefix("0.800000 s, from 0.100000"))
        let never = bench((0...500, nil), (500...1000, nil))
        #expect(try never.check(.traffic(.init(outage: atMost(1)))).actual.hasPrefix("1.000000 s, from 0.000000"))
    }

    private func announced() throws -> Bench {
        var bench = Bench()
        bench.addStep("failover", 0...9)
        try bench.arp(
            1, at: "gw:eth0", time: 2, from: "rs2", to: "broadcast", sender: "203.0.113.2", target: "203.0.113.2")
        try bench.tcp("S", at: "gw:eth0", "rs2:eth0", time: 3, from: "gw", to: "rs2")
        try bench.tcp("S", at: "lb:eth0", time: 3, from: "gw", to: "lb")
        return bench
    }

    @Test("the first of one kind is seen before the first of the next")
    func order() throws {
        let bench = try announced()
        let arp = Expectation.Order.Frame(at: "gw", filter: "arp")
        let syn = Expectation.Order.Frame(at: "rs2", filter: "tcp")
        #expect(try bench.check(.order(.init([arp, syn])), step: 0).status == .passed)
        let turned = try bench.check(.order(.init([syn, arp])), step: 0)
        #expect(
            turned.message
                == "expected a frame matching 'arp' at gw:eth0 after one matching 'tcp'; "
                + "found the first at 0.002000, before 0.003001")
        #expect(turned.details.count == 2)
        let missing = try bench.check(.order(.init([arp, .init(at: "rs1", filter: "tcp")])), step: 0)
        #expect(missing.message == "expected a frame matching 'tcp' at rs1:eth0; found 0 of the 0 frames there")
    }

    @Test("what two ports see at one instant is in no order")
    func oneInstant() throws {
        let bench = try announced()
        let result = try bench.check(
            .order(.init([.init(at: "gw", filter: "tcp"), .init(at: "lb", filter: "tcp")])), step: 0)
        #expect(result.status == .failed)
        #expect(result.actual == "the first at 0.003000, at the same time")
    }

    @Test("of alternatives one is enough, all of whose expectations hold")
    func anyOf() throws {
        let bench = bench((100...200, "rs1"))
        func answered(_ host: String) -> Expectation {
            Expectation(.traffic(.init(all: host)), location: Bench.location(1))
        }
        let passed = try bench.check(.anyOf([[answered("rs2")], [answered("rs1"), answered("answered")]]))
        #expect(passed.status == .passed)
        #expect(passed.actual == "(2) all of them; all of them")
        let failed = try bench.check(.anyOf([[answered("rs2")], [answered("rs1"), answered("lb")]]))
        #expect(failed.status == .failed)
        #expect(
            failed.statement
                == "any of: (1) all requests answered by rs2, or (2) all requests answered by rs1 and all requests "
                + "answered by lb")
        #expect(failed.expected == "(1) all 1 request answered by rs2, or (2) all 1 request answered by lb")
        #expect(failed.actual == "(1) 1 of 1 otherwise: rs1, and (2) 1 of 1 otherwise: rs1")
        #expect(failed.details.contains { $0.hasPrefix("(2) expected all 1 request answered by lb; found") })
    }

    @Test("alternatives none of which holds, and one of which cannot be judged, cannot be judged")
    func unjudgeable() throws {
        let bench = bench((100...200, "rs1"))
        let broken = Expectation(.packets(.init(at: "nowhere", filter: "tcp")), location: Bench.location(1))
        let other = Expectation(.traffic(.init(all: "rs2")), location: Bench.location(1))
        #expect(try bench.check(.anyOf([[broken], [other]])).status == .error)
        let fitting = Expectation(.traffic(.init(all: "rs1")), location: Bench.location(1))
        #expect(try bench.check(.anyOf([[broken], [fitting]])).status == .passed)
    }

    @Test("octets are compared with those of other frames")
    func share() throws {
        var bench = Bench()
        try bench.tcp(".", at: "lb:eth0", time: 1, from: "gw", to: "lb", data: 0)
        for time in 2...10 { try bench.tcp(".", at: "gw:eth0", time: time, from: "rs1", to: "gw", data: 346) }
        func check(_ share: Expectation.Count, of filter: String = "tcp") throws -> CheckResult {
            var packets = Expectation.Packets(at: "lb", filter: "tcp")
            packets.share = share
            packets.of = .init(at: "gw", filter: filter)
            return try bench.check(.packets(packets))
        }
        // 54 of 9 times 400.
        #expect(try check(.init(minimum: 1500, maximum: 1500)).status == .passed)
        let failed = try check(.init(minimum: 0, maximum: 1000))
        #expect(
            failed.message
                == "expected at most 1 % of the octets matching 'tcp' at gw:eth0; found 1.5 %, 54 of 3600 octets")
        #expect(try check(.init(minimum: 0, maximum: 1000), of: "udp").actual == "there are none")
    }

    @Test("TCP timestamps fall or do not fall from one frame to the next, modulo 2 to the 32nd")
    func timestamps() throws {
        func check(_ values: [UInt32], _ wanted: Expectation.Packets.Timestamps) throws -> CheckResult {
            var bench = Bench()
            for (position, value) in values.enumerated() { try bench.timestamped(value, at: "gw:eth0", time: position) }
            var packets = Expectation.Packets(at: "gw", filter: "tcp")
            packets.tcpTimestamps = wanted
            return try bench.check(.packets(packets))
        }
        #expect(try check([5, 5, 9, .max, 3], .ascending).status == .failed)
        #expect(try check([5, 5, 9], .ascending).status == .passed)
        #expect(try check([.max - 1, .max, 3], .ascending).status == .passed)
        #expect(try check([5, 9, 7], .notAscending).status == .passed)
        let failed = try check([5, 7, 9], .notAscending)
        #expect(failed.actual == "ascending in 3 frames")
        var bench = Bench()
        try bench.tcp(".", at: "gw:eth0", time: 1, from: "rs1", to: "gw")
        var packets = Expectation.Packets(at: "gw", filter: "tcp")
        packets.tcpTimestamps = .ascending
        #expect(try bench.check(.packets(packets)).actual == "1 of 1 frame without one")
    }
}

extension Bench {
    /// An ACK with no more than a timestamps option.
    fileprivate mutating func timestamped(_ value: UInt32, at port: String, time: Int) throws {
        try tcp(".", at: port, time: time, from: "rs1", to: "gw", data: 12)
        let last = frames.count - 1
        var octets = frames[last].octets
        // The header is 12 octets longer: two of padding, kind 8, length 10, TSval, TSecr.
        octets[46] = 0x80
        let option: [UInt8] =
            [1, 1, 8, 10] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } + [0, 0, 0, 0]
        octets.replaceSubrange(54..<66, with: option)
        frames[last].octets = octets
    }
}
