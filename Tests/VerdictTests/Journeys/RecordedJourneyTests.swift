import Evidence
import Foundation
import Net
import Reading
import Scenario
import Testing
import Verdict

@Suite("Journeys of recorded runs")
struct RecordedJourneyTests {
    @Test("every frame is part of at most one packet's way, and every journey has an end", arguments: RecordedRun.names)
    func complete(_ name: String) throws {
        let run = try RecordedRun(name)
        let journeys = run.journeys.journeys
        #expect(!journeys.isEmpty)
        var known: [Int: Int] = [:]
        for journey in journeys {
            #expect(!journey.hops.isEmpty)
            if case .undecided(let causes) = journey.end {
                Issue.record("\(name) #\(journey.number) is undecided between \(causes)")
            }
            for hop in journey.hops {
                #expect(known[hop.frame] == nil, "\(name): frame \(hop.frame) is of #\(known[hop.frame] ?? 0) too")
                known[hop.frame] = journey.number
                #expect(run.evidence.ports[run.frames[hop.frame].port].name == hop.port)
            }
            #expect(zip(journey.hops, journey.hops.dropFirst()).allSatisfy { $0.time <= $1.time })
        }
        let seen = journeys.reduce(0) { $0 + $1.hops.count + $1.copies }
        #expect(seen == run.frames.count)
    }

    @Test("no rule is blamed for more packets than it counted", arguments: RecordedRun.names)
    func blame(_ name: String) throws {
        let run = try RecordedRun(name)
        var blamed: [String: Int] = [:]
        for rule in run.journeys.journeys.compactMap({ $0.blame?.rule.map { ($0, 1) } }) {
            blamed["\(rule.0.family) \(rule.0.table) \(rule.0.chain) \(rule.0.rule)", default: 0] += 1
        }
        let snapshots = [run.evidence.initial] + run.evidence.steps.map(\.after) + [run.evidence.final]
        for (text, count) in blamed {
            let counted =
                snapshots.map { snapshot in
                    snapshot.rules.values.joined().filter { "\($0.family) \($0.table) \($0.chain) \($0.rule)" == text }
                        .reduce(0) { $0 + $1.packets }
                }.max() ?? 0
            #expect(count <= counted, "\(name): \(text)")
        }
    }

    @Test("blame agrees with what the scenario's drop expectations say", arguments: RecordedRun.names)
    func agreement(_ name: String) throws {
        let run = try RecordedRun(name)
        #expect(Journeys.disagreements(scenario: run.scenario, evidence: run.evidence, frames: run.frames) == [])
    }

    @Test("the author's update: the SYN crosses both hypervisors, the ACK ends at the director's")
    func crossHypervisor() throws {
        let journeys = try RecordedRun("cross-hv-p-old").journeys
        let flow = try #require(journeys.flows.first)
        #expect(flow.text == "tcp 198.51.100.10:40614 → 203.0.113.2:80")
        let forward = flow.forward.map { journeys.journeys[$0] }
        // In virtual time all of these are at one instant: the wiring orders them.
        #expect(
            forward[0].hops.map { "\($0.port) \($0.direction.rawValue) \($0.ttl ?? 0)" } == [
                "client:eth0 out 64", "gw:eth1 in 64", "gw:eth0 out 63", "hv1:uplink in 63",
                "hv1:tap6c620000-00 out 63",
                "lb:eth0 in 63", "lb:eth0 out 62", "hv1:tap6c620000-00 in 62", "hv1:uplink out 62", "hv2:uplink in 62",
                "hv2:tap72733200-00 out 62", "rs2:eth0 in 62",
            ])
        #expect(forward[0].end == .delivered)
        let answer = journeys.journeys[try #require(flow.reply.first)]
        #expect(answer.isReply && answer.answers == forward[0].number)
        #expect(!answer.hops.contains { $0.namespace == "hv1" })
        let dead = forward[1]
        #expect(dead.end == .droppedByConntrackRule)
        #expect(dead.lastHop?.port == "hv1:uplink")
        #expect(dead.lastHop?.conntrack == "SYN_SENT [UNREPLIED]")
        #expect(dead.blame?.place == "hv1")
        #expect(dead.blame?.rule?.chain == "neutron-linuxbri-i6c620000-0")
        #expect(dead.blame?.rule?.rule == "-m state --state INVALID -j DROP")
        #expect(journeys.journeys.count { $0.end == .droppedByConntrackRule } == 18)
    }

    @Test("an ICMP error names the packet that it quotes, and the packet the error")
    func quotes() throws {
        let journeys = try RecordedRun("ttl-decrement/too-few").journeys
        let dead = try #require(journeys.journeys.first { $0.end == .ttlExceeded })
        let error = try #require(journeys.journeys.first { $0.number == dead.quotedBy })
        #expect(error.protocol == "icmp")
        #expect(error.quotes == dead.number)
    }

    @Test("arptables drops the gateway's question for the VIP where it says so, and no message that was used")
    func arptables() throws {
        let journeys = try RecordedRun("arptables-drop-cold-neigh").journeys.journeys
        #expect(journeys.allSatisfy { $0.end == .delivered })
        let heard = journeys.filter { $0.lostCopies != nil }
        #expect(heard.map(\.packet) == ["arp who-has 203.0.113.2 tell 203.0.113.1"])
        #expect(heard.first?.lostCopies?.map(\.port) == ["rs1:eth0", "rs2:eth0"])
        #expect(heard.first?.lostCopies?.allSatisfy { $0.blame.rule?.rule == "-j DROP -d 203.0.113.2" } == true)
    }

    @Test("masquerading changes addresses and ports, not the packet, and one flow has both ways")
    func masquerading() throws {
        let journeys = try RecordedRun("nat-masq").journeys
        let flow = try #require(journeys.flows.first)
        #expect(flow.server.description == "203.0.113.2:80")
        #expect(!flow.reply.isEmpty)
        for index in flow.forward + flow.reply {
            #expect(journeys.journeys[index].end == .delivered)
            #expect(journeys.journeys[index].hops.contains { $0.namespace == "lb" })
        }
    }

    @Test("an ARP answer is linked to its question")
    func arp() throws {
        let journeys = try RecordedRun("dhcp-server-spoof").journeys.journeys
        let answers = journeys.filter { $0.packet.contains("is-at") && $0.answers != nil }
        #expect(!answers.isEmpty)
        for answer in answers {
            let question = try #require(journeys.first { $0.number == answer.answers })
            #expect(question.packet.contains("who-has"))
        }
    }
}

@Suite("Diagnoses")
struct DiagnosisTests {
    @Test(
        "a recorded failure is explained by its mechanism",
        arguments: [
            (
                "cross-hv-p-old", "cross-hypervisor INVALID",
                "hv1 saw the SYN but not the SYN-ACK, which rs2 sent by hv2"
            ),
            (
                "client-on-directors-hypervisor/on-the-other-hypervisor", "cross-hypervisor INVALID",
                "hv1 saw the SYN but not the SYN-ACK, which rs2 sent by hv2"
            ),
            ("pair-missing-on-rs", "missing allowed address pair", "rs2's port may send from 203.0.113.5 only"),
            ("lb-single-address", "director without a second address", "with the VIP 203.0.113.2 as sender"),
            (
                "arptables-drop-cold-neigh", "cold neighbour behind arptables DROP",
                "rs2 does not know its gateway's MAC"
            ),
            ("rp-filter-two-nic", "rp_filter", "way back"),
            ("reply-through-director", "martian source", "one's own address is a martian"),
            ("sg-ingress-missing", "security group missing", "rs2's port allows ingress tcp"),
            ("rs-refused", "port not listening", "rs2 answers the SYN with a reset"),
            (
                "rs-without-vip-drops", "a real server without the VIP",
                "rs2 got the packet with the destination 203.0.113.2"
            ),
            ("conntrack-table-full", "conntrack table full", "nf_conntrack_max is 2"),
            ("backup-is-rs-loop", "a loop of directors", "two directors each take the other"),
            ("lb-guest-invalid-drop", "a machine's own rule about conntrack states", "lb's own firewall"),
            (
                "expire-nodest-conn", "the connection's real server was removed",
                "leads to rs2, which is no real server"
            ),
            ("neigh-table-overflow", "neighbour table full", "203.0.113.5"),
            ("dhcp-server-spoof", "no DHCP servers behind ports", "port 67"),
            ("zones-hybrid-same/zone-per-port", "a conntrack zone for each port", "in the real server's zone"),
            ("nat-masq/past-the-director", "answers past a masquerading director", "do not come back through lb"),
            ("no-real-server", "IPVS has nobody to send it to", "no real server that takes new connections"),
            ("ttl-decrement/too-few", "TTL exceeded", "with TTL 1"),
            ("pmtu-request-path/icmp-filtered", "MTU black hole", "but that message does not arrive"),
            ("conntrack-icmp-related", "too big for the way", "r2 cannot send on so big a packet"),
            ("ip-and-mac-spoof/wrong-mac", "a foreign MAC or IP address", "from fa:16:3e:00:00:99"),
            ("ip-and-mac-spoof", "missing allowed address pair", "which is no allowed address pair of it"),
            ("conntrack-sequences/ack-only-not-loose", "no loose pickup", "takes up none in the middle"),
            ("tun-ipip/no-tunnel", "wrong forwarding method", "in a tunnel and has no device that takes it out"),
            (
                "arp-static-entry-router", "a static neighbour entry for a dead director",
                "no announcement of lb2 moves it"
            ),
            (
                "rs-live-migration/unannounced", "a machine that moved without a word",
                "came to hv1, but the machine is on"
            ),
            ("arp-noarp-flag/static-one-way", "a card without ARP", "rs2 sent the packet to its own MAC address"),
            ("lb-crash/gone-for-long", "a machine that is off", "does not answer gw's ARP questions"),
            ("conntrack-icmp-related", "neighbour unreachable", "and nobody answered"),
            ("loss-reorder-dup-delay/cross", "lost on a link", "The cable lost the packet"),
            ("no-real-server/no-service-dropped", "a rule says so", "drops such packets"),
            (
                "ip-forward-off-dr/masquerading", "a masquerading director that does not forward",
                "net.ipv4.ip_forward is off there"
            ),
            ("conntrack-sequences/synack-missed", "not for us", "does not have the address 203.0.113.21"),
            ("rs-without-vip-drops/forwarding", "a real server that forwards", "sends them back to the director"),
            ("fragmented-udp/one-lost", "a fragment missing", "got only some of the packet's fragments"),
        ])
    func explained(_ name: String, _ mechanism: String, _ because: String) throws {
        let run = try RecordedRun(name)
        let journeys = run.journeys
        let diagnostician = Diagnostician(scenario: run.scenario, evidence: run.evidence, journeys: journeys)
        let diagnoses = journeys.flows.compactMap { diagnostician.diagnosis(of: $0) }
        let found = try #require(
            diagnoses.first { $0.name == mechanism }, "\(name) is explained by \(diagnoses.map(\.name))")
        #expect(found.because.contains(because), "\(found.because)")
    }

    @Test("every mechanism has a case here")
    func complete() throws {
        let folder = "\(RecordedRun.repository)/Sources/Verdict/Journeys"
        let tests = try ["RecordedJourneyTests", "MechanismTests"].map { name in
            try String(
                contentsOfFile: "\(RecordedRun.repository)/Tests/VerdictTests/Journeys/\(name).swift", encoding: .utf8)
        }.joined()
        for file in try FileManager.default.contentsOfDirectory(atPath: folder) where file.hasSuffix("Mechanisms.swift")
        {
            let text = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
            for match in text.matches(of: #/name: (?:[a-z]+ \? )?"([^"]+)"(?: : "([^"]+)")?/#) {
                for name in [match.1, match.2].compactMap(\.self) {
                    #expect(tests.contains("\"\(name)\""), "\(file): \(name)")
                }
            }
        }
    }

    @Test(
        "a later request on an open connection is explained by what happened to it",
        arguments: [
            (
                "sync-daemon/too-early", "a director that does not know the connection",
                "The connection began by way of lb, and lb2 has no entry for it"
            ),
            ("sloppy-tcp", "a director that does not know the connection", "lb's entry for the connection is gone"),
            (
                "sloppy-tcp/sloppy-round-robin", "another real server got the connection",
                "rs2 has the connection, and lb sends its packets to rs1 now"
            ),
            (
                "expire-nodest-conn/expire", "the connection's real server was removed",
                "203.0.113.5, which had the connection, is no real server of lb's service any more"
            ),
            (
                "nat-zones/one-zone", "two clients with one tuple",
                "c1 and c2 both connect from 10.1.0.3:10000 to the same server (#2, #13): to router's conntrack"
            ),
            (
                "link-flap/real-server-arptables", "cold neighbour behind arptables DROP",
                "rs2 does not know its gateway's MAC"
            ),
        ])
    func later(_ name: String, _ mechanism: String, _ because: String) throws {
        let run = try RecordedRun(name)
        let journeys = run.journeys
        let diagnostician = Diagnostician(scenario: run.scenario, evidence: run.evidence, journeys: journeys)
        let failed = try #require(run.evidence.steps.flatMap(\.transcripts).first { $0.outcome != .answered })
        let flow = try #require(journeys.flows.first { $0.client == failed.source && $0.server == failed.destination })
        let found = try #require(diagnostician.diagnosis(of: flow, during: failed.started...failed.ended))
        #expect(found.name == mechanism)
        #expect(found.because.contains(because), "\(found.because)")
    }

    @Test(
        "a copy of a flooded frame that a machine waits for in vain is explained by its mechanism",
        arguments: [
            (
                "sync-blocked-by-sg", "hv2:tap6c623200-00", "security group missing",
                "No security group of lb2's port allows ingress udp"
            ),
            (
                "ipv6-ra-spoof/kilo", "hv2:tap72733200-00", "an advertisement that is not a router's",
                "this one comes from fe80::f816:3eff:fe00:4, rs1's"
            ),
        ])
    func copies(_ name: String, _ port: String, _ mechanism: String, _ because: String) throws {
        let run = try RecordedRun(name)
        let journeys = run.journeys
        let diagnostician = Diagnostician(scenario: run.scenario, evidence: run.evidence, journeys: journeys)
        let diagnoses = journeys.journeys.flatMap { journey in
            (journey.lostCopies ?? []).filter { $0.port == port }
                .compactMap { diagnostician.diagnosis(of: $0, of: journey) }
        }
        #expect(diagnoses.map(\.name) == [mechanism])
        #expect(diagnoses.first?.because.contains(because) == true, "\(diagnoses)")
    }

    @Test("nobody misses a copy that was for others: a report to routers, the master's word at a real server")
    func missedByNobody() throws {
        let run = try RecordedRun("sync-blocked-by-sg")
        let journeys = run.journeys
        let diagnostician = Diagnostician(scenario: run.scenario, evidence: run.evidence, journeys: journeys)
        let explained = journeys.journeys.flatMap { journey in
            (journey.lostCopies ?? []).filter { diagnostician.diagnosis(of: $0, of: journey) != nil }.map(\.port)
        }
        #expect(journeys.journeys.reduce(0) { $0 + ($1.lostCopies?.count ?? 0) } == 9)
        #expect(explained == ["hv2:tap6c623200-00"])
    }

    @Test("the client's packets come to a real server past the director, because it answered ARP for the VIP")
    func answeredARP() throws {
        var bench = Bench()
        bench.scenario.networks = [
            Network(
                name: "public", id: "e7000001-0001-4000-8000-000000000001",
                cidr: try #require(IPPrefix("203.0.113.0/27")))
        ]
        bench.scenario.services = [
            Service(
                director: "lb", address: Bench.vip, port: 80,
                realServers: [.init(address: ip("203.0.113.4"), port: 80, forwarding: .directRouting)])
        ]
        bench.evidence.ended = 10_000_000_000
        let way = ["rs1:eth0", "hv1:tapa5000021-00", "hv1:uplink", "gw:eth0"]
        try bench.arp(
            2, at: way[0], way[1], way[2], way[3], time: 1, from: "rs1", to: "gw", sender: "203.0.113.2",
            target: "203.0.113.1")
        try bench.tcp("S", at: way[3], way[2], way[1], way[0], time: 2, from: "gw", to: "rs1")
        try bench.tcp(
            "R.", at: way[0], way[1], way[2], way[3], time: 2, from: "rs1", to: "gw", source: "203.0.113.2:80",
            destination: "198.51.100.10:40312", ttl: 64, id: 9)
        func diagnosis(_ bench: Bench) -> Diagnosis? {
            let journeys = Journeys(scenario: bench.scenario, evidence: bench.evidence, frames: bench.frames)
            let diagnostician = Diagnostician(
                scenario: bench.scenario, evidence: bench.evidence, journeys: journeys)
            return journeys.flows.first.flatMap { diagnostician.diagnosis(of: $0) }
        }
        #expect(diagnosis(bench)?.name == "ARP answered by a real server")
        #expect(diagnosis(bench)?.because.contains("it answered the question for 203.0.113.2 (#1)") == true)
        // A machine that is no real server of the service is none.
        bench.scenario.services[0].realServers = []
        #expect(diagnosis(bench)?.name == "the VIP claimed by a stranger")
        // Who neither claimed nor answered was told so by other means, such as a route.
        bench.frames.removeFirst(4)
        #expect(diagnosis(bench)?.name == "port not listening")
    }

    @Test("a flow without failures has no diagnosis")
    func healthy() throws {
        let run = try RecordedRun("nat-masq")
        let journeys = run.journeys
        let diagnostician = Diagnostician(scenario: run.scenario, evidence: run.evidence, journeys: journeys)
        for flow in journeys.flows { #expect(diagnostician.diagnosis(of: flow) == nil) }
    }

    @Test("every remedy is shown by a shipped scenario, and none by one that shows that it does not help")
    func remedies() throws {
        let folder = "\(RecordedRun.repository)/Sources/Verdict/Journeys"
        let known = Set(RecordedRun.library.load().scenarios.map(\.fullName))
        var cited: Set<String> = []
        for file in try FileManager.default.contentsOfDirectory(atPath: folder) where file.hasSuffix("Mechanisms.swift")
        {
            let text = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
            for match in text.matches(of: #/"([a-z0-9]+(?:-[a-z0-9]+)+(?:/[a-z0-9_-]+)?)"/#) {
                cited.insert(String(match.1))
            }
        }
        #expect(cited.count > 20)
        #expect(cited.filter { !known.contains($0) && !["who-has", "is-at", "sg-fallback"].contains($0) } == [])
        #expect(!cited.contains { $0.hasPrefix("nonfix") || $0.contains("is-not-enough") || $0.hasPrefix("hack-") })
    }
}
