import Capture
import Foundation
import Testing

extension WholeProgram {
    @Suite("A run can be repeated to the byte", .enabled(if: Drbench.hasLabKernel, Drbench.noLabKernel))
    struct Determinism {
        /// The files that must be the same, by their paths below the output folder.
        private func files(_ folder: String) throws -> [String: Data] {
            let names: Set<String> = ["capture.pcapng", "evidence.json", "results.json", "plan.json"]
            var files: [String: Data] = [:]
            for path in try FileManager.default.subpathsOfDirectory(atPath: folder) {
                guard names.contains(path.split(separator: "/").last.map(String.init) ?? "") || path.hasSuffix(".rules")
                else { continue }
                files[path] = try Data(contentsOf: URL(filePath: "\(folder)/\(path)"))
            }
            return files
        }

        /// One here, for time; ten with make determinism.
        private static let seeds =
            ProcessInfo.processInfo.environment["DRBENCH_SEEDS"].map {
                $0.split { $0 == " " || $0 == "," }.compactMap { UInt64($0) }
            } ?? [1]

        /// Scenarios whose evidence shows the order of hash tables, which follows addresses in the guest's memory.
        private static let telling = ["persistence", "cross-hv-p-old", "move-one-rs", "schedulers"]

        @Test("the same is left in folders of other names and depths", arguments: seeds)
        func suite(_ seed: UInt64) async throws {
            var runs: [[String: Data]] = []
            for name in ["suite-\(seed)", "the-same-suite-again/and/deeper/with-seed-\(seed)"] {
                let folder = try Drbench.emptyFolder(named: name)
                let ended = try await Drbench.run(
                    ["run", "--engine", "uml", "--seed", "\(seed)", "--quiet", "--out", folder] + Self.telling)
                #expect(ended.status == 0, ended.text)
                runs.append(try files(folder))
            }
            #expect(runs[0].count > 50)
            #expect(runs[0].keys.sorted() == runs[1].keys.sorted())
            let different = runs[0].filter { runs[1][$0.key] != $0.value }.keys.sorted()
            #expect(different == [], "seed \(seed): compare the folders in \(Drbench.output)")
        }

        @Test("another seed is another run")
        func otherSeed() async throws {
            var runs: [[String: Data]] = []
            for seed: UInt64 in [1, 2] {
                let (ended, results) = try await Drbench.run(scenario: "standard-tools-nat", seed: seed)
                #expect(ended.status == 0, ended.text)
                runs.append(try files(results.folder))
            }
            #expect(runs[0]["standard-tools-nat/evidence.json"] != runs[1]["standard-tools-nat/evidence.json"])
            #expect(runs[0]["standard-tools-nat/plan.json"] == runs[1]["standard-tools-nat/plan.json"])
        }

        @Test("--check-determinism finds no difference where there is none, and leaves one folder")
        func checkPasses() async throws {
            let (ended, results) = try await Drbench.run(
                scenario: "standard-tools-nat", seed: 3, ["--check-determinism"])
            #expect(ended.status == 0, ended.text)
            #expect(!FileManager.default.fileExists(atPath: results.path(".again")))
        }

        @Test("--check-determinism points at the first thing that the host has leaked into a run")
        func checkFails() async throws {
            let (ended, results) = try await Drbench.run(scenario: "host-leak", ["--check-determinism"])
            #expect(ended.status != 0, ended.text)
            // The line with the command's output, as it was and as it became.
            let texts = try ["", ".again/"].map { try results.text("\($0)host-leak/evidence.json") }
            let lines = texts.map { $0.split(separator: "\n", omittingEmptySubsequences: false) }
            let evidence = lines[0]
            let line = try #require(evidence.firstIndex { $0.contains("\"output\"") })
            let again = lines[1][line]
            #expect(evidence[line] != again)
            #expect(ended.output.contains("not deterministic: evidence.json line \(line + 1)"), ended.text)
            #expect(ended.output.contains("'\(evidence[line])' and then '\(again)'"), ended.text)
        }

        @Test("--check-determinism points at the first frame that the host has leaked into")
        func checkFindsFrame() async throws {
            let (ended, results) = try await Drbench.run(scenario: "host-leak-in-packets", ["--check-determinism"])
            #expect(ended.status != 0, ended.text)
            let files = try ["", ".again/"].map {
                try CaptureFile(path: results.path("\($0)host-leak-in-packets/capture.pcapng"))
            }
            let captures = files.map(\.frames)
            let index = try #require(zip(captures[0], captures[1]).enumerated().first { $1.0 != $1.1 }?.offset)
            // The echo request, at the first port that it is written for.
            let port = files[0].ports[captures[0][index].port].name
            #expect(
                ended.output.contains("not deterministic: capture.pcapng frame \(index + 1), at \(port), see"),
                ended.text)
        }
    }
}
