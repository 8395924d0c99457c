import Glibc
import Measurement
import Testing

@testable import History

@Suite("Trends")
struct TrendTests {
    /// Around 100, with a standard deviation of 1, and one wild value in twenty.
    private func noise(_ count: Int, _ random: inout SplitMix64) -> [Double] {
        (0..<count).map { _ in
            let radius = (-2 * log(1 - Double.random(in: 0..<1, using: &random))).squareRoot()
            let normal = radius * cos(2 * .pi * Double.random(in: 0..<1, using: &random))
            return 100 + normal + (Double.random(in: 0..<1, using: &random) < 0.05 ? 20 : 0)
        }
    }

    @Test("where nothing changes, at most one series in 25 has a change point, however small")
    func noChange() {
        var random = SplitMix64(seed: 3)
        let trials = 200
        let wrong = (0..<trials).count { _ in
            !ChangePoints.indices(in: noise(30, &random), smallestChange: 0).isEmpty
        }
        #expect(wrong * 25 <= trials, "\(wrong) of \(trials)")
    }

    @Test(
        "a step of 5 % in noise of 1 % is found in four of five, up to three runs beside it where wild values are near")
    func step() {
        var random = SplitMix64(seed: 4)
        let trials = 50
        let found = (0..<trials).count { _ in
            let values = noise(15, &random) + noise(10, &random).map { $0 * 1.05 }
            let indices = ChangePoints.indices(in: values)
            return indices.count == 1 && abs(indices[0] - 15) <= 3
        }
        #expect(found >= 40, "\(found) of \(trials)")
    }

    @Test("two steps, down and up again")
    func twoSteps() {
        let values =
            [10.0, 11, 10, 11, 10, 11, 10, 11].map { $0 + 100 } + [90, 91, 90, 91, 90, 91, 90, 91] + [
                111, 110, 112, 111, 110, 112, 111, 110,
            ]
        #expect(ChangePoints.indices(in: values) == [8, 16])
    }

    @Test("five runs after eight are enough if all are beyond them")
    func fewRuns() {
        #expect(ChangePoints.indices(in: [101, 99, 100, 102, 98, 100.5, 99.5, 101.5, 110, 112, 111, 113, 109]) == [8])
    }

    @Test("exact numbers change at once; a single wild one and less than matters do not count")
    func exact() {
        #expect(ChangePoints.indices(in: [Double](repeating: 5, count: 12) + [6, 6, 6]) == [12])
        #expect(ChangePoints.indices(in: [Double](repeating: 5, count: 12) + [6]).isEmpty)
        #expect(ChangePoints.indices(in: [Double](repeating: 5, count: 12) + [5.05, 5.05, 5.05, 5.05]).isEmpty)
        #expect(ChangePoints.indices(in: [Double](repeating: 5, count: 12)).isEmpty)
        #expect(ChangePoints.indices(in: [1, 2, 3]).isEmpty)
        #expect(ChangePoints.indices(in: []).isEmpty)
    }

    @Test("a trend names the run and the revision where the level changed")
    func trend() throws {
        let runs = (1...20).map { number in
            (
                number: number,
                run: MeasuredRun.sample(
                    [number < 13 ? 100 : 80, number < 13 ? 101 : 81], started: Int64(number) * 86400,
                    context: .sample(revision: "revision\(number)"))
            )
        }
        let trends = Trend.all(runs)
        let trend = try #require(trends.first)
        #expect(trends.count == 1)
        #expect(trend.points.count == 20)
        #expect(
            trend.changes == [Trend.Change(run: 13, revision: "revision13", before: 100.5, after: 80.5)])
        #expect(trend.sparkline() == "████████████▁▁▁▁▁▁▁▁")
        #expect(trend.sparkline(width: 3) == "▄▄▄")
        #expect(
            Trend.text(trends) == """
                modes/dr, closed, mode=DR
                  requests_per_second  ████████████▁▁▁▁▁▁▁▁  100.5 → 80.5
                                       since run 13 (revision13): −19.9 %, 100.5 → 80.5, worse

                """)
        #expect(Trend.all(Array(runs.prefix(1))).isEmpty)
    }

    @Test("only runs that may be compared with the latest are in one trend")
    func comparable() throws {
        let workplace = try Workplace()
        let history = try History(path: workplace.file)
        var other = MeasurementContext.sample()
        other.kernel = "6.1"
        try history.append(.sample([1], started: 1))
        try history.append(.sample([2], started: 2, context: other))
        try history.append(.sample([3], started: 3, context: .sample(clock: .virtual)))
        try history.append(.sample([4], started: 4, scenario: "modes/nat"))
        try history.append(.sample([5], started: 5))
        #expect(try history.comparableRuns().map(\.number) == [1, 4, 5])
        #expect(try history.comparableRuns(scenario: "modes/dr").map(\.number) == [1, 5])
        #expect(try history.comparableRuns(last: 2).map(\.number) == [4, 5])
        let pair = try history.latestPair()
        #expect(pair?.before.number == 1)
        #expect(pair?.after.number == 5)
        try history.remove([1])
        #expect(try history.latestPair() == nil)
    }
}
