import Evidence
import Net
import Scenario
import Testing
import Verdict

// Testing has types of this name too.
import struct Scenario.Expectation

@Suite("Expectations about packets")
struct PacketTests {
    /// A request through the director to rs1, and rs1's direct reply.
    private func directRouting() throws -> Bench {
        var bench = Bench()
        try bench.tcp("S", at: "gw:eth0", "hv1:uplink", "hv1:tap1b000010-00", "lb:eth0", time: 1, from: "gw", to: "lb")
        try bench.tcp(
            "S", at: "lb:eth0", "hv1:tap1b000010-00", "hv1:tapa5000021-00", "rs1:eth0", time: 2, from: "lb", to: "rs1",
            ttl: 62)
        try bench.tcp(
            "S.", at: "rs1:eth0", "hv1:tapa5000021-00", "hv1:uplink", "gw:eth0", time: 3, from: "rs1", to: "gw",
            source: "203.0.113.2:80", destination: "198.51.100.10:40312", sequence: 500, ttl: 64)
        return bench
    }

    @Test("frames are counted at a port, by tcpdump's filters")
    func count() throws {
        let bench = try directRouting()
        let check = Expectation.Packets(at: "lb", filter: "dst host 203.0.113.2", count: .init(minimum: 2, maximum: 2))
        let passed = try bench.check(.packets(check))
        #expect(passed.status == .passed)
        #expect(passed.statement == "lb:eth0 carries 2 frames matching 'dst host 203.0.113.2'")
        #expect(passed.actual == "2")
        #expect(passed.control == nil)

        var other = check
        other.count = .init(minimum: 3, maximum: .max)
        let failed = try bench.check(.packets(other))
        #expect(failed.status == .failed)
        #expect(
            failed.message
                == "expected at least 3 frames matching 'dst host 203.0.113.2' at lb:eth0; found 2")
        #expect(
            failed.details == [
                "0.001003 gw → lb 198.51.100.10:40312 → 203.0.113.2:80 tcp [S] seq 1 ttl 63, 54 octets",
                "0.002000 lb → rs1 198.51.100.10:40312 → 203.0.113.2:80 tcp [S] seq 1 ttl 62, 54 octets",
            ])
    }

    @Test("an absence holds when its control was seen, and says what the control saw")
    func absence() throws {
        let bench = try directRouting()
        let check = Expectation.Packets(
            at: "hv1:tap(lb)", filter: "src host 203.0.113.2", count: zero,
            control: .init(at: "gw:eth0", filter: "src host 203.0.113.2"))
        let result = try bench.check(.packets(check))
        #expect(result.status == .passed)
        #expect(result.control == "'src host 203.0.113.2' matched 1 frame at gw:eth0 in the run")
        #expect(result.statement == "hv1:tap1b000010-00 carries no frames matching 'src host 203.0.113.2'")
    }

    @Test("an absence whose control saw nothing is unproven, and fails")
    func unproven() throws {
        let bench = try directRouting()
        let check = Expectation.Packets(
            at: "lb:eth0", filter: "udp", count: zero, control: .init(filter: "udp port 53"))
        let result = try bench.check(.packets(check))
        #expect(result.status == .failed)
        #expect(
            result.message
                == "expected a control that shows such frames can be seen at lb:eth0; found unproven: control matched "
                + "nothing ('udp port 53' matched 0 frames at lb:eth0 in the run)")
    }

    @Test("without a control, the port must at least have captured something")
    func implicitControl() throws {
        let bench = try directRouting()
        let seeing = try bench.check(.packets(.init(at: "lb", filter: "udp", count: zero)))
        #expect(seeing.status == .passed)
        #expect(seeing.control == "lb:eth0 captured 2 frames in the run")
        let blind = try bench.check(.packets(.init(at: "rs2", filter: "udp", count: zero)))
        #expect(blind.status == .failed)
        #expect(
            blind.actual == "unproven: control matched nothing (rs2:eth0 captured 0 frames in the run)")
        let upperBound = try bench.check(
            .packets(.init(at: "rs2", filter: "udp", count: .init(minimum: 0, maximum: 3))))
        #expect(upperBound.status == .failed)
    }

    @Test("every frame must have the MAC addresses and the TTL")
    func attributes() throws {
        let bench = try directRouting()
        let passed = try bench.check(
            .packets(
                .init(
                    at: "rs1", filter: "dst host 203.0.113.2", sourceMAC: "lb", destinationMAC: "fa:16:3e:00:00:04",
                    ttl: 62)))
        #expect(passed.status == .passed)
        let failed = try bench.check(
            .packets(.init(at: "lb", filter: "tcp", sourceMAC: "gw", destinationMAC: "lb", ttl: 63)))
        #expect(failed.status == .failed)
        #expect(
            failed.actual == "1 of 2 from lb; 1 of 2 to rs1; 1 of 2 with 62")
        #expect(
            failed.details == ["0.002000 lb → rs1 198.51.100.10:40312 → 203.0.113.2:80 tcp [S] seq 1 ttl 62, 54 octets"]
        )
    }

    @Test("attributes of no frame at all do not hold")
    func attributesOfNothing() throws {
        let bench = try directRouting()
        let result = try bench.check(.packets(.init(at: "lb", filter: "udp", ttl: 63)))
        #expect(result.status == .failed)
        #expect(result.message == "expected at least 1 frame matching 'udp' at lb:eth0; found 0 of the 2 frames there")
    }

    @Test("octets are those on the wire, not those kept")
    func bytes() throws {
        var bench = try directRouting()
        bench.frames[0].wireLength = 1500
        let check = Expectation.Packets(
            at: "gw", filter: "dst host 203.0.113.2", bytes: .init(minimum: 1500, maximum: 1500))
        #expect(try bench.check(.packets(check)).status == .passed)
        var other = check
        other.bytes = .init(minimum: 0, maximum: 999)
        #expect(
            try bench.check(.packets(other)).message
                == "expected at most 999 octets in frames matching 'dst host 203.0.113.2' at gw:eth0; found 1500 octets in 1 frame"
        )
    }

    @Test("a step sees its own frames, from its start to its end")
    func step() throws {
        var bench = try directRouting()
        bench.addStep("syn", 0...2)
        bench.addStep("synack", 3...4)
        let check = Expectation.Check.packets(.init(at: "gw", filter: "tcp", count: .init(minimum: 1, maximum: 1)))
        #expect(try bench.check(check, step: 0).status == .passed)
        #expect(try bench.check(check, step: 1).status == .passed)
        #expect(try bench.check(check).actual == "2")
        // The control of an absence looks at the whole run.
        let absence = Expectation.Check.packets(
            .init(at: "lb", filter: "src host 203.0.113.2", count: zero, control: .init(filter: "tcp")))
        #expect(try bench.check(absence, step: 1).status == .passed)
    }

    @Test("a frame at the instant where one step ends and the next begins counts in both, one between them in neither")
    func sharedInstant() throws {
        var bench = try directRouting()
        for index in bench.frames.indices { bench.frames[index].time = 2_000_000 }
        bench.addStep("first", 1...2)
        bench.addStep("second", 2...3)
        let check = Expectation.Check.packets(.init(at: "gw", filter: "tcp", count: .init(minimum: 2, maximum: 2)))
        #expect(try bench.check(check, step: 0).status == .passed)
        #expect(try bench.check(check, step: 1).status == .passed)
        for index in bench.frames.indices { bench.frames[index].time = 2_000_001 }
        bench.evidence.steps[1].started = 2_000_002
        #expect(try bench.check(check, step: 0).status == .failed)
        #expect(try bench.check(check, step: 1).status == .failed)
    }

    @Test("Direct Routing: replies carry the real server's MAC and do not cross the director")
    func replyPath() throws {
        let bench = try directRouting()
        let check = Expectation.ReplyPath(vip: Bench.vip, from: ["rs1", "rs2"], at: "gw", notAcross: "lb")
        let passed = try bench.check(.replyPath(check))
        #expect(passed.status == .passed)
        #expect(passed.statement == "replies from 203.0.113.2 reach gw from rs1 or rs2, none across lb")
        #expect(passed.actual == "1 from rs1; 0")
        #expect(passed.control == "1 reply at gw:eth0, 2 requests at lb:eth0")

        var strict = check
        strict.from = ["rs2"]
        let failed = try bench.check(.replyPath(strict))
        #expect(
            failed.message
                == "expected replies from 203.0.113.2 at gw:eth0, all with the MAC of rs2; found 1 of 1 otherwise: 1 from rs1"
        )
        #expect(
            failed.details == [
                "0.003003 rs1 → gw 203.0.113.2:80 → 198.51.100.10:40312 tcp [S.] seq 500 ttl 64, 54 octets"
            ])
    }

    @Test("masquerading: a reply across the director breaks Direct Routing's promise and keeps its own")
    func masquerading() throws {
        var bench = try directRouting()
        try bench.tcp(
            "S.", at: "lb:eth0", time: 3, from: "lb", to: "gw", source: "203.0.113.2:80",
            destination: "198.51.100.10:40312", sequence: 500, ttl: 63)
        let direct = try bench.check(.replyPath(.init(vip: Bench.vip, from: ["rs1"], at: "gw", notAcross: "lb")))
        #expect(direct.message == "expected no reply from 203.0.113.2 across lb:eth0; found 1")
        let across = Expectation.ReplyPath(vip: Bench.vip, from: ["rs1"], at: "gw", across: "lb")
        #expect(try bench.check(.replyPath(across)).status == .passed)
        bench.frames.removeLast()
        #expect(
            try bench.check(.replyPath(across)).message
                == "expected every reply from 203.0.113.2 across lb:eth0; found 1 of 1 past it")
    }

    @Test("a reply path without replies or requests is unproven")
    func replyPathUnproven() throws {
        let bench = Bench()
        let result = try bench.check(.replyPath(.init(vip: Bench.vip, from: ["rs1"], at: "gw", notAcross: "lb")))
        #expect(result.status == .failed)
        #expect(result.actual == "unproven: no reply was seen there; unproven: no request was seen there")
        #expect(result.control == "0 replies at gw:eth0, 0 requests at lb:eth0")
    }
}
