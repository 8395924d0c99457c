import Testing

// Swift Testing has a type of this name, too.
import struct Scenario.Expectation

@testable import Reading
@testable import Scenario

@Suite("What happens over time, read")
struct OverTimeFormatTests {
    private func last() throws -> [Step] {
        let file = Sample.read(Everything.composed, topology: Everything.topology)
        #expect(file.diagnostics.map(\.description) == [])
        return try #require(file.scenarios.first).timeline.suffix(2)
    }

    @Test("faults, requests at equal distances, and what happens meanwhile")
    func steps() throws {
        let steps = try last()
        #expect(steps[0].action == .powerOff(["rs2", "hv2"]))
        guard case .request(let request) = steps[1].action else {
            Issue.record("no request")
            return
        }
        #expect(request.count == 9)
        #expect(request.interval == 100_000_000)
        #expect(steps[1].meanwhile.map(\.name) == ["the cable is out", "link of hv1:uplink up"])
        #expect(steps[1].meanwhile.map(\.after) == [20_000_000, 1_000_000_000])
        #expect(
            steps[1].meanwhile.map(\.action) == [
                .link(port: "fab:gw", isUp: false), .link(port: "hv1:uplink", isUp: true),
            ])
    }

    @Test("alternatives, outages, shares, timestamps and orders")
    func expectations() throws {
        let checks = try last()[1].expectations.map(\.check)
        guard case .anyOf(let alternatives) = checks[0] else {
            Issue.record("no alternatives")
            return
        }
        #expect(
            alternatives.map { $0.map(\.check) } == [
                [.traffic(.init(all: "rs2"))],
                [
                    .traffic(.init(outage: .init(minimum: 1_000_000_000, maximum: 3_000_000_000))),
                    .traffic(.init(all: "rs1")),
                ],
            ])
        var packets = Expectation.Packets(at: "lb", filter: "tcp", bytes: .init(minimum: 0, maximum: 2000))
        packets.share = .init(minimum: 0, maximum: 5000)
        packets.of = .init(at: "gw:eth0", filter: "udp")
        packets.tcpTimestamps = .notAscending
        #expect(checks[1] == .packets(packets))
        #expect(checks[2] == .order(.init([.init(at: "lb", filter: "arp"), .init(at: "gw:eth0", filter: "tcp")])))
    }

    @Test(
        "bounds on durations and shares",
        arguments: [
            ("<= 3s", 0, 3_000_000_000), ("> 500ms", 500_000_001, .max), ("1s .. 1.5s", 1_000_000_000, 1_500_000_000),
        ])
    func durations(_ text: String, _ minimum: Int, _ maximum: Int) {
        #expect(Quantity.durations(text) == .init(minimum: minimum, maximum: maximum))
    }

    @Test(
        "no bounds on durations, sizes or shares",
        arguments: ["", "3s", "<= 3", "s", "1s..", "2s..1s", "<= 5 %%", "1kB..2", "1..kB", "-5%"])
    func nothing(_ text: String) {
        #expect(Quantity.durations(text) == nil)
        #expect(Quantity.percents(text) == nil)
        #expect(Quantity.sizes(text) == nil || text == "<= 3")
    }
}
