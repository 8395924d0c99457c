import Evidence
import Net
import Scenario
import Testing
import Verdict

@Suite("Mechanisms")
struct MechanismTests {
    @Test(
        "a packet of a recorded run, or its flow, is explained by its mechanism and by no more general one",
        arguments: [
            ("arp-fwmark-local-route", "no route for the answer", "TcpExt.ListenDrops by 2"),
            ("arp-noarp-flag", "a card without ARP", "question came to rs2"),
            ("arp-redirect-tp/untracked", "REDIRECT without conntrack", "what is not tracked is not translated"),
            ("arp-spoof-vip/duplicate", "the VIP claimed by a stranger", "evil got the client's packets instead"),
            ("arp-spoof-vip/duplicate", "an address of somebody else", "203.0.113.2, the VIP of lb"),
            ("conntrack-icmp-related", "nobody there", "where its receiver is not"),
            ("conntrack-icmp-related/established-only", "MTU black hole", "dropped by a rule at r1"),
            (
                "conntrack-icmp-related/stranger", "an ICMP error about no known connection",
                "quotes a packet that r1 never saw"
            ),
            ("conntrack-sequences/synack-missed", "dropped for its conntrack state", "For hv1's conntrack"),
            ("drop-packet-defence/one-in-five", "IPVS' drop_packet defence", "drop_packet=3, am_droprate=5"),
            ("fix-notrack-vip/new-asked-for", "an untracked packet is not NEW", "the rule that would let it pass asks"),
            (
                "fix-stateless-sg/a-tracked-neighbour", "untracked by a stateless neighbour",
                "rs1's answer is not ESTABLISHED"
            ),
            ("lb-single-address", "director without a second address", "with the VIP 203.0.113.2 as sender"),
            ("lp-1460741", "a SYN in a tunnel", "only inside a packet of the director's"),
            ("rs-crash-mid-conn/entry-stands", "a machine whose link is down", "rs2's link is down"),
            ("rst-double-cross", "a RST that meets conntrack twice", "once for each port's bridge"),
            ("scale-out-add-rs/without-vip", "a real server without the VIP", "rs3 got the packet"),
            ("sctp-dr/cross", "cross-hypervisor INVALID", "the INIT but not the INIT ACK, which rs2 sent by hv2"),
            (
                "vip-on-dummy-arp-storm/icehouse-without-pair", "ARP answered by a real server",
                "which is no allowed address pair"
            ),
        ])
    func explained(_ name: String, _ mechanism: String, _ because: String) throws {
        let run = try RecordedRun(name)
        let journeys = run.journeys
        let diagnostician = Diagnostician(scenario: run.scenario, evidence: run.evidence, journeys: journeys)
        let diagnoses =
            journeys.flows.compactMap { diagnostician.diagnosis(of: $0) }
            + journeys.journeys.compactMap { diagnostician.diagnosis(of: $0) }
        let found = diagnoses.filter { $0.name == mechanism }
        #expect(
            found.contains { $0.because.contains(because) }, "\(name): \(diagnoses.map { "\($0.name): \($0.because)" })"
        )
        let vague = [
            "a rule says so", "not for us", "dropped for its conntrack state", "neighbour unreachable",
            "martian source",
            "a machine's own rule about conntrack states",
        ]
        if !vague.contains(mechanism), !name.hasPrefix("conntrack-icmp-related") {
            #expect(diagnoses.filter { vague.contains($0.name) }.map(\.name) == [], "\(name)")
        }
    }

    @Test(
        "what explains others does not explain these",
        arguments: [
            ("conntrack-sequences/synack-missed", "cross-hypervisor INVALID"),
            ("no-real-server", "the connection's real server was removed"),
            ("expire-nodest-conn", "IPVS' drop_packet defence"),
            ("cross-hv-p-old", "no loose pickup"),
            ("sg-ingress-missing", "an untracked packet is not NEW"),
            ("arp-static-entry-router", "a machine whose link is down"),
            ("rs-live-migration/unannounced", "nobody there"),
            ("ip-and-mac-spoof", "an address of somebody else"),
            ("arp-static-entry-router", "ARP answered by a real server"),
        ])
    func unexplained(_ name: String, _ mechanism: String) throws {
        let run = try RecordedRun(name)
        let journeys = run.journeys
        let diagnostician = Diagnostician(scenario: run.scenario, evidence: run.evidence, journeys: journeys)
        #expect(!journeys.flows.contains { diagnostician.diagnosis(of: $0)?.name == mechanism })
        #expect(!journeys.journeys.contains { diagnostician.diagnosis(of: $0)?.name == mechanism })
    }

    private func diagnoses(_ bench: Bench) -> [Diagnosis] {
        let journeys = Journeys(scenario: bench.scenario, evidence: bench.evidence, frames: bench.frames)
        let diagnostician = Diagnostician(scenario: bench.scenario, evidence: bench.evidence, journeys: journeys)
        return journeys.journeys.compactMap { diagnostician.diagnosis(of: $0) }
    }

    @Test("an open connection whose answers no longer pass the hypervisor is INVALID there for the same reason")
    func established() throws {
        var bench = try Bench.networked(until: 10_000_000_000)
        try bench.tcp("S", at: "gw:eth0", "hv1:uplink", "hv1:tap1b000010-00", "lb:eth0", time: 1, from: "gw", to: "lb")
        try bench.tcp(
            "S.", at: "rs2:eth0", "hv2:tapa5000022-00", "hv2:uplink", "gw:eth0", time: 2, from: "rs2", to: "gw",
            source: "203.0.113.2:80", destination: "198.51.100.10:40312", ttl: 64, id: 8)
        try bench.tcp(".", at: "gw:eth0", "hv1:uplink", time: 3, from: "gw", to: "lb", sequence: 2, id: 9)
        let drop = "-m state --state INVALID -j DROP"
        bench.evidence.initial.rules["hv1"] = [rule(drop, 0, chain: "FORWARD")]
        bench.evidence.final.rules["hv1"] = [rule(drop, 1, chain: "FORWARD")]
        bench.evidence.final.conntrack["hv1"] = [entry("ESTABLISHED", ["ASSURED"])]
        let found = try #require(diagnoses(bench).last)
        #expect(found.name == "cross-hypervisor INVALID")
        #expect(found.because.contains("hv1 did not see the answer, which rs2 sent by hv2"))
        #expect(found.remedies.first?.scenario == "move-one-rs/be-liberal")
    }

    @Test("the gateway sends, and asks, a director that is gone, until the other one announces itself")
    func unannounced() throws {
        var bench = try Bench.networked(until: 10_000_000_000)
        bench.scenario.services = ["lb", "rs2"].map {
            Service(director: $0, address: Bench.vip, port: 80, realServers: [])
        }
        try bench.tcp("S", at: "gw:eth0", time: 1, from: "gw", to: "lb")
        try bench.arp(1, at: "gw:eth0", time: 2, from: "gw", to: "lb", sender: "203.0.113.1", target: "203.0.113.2")
        #expect(diagnoses(bench).map(\.name) == Array(repeating: "a failover that was not announced", count: 2))
        bench.evidence.final.neighbours["gw"] = [
            Neighbour(address: Bench.vip, interface: "eth0", mac: Bench.mac("lb"), state: "PERMANENT")
        ]
        #expect(
            diagnoses(bench).map(\.name)
                == Array(repeating: "a static neighbour entry for a dead director", count: 2))
    }

    @Test("a director that gave the VIP up still gets what the gateway sends to it")
    func movedAway() throws {
        var bench = try Bench.networked(until: 10_000_000_000)
        let way = ["lb:eth0", "hv1:tap1b000010-00", "hv1:uplink", "gw:eth0"]
        try bench.tcp("S", at: way[3], way[2], way[1], way[0], time: 2, from: "gw", to: "lb")
        #expect(diagnoses(bench).map(\.name) == ["not for us"])
        try bench.arp(
            1, at: way[0], way[1], way[2], way[3], time: 1, from: "lb", to: "broadcast", sender: "203.0.113.2",
            target: "203.0.113.2")
        let found = try #require(diagnoses(bench).first { $0.name == "a VIP that moved away" })
        #expect(found.because.contains("which it claimed before (#1), and gw still sends to it."))
    }

    @Test("a machine is off, or cut off, only if all its links are down")
    func outage() throws {
        var bench = try Bench.networked(until: 10_000_000_000)
        bench.scenario.hosts[2].ports.append(
            Port(
                name: "eth1", id: "a5000023-0023-4000-8000-000000000023", macAddress: MACAddress(bits: 0x0200_0000_0009)
            ))
        try bench.tcp("S", at: "gw:eth0", "hv1:uplink", "hv1:tapa5000021-00", time: 9, from: "gw", to: "rs1")
        func names(_ actions: Step.Action...) -> [String] {
            bench.scenario.timeline = actions.map { Step(name: "", action: $0, location: Bench.location(1)) }
            bench.evidence.steps = actions.indices.map { index in
                let time = Nanoseconds(index + 1) * 1_000_000
                return StepRecord(name: "", started: time, ended: time)
            }
            return diagnoses(bench).map(\.name)
        }
        func run(_ command: String) -> Step.Action { .run(on: "rs1", arguments: [command], mayFail: false) }
        let down = "a machine whose link is down"
        #expect(names(run("ip link set eth1 down")) == ["lost on a link"])
        #expect(names(run("ip link set eth1 down"), run("ip link set eth0 down")) == [down])
        #expect(names(.link(port: "rs1", isUp: false)) == [down])
        #expect(names(.link(port: "rs1", isUp: false), .link(port: "rs1:eth0", isUp: true)) == ["lost on a link"])
        #expect(
            names(run("ip link set eth1 down"), run("ip link set eth0 down; ip link set eth0 up")) == ["lost on a link"]
        )
        #expect(names(.powerOff(["rs1"])) == ["a machine that is off"])
        #expect(names(.powerOff(["hv1"])) == ["a machine that is off"])
        #expect(names(.move(host: "rs1", to: "hv2"), .powerOff(["hv1"])) == ["lost on a link"])
    }

    @Test("a machine's router advertisement is dropped where it comes from")
    func routerAdvertisement() throws {
        var bench = try Bench.networked(until: 10_000_000_000)
        let source = ip("fe80::f816:3eff:fe00:4")
        var octets: [UInt8] = [0x33, 0x33, 0, 0, 0, 1] + Bench.mac("rs1").octets + [0x86, 0xDD]
        octets += [0x60, 0, 0, 0, 0, 16, 58, 255] + source.octets + ip("ff02::1").octets
        octets += [134, 0, 0, 0] + [UInt8](repeating: 0, count: 12)
        try bench.add(octets, at: ["rs1:eth0", "hv1:tapa5000021-00"], time: 1)
        let drop = "-p ipv6-icmp -m icmp6 --icmpv6-type 134 -j DROP"
        let jump = "-m physdev --physdev-in tapa5000021-00 --physdev-is-bridged -j neutron-linuxbri-oa5000021-0"
        func rules(_ count: Int) -> [RuleCounter] {
            [
                rule(jump, count, chain: "FORWARD", family: "ipv6"),
                rule(drop, count, chain: "neutron-linuxbri-oa5000021-0", family: "ipv6"),
            ]
        }
        bench.evidence.initial.rules["hv1"] = rules(0)
        bench.evidence.final.rules["hv1"] = rules(1)
        #expect(diagnoses(bench).map(\.name) == ["no IPv6 routers behind ports"])
    }
}
