internal import Glibc
internal import Measurement

/// Which part of the requests took longer than what: one curve for each series, percentiles on a scale that widens the tail.
enum LatencyPlot {
    struct Curve {
        var label: String
        var look: CurveKey.Look
        var distribution: LatencyDistribution
    }

    /// - Returns: nil if there is nothing to draw.
    static func plot(name: String, title: String, _ curves: [Curve], key: CurveKey) -> Plot? {
        let drawn = curves.filter { $0.distribution.count > 0 }
        guard !drawn.isEmpty else { return nil }
        var script = GnuplotScript(title: title)
        let most = drawn.map(\.distribution.count).max() ?? 1
        script.add("set logscale x 10")
        let tics = Self.tics.filter { $0.position <= Double(most) * 1.01 || $0.position <= 10 }
        script.tics(axis: "x", tics)
        script.add("set xrange [1:\(max(10, Double(most)))]")
        script.add("set yrange [0:*]")
        script.add("set offsets graph 0, graph 0, graph 0.05, graph 0")
        script.label(axis: "x", "percentile")
        let highest = drawn.compactMap { $0.distribution.buckets.last?.nanoseconds }.max() ?? 0
        let unit = Unit(fitting: Double(highest) / 1e9)
        script.label(axis: "y", "latency (\(unit.name))")
        let parts = drawn.map { curve in
            let points = points(of: curve.distribution).map { [$0.inverse, $0.seconds / unit.seconds] }
            let style = PlotColours.line(curve.look.colour, isDashed: curve.look.isDashed)
            return "\(script.data(points)) using 1:2 with lines \(style) \(GnuplotScript.title(curve.look.title))"
        }
        script.plot(parts + key.pairEntries(hasPoints: false))
        return Plot(
            name: name, title: title,
            summary: drawn.map { curve in
                let texts = LatencyQuantile.all.compactMap { quantile in
                    curve.distribution.value(atQuantile: quantile.quantile).map {
                        NumberText.value(Double($0) / 1e9, unit: "seconds")
                    }
                }
                return "\(curve.label): p50, p90, p99, p99.9 \(texts.joined(separator: ", "))"
            }.joined(separator: "; "), script: script)
    }

    /// `1 / (1 − quantile)` and the latency there, as steps; the largest value ends the curve at one in as many as there are.
    static func points(of distribution: LatencyDistribution) -> [(inverse: Double, seconds: Double)] {
        let count = Double(distribution.count)
        var points: [(inverse: Double, seconds: Double)] = []
        var below = 0.0
        for bucket in distribution.buckets where bucket.count > 0 {
            let seconds = Double(bucket.nanoseconds) / 1e9
            points.append((count / (count - below), seconds))
            below += Double(bucket.count)
            if below < count {
                points.append((count / (count - below), seconds))
            } else {
                points.append((count, seconds))
            }
        }
        return points
    }

    private static let tics: [(label: String, position: Double)] = [
        ("50 %", 2), ("90 %", 10), ("99 %", 100), ("99.9 %", 1e3), ("99.99 %", 1e4), ("99.999 %", 1e5),
        ("99.9999 %", 1e6),
    ]
}

/// A unit of time that gives an axis short numbers.
struct Unit {
    var name: String
    var seconds: Double

    init(fitting seconds: Double) {
        let all = [("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9)]
        let unit = all.first { seconds >= $0.1 } ?? ("ns", 1e-9)
        (name, self.seconds) = unit
    }
}
