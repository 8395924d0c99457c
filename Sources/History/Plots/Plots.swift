public import Measurement

/// What can be drawn of a run and of the history.
public enum Plots {
    /// Variants of one scenario are drawn together, each load by itself.
    public struct OfRun: Sendable {
        /// Metrics over the parameters that vary: throughput over real servers by mode, the director's share by mode.
        public var overParameters: [Plot]
        /// Distributions of latencies.
        public var latencies: [Plot]
    }

    public static func of(_ run: MeasuredRun) -> OfRun {
        var names = PlotNames()
        let overParameters = Group.all(run.samples).flatMap { group in
            group.metrics.compactMap { metric, spots in
                let title = "\(metric.title), \(group.title)"
                return ParameterPlot.plot(name: names.next(title), title: title, metric: metric, spots)
            }
        }
        return OfRun(overParameters: overParameters, latencies: latencies(of: run, &names))
    }

    /// The most prominent first: those whose level changed. What was always 0 is left out.
    public static func of(_ trends: [Trend]) -> [Plot] {
        var names = PlotNames()
        let changed = trends.filter { !$0.changes.isEmpty } + trends.filter { $0.changes.isEmpty }
        return changed.filter { $0.points.contains { $0.value != 0 } }.compactMap { trend in
            TrendPlot.plot(name: names.next("history \(trend.metric) \(trend.series)"), trend)
        }
    }

    /// A plot for each value of what is on the axis elsewhere: the modes with four real servers, those with eight.
    private static func latencies(of run: MeasuredRun, _ names: inout PlotNames) -> [Plot] {
        var order: [MeasuredSeries] = []
        var distributions: [MeasuredSeries: [LatencyDistribution]] = [:]
        for measurement in run.measurements {
            guard let latency = measurement.latency else { continue }
            let series = MeasuredSeries(measurement)
            if distributions[series] == nil { order.append(series) }
            distributions[series, default: []].append(latency)
        }
        var plots: [Plot] = []
        for (name, members) in grouped(order, by: { "\($0.base), \($0.load)" }) {
            let spots = members.map { ParameterPlot.Spot(parameters: $0.parameters, values: []) }
            let axis = ParameterPlot.axis(of: spots)
            let key = CurveKey(members.map(\.parameters), besides: axis)
            for (value, series) in grouped(members, by: { $0.parameters[axis ?? ""] ?? "" }) {
                let curves = series.compactMap { series in
                    LatencyDistribution.merged(distributions[series] ?? []).map { distribution in
                        let label = key.label(series.parameters)
                        var look = key.look(of: series.parameters)
                        if label.isEmpty { look.title = series.scenario }
                        return LatencyPlot.Curve(
                            label: label.isEmpty ? series.scenario : label, look: look, distribution: distribution)
                    }
                }
                let which = axis.map { ", \($0.replacing("_", with: " ")) \(value)" } ?? ""
                let title = "latency, \(name)\(which)"
                if let plot = LatencyPlot.plot(name: names.next(title), title: title, curves, key: key) {
                    plots.append(plot)
                }
            }
        }
        return plots
    }

    /// The series of a scenario's variants with one load.
    private struct Group {
        var title: String
        var metrics: [(samples: MetricSamples, spots: [ParameterPlot.Spot])] = []

        static func all(_ samples: [MetricSamples]) -> [Group] {
            grouped(samples, by: { "\($0.series.base), \($0.series.load)" }).map { title, members in
                var group = Group(title: title)
                for (_, values) in grouped(members, by: { $0.metric }) {
                    guard let first = values.first else { continue }
                    let spots = values.map {
                        ParameterPlot.Spot(parameters: $0.series.parameters, values: $0.values.map(\.value))
                    }
                    group.metrics.append((first, spots))
                }
                return group
            }
        }
    }
}

extension MeasuredSeries {
    /// The scenario without its variant.
    fileprivate var base: String { String(scenario.prefix { $0 != "/" }) }
}

/// In the order in which the keys come up.
private func grouped<Value>(_ values: [Value], by key: (Value) -> String) -> [(key: String, values: [Value])] {
    var groups: [(key: String, values: [Value])] = []
    var places: [String: Int] = [:]
    for value in values {
        let key = key(value)
        if let place = places[key] {
            groups[place].values.append(value)
        } else {
            places[key] = groups.count
            groups.append((key, [value]))
        }
    }
    return groups
}

/// Names of files: plain, and each only once.
private struct PlotNames {
    private var used: Set<String> = []

    mutating func next(_ text: String) -> String {
        let words = text.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
        let name = String(words.joined(separator: "-").prefix(80))
        var candidate = name.isEmpty ? "plot" : name
        var number = 2
        while !used.insert(candidate).inserted {
            candidate = "\(name)-\(number)"
            number += 1
        }
        return candidate
    }
}
