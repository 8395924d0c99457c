import Evidence
import Net
import Scenario
import Testing
import Verdict

// Testing has types of this name too.
import struct Scenario.Expectation

@Suite("Expectations about the kernel's tables")
struct TableTests {
    // MARK: conntrack

    private let unreplied = Expectation.Conntrack(
        on: "hv1", destination: Bench.vip, state: "SYN_SENT", flags: ["UNREPLIED"], count: .init(minimum: 2, maximum: 2)
    )

    @Test("conntrack entries are counted by state and flags among those of the connection")
    func conntrack() throws {
        var bench = Bench()
        bench.evidence.final.conntrack["hv1"] = [
            entry("SYN_SENT", ["UNREPLIED"]), entry("SYN_SENT", ["UNREPLIED"], port: 40313),
            entry("ESTABLISHED", ["ASSURED"], port: 40314),
        ]
        let result = try bench.check(.conntrack(unreplied))
        #expect(result.status == .passed)
        #expect(result.statement == "hv1 has 2 conntrack entries in SYN_SENT [UNREPLIED] for 203.0.113.2")
        #expect(result.actual == "2 of 3")
        #expect(result.details.count == 3)
    }

    @Test("a missing conntrack state is shown beside the one that is there")
    func conntrackFails() throws {
        var bench = Bench()
        bench.evidence.final.conntrack["hv1"] = [
            entry("ESTABLISHED", ["ASSURED"]), entry("TIME_WAIT", port: 1, zone: 5),
        ]
        #expect(
            try bench.check(.conntrack(unreplied)).message
                == "expected 2 conntrack entries on hv1 in SYN_SENT [UNREPLIED] for 203.0.113.2; found 0 of 2: "
                + "tcp 198.51.100.10:40312 → 203.0.113.2:80 ESTABLISHED [ASSURED]; "
                + "tcp 198.51.100.10:1 → 203.0.113.2:80 TIME_WAIT zone 5")
    }

    @Test("unwanted conntrack entries are named")
    func conntrackAbsence() throws {
        var bench = Bench()
        let check = Expectation.Conntrack(
            on: "hv1", protocol: "tcp", source: Bench.client, destination: Bench.vip, destinationPort: 80,
            flags: ["!ASSURED"], zone: 0, count: zero)
        let empty = try bench.check(.conntrack(check))
        #expect(empty.status == .passed)
        #expect(empty.control == "hv1's table has 0 entries")
        bench.evidence.final.conntrack["hv1"] = [entry("SYN_SENT"), entry("ESTABLISHED", ["ASSURED"])]
        #expect(
            try bench.check(.conntrack(check)).message
                == "expected no conntrack entries on hv1 without [ASSURED] in zone 0 for tcp from 198.51.100.10 to "
                + "203.0.113.2:80; found 1 of 2: tcp 198.51.100.10:40312 → 203.0.113.2:80 SYN_SENT")
    }

    @Test("a step looks at the table behind it, the end at the last one")
    func conntrackInStep() throws {
        var bench = Bench()
        bench.addStep("get", 1...2) { $0.after.conntrack["hv1"] = [entry("SYN_SENT")] }
        let check = Expectation.Check.conntrack(.init(on: "hv1"))
        #expect(try bench.check(check, step: 0).status == .passed)
        #expect(try bench.check(check).status == .failed)
    }

    // MARK: rules

    private let established = "-m state --state RELATED,ESTABLISHED -j RETURN"
    private let invalid = "-m state --state INVALID -j DROP"
    private let dropped = Expectation.Rule(
        on: "hv1", chain: "i(lb)", rule: "--state INVALID -j DROP", packets: .init(minimum: 8, maximum: 8))

    @Test("a rule's packets are those since the state before; the chain is named by the host")
    func rules() throws {
        var bench = Bench()
        bench.evidence.initial.rules["hv1"] = [rule(invalid, 2), rule(established, 4, number: 2)]
        bench.evidence.final.rules["hv1"] = [rule(invalid, 10), rule(established, 9, number: 2)]
        let result = try bench.check(.rule(dropped))
        #expect(result.status == .passed)
        #expect(
            result.statement
                == "rule '--state INVALID -j DROP' in filter neutron-linuxbri-i1b000010-0 on hv1 counts 8 packets")
        #expect(
            result.details == ["8 packets: filter neutron-linuxbri-i1b000010-0 1: -m state --state INVALID -j DROP"])
        bench.evidence.final.rules["hv1"] = [rule(invalid, 2)]
        #expect(
            try bench.check(.rule(dropped)).message
                == "expected 8 packets counted by '--state INVALID -j DROP' in filter neutron-linuxbri-i1b000010-0 on hv1; found 0"
        )
    }

    @Test("a rule that is not there fails even a count of 0, and the chain is shown")
    func missingRule() throws {
        var bench = Bench()
        bench.evidence.final.rules["hv1"] = [rule(established, 4)]
        var check = dropped
        check.packets = zero
        let result = try bench.check(.rule(check))
        #expect(result.status == .failed)
        #expect(result.actual == "no such rule in the chain")
        #expect(
            result.details
                == ["filter neutron-linuxbri-i1b000010-0 1: -m state --state RELATED,ESTABLISHED -j RETURN"])
        check.chain = "o(lb)"
        let chain = try bench.check(.rule(check))
        #expect(chain.actual == "no chain neutron-linuxbri-o1b000010-0 with rules on hv1")
        #expect(chain.details == ["chain neutron-linuxbri-i1b000010-0"])
    }

    @Test("Neutron's comments are no part of a rule's text")
    func comments() throws {
        var bench = Bench()
        bench.scenario.neutron = NeutronDeployment(release: "9.4.1", driver: "ovs_hybrid")
        bench.evidence.final.rules["hv1"] = [
            rule(
                #"-m state --state INVALID -m comment --comment "Drop packets (e.g. \"ACK\")." -j DROP"#, 8,
                chain: "neutron-openvswi-i1b000010-0")
        ]
        #expect(try bench.check(.rule(dropped)).status == .passed)
    }

    @Test("a rule inserted above does not change what the rules below have counted")
    func insertedRule() throws {
        var bench = Bench()
        bench.evidence.initial.rules["hv1"] = [rule(invalid, 2)]
        bench.evidence.final.rules["hv1"] = [rule("-p tcp -j RETURN", 50), rule(invalid, 10, number: 2)]
        #expect(try bench.check(.rule(dropped)).status == .passed)
    }

    @Test("a rule set that was loaded anew counts from 0 again, and the result says so")
    func restartedCounter() throws {
        var bench = Bench()
        bench.evidence.initial.rules["hv1"] = [rule(invalid, 0)]
        bench.addStep("get", 1...2) { $0.after.rules["hv1"] = [rule(invalid, 5)] }
        bench.addStep("move", 3...4) { $0.after.rules["hv1"] = [rule(invalid, 0)] }
        bench.evidence.final.rules["hv1"] = [rule(invalid, 3)]
        let result = try bench.check(.rule(dropped))
        #expect(result.status == .passed)
        #expect(
            result.details == [
                "8 packets: filter neutron-linuxbri-i1b000010-0 1: -m state --state INVALID -j DROP "
                    + "(its counter restarted: packets before that may be missing)"
            ])
    }

    @Test("several rules that fit are added up")
    func sumOfRules() throws {
        var bench = Bench()
        bench.evidence.final.rules["hv1"] = [rule(invalid, 3), rule(invalid, 5, number: 2)]
        #expect(try bench.check(.rule(dropped)).actual == "8")
    }

    @Test("chain names by host need a Neutron deployment")
    func noNeutron() throws {
        var bench = Bench()
        bench.scenario.neutron = nil
        let result = try bench.check(.rule(dropped))
        #expect(result.status == .error)
        #expect(result.message == "chain i(lb): the scenario has no neutron deployment")
    }

    // MARK: IPVS

    private func director(_ connections: UInt64, _ entries: [IPVSConnection] = []) -> IPVSState {
        IPVSState(
            services: [
                IPVSService(
                    protocol: "tcp", address: Bench.vip, port: 80, scheduler: "rr",
                    statistics: IPVSStatistics(connections: connections, inPackets: connections * 3),
                    destinations: [
                        IPVSDestination(address: ip("203.0.113.4"), port: 80, forwarding: "Route", weight: 1)
                    ])
            ], connections: entries)
    }

    private func ipvsEntry(_ server: String, _ state: String) -> IPVSConnection {
        IPVSConnection(
            protocol: "tcp", client: endpoint("198.51.100.10:40312"), virtual: endpoint("203.0.113.2:80"),
            destination: endpoint("\(server):80"), state: state, expires: 60)
    }

    @Test("IPVS statistics are those of the step; Direct Routing sends nothing back through the director")
    func ipvsStatistics() throws {
        var bench = Bench()
        bench.evidence.initial.ipvs["lb"] = director(2)
        bench.evidence.final.ipvs["lb"] = director(6)
        let check = Expectation.IPVS(
            on: "lb", service: endpoint("203.0.113.2:80"), connections: .init(minimum: 4, maximum: 4),
            inPackets: .init(minimum: 12, maximum: 12), outPackets: zero)
        let passed = try bench.check(.ipvs(check))
        #expect(passed.status == .passed)
        #expect(
            passed.statement
                == "service 203.0.113.2:80 on lb counts 4 connections, 12 incoming packets, no outgoing packets")
        #expect(
            passed.details == [
                "tcp 203.0.113.2:80 rr conns 6 in 18 out 0",
                "  → 203.0.113.4:80 Route weight 1 conns 0 in 0 out 0",
            ])
        bench.evidence.final.ipvs["lb"] = director(5)
        #expect(
            try bench.check(.ipvs(check)).message
                == "expected 4 connections counted by service 203.0.113.2:80 on lb and 12 incoming packets counted by "
                + "service 203.0.113.2:80 on lb; found 3; 9")
    }

    @Test("a service that the director does not have is not one that counts 0")
    func ipvsWithoutService() throws {
        var bench = Bench()
        bench.evidence.final.ipvs["lb"] = director(0)
        let result = try bench.check(
            .ipvs(.init(on: "lb", service: endpoint("203.0.113.2:443"), connections: zero)))
        #expect(result.message == "expected a service at 203.0.113.2:443 on lb; found tcp 203.0.113.2:80 rr")
    }

    @Test("IPVS connections are counted by state and real server")
    func ipvsEntries() throws {
        var bench = Bench()
        bench.evidence.final.ipvs["lb"] = director(
            2, [ipvsEntry("203.0.113.4", "ESTABLISHED"), ipvsEntry("203.0.113.5", "SYN_RECV")])
        let check = Expectation.IPVS(on: "lb", state: "SYN_RECV", to: "rs2")
        let passed = try bench.check(.ipvs(check))
        #expect(passed.status == .passed)
        #expect(passed.statement == "lb has at least 1 IPVS connection in SYN_RECV to rs2")
        var other = check
        other.to = "rs1"
        #expect(
            try bench.check(.ipvs(other)).message
                == "expected at least 1 IPVS connection in SYN_RECV to rs1 on lb; found 0 of 1: "
                + "tcp 198.51.100.10:40312 → 203.0.113.2:80 → 203.0.113.4:80 ESTABLISHED")
    }

    // MARK: neighbours, counters

    @Test("a neighbour entry holds a host's MAC in one of the states")
    func neighbours() throws {
        var bench = Bench()
        bench.evidence.final.neighbours["gw"] = [
            Neighbour(address: Bench.vip, interface: "eth0", mac: Bench.mac("rs1"), state: "REACHABLE")
        ]
        let check = Expectation.Neighbour(on: "gw", address: Bench.vip, isHost: "rs1", states: ["REACHABLE", "STALE"])
        #expect(try bench.check(.neighbour(check)).status == .passed)
        var other = check
        other.isHost = "lb"
        #expect(
            try bench.check(.neighbour(other)).message
                == "expected a neighbour entry for 203.0.113.2 with the MAC of lb in REACHABLE or STALE on gw; found "
                + "203.0.113.2 dev eth0 lladdr fa:16:3e:00:00:04 (rs1) REACHABLE")
        let absent = Expectation.Neighbour(on: "gw", address: Bench.vip, absent: true)
        #expect(try bench.check(.neighbour(absent)).status == .failed)
        let unknown = Expectation.Neighbour(on: "gw", address: ip("203.0.113.9"), absent: true)
        #expect(try bench.check(.neighbour(unknown)).status == .passed)
        let failed = Expectation.Neighbour(on: "gw", address: ip("203.0.113.9"), states: ["FAILED"])
        #expect(
            try bench.check(.neighbour(failed)).message
                == "expected a neighbour entry for 203.0.113.9 in FAILED on gw; found no entry")
    }

    @Test("a kernel counter's growth is judged, not its value")
    func counters() throws {
        var bench = Bench()
        bench.evidence.initial.counters["rs1"] = ["Ip.InAddrErrors": 4]
        bench.evidence.final.counters["rs1"] = ["Ip.InAddrErrors": 6]
        let check = Expectation.Counter(on: "rs1", name: "Ip.InAddrErrors", grows: .init(minimum: 2, maximum: 2))
        #expect(try bench.check(.counter(check)).status == .passed)
        var other = check
        other.grows = zero
        #expect(
            try bench.check(.counter(other)).message
                == "expected Ip.InAddrErrors on rs1 to grow by 0; found 2 (from 4 to 6)")
    }
}
