internal import Measurement

/// A metric from run to run, with a line at the height of each level and one upwards where it changed.
enum TrendPlot {
    static func plot(name: String, _ trend: Trend) -> Plot? {
        guard trend.points.count > 1 else { return nil }
        let title = "\(MetricSamples.title(of: trend.metric)), \(trend.series.scenario)"
        var script = GnuplotScript(title: title)
        let samples = MetricSamples(
            series: trend.series, metric: trend.metric, unit: trend.unit, better: trend.better, values: [])
        let values = trend.points.map(\.value)
        let scale = MetricScale(samples, values)
        script.label(axis: "x", "run")
        script.label(axis: "y", scale.label)
        script.add("set xrange [-0.5:\(Double(values.count) - 0.5)]")
        if let low = values.min(), let high = values.max() {
            // Not from nothing, where nearly equal numbers would be one line; but never so near that noise looks large.
            let room = max((high - low) * 0.25, abs(high) * 0.02, .leastNormalMagnitude)
            script.add("set yrange [\((low - room) / scale.factor):\((high + room) / scale.factor)]")
        }
        let step = max(1, (values.count + 7) / 8)
        script.tics(
            axis: "x",
            trend.points.enumerated().filter { $0.offset.isMultiple(of: step) }
                .map { ("\($0.element.run)", Double($0.offset)) })
        let points = script.data(values.enumerated().map { [Double($0), $1 / scale.factor] })
        let levels = script.data(Self.levels(of: trend).map { [$0.start, $0.end, $0.value / scale.factor] })
        let borders = trend.changes.compactMap { change in
            trend.points.firstIndex { $0.run == change.run }.map { Double($0) - 0.5 }
        }
        for border in borders {
            script.add(
                "set arrow from \(border), graph 0 to \(border), graph 1 nohead "
                    + "linecolor rgb '\(PlotColours.change.light)' linewidth 1.5 dashtype 2")
        }
        script.plot([
            "\(levels) using 1:3:($2-$1):(0) with vectors nohead linecolor rgb '\(PlotColours.soft.light)' linewidth 2 "
                + "title 'median of the level'",
            "\(points) using 1:2 with linespoints \(PlotColours.curve(0)) title \(GnuplotScript.quoted("median of a run"))",
        ])
        let changes = trend.changes.map { "\(NumberText.change($0.part)) since run \($0.run)" }
        return Plot(
            name: name, title: title,
            summary: "\(values.count) runs; "
                + (changes.isEmpty ? "no change of level" : changes.joined(separator: ", ")),
            script: script)
    }

    /// Each level's beginning, end and height.
    static func levels(of trend: Trend) -> [(start: Double, end: Double, value: Double)] {
        let borders = trend.changes.compactMap { change in trend.points.firstIndex { $0.run == change.run } }
        return zip([0] + borders, borders + [trend.points.count]).compactMap { start, end in
            trend.points[start..<end].map(\.value).median.map { (Double(start) - 0.5, Double(end) - 0.5, $0) }
        }
    }
}
