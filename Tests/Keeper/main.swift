// Appends runs to a history, for HistoryTests: `keeper HISTORY FIRST COUNT`. Run n has 100 measurements, starts at n and has
// the seed n, so that a test can tell a whole run from a part. A line on standard output for each that is kept.

import Glibc
import History
import Measurement

let arguments = CommandLine.arguments
guard arguments.count == 4, let first = Int64(arguments[2]), let count = Int64(arguments[3]) else { exit(2) }

do {
    for number in first..<first + count {
        // Opened each time, as each drbench does.
        let history = try History(path: arguments[1])
        let run = MeasuredRun(
            started: number,
            context: MeasurementContext(
                clock: .virtual, engine: "uml", kernel: "6.12", seed: UInt64(number),
                machine: MeasurementContext.Machine(
                    processor: "keeper", processors: 1, memory: 1, hostName: "here", kernel: "6.12"),
                drbench: "0", programs: ["keeper": "\(number)"]),
            measurements: (1...100).map { repetition in
                Measurement(
                    scenario: "keeper", load: "\(number % 7)", repetition: repetition,
                    metrics: [Metric("number", Double(number), unit: "runs")],
                    latency: LatencyDistribution(
                        significantDigits: 3,
                        buckets: (1...50).map { LatencyDistribution.Bucket(nanoseconds: $0 * 1000, count: 1) }),
                    ports: ["lb:eth0": PortTraffic(receivedPackets: Int(number))])
            })
        try history.append(run)
        print(number)
        fflush(nil)
    }
} catch {
    print("\(error)")
    exit(3)
}
