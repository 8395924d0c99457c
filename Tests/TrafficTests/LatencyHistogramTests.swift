import Testing

@testable import Measurement

@Suite("Times in HDR buckets")
struct LatencyHistogramTests {
    @Test(
        "a bucket's highest value is within a thousandth of every value in it, and none overlap",
        arguments: [0, 1, 2047, 2048, 2049, 4095, 4096, 1_000_000, 123_456_789, 1 << 43, LatencyHistogram.longest])
    func precision(_ value: UInt64) {
        let index = LatencyHistogram.index(of: value)
        let highest = LatencyHistogram.highest(in: index)
        #expect(highest >= value)
        #expect(highest - value <= value / 1000)
        #expect(LatencyHistogram.index(of: highest) == index)
        if value < LatencyHistogram.longest { #expect(LatencyHistogram.index(of: highest + 1) == index + 1) }
    }

    @Test("the buckets are HdrHistogram's with 1 as its lowest value and three digits")
    func sameAsHdrHistogram() {
        // AbstractHistogram.java: getBucketIndex, getSubBucketIndex and countsArrayIndex, with subBucketCount 2048.
        func reference(_ value: UInt64) -> Int {
            let bucket = 64 - (value | 2047).leadingZeroBitCount - 11
            let sub = Int(value >> UInt64(bucket))
            return (bucket + 1) * 1024 + (sub - 1024)
        }
        for value in [0, 5, 2047, 2048, 9999, 65_536, 1_234_567, 999_999_999_999] as [UInt64] {
            #expect(LatencyHistogram.index(of: value) == reference(value))
        }
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

    @Test("merged, two are as one that recorded everything; so are their distributions")
    func merging() throws {
        var (one, other, both) = (LatencyHistogram(), LatencyHistogram(), LatencyHistogram())
        for step in 0..<5000 as Range<Int64> {
            let value = step * step * 997
            if step % 3 == 0 { one.record(value) } else { other.record(value) }
            both.record(value)
        }
        let parts = [one.distribution, other.distribution]
        one.merge(other)
        #expect(one == both)
        #expect(one.distribution == both.distribution)
        let merged = try #require(LatencyDistribution.merged(parts))
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
