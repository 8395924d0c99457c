/// How much two samples overlap.
public enum EffectSize {
    /// Cliff's delta: how much more often a value of `second` is above one of `first` than below; from -1 (always below)
    /// to 1 (always above). Vargha and Delaney's A is (delta + 1) / 2.
    ///
    /// Source: Cliff, "Dominance statistics", Psychological Bulletin 114 (1993).
    public static func cliffsDelta(from first: [Double], to second: [Double]) -> Double {
        MannWhitney(first, second).cliffsDelta
    }

    /// From here on an effect counts as large.
    ///
    /// Source: Romano et al., "Appropriate statistics for ordinal level data", Florida Association of Institutional
    /// Research (2006).
    public static let large = 0.474
}

/// Corrects p values for how many they are: the probability that any of them is false is what one alone would have.
///
/// Source: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979).
public enum Holm {
    /// In the order of `p`.
    public static func adjusted(_ p: [Double]) -> [Double] {
        var adjusted = p
        var largest = 0.0
        for (rank, index) in p.indices.sorted(by: { p[$0] < p[$1] }).enumerated() {
            largest = max(largest, min(1, p[index] * Double(p.count - rank)))
            adjusted[index] = largest
        }
        return adjusted
    }
}
