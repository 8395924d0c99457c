import Evidence
import Foundation
import Testing

extension WholeProgram {
    /// `run --until` and `run --pause-on-failure`.
    @Suite("Runs that stop", .enabled(if: Drbench.hasLabKernel, Drbench.noLabKernel))
    struct Stops {
        private static let inverted = Drbench.scenarios + "inverted.yaml"

        @Test("a run until a step judges what belongs to the steps until then, and says what it did not look at")
        func until() async throws {
            let folder = try Drbench.emptyFolder(named: "until")
            let word = ["run", Self.inverted, "--engine", "uml", "--out", folder, "--seed", "1"]
            let first = try await Drbench.run(word + ["--until", "1"])
            #expect(first.status == 1, first.text)
            #expect(first.output.contains("step 'gets'") && !first.output.contains("step 'another'"), first.text)
            #expect(first.output.contains("stopped after step 1 of 2, 'gets'"), first.text)
            let evidence = try RunResults(folder: folder).evidence("inverted")
            #expect(evidence.complete && evidence.steps.map(\.name) == ["gets"])
            // It is the same run, only shorter.
            let all = try await Drbench.run(word + ["--until", "another"])
            #expect(all.status == 1 && !all.output.contains("stopped after"), all.text)
            let whole = try RunResults(folder: folder).evidence("inverted")
            #expect(whole.steps.count == 2)
            #expect(whole.steps.first?.transcripts == evidence.steps.first?.transcripts)
            let absent = try await Drbench.run(word + ["--until", "get"])
            #expect(absent.status == 2 && absent.errors.contains("did you mean 'gets'?"), absent.text)
            let beyond = try await Drbench.run(word + ["--until", "3"])
            #expect(beyond.status == 2 && beyond.errors.contains("1 'gets', 2 'another'"), beyond.text)
        }

        @Test("a failure pauses in its broken state, with what failed and what to try; then it goes on as usual")
        func pause() async throws {
            let lab = try LabThatIsUp(
                ["run", Self.inverted, "--engine", "uml", "--seed", "1", "--pause-on-failure"], folder: "pause")
            let text = await lab.text(until: "goes on\n")
            for word in ["inverted.yaml:10:9: step 'gets'", "expected  all 2 requests refused", "drbench shell"] {
                #expect(text.contains(word), Comment(rawValue: text))
            }
            // What the run made is there: IPVS still knows the connections, long before their timeouts.
            let entries = try await lab.shell("lb", "sh", "-c", "ipvsadm -Lnc")
            #expect(entries.output.contains("203.0.113.2:80"), entries.text)
            #expect(try await lab.drbench("down").status == 0)
            let (status, all) = await lab.ended()
            #expect(status == 1, Comment(rawValue: all))
            #expect(all.contains("0 passed, 1 failed, 0 skipped"))
            // That somebody could come changed nothing in the run.
            let paused = try RunResults(folder: lab.folder + "/out").evidence("inverted")
            let (_, results) = try await Drbench.run(scenario: "inverted")
            #expect(try results.evidence("inverted").steps == paused.steps)
        }

        @Test("what passes does not pause, and Ctrl-C at a pause goes on to the next")
        func goesOn() async throws {
            let lab = try LabThatIsUp(
                [
                    "run", "dr-happy-same", Self.inverted, "client-on-directors-hypervisor", "--engine", "uml",
                    "--pause-on-failure",
                    "--verbose",
                ], folder: "goes-on")
            _ = await lab.text(until: "goes on\n")
            lab.signal(SIGINT)
            let (status, text) = await lab.ended()
            #expect(status == 1, Comment(rawValue: text))
            #expect(text.contains("1 failed, 0 skipped"), Comment(rawValue: text))
        }

        @Test("pausing needs one run at a time, and one run of each")
        func usage() async throws {
            for words in [["--jobs", "2"], ["--check-determinism"]] {
                let ended = try await Drbench.run(["run", Self.inverted, "--pause-on-failure"] + words)
                #expect(ended.status == 2, ended.text)
            }
        }
    }
}
