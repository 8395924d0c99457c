import Evidence
import Foundation
import Measurement
import Synchronization
import Testing

extension WholeProgram {
    @Suite("Measuring", .enabled(if: Drbench.hasLabKernel, Drbench.noLabKernel))
    struct Bench {
        private func measured(_ folder: String) throws -> MeasuredRun {
            try JSONDecoder().decode(
                MeasuredRun.self, from: Data(contentsOf: URL(filePath: "\(folder)/measurements.json")))
        }

        private func bench(_ name: String, _ options: [String] = []) async throws -> (Drbench.Ended, MeasuredRun) {
            let folder = try Drbench.emptyFolder(named: name)
            let ended = try await Drbench.run(
                [
                    "bench", "\(Drbench.scenarios)loads.yaml", "--engine", "uml", "--out", folder, "--history",
                    "\(folder)/history.sqlite",
                ] + options)
            return (ended, try measured(folder))
        }

        /// Takes processors away until it is stopped.
        private final class BusyLoops: Sendable {
            private let isOver = Atomic<Bool>(false)

            init(_ count: Int) {
                for _ in 0..<count {
                    Thread.detachNewThread { [self] in
                        // Of this thread: tests in real time, which run beside this one, are not to starve.
                        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19)
                        while !isOver.load(ordering: .relaxed) {}
                    }
                }
            }

            func stop() { isOver.store(true, ordering: .relaxed) }
        }

        @Test("in virtual time latency is what links make it: answers are timed when they come, not when one waited")
        func roundTrips() async throws {
            let (ended, _) = try await Drbench.run(scenario: "round-trips", ["--no-html", "--quiet"])
            #expect(ended.status == 0, ended.text)
        }

        @Test("virtual time gives the same numbers again, whatever else the machine is doing")
        func repeatable() async throws {
            let (first, quiet) = try await bench("bench-quiet")
            #expect(first.status == 0, first.text)
            let loops = BusyLoops(4)
            defer { loops.stop() }
            let (second, busy) = try await bench("bench-busy")
            #expect(second.status == 0, second.text)
            #expect(quiet.measurements == busy.measurements)
            #expect(quiet.context.clock == .virtual)
            #expect(quiet.context.seed == 1)
            #expect(
                quiet.measurements.map(\.load) == [
                    "at a rate", "a connection each", "downloads", "uploads", "a real server is lost",
                ])
            for measurement in quiet.measurements {
                #expect(Set(measurement.metrics.map(\.name)).count == measurement.metrics.count)
                #expect(measurement.ports["lb:eth0"] != nil)
                #expect(!measurement.metrics.contains { $0.name.hasPrefix("cpu_") })
            }
        }

        @Test("each repetition has a seed of its own, and takes turns")
        func repetitions() async throws {
            let (ended, run) = try await bench("bench-repeated", ["--repetitions", "2", "--seed", "7"])
            #expect(ended.status == 0, ended.text)
            #expect(run.measurements.map(\.repetition) == [1, 1, 1, 1, 1, 2, 2, 2, 2, 2])
            let seeds = try ["1", "2"].map { number in
                try RunResults(folder: "\(Drbench.output)bench-repeated/.repetitions/\(number)").evidence("loads")
                    .engine.seed
            }
            #expect(seeds[0] == 7)
            #expect(seeds[1] != 7 && seeds[1] != nil)
        }

        @Test("in real time the processor's time is told, and the clock is another")
        func realTime() async throws {
            let (_, run) = try await bench("bench-real", ["--real-time"])
            #expect(run.context.clock == .real)
            let first = try #require(run.measurements.first)
            #expect((first.metrics.first { $0.name == "cpu_laboratory" }?.value ?? 0) > 0)
        }

        @Test("a closed loop over cables that take no time is told, not waited for", arguments: ["http", "udp"])
        func noTime(_ protocolName: String) async throws {
            let folder = try Drbench.emptyFolder(named: "bench-no-time-\(protocolName)")
            try """
            title: nothing takes time here
            needs: [ipvs, dummy]
            topology: flat
            capture: none
            hosts: {rs1: {servers: [{load: 80}]}}
            timeline:
              - load: {from: client, to: "203.0.113.4:80", protocol: \(protocolName)}
                expect: [{load: {failed: 0}}]
            """.write(toFile: "\(folder)/no-time.yaml", atomically: true, encoding: .utf8)
            let ended = try await Drbench.run(
                ["bench", "\(folder)/no-time.yaml", "--engine", "uml", "--out", "\(folder)/out", "--no-keep"])
            #expect(ended.status == 3, ended.text)
            #expect(ended.output.contains("it takes no virtual time; give links a rate or a delay"), ended.text)
        }

        @Test("what has no load is not measured")
        func noLoad() async throws {
            let ended = try await Drbench.run(["bench", "dr-happy-same", "--engine", "uml", "--no-keep"])
            #expect(ended.status == 2)
            #expect(ended.errors.contains("dr-happy-same has no load to measure"))
        }

        @Test("'drbench list' shows the benchmarks")
        func list() async throws {
            let list = try await Drbench.run(["list", "--tag", "bench"])
            #expect(list.output.contains("mode-comparison"), list.text)
        }
    }
}
