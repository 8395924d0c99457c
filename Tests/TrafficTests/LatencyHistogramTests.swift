import Measurement
import Testing

@Suite("Times in HDR buckets")
struct LatencyHistogramTests {
    @Test(
        "three digits of a value are kept, and small ones whole",
        arguments: [0, 1, 2047, 2048, 2049, 4095, 4096, 1_000_000, 123_456_789, 1 << 43])
    func precision(_ value: Int64) throws {
        var histogram = LatencyHistogram()
        histogram.record(value)
        histogram.record(.max)
        let kept = try #require(histogram.distribution.value(atQuantile: 0.5))
        #expect(kept >= UInt64(value))
        #expect(kept - UInt64(value) <= UInt64(value) / 1000)
        if value < 2048 { #expect(kept == UInt64(value)) }
    }

    @Test("quantiles are those of the sorted values")
    func quantiles() {
        var histogram = LatencyHistogram()
        for millisecond in 1...1000 { histogram.record(Int64(millisecond) * 1_000_000) }
        let distribution = histogram.distribution
        #expect(distribution.count == 1000)
        for (quantile, expected) in [(0.5, 500), (0.9, 900), (0.99, 990), (0.999, 999), (1, 1000)] as [(Double, UInt64)]
        {
            let value = distribution.value(atQuantile: quantile) ?? 0
            #expect(value >= expected * 1_000_000)
            #expect(value - expected * 1_000_000 <= expected * 1000)
        }
        #expect(distribution.value(atQuantile: 1) == 1_000_000_000)
    }

    @Test("merged, two distributions are as one of everything")
    func merging() throws {
        var (one, other, both) = (LatencyHistogram(), LatencyHistogram(), LatencyHistogram())
        for step in 0..<5000 as Range<Int64> {
            let value = step * step * 997
            if step % 3 == 0 { one.record(value) } else { other.record(value) }
            both.record(value)
        }
        let merged = try #require(LatencyDistribution.merged([one.distribution, other.distribution]))
        #expect(merged.count == 5000)
        #expect(merged.value(atQuantile: 0.5) == both.distribution.value(atQuantile: 0.5))
        #expect(merged.value(atQuantile: 1) == both.distribution.value(atQuantile: 1))
    }

    @Test("what is too long counts as the longest, and a clock that was set back as no time")
    func extremes() {
        var histogram = LatencyHistogram()
        histogram.record(.max)
        histogram.record(-5)
        #expect(histogram.count == 2)
        #expect(histogram.distribution.buckets.map(\.count) == [1, 1])
        #expect(histogram.distribution.buckets.first?.nanoseconds == 0)
        #expect(LatencyHistogram().distribution.value(atQuantile: 0.5) == nil)
    }
}
