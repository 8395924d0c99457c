import Foundation
import Measurement
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
                ["bench", "\(Drbench.scenarios)loads.yaml", "--engine", "uml", "--out", folder] + options)
            return (ended, try measured(folder))
        }

        /// Takes a processor away until it is ended.
        private final class BusyLoop {
            private let process = Process()

            init() throws {
                process.executableURL = URL(filePath: "/bin/sh")
                process.arguments = ["-c", "while :; do :; done"]
                try process.run()
            }

            deinit {
                process.terminate()
                process.waitUntilExit()
            }
        }

        @Test("virtual time gives the same numbers again, whatever else the machine is doing")
        func repeatable() async throws {
            let (first, quiet) = try await bench("bench-quiet")
            #expect(first.status == 0, first.text)
            let loops = try (0..<4).map { _ in try BusyLoop() }
            let (second, busy) = try await bench("bench-busy")
            withExtendedLifetime(loops) {}
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
            #expect(run.measurements[2].ports != run.measurements[7].ports)
        }

        @Test("in real time the processor's time is told, and the clock is another")
        func realTime() async throws {
            let (_, run) = try await bench("bench-real", ["--real-time"])
            #expect(run.context.clock == .real)
            let first = try #require(run.measurements.first)
            #expect((first.metrics.first { $0.name == "cpu_laboratory" }?.value ?? 0) > 0)
        }

        @Test("a closed loop over cables that take no time is told, not waited for")
        func noTime() async throws {
            let file = try Drbench.emptyFolder(named: "bench-no-time") + "/no-time.yaml"
            try """
            title: nothing takes time here
            needs: [ipvs, dummy]
            topology: flat
            capture: none
            hosts: {rs1: {servers: [{load: 80}]}}
            timeline: [{load: {from: client, to: "203.0.113.4:80"}, expect: [{load: {failed: 0}}]}]
            """.write(toFile: file, atomically: true, encoding: .utf8)
            let ended = try await Drbench.run(
                ["bench", file, "--engine", "uml", "--out", Drbench.output + "bench-no-time"])
            #expect(ended.status == 3, ended.text)
            #expect(ended.output.contains("it takes no virtual time; give links a rate or a delay"), ended.text)
        }

        @Test("what has no load is not measured")
        func noLoad() async throws {
            let ended = try await Drbench.run(["bench", "dr-happy-same", "--engine", "uml"])
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
