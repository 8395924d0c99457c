import Glibc
import Measurement
import Testing

@testable import History

/// Runs on a machine that is as noisy as real ones are.
///
/// The whole machine is a little faster or slower in each run (0.4 %), each series too (0.3 %); it drifts in one direction
/// in the course of a run (1 % from its beginning to its end), a repetition resembles the one before (AR(1), 0.3), one in
/// twenty is disturbed and slower by 10 % on average with an exponential tail, and what is measured has three digits, so that
/// there are ties. The percentages but the last are standard deviations.
struct NoisyMachine {
    var random: SplitMix64
    var series = 12
    var repetitions = 10
    /// Of single repetitions, from the quietest series to the noisiest.
    var noise = 0.005...0.02

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    /// - Parameter slowdown: of series 0, as a part of its time.
    mutating func run(slowdown: Double = 0) -> MeasuredRun {
        let machine = normal() * 0.004
        let drift = normal() * 0.01
        var run = MeasuredRun(started: 0, context: .sample())
        for number in 0..<series {
            let spread = Double(number) / Double(max(series - 1, 1))
            let sigma = noise.lowerBound + (noise.upperBound - noise.lowerBound) * spread
            let offset = machine + normal() * 0.003
            var correlated = normal() * sigma
            for repetition in 1...repetitions {
                correlated = 0.3 * correlated + (1 - 0.09).squareRoot() * normal() * sigma
                let course = drift * (Double(repetition) / Double(repetitions) - 0.5)
                let isDisturbed = Double.random(in: 0..<1, using: &random) < 0.05
                let disturbance = isDisturbed ? -0.1 * log(1 - Double.random(in: 0..<1, using: &random)) : 0
                let time = exp(offset + correlated + course) * (1 + disturbance) * (number == 0 ? 1 + slowdown : 1)
                run.measurements.append(
                    Measurement(
                        scenario: "noise/\(number)", load: "closed", repetition: repetition,
                        metrics: [Metric("time", (time * 1000).rounded() / 1000, unit: "seconds", better: .lower)]))
            }
        }
        return run
    }

    /// Box and Muller's.
    private mutating func normal() -> Double {
        let radius = (-2 * log(1 - Double.random(in: 0..<1, using: &random))).squareRoot()
        return radius * cos(2 * .pi * Double.random(in: 0..<1, using: &random))
    }
}

@Suite("False alarms and what is found")
struct FalseAlarmTests {
    @Test("with no change, fewer than 1 in 100 comparisons of runs name one", arguments: [5, 10, 20])
    func noChange(repetitions: Int) throws {
        var machine = NoisyMachine(seed: 42)
        machine.repetitions = repetitions
        let trials = 1000
        var alarms = 0
        for _ in 0..<trials {
            let comparison = try Comparison(machine.run(), named: "1", machine.run(), named: "2")
            if comparison.count(.regressed) + comparison.count(.improved) > 0 { alarms += 1 }
        }
        #expect(alarms * 100 < trials, "\(alarms) of \(trials)")
    }

    /// So that the test above means something.
    @Test("the same noise makes a plain significance test cry wolf in most comparisons")
    func plainTest() throws {
        var machine = NoisyMachine(seed: 42)
        let rules = ComparisonRules(relevantChange: 0, significance: 0.05, runToRun: 0)
        let alarms = try (0..<100).count { _ in
            let comparison = try Comparison(machine.run(), named: "1", machine.run(), named: "2", rules: rules)
            return comparison.results.contains { ($0.p ?? 1) < 0.05 }
        }
        #expect(alarms > 50, "\(alarms) of 100")
    }

    /// On the quietest series among twelve: how often it is found.
    @Test(
        "planted slowdowns are found",
        arguments: [
            (10, 0.05, 0.6), (10, 0.1, 0.75), (10, 0.3, 0.95), (20, 0.05, 0.8), (20, 0.1, 0.99), (20, 0.3, 1),
        ])
    func planted(repetitions: Int, slowdown: Double, power: Double) throws {
        var machine = NoisyMachine(seed: 43)
        machine.repetitions = repetitions
        let trials = 60
        var found = 0
        var wrong = 0
        for _ in 0..<trials {
            let comparison = try Comparison(machine.run(), named: "1", machine.run(slowdown: slowdown), named: "2")
            for result in comparison.results where [.regressed, .improved].contains(result.verdict) {
                if result.series.scenario == "noise/0", result.verdict == .regressed { found += 1 } else { wrong += 1 }
            }
        }
        #expect(Double(found) >= power * Double(trials), "\(found) of \(trials)")
        #expect(wrong * 50 <= trials)
    }
}
