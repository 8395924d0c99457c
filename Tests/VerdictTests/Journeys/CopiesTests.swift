import Evidence
import Net
import Scenario
import Testing
import Verdict

@Suite("Copies of a flooded frame")
struct CopiesTests {
    /// hv1 drops by the port that a copy is to leave by, and has counted so many for lb and for rs1.
    private func bench(toLB: Int, toRS1: Int, uplink: Int = 0) throws -> Bench {
        var bench = try Bench.networked(until: 10_000_000_000)
        func rules(_ counts: [Int]) -> [RuleCounter] {
            let devices = ["tap1b000010-00", "tapa5000021-00", "uplink"]
            return zip(devices, counts).enumerated().map { index, item in
                RuleCounter(
                    family: "ipv4", table: "filter", chain: "FORWARD", number: index + 1,
                    rule: "-m physdev --physdev-out \(item.0) --physdev-is-bridged -j DROP", packets: item.1,
                    bytes: 0)
            }
        }
        bench.evidence.initial.rules["hv1"] = rules([0, 0, 0])
        bench.evidence.final.rules["hv1"] = rules([toLB, toRS1, uplink])
        return bench
    }

    @Test("a broadcast that comes through here is dropped there: it is delivered, and the lost copy has its own blame")
    func oneLost() throws {
        var bench = try bench(toLB: 1, toRS1: 0)
        try bench.udp(at: "gw:eth0", "hv1:uplink", "hv1:tapa5000021-00", "rs1:eth0", time: 1, from: "gw")
        let journey = try #require(bench.journeys.first)
        #expect(bench.journeys.count == 1)
        #expect(journey.end == .delivered)
        let lost = try #require(journey.lostCopies)
        #expect(lost.map(\.port) == ["hv1:tap1b000010-00"])
        #expect(lost.first?.end == .droppedByRule)
        #expect(lost.first?.blame.place == "hv1")
        #expect(lost.first?.blame.rule?.number == 1)
        #expect(lost.first?.frame == 1)
    }

    @Test("each copy meets its own rule; the journey ends as most of its copies did")
    func allLost() throws {
        var bench = try bench(toLB: 1, toRS1: 1)
        try bench.udp(at: "gw:eth0", "hv1:uplink", time: 1, from: "gw")
        let journey = try #require(bench.journeys.first)
        #expect(journey.end == .droppedByRule)
        #expect(journey.lostCopies?.map { $0.blame.rule?.number } == [1, 2])
    }

    @Test("a copy that no rule counted was never made")
    func notMade() throws {
        var bench = try bench(toLB: 0, toRS1: 0)
        try bench.udp(at: "gw:eth0", "hv1:uplink", "hv1:tapa5000021-00", "rs1:eth0", time: 1, from: "gw")
        #expect(bench.journeys.map(\.end) == [.delivered])
        #expect(bench.journeys.first?.lostCopies == nil)
    }

    @Test("a frame for one machine that only its port saw has no copies, whatever other rules counted")
    func unicast() throws {
        var bench = try bench(toLB: 0, toRS1: 5)
        try bench.tcp("S", at: "gw:eth0", "hv1:uplink", "hv1:tap1b000010-00", "lb:eth0", time: 1, from: "gw", to: "lb")
        #expect(bench.journeys.first?.lostCopies == nil)
    }

    /// A question of the gateway's for lb, which rs1 hears, too, and rs1's arptables as it is read from the kernel.
    private func question(rule text: String, counted: Int) throws -> Bench {
        var bench = try bench(toLB: 0, toRS1: 0)
        func rules(_ count: Int) -> [RuleCounter] { [rule(text, count, chain: "INPUT", family: "arp")] }
        bench.evidence.initial.rules["rs1"] = rules(0)
        bench.evidence.final.rules["rs1"] = rules(counted)
        try bench.arp(
            1, at: "gw:eth0", "hv1:uplink", "hv1:tap1b000010-00", "lb:eth0", "hv1:tapa5000021-00", "rs1:eth0", time: 1,
            from: "gw", to: "broadcast", sender: "203.0.113.1", target: "203.0.113.3")
        // lb's own question for rs1, and the answer.
        let way = ["lb:eth0", "hv1:tap1b000010-00", "hv1:tapa5000021-00", "rs1:eth0"]
        try bench.arp(
            1, at: way[0], way[1], way[2], way[3], time: 2, from: "lb", to: "broadcast", sender: "203.0.113.3",
            target: "203.0.113.4")
        return bench
    }

    @Test("a machine's arptables drops its copy of a question for another, and nothing else that it hears")
    func atMachine() throws {
        let all = try question(rule: "-j DROP -d 203.0.113.3", counted: 1).journeys
        #expect(all.map(\.end) == [.delivered, .delivered])
        let lost = try #require(all.first?.lostCopies)
        #expect(lost.map(\.port) == ["rs1:eth0"])
        #expect(lost.first?.end == .droppedByRule)
        #expect(lost.first?.blame.place == "rs1")
        #expect(lost.first?.blame.rule?.rule == "-j DROP -d 203.0.113.3")
        #expect(all.last?.lostCopies == nil)
    }

    @Test("a machine whose arptables drops a question for another misses nothing; an announcement it does miss")
    func missed() throws {
        func names(_ bench: Bench) -> [String] {
            let all = Journeys(scenario: bench.scenario, evidence: bench.evidence, frames: bench.frames)
            let diagnostician = Diagnostician(scenario: bench.scenario, evidence: bench.evidence, journeys: all)
            return all.journeys.flatMap { journey in
                (journey.lostCopies ?? []).compactMap { diagnostician.diagnosis(of: $0, of: journey)?.name }
            }
        }
        var bench = try question(rule: "-j DROP -d 203.0.113.3", counted: 2)
        #expect(names(bench) == [])
        try bench.arp(
            1, at: "lb:eth0", "hv1:tap1b000010-00", "hv1:uplink", "gw:eth0", "hv1:tapa5000021-00", "rs1:eth0", time: 3,
            from: "lb", to: "broadcast", sender: "203.0.113.3", target: "203.0.113.3")
        #expect(names(bench) == ["a rule says so"])
    }

    @Test("what a machine's arptables did not count it did not drop")
    func notAtMachine() throws {
        let all = try question(rule: "-j DROP -d 203.0.113.3", counted: 0).journeys
        #expect(all.map(\.end) == [.delivered, .delivered])
        #expect(all.allSatisfy { $0.lostCopies == nil })
    }

    @Test("a question that a machine's arptables drops is the one that the rule matches")
    func own() throws {
        let all = try question(rule: "-j DROP -s 203.0.113.3 -d 203.0.113.4", counted: 1).journeys
        #expect(all.map(\.end) == [.delivered, .droppedByRule])
        #expect(all.allSatisfy { $0.lostCopies == nil })
    }
}

extension Bench {
    /// A broadcast datagram, seen at ports one microsecond after another.
    fileprivate mutating func udp(at ports: String..., time: Int, from: String) throws {
        var octets = Self.mac("broadcast").octets + Self.mac(from).octets + [0x08, 0x00]
        octets += [0x45, 0, 0, 29, 0, 7, 0, 0, 64, 17, 0, 0] + ip("203.0.113.1").octets
        octets += ip("255.255.255.255").octets + [0, 68, 0, 67, 0, 9, 0, 0, 0x78]
        try add(octets, at: ports, time: time)
    }
}
