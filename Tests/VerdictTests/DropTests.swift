import Evidence
import Net
import Scenario
import Testing
import Verdict

// Testing has types of this name too.
import struct Scenario.Expectation

@Suite("Expectations about drops")
struct DropTests {
    private let invalid = "-m state --state INVALID -j DROP"

    /// hv1 passes the client's SYN to the director and drops the ACK and the data behind it.
    private func crossHypervisor() throws -> Bench {
        var bench = Bench()
        try bench.tcp("S", at: "hv1:uplink", "hv1:tap1b000010-00", "lb:eth0", time: 1, from: "gw", to: "lb")
        try bench.tcp(
            "S", at: "lb:eth0", "hv1:tap1b000010-00", "hv1:uplink", time: 1, from: "lb", to: "rs2", ttl: 62)
        try bench.tcp(".", at: "hv1:uplink", time: 2, from: "gw", to: "lb", sequence: 2, id: 8)
        try bench.tcp("P.", at: "hv1:uplink", time: 3, from: "gw", to: "lb", sequence: 2, data: 20, id: 9)
        bench.evidence.initial.rules["hv1"] = [rule(invalid, 0)]
        bench.evidence.final.rules["hv1"] = [rule(invalid, 2)]
        bench.evidence.final.conntrack["hv1"] = [entry("SYN_SENT", ["UNREPLIED"])]
        return bench
    }

    private var check: Expectation.Drop {
        Expectation.Drop(
            on: "hv1", packet: "tcp and dst host 203.0.113.2", from: "hv1:uplink", to: "hv1:tap(lb)", chain: "i(lb)",
            rule: "--state INVALID -j DROP", conntrack: "SYN_SENT")
    }

    @Test("packets that entered a hypervisor and did not leave it are found, with the rule and the conntrack state")
    func dropped() throws {
        let result = try crossHypervisor().check(.drop(check))
        #expect(result.status == .passed)
        #expect(
            result.statement
                == "hv1 drops at least 1 packet 'tcp and dst host 203.0.113.2' between hv1:uplink and hv1:tap(lb) by "
                + "'--state INVALID -j DROP' in filter neutron-linuxbri-i1b000010-0, conntrack state SYN_SENT")
        // The director's own SYN, leaving by the uplink, did not come in there.
        #expect(result.actual == "2 of 3; 2 packets lost, 2 counted; SYN_SENT")
        #expect(
            result.control
                == "3 packets 'tcp and dst host 203.0.113.2' came in by hv1:uplink, 1 left by hv1:tap(lb)")
        #expect(
            result.details == [
                "0.002000 gw → lb 198.51.100.10:40312 → 203.0.113.2:80 tcp [.] seq 2 ttl 63, 54 octets",
                "0.003000 gw → lb 198.51.100.10:40312 → 203.0.113.2:80 tcp [P.] seq 2 data 20 ttl 63, 74 octets",
                "2 packets: filter neutron-linuxbri-i1b000010-0 1: -m state --state INVALID -j DROP",
            ])
    }

    @Test("packets that got through are no drop, even if the rule counted something")
    func passedThrough() throws {
        var bench = try crossHypervisor()
        try bench.tcp(".", at: "hv1:tap1b000010-00", time: 2, from: "gw", to: "lb", sequence: 2, id: 8)
        try bench.tcp("P.", at: "hv1:tap1b000010-00", time: 3, from: "gw", to: "lb", sequence: 2, data: 20, id: 9)
        let result = try bench.check(.drop(check))
        #expect(result.status == .failed)
        #expect(
            result.message
                == "expected at least 1 packet 'tcp and dst host 203.0.113.2' lost between hv1:uplink and hv1:tap(lb); found 0 of 3"
        )
    }

    @Test("no drop is only shown by packets that came in")
    func noDrop() throws {
        var bench = Bench()
        bench.evidence.final.rules["hv1"] = [rule(invalid, 0)]
        var check = check
        check.count = zero
        let unproven = try bench.check(.drop(check))
        #expect(unproven.status == .failed)
        #expect(unproven.actual == "unproven: control matched nothing")
        try bench.tcp("S", at: "hv1:uplink", "hv1:tap1b000010-00", time: 1, from: "gw", to: "lb")
        #expect(try bench.check(.drop(check)).status == .passed)
    }

    @Test("a drop that the named rule did not count has another cause")
    func otherCause() throws {
        var bench = try crossHypervisor()
        bench.evidence.final.rules["hv1"] = [rule(invalid, 0)]
        #expect(
            try bench.check(.drop(check)).message
                == "expected the drop counted by '--state INVALID -j DROP' in filter neutron-linuxbri-i1b000010-0 on hv1; "
                + "found 2 packets lost, 0 counted")
    }

    @Test("a rule that counted fewer packets than were lost leaves some to another cause")
    func countedTooFew() throws {
        var bench = try crossHypervisor()
        bench.evidence.final.rules["hv1"] = [rule(invalid, 1)]
        #expect(
            try bench.check(.drop(check)).message
                == "expected the drop counted by '--state INVALID -j DROP' in filter neutron-linuxbri-i1b000010-0 on hv1; "
                + "found 2 packets lost, 1 counted")
        // A rule set that was loaded anew counts from 0, and what it had counted since the snapshot before is lost.
        bench.evidence.final.rules["hv1"] = [rule(invalid, 0)]
        bench.addStep("move", 1...5) {
            $0.after.rules["hv1"] = [rule(invalid, 1)]
            $0.after.conntrack["hv1"] = [entry("SYN_SENT", ["UNREPLIED"])]
        }
        #expect(try bench.check(.drop(check)).status == .passed)
    }

    @Test("the conntrack state of the dropped packets' connection must be the expected one")
    func conntrackState() throws {
        var bench = try crossHypervisor()
        bench.evidence.final.conntrack["hv1"] = [entry("ESTABLISHED", ["ASSURED"]), entry("SYN_SENT", port: 99)]
        #expect(
            try bench.check(.drop(check)).message
                == "expected conntrack state SYN_SENT on hv1; found tcp 198.51.100.10:40312 → 203.0.113.2:80 ESTABLISHED [ASSURED]"
        )
        var none = check
        none.conntrack = "none"
        #expect(try bench.check(.drop(none)).status == .failed)
        bench.evidence.final.conntrack["hv1"] = [entry("SYN_SENT", port: 99)]
        #expect(try bench.check(.drop(none)).status == .passed)
        #expect(
            try bench.check(.drop(check)).actual
                == "none for 198.51.100.10:40312 → 203.0.113.2:80 tcp [.] seq 2 ttl 63; "
                + "none for 198.51.100.10:40312 → 203.0.113.2:80 tcp [P.] seq 2 data 20 ttl 63")
    }

    @Test("the conntrack state is the one recorded first after the drop, not the one at the end")
    func conntrackStateInTime() throws {
        var bench = try crossHypervisor()
        bench.addStep("get", 1...4) { $0.after.conntrack["hv1"] = [entry("SYN_SENT", ["UNREPLIED"])] }
        bench.evidence.final.conntrack = [:]
        #expect(try bench.check(.drop(check)).status == .passed)
    }

    @Test("of equal retransmissions, the one that left is the latest before it")
    func retransmission() throws {
        var bench = Bench()
        try bench.tcp("S", at: "hv1:uplink", time: 1, from: "gw", to: "lb")
        try bench.tcp("S", at: "hv1:uplink", "hv1:tap1b000010-00", time: 1001, from: "gw", to: "lb")
        bench.evidence.final.rules["hv1"] = [rule(invalid, 1)]
        var check = check
        check.conntrack = nil
        let result = try bench.check(.drop(check))
        #expect(result.status == .passed)
        #expect(result.details.first?.hasPrefix("0.001000 ") == true)
    }

    @Test("the spoof chain drops what the director sends on, not what came to it on the same tap")
    func hairpin() throws {
        var bench = Bench()
        try bench.tcp("S", at: "hv1:uplink", "hv1:tap1b000010-00", "lb:eth0", time: 1, from: "gw", to: "lb")
        try bench.tcp("S", at: "lb:eth0", "hv1:tap1b000010-00", time: 1, from: "lb", to: "rs1", ttl: 62)
        bench.evidence.final.rules["hv1"] = [rule("-j DROP", 1, chain: "neutron-linuxbri-s1b000010-0")]
        let check = Expectation.Drop(
            on: "hv1", packet: "tcp", from: "hv1:tap(lb)", to: "hv1:tap(rs1)", chain: "s(lb)", rule: "-j DROP",
            count: .init(minimum: 1, maximum: 1))
        #expect(try bench.check(.drop(check)).actual == "1 of 1; 1 packet lost, 1 counted")
    }

    @Test("a virtual clock that stands still does not confuse the directions")
    func oneInstant() throws {
        var bench = try crossHypervisor()
        for index in bench.frames.indices { bench.frames[index].time = 5 }
        #expect(try bench.check(.drop(check)).actual == "2 of 3; 2 packets lost, 2 counted; SYN_SENT")
    }

    @Test("a machine's own frame came in by its tap, also if it left by the uplink at the same instant")
    func oneInstantOutward() throws {
        var bench = Bench()
        try bench.tcp("S.", at: "hv1:tapa5000021-00", "hv1:uplink", time: 1, from: "rs1", to: "gw", ttl: 64)
        for index in bench.frames.indices { bench.frames[index].time = 5 }
        let check = Expectation.Drop(
            on: "hv1", packet: "tcp", from: "hv1:tap(rs1)", to: "hv1:uplink", chain: "s(rs1)", rule: "-j DROP")
        let result = try bench.check(.drop(check))
        #expect(result.status == .failed)
        #expect(result.control == "1 packet 'tcp' came in by hv1:tap(rs1), 1 left by hv1:uplink")
    }

    @Test("a firewall in the director itself: MAC addresses and TTL change, and both directions share one port")
    func insideHost() throws {
        var bench = Bench()
        try bench.tcp("S", at: "lb:eth0", time: 1, from: "gw", to: "lb")
        try bench.tcp("S", at: "lb:eth0", time: 2, from: "lb", to: "rs1", ttl: 62)
        try bench.tcp("R", at: "lb:eth0", time: 3, from: "gw", to: "lb", sequence: 9)
        bench.evidence.final.rules["lb"] = [rule("-m conntrack --ctstate INVALID -j DROP", 1, chain: "INPUT")]
        let check = Expectation.Drop(
            on: "lb", packet: "tcp", from: "lb", to: "lb", chain: "INPUT", rule: "INVALID -j DROP", conntrack: "none",
            count: .init(minimum: 1, maximum: 1))
        #expect(try bench.check(.drop(check)).actual == "1 of 2; 1 packet lost, 1 counted; none")
    }

    @Test("a spoofed ARP reply is dropped by ebtables")
    func arp() throws {
        var bench = Bench()
        try bench.arp(
            2, at: "rs1:eth0", "hv1:tapa5000021-00", time: 1, from: "rs1", to: "gw", sender: "203.0.113.2",
            target: "203.0.113.1")
        let chain = "neutronARP-tapa5000021-00"
        bench.evidence.final.rules["hv1"] = [
            rule("policy DROP", 1, number: 0, chain: chain, family: "bridge", table: "nat")
        ]
        let check = Expectation.Drop(
            on: "hv1", packet: "arp", from: "hv1:tap(rs1)", to: "hv1:uplink", table: "nat",
            chain: "neutronARP-tap(rs1)",
            rule: "policy DROP", conntrack: "none")
        #expect(try bench.check(.drop(check)).actual == "1 of 1; 1 packet lost, 1 counted; none")
    }
}
