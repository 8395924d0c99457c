import Evidence
import Net
import Scenario
import Testing
import Verdict

@Suite("How packets end")
struct EndingTests {
    @Test(
        "packets of recorded runs",
        arguments: [
            // Taken in by a route, though no card has the VIP: Ip.InAddrErrors did not grow.
            ("arp-fwmark-local-route", "tcp [S]", [JourneyEnd.delivered]),
            // Seen only where it came in: the sender's card was not captured while its link was down.
            ("arp-garp-on-addr-add", "203.0.113", []),
            ("arp-garp-on-addr-add", "who-has", [.delivered]),
            // To, and from, a MAC address that the timeline gave a card.
            ("ip-and-mac-spoof/wrong-mac", "is-at", [.delivered]),
            // About a packet that r1 masqueraded: it meets r1's FORWARD.
            ("conntrack-icmp-related/established-only", "icmp type 3", [.droppedByRule]),
            ("arp-noarp-flag/static-one-way", "tcp [S.]", [.toItself]),
            // The director's, in the VIP's name, to machines that have the VIP.
            ("lb-single-address", "tell 203.0.113.2", [.droppedAsMartian]),
        ])
    func recorded(_ name: String, _ packet: String, _ ends: [JourneyEnd]) throws {
        let those = try RecordedRun(name).journeys.journeys.filter { $0.packet.contains(packet) }
        #expect(ends.isEmpty || !those.isEmpty)
        #expect(those.allSatisfy { ends.contains($0.end) }, "\(those.map { "\($0.packet): \($0.end.text)" })")
    }

    @Test("a machine that forwards nothing refused a packet for another only if it counted that")
    func notForUs() throws {
        var bench = try Bench.networked(until: 10_000_000_000)
        try bench.tcp(
            "S", at: "lb:eth0", "hv1:tap1b000010-00", "hv1:tapa5000021-00", "rs1:eth0", time: 1, from: "lb", to: "rs1")
        #expect(bench.journeys.map(\.end) == [.notForUs])
        bench.evidence.final.counters["rs1"] = ["Ip.InReceives": 1, "Ip.InAddrErrors": 1]
        #expect(bench.journeys.map(\.end) == [.notForUs])
        bench.evidence.final.counters["rs1"] = ["Ip.InReceives": 1, "Ip.OutNoRoutes": 1]
        #expect(bench.journeys.map(\.end) == [.delivered])
    }

    @Test("a packet that a step wrote is no machine's answer to what its firewall dropped")
    func crafted() throws {
        var bench = try Bench.networked(until: 10_000_000_000)
        bench.scenario.hosts[2].interfaces = [
            Interface(name: "eth-vip", kind: .dummy, addresses: [try #require(IPPrefix("203.0.113.2/32"))])
        ]
        try bench.tcp(
            "S", at: "lb:eth0", "hv1:tap1b000010-00", "hv1:tapa5000021-00", "rs1:eth0", time: 1, from: "lb", to: "rs1")
        try bench.tcp(
            "S.", at: "rs1:eth0", "hv1:tapa5000021-00", "hv1:uplink", "gw:eth0", time: 2, from: "rs1", to: "gw",
            source: "203.0.113.2:80", destination: "198.51.100.10:40312", ttl: 64, id: 9)
        let drop = "-p tcp -j DROP"
        bench.evidence.initial.rules["rs1"] = [rule(drop, 0, chain: "INPUT")]
        bench.evidence.final.rules["rs1"] = [rule(drop, 1, chain: "INPUT")]
        #expect(bench.journeys.first?.end == .delivered)
        let packet = CraftedPacket(from: "rs1:eth0", content: .other(0x0800, []))
        bench.scenario.timeline = [Step(name: "SYN/ACK", action: .send(packet), location: Bench.location(1))]
        bench.evidence.steps = [StepRecord(name: "SYN/ACK", started: 2_000_000, ended: 2_000_000)]
        bench.evidence.steps[0].after = bench.evidence.final
        #expect(bench.journeys.first?.end == .droppedByRule)
    }

    @Test("a snooping bridge keeps a group member's report, and loses nothing")
    func report() throws {
        var bench = try Bench.networked(until: 10_000_000_000)
        var octets: [UInt8] = [0x33, 0x33, 0, 0, 0, 0x16] + Bench.mac("rs1").octets + [0x86, 0xDD]
        octets += [0x60, 0, 0, 0, 0, 16, 58, 1] + ip("fe80::f816:3eff:fe00:4").octets + ip("ff02::16").octets
        octets += [143, 0, 0, 0] + [UInt8](repeating: 0, count: 12)
        try bench.add(octets, at: ["rs1:eth0", "hv1:tapa5000021-00"], time: 1)
        #expect(bench.journeys.map(\.end) == [.delivered])
        // Anything else for a group that no port heard of went nowhere.
        bench.frames = []
        octets[54] = 128
        try bench.add(octets, at: ["rs1:eth0", "hv1:tapa5000021-00"], time: 1)
        #expect(bench.journeys.map(\.end) == [.floodedOnly])
    }

    @Test(
        "ebtables drops frames by protocol and by MAC address, before the bridge copies them and behind that",
        arguments: [
            ("broute", "BROUTING", "-p 0x8035 -j DROP", true), ("broute", "BROUTING", "-p RARP -j DROP", true),
            ("filter", "FORWARD", "-p 0x8035 -d Broadcast -j DROP", true),
            ("filter", "FORWARD", "-s fa:16:3e:00:00:04 -j DROP", true),
            ("broute", "BROUTING", "-p IPv4 -j DROP", false), ("broute", "BROUTING", "-p 0x8036 -j DROP", false),
            ("filter", "FORWARD", "-d fa:16:3e:00:00:04 -j DROP", false),
        ])
    func bridgeRules(_ table: String, _ chain: String, _ text: String, _ isDropped: Bool) throws {
        var bench = try Bench.networked(until: 10_000_000_000)
        let octets =
            MACAddress.broadcast.octets + Bench.mac("rs1").octets + [0x80, 0x35] + [UInt8](repeating: 0, count: 46)
        try bench.add(octets, at: ["rs1:eth0", "hv1:tapa5000021-00"], time: 1)
        func rules(_ count: Int) -> [RuleCounter] {
            [rule(text, count, chain: chain, family: "bridge", table: table)]
        }
        bench.evidence.initial.rules["hv1"] = rules(0)
        bench.evidence.final.rules["hv1"] = rules(2)
        #expect(bench.journeys.map(\.end) == [isDropped ? .droppedByRule : .floodedOnly])
    }

    @Test("a card that was given another MAC address sends and takes what bears it, from then on")
    func anotherMAC() throws {
        var bench = try Bench.networked(until: 10_000_000_000)
        let mac = "fa:16:3e:00:00:99"
        bench.scenario.timeline = [
            Step(
                name: "another MAC",
                action: .run(on: "rs1", arguments: ["ip link set eth0 address \(mac)"], mayFail: false),
                location: Bench.location(1))
        ]
        bench.evidence.steps = [StepRecord(name: "another MAC", started: 500_000, ended: 500_000)]
        let way = ["gw:eth0", "hv1:uplink", "hv1:tapa5000021-00", "rs1:eth0"]
        try bench.tcp(
            "S", at: way[0], way[1], way[2], way[3], time: 1, from: "gw", to: "rs1", destination: "203.0.113.4:80")
        for index in bench.frames.indices {
            bench.frames[index].octets.replaceSubrange(0..<6, with: try #require(MACAddress(mac)).octets)
        }
        bench.evidence.final.counters["rs1"] = ["Ip.InReceives": 1]
        let journey = try #require(bench.journeys.first)
        #expect(journey.hops.map { "\($0.port) \($0.direction.rawValue)" }.last == "rs1:eth0 in")
        #expect(journey.end == .delivered)
        // Before, nobody had it.
        bench.evidence.steps[0].started = 5_000_000
        #expect(bench.journeys.first?.end == .floodedOnly)
    }
}
