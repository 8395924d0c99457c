import Measurement
import Testing

@testable import History

@Suite("Comparing two runs")
struct ComparisonTests {
    private func compare(
        _ before: MeasuredRun, _ after: MeasuredRun, rules: ComparisonRules = ComparisonRules(),
        metrics: Set<String> = [], allowing: Bool = false
    ) throws -> Comparison {
        try Comparison(
            before, named: "1", after, named: "2", rules: rules, metrics: metrics, allowsDifferentContext: allowing)
    }

    /// Ten repetitions around `middle`, 0.5 % apart at most.
    private func values(around middle: Double, spread: Double = 0.005) -> [Double] {
        (0..<10).map { middle * (1 + spread * (Double(($0 * 7) % 10) / 10 - 0.45)) }
    }

    @Test(
        "a change is good or bad by which way is better",
        arguments: [
            (.higher, 1.1, .improved), (.higher, 0.9, .regressed), (.lower, 1.1, .regressed), (.lower, 0.9, .improved),
            (nil, 1.1, .changed), (.higher, 1.001, .same),
        ] as [(Metric.Better?, Double, MetricComparison.Verdict)])
    func direction(better: Metric.Better?, factor: Double, verdict: MetricComparison.Verdict) throws {
        let comparison = try compare(
            .sample(values(around: 100), better: better), .sample(values(around: 100 * factor), better: better))
        let result = try #require(comparison.results.first)
        #expect(result.verdict == verdict)
        #expect(comparison.verdict == verdict)
        #expect(abs((result.relative?.estimate ?? 0) - (factor - 1)) < 0.002)
        #expect(result.method == .statistical)
        if factor == 1.1 {
            #expect(result.effect == 1)
            #expect(abs((result.p ?? 1) - 1.082508822446903e-05) < 1e-12)
        }
    }

    @Test("what runs differ by on their own is learned from the history, and no change is named that is no more")
    func noise() throws {
        // Runs whose level goes up and down by some percent, each with repetitions that hardly differ; and in the middle of
        // the history a real change, which is no noise.
        let levels: [Double] = [100, 103, 99, 102, 98, 101, 104, 150, 154, 149, 153, 148, 152, 155]
        func run(_ level: Double) -> MeasuredRun { .sample(values(around: level)) }
        let history = levels.enumerated().map { (number: $0.offset + 1, run: run($0.element)) }
        let (before, after) = (run(100), run(106))
        #expect(try compare(before, after).verdict == .improved)
        let learned = try Comparison(before, named: "1", after, named: "2", noise: RunNoise(history))
        #expect(learned.verdict == .inconclusive)
        #expect(learned.results.first?.reason == "runs may differ by this much on their own")
        // What is far beyond it is a change all the same; and a short history says nothing.
        #expect(
            try Comparison(before, named: "1", run(150), named: "2", noise: RunNoise(history)).verdict == .improved)
        #expect(
            try Comparison(before, named: "1", after, named: "2", noise: RunNoise(history.suffix(5))).verdict
                == .improved)
        // A quiet history makes nothing more certain than the rules have it.
        let quiet = (1...10).map { (number: $0, run: run(100)) }
        let close = run(103)
        #expect(
            try Comparison(before, named: "1", close, named: "2", noise: RunNoise(quiet)).results.first?.verdict
                == compare(before, close).results.first?.verdict)
    }

    @Test("few repetitions are inconclusive, and it says how many could tell")
    func fewRepetitions() throws {
        let comparison = try compare(.sample([100, 101, 102]), .sample([50, 51, 52]))
        #expect(comparison.results.first?.verdict == .inconclusive)
        #expect(comparison.results.first?.reason == "3 repetitions are too few: 5 could tell")
        #expect(try compare(.sample([100]), .sample([100])).verdict == .inconclusive)
    }

    @Test("among many metrics more repetitions are needed")
    func manyMetrics() throws {
        func run(_ factor: Double) -> MeasuredRun {
            var run = MeasuredRun.sample([])
            for repetition in 1...5 {
                run.measurements.append(
                    Measurement(
                        scenario: "modes/dr", load: "closed", repetition: repetition,
                        metrics: (0..<20).map { number in
                            let value = 100 + Double(repetition) / 10 + Double(number)
                            return Metric("m\(number)", number == 3 ? value * factor : value, unit: "", better: .lower)
                        }))
            }
            return run
        }
        let among = try compare(run(1), run(1.3))
        let result = try #require(among.results.first { $0.metric == "m3" })
        #expect(result.verdict == .inconclusive)
        #expect(result.reason == "5 repetitions are too few: 8 could tell")
        #expect(abs((result.adjustedP ?? 0) - 20 * (result.p ?? 0)) < 1e-12)
        #expect(try compare(run(1), run(1.3), metrics: ["m3"]).verdict == .regressed)
    }

    @Test("a wide interval is inconclusive, and so is a change that may be less than matters")
    func open() throws {
        let wide = try compare(
            .sample(values(around: 100, spread: 0.3)), .sample(values(around: 103, spread: 0.3)))
        #expect(wide.results.first?.verdict == .inconclusive)
        #expect(wide.results.first?.reason == "the interval is too wide")
        let small = try compare(.sample(values(around: 100)), .sample(values(around: 102.1)))
        #expect(small.results.first?.verdict == .inconclusive)
        #expect(small.results.first?.reason == "changed, but whether by as much as matters is open")
        let near = try compare(.sample(values(around: 100)), .sample(values(around: 103)))
        #expect(near.results.first?.reason == "runs may differ by this much on their own")
        let finer = ComparisonRules(relevantChange: 0.01)
        #expect(
            try compare(.sample(values(around: 100)), .sample(values(around: 103.5)), rules: finer).verdict == .improved
        )
    }

    @Test("from nothing to something is a change, nothing and nothing the same")
    func zero() throws {
        let none = MeasuredRun.sample([Double](repeating: 0, count: 10), better: .lower)
        let some = MeasuredRun.sample((1...10).map(Double.init), better: .lower)
        let appeared = try compare(none, some)
        #expect(appeared.verdict == .regressed)
        #expect(appeared.results.first?.relative == nil)
        #expect(try compare(none, none).results.first?.reason == "all values are equal")
        #expect(try compare(none, none).verdict == .same)
    }

    private func virtual(_ values: [Double], seed: UInt64 = 5) -> MeasuredRun {
        .sample(values, better: .lower, context: .sample(clock: .virtual, seed: seed))
    }

    @Test("in virtual time one seed is compared repetition by repetition, however few")
    func exact() throws {
        let identical = try compare(virtual([10]), virtual([10]))
        #expect(identical.results.first?.method == .exact)
        #expect(identical.results.first?.verdict == .same)
        #expect(identical.results.first?.reason == "identical")
        #expect(identical.results.first?.p == nil)
        #expect(try compare(virtual([10, 20]), virtual([11, 23])).verdict == .regressed)
        #expect(try compare(virtual([10, 20]), virtual([9, 20])).verdict == .improved)
        let slight = try compare(virtual([100, 200]), virtual([101, 199]))
        #expect(slight.verdict == .same)
        #expect(slight.results.first?.reason == nil)
        let mixed = try compare(virtual([10, 20, 30]), virtual([11, 18, 30]))
        #expect(mixed.verdict == .inconclusive)
        #expect(mixed.results.first?.reason == "of 3 repetitions 1 went up and 1 down")
        #expect(try compare(virtual([0]), virtual([1])).verdict == .regressed)
    }

    @Test("in virtual time with another seed it is statistics, and says that the seeds differ")
    func otherSeed() throws {
        let comparison = try compare(virtual([10, 11, 12]), virtual([10, 11, 12], seed: 6))
        #expect(comparison.results.first?.method == .statistical)
        #expect(comparison.contexts.map(\.text) == ["seed: 5 → 6"])
    }

    @Test("real time with one seed is not compared exactly")
    func realTime() throws {
        #expect(try compare(.sample([10]), .sample([10])).results.first?.method == .statistical)
    }

    @Test("two clocks are never compared")
    func clocks() {
        let error = #expect(throws: ComparisonError.self) {
            try compare(.sample([1]), .sample([1], context: .sample(clock: .virtual)), allowing: true)
        }
        #expect(error?.description == "clock: real → virtual: numbers of different clocks are never compared")
    }

    @Test("another machine or kernel is compared on request only; in virtual time the machine does not matter")
    func contexts() throws {
        for clock in MeasurementClock.allCases {
            let before = MeasuredRun.sample([1, 2], context: .sample(clock: clock))
            var kernel = before
            kernel.context.kernel = "6.1"
            var machine = before
            machine.context.machine.processors = 64
            let error = #expect(throws: ComparisonError.self) { try compare(before, kernel) }
            #expect(error?.description.contains("kernel: 6.12.117-drbench → 6.1") == true)
            #expect(try compare(before, kernel, allowing: true).contexts.count == 1)
            if clock == .virtual {
                #expect(try compare(before, machine).contexts.isEmpty)
            } else {
                #expect(throws: ComparisonError.self) { try compare(before, machine) }
            }
        }
    }

    @Test("programs' versions are noted")
    func programs() throws {
        var after = MeasuredRun.sample([1, 2])
        after.context.programs["haproxy"] = "3.0"
        after.context.programs["iperf3"] = "3.12"
        let comparison = try compare(.sample([1, 2]), after)
        #expect(comparison.contexts.map(\.text) == ["haproxy: 2.6.12 → 3.0", "iperf3: none → 3.12"])
        #expect(comparison.contexts.allSatisfy { $0.gravity == .note })
    }

    @Test("what only one of them has is named; nothing in common is an error")
    func inCommon() throws {
        var after = MeasuredRun.sample([1, 2])
        after.measurements.append(
            Measurement(scenario: "new", load: "", repetition: 1, metrics: [Metric("a", 1, unit: "")]))
        #expect(try compare(.sample([1, 2]), after).onlyAfter.map(\.scenario) == ["new"])
        #expect(throws: ComparisonError.nothingInCommon) { try compare(.sample([1]), .sample([1], scenario: "other")) }
        #expect(throws: ComparisonError.nothingInCommon) { try compare(.sample([1]), .sample([1], parameters: [:])) }
        #expect(throws: ComparisonError.noSuchMetric(["x"], known: ["requests_per_second"])) {
            try compare(.sample([1]), .sample([1]), metrics: ["x"])
        }
    }

    @Test("latencies give a metric for each quantile that there are enough requests for, and one of all together")
    func latencies() {
        var run = MeasuredRun.sample([1, 2])
        for index in run.measurements.indices {
            run.measurements[index].metrics.append(Metric("latency_p99", 99, unit: "seconds", better: .lower))
            run.measurements[index].latency = LatencyDistribution(
                significantDigits: 3,
                buckets: (1...200).map { .init(nanoseconds: UInt64($0) * 1000 * UInt64(index * 9 + 1), count: 1) })
        }
        let samples = run.samples
        #expect(samples.map(\.metric) == ["requests_per_second", "latency_p50", "latency_p90", "latency_p99"])
        #expect(samples[1].values.map(\.value) == [100e-6, 1000e-6])
        #expect(samples[3].values.map(\.value) == [198e-6, 1980e-6])
        // The 200th of the 400: 182 of the first's, which are 1 µs apart, and 18 of the second's, 10 µs apart.
        #expect(samples[1].merged == 182e-6)
        #expect(samples[1].unit == "seconds")
    }
}
