import Net
import Testing

// Swift Testing has a type of this name, too.
import struct Scenario.Expectation

@testable import Reading
@testable import Scenario

@Suite("Loads, read")
struct LoadFormatTests {
    private func loads() throws -> [Step] {
        let file = Sample.read(Everything.composed, topology: Everything.topology)
        #expect(file.diagnostics.map(\.description) == [])
        return try #require(file.scenarios.first).timeline.filter(\.action.isLoad)
    }

    @Test("an open loop with all that it may say, and a closed one with what it need not say")
    func actions() throws {
        let vip = try #require(IPAddress("203.0.113.2"))
        #expect(
            try loads().map(\.action) == [
                .load(
                    Load(
                        kind: .http, from: ["client", "gw"], to: Endpoint(vip, port: 80), rate: 2000, connections: 64,
                        keepAlive: false, request: 1000, response: 65536, warmUp: 500_000_000,
                        duration: 2_000_000_000, timeout: 1_000_000_000)),
                .load(
                    Load(
                        kind: .udp, from: ["client"], to: Endpoint(vip, port: 53), rate: nil, connections: 10,
                        keepAlive: true, request: 0, response: 0, warmUp: 0, duration: 1_000_000_000,
                        timeout: 2_000_000_000)),
            ])
        #expect(
            try loads().map(\.name) == ["load from client, gw to 203.0.113.2:80", "load from client to 203.0.113.2:53"])
    }

    @Test("what is expected of a measurement")
    func expectation() throws {
        let expected = Expectation.LoadResult(
            answered: .init(minimum: 4000, maximum: 4000), failed: Expectation.Count.none,
            requestsPerSecond: .init(minimum: 1990, maximum: .max),
            throughput: .init(minimum: 90_000_000, maximum: 100_000_000),
            quantiles: [
                0.5: .init(minimum: 0, maximum: 1_000_000), 0.99: .init(minimum: 0, maximum: 2_000_000),
                0.999: .init(minimum: 0, maximum: 3_000_000),
            ], directorShare: .init(minimum: 0, maximum: 5000))
        #expect(try loads()[0].expectations.map(\.check) == [.load(expected)])
    }

    @Test("each cell of a matrix knows the values of its axes; a variant has none")
    func cells() throws {
        let scenarios = Sample.read(Everything.composed, topology: Everything.topology).scenarios
        #expect(scenarios.first?.cell == ["release": "2014.1.5", "server": "rs1"])
        #expect(scenarios.last?.cell == [:])
    }

    @Test("captures are on unless they are none")
    func capture() throws {
        let off = Sample.read(Sample.head + "capture: none")
        #expect(off.diagnostics.map(\.description) == [])
        #expect(off.scenarios.first?.capture.isOn == false)
        #expect(Sample.read(Sample.head).scenarios.first?.capture.isOn == true)
    }

    @Test(
        "bounds on rates",
        arguments: [(">= 900Mbit", 900_000_000, Int.max), ("90Mbit .. 100Mbit", 90_000_000, 100_000_000)])
    func rates(_ text: String, _ minimum: Int, _ maximum: Int) {
        #expect(Quantity.rates(text) == .init(minimum: minimum, maximum: maximum))
    }

    @Test("no bounds on rates", arguments: ["", "900Mbit", ">= 900", "2Mbit..1Mbit", "<= 5%"])
    func noRates(_ text: String) { #expect(Quantity.rates(text) == nil) }
}
