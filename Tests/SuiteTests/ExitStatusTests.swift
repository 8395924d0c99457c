import Evidence
import Foundation
import Testing

extension WholeProgram {
    @Suite("Exit status and messages", .enabled(if: Drbench.isBuilt, Drbench.notBuilt))
    struct ExitStatus {
        @Test(
            "an expectation that does not hold exits 1 and shows expected and actual",
            .enabled(if: Drbench.hasLabKernel, Drbench.noLabKernel))
        func inverted() async throws {
            let (ended, results) = try await Drbench.run(scenario: "inverted")
            #expect(ended.status == 1, ended.text)
            // Both steps are named, with the place of the expectation.
            #expect(ended.output.contains("inverted.yaml:10:9: step 'gets'"), ended.text)
            #expect(ended.output.contains("expected  all 2 requests refused"), ended.text)
            #expect(ended.output.contains("actual    2 of 2 otherwise: rs2, rs1"), ended.text)
            #expect(!ended.output.contains("step 'another'"), ended.text)
            #expect(ended.output.contains("0 passed, 1 failed, 0 skipped"), ended.text)
            #expect(try results.text("junit.xml").contains("<failure"))
        }

        /// Writes a scenario file and validates and runs it: both must find the same.
        private func refusal(of text: String, as name: String) async throws -> Drbench.Ended {
            let folder = try Drbench.emptyFolder(named: "refused-\(name)")
            let file = "\(folder)/\(name).yaml"
            try Data(text.utf8).write(to: URL(filePath: file))
            let validated = try await Drbench.run(["validate", file])
            let ran = try await Drbench.run(["run", file, "--out", folder])
            #expect(validated.status == 2, validated.text)
            #expect(ran.status == 2, ran.text)
            #expect(ran.errors == validated.errors)
            #expect(ran.output.isEmpty, ran.text)
            return ran
        }

        @Test("broken YAML exits 2 with file, line and column")
        func brokenYAML() async throws {
            let ended = try await refusal(of: "title: x\ntopology: flat\ntimeline: [\n  - {wait: 1s\n", as: "broken")
            #expect(ended.errors.contains(#/broken\.yaml:\d+:\d+: error: /#), ended.text)
        }

        @Test("a misspelt key exits 2, with file, line, column and what was meant")
        func misspeltKey() async throws {
            let ended = try await refusal(
                of: "title: x\ntopology: flat\ntimelime:\n  - wait: 1s\n", as: "misspelt")
            #expect(ended.errors.contains("misspelt.yaml:3:1: error: "), ended.text)
            #expect(ended.errors.contains("timelime"), ended.text)
            #expect(ended.errors.contains("did you mean 'timeline'"), ended.text)
        }

        @Test("all mistakes are reported at once")
        func allMistakes() async throws {
            let ended = try await refusal(
                of: """
                    title: x
                    topology: flatt
                    needs: [ipvz]
                    settle: soon

                    """, as: "mistakes")
            for place in ["mistakes.yaml:2:11", "mistakes.yaml:3:9", "mistakes.yaml:4:9"] {
                #expect(ended.errors.contains(place), ended.text)
            }
        }

        @Test(
            "wrong usage exits 2",
            arguments: [
                ["run", "--nonsense"], ["run", "no-such-scenario"], ["run", "--jobs", "0"],
                ["run", "--quiet", "--verbose"],
                ["nonsense"], ["run", "/nonexistent.yaml"], ["run", "--real-time", "--check-determinism"],
            ])
        func usage(_ arguments: [String]) async throws {
            let ended = try await Drbench.run(arguments)
            #expect(ended.status == 2, ended.text)
            #expect(!ended.errors.isEmpty)
        }

        @Test("a scenario's misspelt name exits 2 with what was meant")
        func misspeltName() async throws {
            let ended = try await Drbench.run(["run", "dr-hapy-same"])
            #expect(ended.status == 2, ended.text)
            #expect(ended.errors.contains("did you mean 'dr-happy-same'?"), ended.text)
        }

        @Test("no lab kernel exits 3 when one is asked for")
        func noLabKernel() async throws {
            let empty = try Drbench.emptyFolder(named: "no-kernels")
            let ended = try await Drbench.run(
                ["run", "dr-happy-same", "--engine", "uml", "--out", "\(empty)/out"],
                environment: ["DRBENCH_KERNEL_CACHE": empty])
            #expect(ended.status == 3, ended.text)
            #expect(ended.errors.contains("no lab kernel 6.12 is built on this machine"), ended.text)
            #expect(ended.errors.contains("'drbench kernel build 6.12' builds one"), ended.text)
        }

        @Test("an output folder that cannot be made exits 3")
        func noOutput() async throws {
            let ended = try await Drbench.run(["run", "dr-happy-same", "--out", "/proc/nowhere"])
            #expect(ended.status == 3, ended.text)
            #expect(ended.errors.contains("/proc/nowhere"), ended.text)
        }

        /// What `drbench doctor` says about the host's own kernel: whether it can be used, and has no IPVS.
        private static let nativeWithoutIPVS: Bool = {
            guard let doctor = try? Drbench.start(["doctor"]) else { return false }
            let native = ToolTexts.lines(doctor.output).drop { !$0.hasPrefix("native") }.prefix {
                !$0.hasPrefix("tools")
            }
            return native.first?.contains("ready") == true
                && native.contains { ToolTexts.words($0).first == "ipvs" && $0.contains(" no: ") }
        }()

        @Test(
            "a scenario that the host's kernel has no IPVS for is skipped with that reason",
            .enabled(
                if: Drbench.isBuilt && nativeWithoutIPVS,
                "the native engine cannot run here, or this host's kernel has IPVS"))
        func skipped() async throws {
            let folder = try Drbench.emptyFolder(named: "native")
            let words = ["run", "dr-happy-same", "--engine", "native", "--out", folder]
            let allowed = try await Drbench.run(words + ["--allow-skips"])
            #expect(allowed.status == 0, allowed.text)
            // Nothing ran, so nothing was shown.
            let ended = try await Drbench.run(words)
            #expect(ended.status == 3, ended.text)
            #expect(ended.errors.contains("nothing ran; --allow-skips"), ended.text)
            #expect(ended.output.contains("0 passed, 0 failed, 3 skipped"), ended.text)
            #expect(
                ended.output.contains(#/SKIP +dr-happy-same .*the native engine lacks ipvs \(.*no IPVS/#), ended.text)
            let junit = try String(contentsOfFile: "\(folder)/junit.xml", encoding: .utf8)
            #expect(junit.contains("<skipped"))
        }

        @Test(
            "a capture that lost frames fails the run and names the ports",
            .enabled(if: Drbench.hasLabKernel, Drbench.noLabKernel))
        func lostFrames() async throws {
            let (ended, results) = try await Drbench.run(scenario: "lost-frames")
            #expect(ended.status != 0, ended.text)
            let evidence = try results.evidence("lost-frames")
            let lossy = evidence.ports.filter { $0.dropped > 0 }
            #expect(lossy.map(\.name).sorted() == ["client:eth0", "gw:eth1"])
            // The step itself went well: nothing else than the loss is wrong.
            #expect(evidence.complete && evidence.steps[0].command?.status == 0)
            let verdict = ToolTexts.lines(ended.output).first { $0.contains("ERROR") } ?? ""
            for port in lossy {
                #expect(
                    verdict.components(separatedBy: "\(port.name) lost \(port.dropped) frames").count == 2, ended.text)
            }
            // 1500 requests and as many replies, and the questions for each other's MACs: what was not lost was captured.
            for port in lossy { #expect(port.received + port.dropped >= 3000) }
        }
    }
}
