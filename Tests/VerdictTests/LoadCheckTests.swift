import Evidence
import Measurement
import Scenario
import Testing
import Verdict

// Testing has a type of this name, too.
import struct Scenario.Expectation

@Suite("What a load's measurement gave")
struct LoadCheckTests {
    /// Two seconds: 900 answered within a millisecond, 90 within 10, 10 after a second, and 24 refused.
    private func bench() -> Bench {
        var histogram = LatencyHistogram()
        histogram.record(1_000_000, times: 900)
        histogram.record(10_000_000, times: 90)
        histogram.record(1_000_000_000, times: 10)
        var load = LoadRecord(
            name: "gets", from: 1_000_000_000, to: 3_000_000_000, outcomes: ["answered": 1000, "refused": 24],
            answers: 998, connections: 10, sentBytes: 100_000, receivedBytes: 2_400_000,
            latency: histogram.distribution)
        load.ports = [
            "client:eth0": PortTraffic(receivedBytes: 2_600_000, sentBytes: 150_000),
            "client2:eth0": PortTraffic(receivedBytes: 240_000, sentBytes: 10_000),
            "lb:eth0": PortTraffic(receivedBytes: 60_000, sentBytes: 60_000),
            "rs1:eth0": PortTraffic(receivedBytes: 60_000, sentBytes: 2_500_000),
        ]
        load.clientPorts = ["client:eth0", "client2:eth0"]
        load.directorPorts = ["lb:eth0"]
        var bench = Bench()
        bench.addStep("gets", 0...3000) { $0.loads = [load] }
        return bench
    }

    private func count(_ minimum: Int, _ maximum: Int = .max) -> Expectation.Count {
        .init(minimum: minimum, maximum: maximum)
    }

    @Test("holds by what was counted")
    func holds() throws {
        let result = try bench().check(
            .load(
                .init(
                    answered: count(1000, 1000), failed: count(24, 24), requestsPerSecond: count(499, 499),
                    throughput: count(10_000_000, 10_000_000),
                    quantiles: [
                        0.5: count(0, 1_001_000), 0.99: count(10_000_000, 10_010_000), 0.999: count(999_000_000),
                    ],
                    directorShare: count(4000, 4000))), step: 0)
        #expect(result.status == .passed, "\(result.message)")
    }

    @Test(
        "fails with what was found instead",
        arguments: [
            (
                Expectation.LoadResult(failed: Expectation.Count.none),
                "expected no requests failed; found 24 (24 refused)"
            ),
            (.init(answered: .init(minimum: 1024, maximum: 1024)), "expected 1024 requests answered; found 1000"),
            (
                .init(requestsPerSecond: .init(minimum: 500, maximum: .max)),
                "expected >= 500 requests per second; found 499"
            ),
            (
                .init(quantiles: [0.99: .init(minimum: 0, maximum: 5_000_000)]),
                "expected a latency p99 of at most 0.005000 s; found 0.010002 s"
            ),
            (
                .init(directorShare: .init(minimum: 0, maximum: 3000)),
                "expected at most 3 % of the clients' octets at the director; found 4 %"
            ),
        ])
    func fails(_ expectation: Expectation.LoadResult, _ message: String) throws {
        let result = try bench().check(.load(expectation), step: 0)
        #expect(result.status == .failed)
        #expect(result.message == message)
    }

    @Test("cannot be judged without a load, with two, or without a director")
    func unjudgeable() throws {
        var without = Bench()
        without.addStep("nothing", 0...1)
        #expect(try without.check(.load(.init(failed: count(0))), step: 0).status == .error)
        var two = bench()
        let loads = two.evidence.steps[0].loads ?? []
        two.evidence.steps[0].loads = loads + loads
        #expect(try two.check(.load(.init(failed: count(0)))).status == .error)
        var nowhere = bench()
        nowhere.evidence.steps[0].loads?[0].directorPorts = []
        #expect(try nowhere.check(.load(.init(directorShare: count(0))), step: 0).status == .error)
    }

    @Test("a latency that no answer has does not hold")
    func noAnswer() throws {
        var silent = bench()
        silent.evidence.steps[0].loads?[0].latency = LatencyHistogram().distribution
        let result = try silent.check(.load(.init(quantiles: [0.5: count(0)])), step: 0)
        #expect(result.status == .failed)
    }
}
