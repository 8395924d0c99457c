public import Measurement

/// What is measured again and again, in one run and from run to run.
public struct MeasuredSeries: Codable, Sendable, Hashable, CustomStringConvertible {
    public var scenario: String
    public var load: String
    public var parameters: [String: String]

    public init(scenario: String, load: String, parameters: [String: String] = [:]) {
        self.scenario = scenario
        self.load = load
        self.parameters = parameters
    }

    public init(_ measurement: Measurement) {
        self.init(scenario: measurement.scenario, load: measurement.load, parameters: measurement.parameters)
    }

    /// `mode-comparison/dr-4, closed loop, mode=DR, real_servers=4`
    public var description: String {
        ([scenario, load] + parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })
            .filter { !$0.isEmpty }.joined(separator: ", ")
    }
}

/// A metric of a series, as runs are put together by it.
struct MetricKey: Hashable {
    var series: MeasuredSeries
    var metric: String
    var unit: String
}

/// The values of one metric in one series, one for each repetition.
public struct MetricSamples: Sendable, Equatable {
    public var series: MeasuredSeries
    public var metric: String
    public var unit: String
    public var better: Metric.Better?
    /// In the order of the repetitions.
    public var values: [Value]
    /// The same quantile of all repetitions' latencies together; nil for what is no latency.
    public var merged: Double?

    var key: MetricKey { MetricKey(series: series, metric: metric, unit: unit) }

    public struct Value: Sendable, Equatable {
        public var repetition: Int
        public var value: Double
    }
}

extension MeasuredRun {
    /// Every metric of every series, in the order in which they come up. The quantiles of the latencies are metrics, too:
    /// `latency_p50`, `latency_p90`, `latency_p99` and `latency_p999`, in seconds; they stand for metrics of that name.
    public var samples: [MetricSamples] {
        var order: [MeasuredSeries] = []
        var bySeries: [MeasuredSeries: [Measurement]] = [:]
        for measurement in measurements {
            let series = MeasuredSeries(measurement)
            if bySeries[series] == nil { order.append(series) }
            bySeries[series, default: []].append(measurement)
        }
        return order.flatMap { series in
            let repetitions = (bySeries[series] ?? []).sorted { $0.repetition < $1.repetition }
            let latencies = LatencyQuantile.all.compactMap { $0.samples(of: series, in: repetitions) }
            let derived = Set(latencies.map(\.metric))
            return Self.plainSamples(of: series, in: repetitions).filter { !derived.contains($0.metric) } + latencies
        }
    }

    private static func plainSamples(of series: MeasuredSeries, in repetitions: [Measurement]) -> [MetricSamples] {
        var samples: [MetricSamples] = []
        var places: [String: Int] = [:]
        for measurement in repetitions {
            for metric in measurement.metrics {
                let value = MetricSamples.Value(repetition: measurement.repetition, value: metric.value)
                if let place = places[metric.name] {
                    samples[place].values.append(value)
                } else {
                    places[metric.name] = samples.count
                    samples.append(
                        MetricSamples(
                            series: series, metric: metric.name, unit: metric.unit, better: metric.better,
                            values: [value]))
                }
            }
        }
        return samples
    }
}

/// A quantile of latencies that is a metric.
public struct LatencyQuantile: Sendable {
    public var metric: String
    public var quantile: Double

    public static let all = [
        LatencyQuantile(metric: "latency_p50", quantile: 0.5), LatencyQuantile(metric: "latency_p90", quantile: 0.9),
        LatencyQuantile(metric: "latency_p99", quantile: 0.99),
        LatencyQuantile(metric: "latency_p999", quantile: 0.999),
    ]

    /// nil where a repetition has so few requests that the quantile would be the largest of them.
    func samples(of series: MeasuredSeries, in repetitions: [Measurement]) -> MetricSamples? {
        let latencies = repetitions.compactMap(\.latency)
        let enough = (1 / (1 - quantile)).rounded()
        guard !latencies.isEmpty, latencies.allSatisfy({ Double($0.count) >= enough }) else { return nil }
        func seconds(_ distribution: LatencyDistribution?) -> Double? {
            distribution?.value(atQuantile: quantile).map { Double($0) / 1e9 }
        }
        return MetricSamples(
            series: series, metric: metric, unit: "seconds", better: .lower,
            values: repetitions.compactMap { measurement in
                seconds(measurement.latency).map {
                    MetricSamples.Value(repetition: measurement.repetition, value: $0)
                }
            },
            merged: seconds(LatencyDistribution.merged(latencies)))
    }
}
