internal import Glibc

/// Where the level of a series of numbers changes.
///
/// Circular binary segmentation, with ranks: of all parts it takes the one whose ranks differ most from those of the rest, as
/// Mann and Whitney compare them; how often chance alone would make one differ as much is found by shuffling the numbers,
/// with a fixed seed. Then the same within each of the parts. So a level that was left and came back is found, too.
///
/// Source: Olshen, Venkatraman, Lucito, Wigler, "Circular binary segmentation for the analysis of array-based DNA copy
/// number data", Biostatistics 5 (2004).
public enum ChangePoints {
    /// So many numbers at least have each level, so that a single wild one is none.
    static let shortestLevel = 3

    /// - Parameters:
    ///   - significance: how probable a change may be where there is none.
    ///   - smallestChange: smaller ones are not told, as a part of the level before.
    /// - Returns: the indices of the first numbers of new levels, ascending.
    public static func indices(
        in values: [Double], significance: Double = 0.02, smallestChange: Double = 0.02
    ) -> [Int] {
        var random = SplitMix64(seed: 0x6472_6265_6E63_68)
        var found: [Int] = []
        if let steps = exactSteps(in: values) {
            found = steps
        } else {
            split(values[...], significance, &random, into: &found)
        }
        // A border of a part need not be one of its neighbour: what is left of no step is none.
        var kept = found.sorted()
        while let weakest = kept.indices.min(by: {
            step(at: $0, of: kept, in: values) < step(at: $1, of: kept, in: values)
        }),
            step(at: weakest, of: kept, in: values) < smallestChange
        {
            kept.remove(at: weakest)
        }
        return kept
    }

    /// Numbers that come back exactly have no noise, as those of virtual time: each step is one. nil for others.
    private static func exactSteps(in values: [Double]) -> [Int]? {
        let steps = values.indices.dropFirst().filter { values[$0] != values[$0 - 1] }
        let lengths = zip([0] + steps, steps + [values.count]).map { $1 - $0 }
        guard lengths.dropLast().allSatisfy({ $0 >= shortestLevel }) else { return nil }
        return (lengths.last ?? 0) >= shortestLevel ? steps : steps.dropLast()
    }

    private static func split(
        _ values: ArraySlice<Double>, _ significance: Double, _ random: inout SplitMix64, into found: inout [Int]
    ) {
        guard values.count >= 2 * shortestLevel else { return }
        let ranks = ranks(of: Array(values))
        guard let strongest = strongest(in: ranks), strongest.strength > 0 else { return }
        let shuffles = 999
        var shuffled = ranks
        var stronger = 0
        for _ in 0..<shuffles {
            shuffled.shuffle(using: &random)
            if let other = Self.strongest(in: shuffled), other.strength >= strongest.strength * (1 - 1e-12) {
                stronger += 1
            }
            // Whatever the other shuffles would give.
            guard Double(stronger + 1) / Double(shuffles + 1) <= significance else { return }
        }
        let borders = [strongest.part.lowerBound, strongest.part.upperBound].map { $0 + values.startIndex }
            .filter { $0 > values.startIndex && $0 < values.endIndex }
        found += borders
        for (start, end) in zip([values.startIndex] + borders, borders + [values.endIndex]) {
            split(values[start..<end], significance, &random, into: &found)
        }
    }

    /// The part whose ranks differ most from those of the rest, and by how much: the square of the difference to what
    /// it should be, over its variance but for a factor.
    private static func strongest(in ranks: [Double]) -> (part: Range<Int>, strength: Double)? {
        let count = ranks.count
        var sums = [0.0]
        for rank in ranks { sums.append(sums[sums.count - 1] + rank) }
        var best: (part: Range<Int>, strength: Double)?
        for start in 0..<count where start == 0 || start >= shortestLevel {
            // A part at the beginning is the rest of one at the end.
            guard start + shortestLevel <= count else { break }
            for end in start + shortestLevel...count {
                let rest = count - end
                guard rest == 0 || rest >= shortestLevel, start + rest >= shortestLevel else { continue }
                let length = Double(end - start)
                let excess = sums[end] - sums[start] - length * Double(count + 1) / 2
                let strength = excess * excess / (length * (Double(count) - length))
                if strength > best?.strength ?? -1 { best = (start..<end, strength) }
            }
        }
        return best
    }

    private static func ranks(of values: [Double]) -> [Double] {
        var ranks = [Double](repeating: 0, count: values.count)
        let order = values.indices.sorted { values[$0] < values[$1] }
        var start = 0
        while start < order.count {
            var end = start
            while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
            for index in order[start..<end] { ranks[index] = Double(start + 1 + end) / 2 }
            start = end
        }
        return ranks
    }

    /// How far the medians on both sides of a border are apart, as a part of the one before.
    private static func step(at border: Int, of borders: [Int], in values: [Double]) -> Double {
        let start = border > 0 ? borders[border - 1] : 0
        let end = border + 1 < borders.count ? borders[border + 1] : values.count
        guard let before = Array(values[start..<borders[border]]).median,
            let after = Array(values[borders[border]..<end]).median, before != after
        else { return 0 }
        return before == 0 ? .infinity : abs((after - before) / before)
    }
}
