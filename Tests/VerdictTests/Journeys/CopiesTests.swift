import Evidence
import Net
import Scenario
import Testing
import Verdict

@Suite("Copies of a flooded frame")
struct CopiesTests {
    /// hv1 drops by the port that a copy is to leave by, and has counted so many for lb and for rs1.
    private func bench(toLB: Int, toRS1: Int, uplink: Int = 0) throws -> Bench {
        var bench = Bench()
        bench.scenario.networks = [
            Network(
                name: "public", id: "e7000001-0001-4000-8000-000000000001",
                cidr: try #require(IPPrefix("203.0.113.0/27")))
        ]
        bench.evidence.ended = 10_000_000_000
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

    private func journeys(_ bench: Bench) -> [Journey] {
        Journeys(scenario: bench.scenario, evidence: bench.evidence, frames: bench.frames).journeys
    }

    @Test("a broadcast that comes through here is dropped there: it is delivered, and the lost copy has its own blame")
    func oneLost() throws {
        var bench = try bench(toLB: 1, toRS1: 0)
        try bench.udp(at: "gw:eth0", "hv1:uplink", "hv1:tapa5000021-00", "rs1:eth0", time: 1, from: "gw")
        let journey = try #require(journeys(bench).first)
        #expect(journeys(bench).count == 1)
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
        let journey = try #require(journeys(bench).first)
        #expect(journey.end == .droppedByRule)
        #expect(journey.lostCopies?.map { $0.blame.rule?.number } == [1, 2])
    }

    @Test("a copy that no rule counted was never made")
    func notMade() throws {
        var bench = try bench(toLB: 0, toRS1: 0)
        try bench.udp(at: "gw:eth0", "hv1:uplink", "hv1:tapa5000021-00", "rs1:eth0", time: 1, from: "gw")
        #expect(journeys(bench).map(\.end) == [.delivered])
        #expect(journeys(bench).first?.lostCopies == nil)
    }

    @Test("a frame for one machine that only its port saw has no copies, whatever other rules counted")
    func unicast() throws {
        var bench = try bench(toLB: 0, toRS1: 5)
        try bench.tcp("S", at: "gw:eth0", "hv1:uplink", "hv1:tap1b000010-00", "lb:eth0", time: 1, from: "gw", to: "lb")
        #expect(journeys(bench).first?.lostCopies == nil)
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
