import Evidence
import Net
import Scenario
import Testing
import Verdict

// Testing has types of this name too.
import struct Scenario.Expectation

@Suite("Expectations about traffic, ARP and commands")
struct TrafficTests {
    private func transcript(_ outcome: Outcome, _ server: String? = nil, _ detail: String? = nil) -> Transcript {
        Transcript(
            protocol: "http", client: "client", source: endpoint("198.51.100.10:40312"),
            destination: endpoint("203.0.113.2:80"), started: 1_000_000, ended: 2_001_000_000, outcome: outcome,
            server: server, seenFrom: outcome == .answered ? endpoint("198.51.100.10:40312") : nil, sentBytes: 78,
            receivedBytes: outcome == .answered ? 120 : 0, detail: detail)
    }

    private func bench(_ transcripts: Transcript...) -> Bench {
        var bench = Bench()
        bench.addStep("gets", 1...3000) { $0.transcripts = transcripts }
        return bench
    }

    @Test("the seed's failure is 'connected then silent', in the order of the requests")
    func outcomes() throws {
        let bench = bench(transcript(.answered, "rs1"), transcript(.connectedThenSilent))
        let check = Expectation.Traffic(outcomes: ["rs1", "connected then silent"])
        #expect(try bench.check(.traffic(check), step: 0).status == .passed)
        #expect(try bench.check(.traffic(check)).status == .passed)
        let other = try bench.check(.traffic(.init(outcomes: ["rs2", "rs1"])))
        #expect(other.message == "expected the outcomes rs2, rs1; found rs1, connected then silent")
        #expect(
            other.details == [
                "#1 0.001000 198.51.100.10:40312 → 203.0.113.2:80 http answered by rs1 after 2.000000 s, 78 sent, 120 received",
                "#2 0.001000 198.51.100.10:40312 → 203.0.113.2:80 http connected then silent after 2.000000 s, 78 sent, 0 received",
            ])
        #expect(try bench.check(.traffic(.init(outcomes: ["rs1"]))).status == .failed)
    }

    @Test("all requests end alike")
    func all() throws {
        let bench = bench(transcript(.answered, "rs1"), transcript(.answered, "rs2"), transcript(.refused))
        #expect(
            try bench.check(.traffic(.init(all: "answered"))).message
                == "expected all 3 requests answered; found 1 of 3 otherwise: refused")
        #expect(
            try bench.check(.traffic(.init(all: "rs1"))).message
                == "expected all 3 requests answered by rs1; found 2 of 3 otherwise: rs2, refused")
        var answered = bench
        answered.evidence.steps[0].transcripts.removeLast()
        #expect(try answered.check(.traffic(.init(all: "answered"))).status == .passed)
    }

    @Test("answers are counted by real server")
    func answeredBy() throws {
        let bench = bench(transcript(.answered, "rs1"), transcript(.answered, "rs2"), transcript(.reset))
        let one = Expectation.Count(minimum: 1, maximum: 1)
        let check = Expectation.Traffic(answeredBy: ["rs1": one, "rs2": one, "total": .init(minimum: 2, maximum: 3)])
        #expect(try bench.check(.traffic(check)).status == .passed)
        let failed = try bench.check(.traffic(.init(answeredBy: ["rs2": zero, "rs1": .init(minimum: 2, maximum: 2)])))
        #expect(
            failed.message
                == "expected 2 requests answered by rs1 and no requests answered by rs2; found 1 of 3; 1 of 3")
    }

    @Test("the real server sees the client's own address")
    func seenFrom() throws {
        let bench = bench(transcript(.answered, "rs1"))
        #expect(try bench.check(.traffic(.init(seenFrom: Bench.client))).status == .passed)
        #expect(
            try bench.check(.traffic(.init(seenFrom: ip("203.0.113.3")))).message
                == "expected the servers to see the client as 203.0.113.3; found 198.51.100.10 in 1")
        let silent = self.bench(transcript(.connectTimedOut))
        #expect(
            try silent.check(.traffic(.init(seenFrom: Bench.client))).actual == "no request was answered")
    }

    @Test("the errno of a failed request is its own outcome")
    func error() throws {
        let bench = bench(transcript(.unreachable, nil, "EHOSTUNREACH"))
        #expect(try bench.check(.traffic(.init(all: "unreachable", error: "EHOSTUNREACH"))).status == .passed)
        #expect(
            try bench.check(.traffic(.init(error: "ENETUNREACH"))).message
                == "expected the error ENETUNREACH; found EHOSTUNREACH")
        #expect(
            try self.bench(transcript(.refused)).check(.traffic(.init(error: "EHOSTUNREACH"))).status == .failed)
    }

    @Test("nothing is said of requests that were not made")
    func noRequests() throws {
        #expect(
            try bench().check(.traffic(.init(all: "connect timed out")), step: 0).message
                == "expected all requests connect timed out; found no request in this step")
        #expect(try bench().check(.traffic(.init(answeredBy: ["rs1": zero]))).status == .failed)
    }

    // MARK: ARP

    private func storm() throws -> Bench {
        var bench = Bench()
        try bench.arp(
            1, at: "gw:eth0", time: 1, from: "gw", to: "broadcast", sender: "203.0.113.1", target: "203.0.113.2")
        for server in ["rs2", "lb", "rs1"] {
            try bench.arp(
                2, at: "gw:eth0", time: 1, from: server, to: "gw", sender: "203.0.113.2", target: "203.0.113.1")
        }
        return bench
    }

    @Test("the VIP on every machine: three answers to one question")
    func arpStorm() throws {
        let bench = try storm()
        let check = Expectation.ARP(at: "gw", whoHas: Bench.vip, answeredBy: ["lb", "rs1", "rs2"])
        let passed = try bench.check(.arp(check))
        #expect(passed.status == .passed)
        #expect(passed.statement == "gw:eth0 sees at least 1 request 'who-has 203.0.113.2', answered by lb, rs1, rs2")
        var other = check
        other.answeredBy = ["lb"]
        let failed = try bench.check(.arp(other))
        #expect(
            failed.message
                == "expected 'who-has 203.0.113.2' answered by lb at gw:eth0; found 3 answers by lb, rs1, rs2")
        #expect(failed.details.first == "0.001000 gw → broadcast arp who-has 203.0.113.2 tell 203.0.113.1")
        #expect(failed.details.last == "0.001000 rs1 → gw arp 203.0.113.2 is-at fa:16:3e:00:00:04")
    }

    @Test("a question that nobody answered; the question itself is the control")
    func arpUnanswered() throws {
        var bench = Bench()
        try bench.arp(
            1, at: "rs1:eth0", time: 1, from: "lb", to: "broadcast", sender: "203.0.113.2", target: "203.0.113.4")
        let check = Expectation.ARP(
            at: "rs1", whoHas: ip("203.0.113.4"), tell: Bench.vip, askedBy: "lb", answeredBy: [])
        #expect(try bench.check(.arp(check)).status == .passed)
        var other = check
        other.tell = ip("203.0.113.3")
        let failed = try bench.check(.arp(other))
        #expect(
            failed.message
                == "expected at least 1 request 'who-has 203.0.113.4 tell 203.0.113.3 from lb' at rs1:eth0; "
                + "found 0 (lb asks, tell 203.0.113.2)")
    }

    @Test("an announcement neither asks nor answers")
    func gratuitous() throws {
        var bench = Bench()
        try bench.arp(
            1, at: "gw:eth0", time: 1, from: "lb", to: "broadcast", sender: "203.0.113.2", target: "203.0.113.2")
        try bench.arp(
            2, at: "gw:eth0", time: 2, from: "rs1", to: "broadcast", sender: "203.0.113.2", target: "203.0.113.2")
        let none = Expectation.ARP(at: "gw", whoHas: Bench.vip, requests: zero, answeredBy: [])
        #expect(try bench.check(.arp(none)).status == .passed)
        let announced = Expectation.ARP(
            at: "gw", whoHas: Bench.vip, tell: Bench.vip, askedBy: "lb", requests: .init(minimum: 1, maximum: 1))
        #expect(try bench.check(.arp(announced)).status == .passed)
    }

    @Test("no question at a port that captured nothing is unproven")
    func arpUnproven() throws {
        let check = Expectation.ARP(at: "rs1", whoHas: Bench.vip, requests: zero)
        let blind = try Bench().check(.arp(check))
        #expect(blind.status == .failed)
        #expect(blind.actual == "unproven: control matched nothing (rs1:eth0 captured 0 frames in the run)")
    }

    @Test("neighbour discovery is judged like ARP")
    func neighbourDiscovery() throws {
        var bench = Bench()
        let router = ip("2001:db8::1")
        let service = ip("2001:db8::2")
        func message(_ type: UInt8, from: String, to: String, _ source: IPAddress, _ destination: IPAddress) -> [UInt8]
        {
            Bench.mac(to).octets + Bench.mac(from).octets + [0x86, 0xDD, 0x60, 0, 0, 0, 0, 24, 58, 255]
                + source.octets + destination.octets + [type, 0, 0, 0, 0, 0, 0, 0] + service.octets
        }
        try bench.add(
            message(135, from: "gw", to: "broadcast", router, ip("ff02::1:ff00:2")), at: ["gw:eth0"], time: 1)
        try bench.add(message(136, from: "lb", to: "gw", service, router), at: ["gw:eth0"], time: 2)
        let check = Expectation.ARP(
            at: "gw", whoHas: service, tell: router, askedBy: "gw", requests: .init(minimum: 1, maximum: 1),
            answeredBy: ["lb"])
        let result = try bench.check(.arp(check))
        #expect(result.status == .passed, "\(result.message)")
    }

    // MARK: commands

    @Test("a command's exit code and output")
    func command() throws {
        var bench = Bench()
        bench.addStep("list", 1...2) {
            $0.command = CommandRecord(
                arguments: ["ipvsadm", "-Ln"], status: 0, output: "TCP 203.0.113.2:80 rr\n", errors: "")
        }
        #expect(try bench.check(.command(.init(status: 0, prints: ["rr"])), step: 0).status == .passed)
        let failed = try bench.check(.command(.init(status: 1, prints: ["wlc"])), step: 0)
        #expect(
            failed.message
                == "expected 'ipvsadm -Ln' to end with exit code 1 and 'ipvsadm -Ln' to print 'wlc'; found exit code 0; other output"
        )
        #expect(failed.details == ["TCP 203.0.113.2:80 rr"])
        let misplaced = try bench.check(.command(.init(status: 0)))
        #expect(misplaced.status == .error)
        #expect(misplaced.message == "a command can only be judged in the step that runs it")
    }
}
