internal import Measurement

/// A metric over a parameter that is a number, a curve for each combination of the others that vary: throughput over real
/// servers by mode, latency over rules.
enum ParameterPlot {
    /// One series' values with its parameters.
    struct Spot {
        var parameters: [String: String]
        var values: [Double]
    }

    /// What is on the x axis: the real servers if they vary, else the number that varies most.
    static func axis(of spots: [Spot]) -> String? {
        let names = Set(spots.flatMap { $0.parameters.keys }).sorted()
        let varying = names.compactMap { name -> (name: String, count: Int)? in
            let values = Set(spots.map { $0.parameters[name] ?? "" })
            let areNumbers = values.allSatisfy { Double($0)?.isFinite == true }
            return values.count > 1 && areNumbers ? (name, values.count) : nil
        }
        return varying.first { $0.name == "real_servers" }?.name ?? varying.max { $0.count < $1.count }?.name
    }

    /// - Returns: nil where no parameter varies, and where all values are 0.
    static func plot(name: String, title: String, metric: MetricSamples, _ spots: [Spot]) -> Plot? {
        guard spots.contains(where: { $0.values.contains { $0 != 0 } }) else { return nil }
        guard let axis = axis(of: spots) else { return bars(name: name, title: title, metric: metric, spots) }
        let key = CurveKey(spots.map(\.parameters), besides: axis)
        let scale = MetricScale(metric, spots.flatMap(\.values))
        var curves: [(label: String, look: CurveKey.Look, rows: [[Double]])] = []
        for spot in spots {
            guard let x = spot.parameters[axis].flatMap(Double.init), let row = row(at: x, spot.values, scale) else {
                continue
            }
            let label = key.label(spot.parameters)
            if let place = curves.firstIndex(where: { $0.label == label }) {
                curves[place].rows.append(row)
            } else {
                curves.append((label, key.look(of: spot.parameters), [row]))
            }
        }
        guard !curves.isEmpty else { return nil }
        var script = GnuplotScript(title: title)
        let positions = Set(curves.flatMap { $0.rows.map { $0[0] } }).sorted()
        // Doubled each time as most such numbers are: equal steps.
        if let first = positions.first, let last = positions.last, first > 0, last >= 8 * first {
            script.add("set logscale x 2")
            script.add("set xrange [\(first * 0.8):\(last * 1.25)]")
        } else if let first = positions.first, let last = positions.last {
            script.add("set xrange [\(first - (last - first) * 0.05):\(last + (last - first) * 0.05)]")
        }
        if positions.count <= 9 {
            script.tics(axis: "x", positions.map { (NumberText.value($0, unit: ""), $0) })
        }
        script.add(scale.range)
        script.label(axis: "x", axis.replacing("_", with: " "))
        script.label(axis: "y", scale.label)
        let parts = curves.map { _, look, rows in
            let block = script.data(rows.sorted { $0[0] < $1[0] })
            let style = PlotColours.curve(look.colour, isDashed: look.isDashed)
            return "\(block) using 1:2:3:4 with yerrorlines \(style) \(GnuplotScript.title(look.title))"
        }
        script.plot(parts + key.pairEntries(hasPoints: true))
        return Plot(name: name, title: title, summary: summary(spots, metric, [axis] + key.names), script: script)
    }

    /// A bar for each, where only words vary.
    private static func bars(name: String, title: String, metric: MetricSamples, _ spots: [Spot]) -> Plot? {
        let names = CurveKey(spots.map(\.parameters), besides: nil).names
        guard !names.isEmpty else { return nil }
        var script = GnuplotScript(title: title)
        let scale = MetricScale(metric, spots.flatMap(\.values))
        script.add("set style fill solid 0.8 noborder")
        script.add("set boxwidth 0.7")
        script.add("set key off")
        script.add("set xrange [-0.6:\(Double(spots.count) - 0.4)]")
        script.add(scale.range)
        script.tics(axis: "x", spots.enumerated().map { (CurveKey.label($1.parameters, names), Double($0)) })
        if spots.count > 5 { script.add("set xtics rotate by -35") }
        script.label(axis: "y", scale.label)
        let parts = spots.enumerated().compactMap { number, spot in
            row(at: Double(number), spot.values, scale).map { row in
                let block = script.data([row])
                let colour = PlotColours.curves[number % PlotColours.curves.count].light
                return "\(block) using 1:2 with boxes linecolor rgb '\(colour)' notitle"
            }
        }
        guard !parts.isEmpty else { return nil }
        script.plot(parts)
        return Plot(name: name, title: title, summary: summary(spots, metric, names), script: script)
    }

    /// Position, median, lowest and highest, in the axis' unit.
    private static func row(at x: Double, _ values: [Double], _ scale: MetricScale) -> [Double]? {
        guard let median = values.median, let low = values.min(), let high = values.max() else { return nil }
        return [x, median / scale.factor, low / scale.factor, high / scale.factor]
    }

    private static func summary(_ spots: [Spot], _ metric: MetricSamples, _ names: [String]) -> String {
        spots.compactMap { spot in
            spot.values.median.map {
                "\(CurveKey.label(spot.parameters, names)): \(NumberText.value($0, unit: metric.unit))"
            }
        }.joined(separator: "; ")
    }
}

extension MetricSamples {
    /// Its name in words: `latency p99.9`.
    var title: String { Self.title(of: metric) }

    static func title(of metric: String) -> String {
        metric.replacing("_", with: " ").replacing("p999", with: "p99.9")
    }
}

/// What an axis' numbers are divided by so that they are short, and what it then says.
struct MetricScale {
    var factor: Double
    var label: String
    /// Whether the values are parts of a whole.
    private var isPart: Bool

    /// From nothing to a little above the highest value, or to the whole.
    var range: String {
        isPart
            ? "set yrange [0:103]\nset ytics 20" : "set yrange [0:*]\nset offsets graph 0, graph 0, graph 0.05, graph 0"
    }

    init(_ metric: MetricSamples, _ values: [Double]) {
        let highest = values.map(abs).max() ?? 0
        isPart = metric.unit == "ratio" && highest <= 1.03
        let name = metric.title
        switch metric.unit {
        case "seconds":
            let unit = Unit(fitting: highest)
            (factor, label) = (unit.seconds, "\(name) (\(unit.name))")
        case "ratio": (factor, label) = (0.01, "\(name) (%)")
        default:
            let prefixes = [(1e9, "G"), (1e6, "M"), (1e3, "k")]
            let prefix = prefixes.first { highest >= $0.0 * 10 } ?? (1, "")
            let unit = name == metric.unit ? "" : metric.unit
            let shown = [prefix.1, unit].filter { !$0.isEmpty }.joined(
                separator: unit == "bytes" || prefix.1.isEmpty ? "" : " ")
            (factor, label) = (prefix.0, shown.isEmpty ? name : "\(name) (\(shown))")
        }
    }
}
