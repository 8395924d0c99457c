import Testing

@testable import History

@Suite("Statistics")
struct StatisticsTests {
    /// A sample pair and what scipy.stats.mannwhitneyu 1.17.1 says about it, two-sided; by `method="exact"` where that is
    /// what drbench does, else by `method="asymptotic"`.
    struct Reference: CustomTestStringConvertible {
        var name: String
        var first: [Double]
        var second: [Double]
        var u: Double
        var p: Double
        var isExact: Bool
        var testDescription: String { name }
    }

    static let ten: (first: [Double], second: [Double]) = (
        [98.1, 101.2, 99.7, 100.4, 102.8, 97.9, 100.9, 99.1, 101.7, 100.05],
        [103.3, 104.9, 100.1, 102.2, 105.6, 99.9, 103.9, 104.2, 101.1, 106.4]
    )

    private static func values(_ count: Int, _ value: (Int) -> Double) -> [Double] { (0..<count).map(value) }

    static let references: [Reference] = [
        Reference(
            name: "wholly apart", first: [1, 2, 3, 4, 5], second: [6, 7, 8, 9, 10], u: 0, p: 0.007936507936507936,
            isExact: true),
        Reference(
            name: "mixed", first: [1.1, 3.2, 5.3, 7.7], second: [2.4, 4.5, 6.6, 8.8, 9.1, 0.3], u: 10,
            p: 0.7619047619047619, isExact: true),
        Reference(name: "one value", first: [12.5], second: [1, 2, 3.5, 14], u: 3, p: 0.8, isExact: true),
        Reference(
            name: "ten each", first: ten.first, second: ten.second, u: 15, p: 0.006841455757864427, isExact: true),
        Reference(
            name: "ties", first: [1, 2, 2, 3, 3, 3, 4], second: [2, 3, 3, 4, 5, 5], u: 10.5, p: 0.13820766697402573,
            isExact: false),
        Reference(
            name: "all equal", first: [5, 5, 5, 5], second: [5, 5, 5, 5, 5], u: 10, p: 1, isExact: false),
        Reference(
            name: "the largest exact ones",
            first: values(25) { number in Double(number * number % 53) + Double(number) / 100 },
            second: values(25) { number in Double(number * 7 % 41) + 0.5 + Double(number) / 1000 }, u: 368,
            p: 0.2886600634950398,
            isExact: true),
        Reference(
            name: "long ones", first: values(60) { number in Double(number * 37 % 101) },
            second: values(45) { number in Double(number * 41 % 97) + 10.25 }, u: 1108, p: 0.11787153595032399,
            isExact: false),
    ]

    @Test("Mann–Whitney agrees with SciPy", arguments: references)
    func mannWhitney(reference: Reference) {
        let test = MannWhitney(reference.first, reference.second)
        #expect(test.u == reference.u)
        #expect(abs(test.p - reference.p) < 1e-12 + reference.p * 1e-9, "p is \(test.p)")
        #expect(test.isExact == reference.isExact)
        let turned = MannWhitney(reference.second, reference.first)
        #expect(abs(turned.p - test.p) < 1e-12)
        #expect(turned.u + test.u == Double(reference.first.count * reference.second.count))
    }

    /// References: all choices of the first sample's values, counted in Python with scipy.stats.rankdata.
    @Test(
        "far out p is exact in spite of ties",
        arguments: [
            ([1, 1, 2, 2, 3, 3, 4], [5, 5, 6, 6, 7, 7], 0.0011655011655011655),
            (
                [10, 10, 11, 11, 12, 12, 13, 13, 14, 15], [20, 20, 21, 21, 22, 22, 23, 23, 24, 25],
                1.082508822446903e-05
            ),
        ] as [([Double], [Double], Double)])
    func exactTies(first: [Double], second: [Double], p: Double) {
        #expect(abs(MannWhitney(first, second).p / p - 1) < 1e-9)
        #expect(abs(MannWhitney(second, first).p / p - 1) < 1e-9)
        #expect(MannWhitney(first, second).isExact)
    }

    @Test("the smallest p is that of samples that are wholly apart")
    func smallestP() {
        for count in 1...25 {
            let test = MannWhitney((0..<count).map(Double.init), (100..<100 + count).map(Double.init))
            #expect(abs(MannWhitney.smallestP(count, count) / test.p - 1) < 1e-9)
        }
        #expect(MannWhitney.smallestP(0, 5) == 1)
    }

    @Test("the normal distribution agrees with SciPy")
    func normal() {
        for (tail, value) in [
            (0.5, 0), (0.025, 1.9599639845400545), (0.005, 2.575829303548901), (1e-6, 4.753424308822899),
        ] {
            #expect(abs(NormalDistribution.value(exceededWith: tail) - value) < 1e-9)
            #expect(abs(NormalDistribution.upperTail(value) / tail - 1) < 1e-9)
        }
    }

    /// The reference was found by trying with SciPy which shifts the exact test rejects.
    @Test(
        "the interval holds the shifts that the test does not reject", arguments: [(0.95, 1.0, 5.2), (0.99, 0.2, 5.8)])
    func interval(confidence: Double, low: Double, high: Double) throws {
        let shift = try #require(Shift(from: Self.ten.first, to: Self.ten.second, confidence: confidence))
        #expect(abs(shift.estimate - 3.05) < 1e-9)
        #expect(abs((shift.low ?? 0) - low) < 1e-9)
        #expect(abs((shift.high ?? 0) - high) < 1e-9)
    }

    @Test("four repetitions have no interval of 99 %, five have one")
    func tooFew() {
        #expect(Shift(from: [1, 2, 3, 4], to: [5, 6, 7, 8], confidence: 0.99)?.low == nil)
        #expect(Shift(from: [1, 2, 3, 4, 5], to: [6, 7, 8, 9, 10], confidence: 0.99)?.low == 1)
        #expect(Shift(from: [], to: [1], confidence: 0.99) == nil)
    }

    @Test("the interval holds the truth as often as it says", arguments: [5, 8, 10, 30])
    func coverage(count: Int) {
        var random = SplitMix64(seed: UInt64(count))
        let trials = 1000
        let missed = (0..<trials).count { _ in
            let first = (0..<count).map { _ in Double.random(in: 0..<1, using: &random) }
            let second = (0..<count).map { _ in 0.25 + Double.random(in: 0..<1, using: &random) }
            guard let shift = Shift(from: first, to: second, confidence: 0.95), let low = shift.low,
                let high = shift.high
            else { return true }
            return low > 0.25 || high < 0.25
        }
        #expect((0.02...0.062).contains(Double(missed) / Double(trials)), "\(missed) of \(trials)")
    }

    @Test("Cliff's delta is 1 if all are above, 0 if as many are above as below")
    func cliffsDelta() {
        #expect(EffectSize.cliffsDelta(from: [1, 2, 3], to: [4, 5]) == 1)
        #expect(EffectSize.cliffsDelta(from: [4, 5], to: [1, 2, 3]) == -1)
        #expect(EffectSize.cliffsDelta(from: [1, 3], to: [2, 2]) == 0)
        #expect(EffectSize.cliffsDelta(from: [1, 2], to: [1, 2, 3, 3]) == 0.5)
        #expect(EffectSize.cliffsDelta(from: [], to: [1]) == 0)
    }

    /// R: `p.adjust(c(0.01, 0.04, 0.03, 0.005, 0.6), "holm")`.
    @Test("Holm's correction")
    func holm() {
        let adjusted = Holm.adjusted([0.01, 0.04, 0.03, 0.005, 0.6])
        for (value, expected) in zip(adjusted, [0.04, 0.09, 0.09, 0.025, 0.6]) {
            #expect(abs(value - expected) < 1e-12)
        }
        #expect(Holm.adjusted([0.5, 0.9]) == [1, 1])
        #expect(Holm.adjusted([]).isEmpty)
    }

    @Test("the median of an even number is between the two in the middle")
    func median() {
        #expect([3, 1, 2].median == 2)
        #expect([4, 1, 3, 2].median == 2.5)
        #expect([Double]().median == nil)
    }
}
