import Evidence
import Foundation
import Glibc
import Testing

extension WholeProgram {
    /// Whose a results folder is, and what drbench does to what is in it.
    @Suite("Results folders", .enabled(if: Drbench.hasLabKernel, Drbench.noLabKernel))
    struct ResultsFolders {
        private static let scenario = "dr-happy-same"

        private func run(_ arguments: String..., out: String) async throws -> Drbench.Ended {
            try await Drbench.run(arguments + ["--engine", "uml", "--seed", "1", "--out", out])
        }

        private func write(_ text: String, to path: String) throws {
            let parent = URL(filePath: path).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(filePath: path))
        }

        @Test("a folder with something else in it is not taken, and nothing in it is changed")
        func foreign() async throws {
            for name in ["index.html", "notes.txt", "\(Self.scenario)/rules/mine", "results.json"] {
                let folder = try Drbench.emptyFolder(named: "foreign")
                try write("mine", to: "\(folder)/\(name)")
                let ended = try await run("run", Self.scenario, out: folder)
                #expect(ended.status == 3, ended.text)
                #expect(ended.errors.contains("is not empty, and no folder of drbench"), ended.text)
                #expect(try RunResults(folder: folder).text(name) == "mine")
                #expect(try FileManager.default.subpathsOfDirectory(atPath: folder).count { $0 != name } <= 2)
            }
        }

        @Test("the next run removes what the last one left by name, and nothing else; links lead nowhere")
        func removesItsOwn() async throws {
            let folder = try Drbench.emptyFolder(named: "own")
            let first = try await run("run", Self.scenario, out: folder)
            #expect(first.status == 0, first.text)
            let results = RunResults(folder: folder)
            let foreign = ["rules/mine", "rules/mine.rules", "programs/notes.log", "notes", "plan.json.orig"]
            for name in foreign { try write("mine", to: "\(folder)/\(Self.scenario)/\(name)") }
            try write("old", to: "\(folder)/\(Self.scenario)/rules/gone.ipv4.rules")
            let outside = try Drbench.emptyFolder(named: "own-outside")
            for name in ["junit.xml", "index.html", "results.json"] {
                try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
                symlink("\(outside)/\(name)", "\(folder)/\(name)")
            }
            for name in ["report.html", "plan.json", "console.log", "evidence.json", "commented.pcapng"] {
                unlink("\(folder)/\(Self.scenario)/\(name)")
                symlink("\(outside)/\(name)", "\(folder)/\(Self.scenario)/\(name)")
            }
            let second = try await run("run", Self.scenario, out: folder)
            #expect(second.status == 0, second.text)
            for name in foreign { #expect(try results.text("\(Self.scenario)/\(name)") == "mine") }
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/\(Self.scenario)/rules/gone.ipv4.rules"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == [])
            #expect(try results.text("results.json").contains("\"passed\""))
        }

        @Test("a link in place of a folder below it is refused")
        func linkedFolder() async throws {
            let folder = try Drbench.emptyFolder(named: "linked")
            let outside = try Drbench.emptyFolder(named: "linked-outside")
            #expect(try await run("list", Self.scenario, out: folder).status != 3)
            let first = try await run("run", Self.scenario, out: folder)
            #expect(first.status == 0, first.text)
            try FileManager.default.removeItem(atPath: "\(folder)/\(Self.scenario)")
            symlink(outside, "\(folder)/\(Self.scenario)")
            let second = try await run("run", Self.scenario, out: folder)
            #expect(second.status == 3, second.text)
            #expect(second.output.contains("it is a symbolic link, not a folder"), second.text)
            #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == [])
        }

        @Test("one that is in use is refused, naming the process; when that is killed it is free")
        func inUse() async throws {
            let lab = try LabThatIsUp(["up", "cross-hv-p-old", "--engine", "uml"], folder: "in-use")
            _ = try await lab.ready()
            let out = lab.folder + "/out"
            for command in [["run", Self.scenario], ["explain", Self.scenario], ["mutate", Self.scenario]] {
                let ended = try await Drbench.run(command + ["--engine", "uml", "--out", out])
                #expect(ended.status == 3, ended.text)
                #expect(ended.errors.contains(#/is in use by process \d+ \(drbench up\)/#), ended.text)
            }
            lab.signal(SIGKILL)
            _ = await lab.ended()
            let ended = try await run("run", Self.scenario, out: out)
            #expect(ended.status == 0, ended.text)
        }

        @Test("variants with the names of drbench's own files have folders of their own")
        func names() async throws {
            let folder = try Drbench.emptyFolder(named: "names")
            let file = "\(folder)/taken.yaml"
            try write(
                """
                title: Names of drbench's own files as names of variants
                topology: one-hypervisor
                neutron: {release: 2014.1.5, driver: linuxbridge}
                timeline:
                  - http: {from: client, to: "203.0.113.2:80", count: 1}
                    expect: [{traffic: {outcomes: [rs2]}}]
                variants: {plan.json: {title: a}, rules: {title: b}, variants: {title: c}, evidence.json: {title: d}}

                """, to: file)
            let ended = try await run("run", file, "--check-determinism", out: "\(folder)/out")
            #expect(ended.status == 0, ended.text)
            let results = RunResults(folder: "\(folder)/out")
            for name in ["taken", "taken/plan.json", "taken/rules", "taken/variants", "taken/evidence.json"] {
                #expect(try results.evidence(name).complete)
            }
            #expect(try results.text("taken/variants/rules/report.html").contains("../../../index.html"))
            #expect(try results.text("index.html").contains("taken/variants/rules/report.html"))
            #expect(!FileManager.default.fileExists(atPath: results.path(".again")))
            // By the variant's own name, too.
            let same = try await Drbench.run(
                ["diff", results.path("taken"), results.path("taken/rules"), "--scenarios", folder])
            #expect(same.status == 0 || same.status == 1, same.text)
        }

        @Test(
            "a kept run with a frame less, or whose results are another run's, is an error of report, explain and diff")
        func damaged() async throws {
            let folder = try Drbench.emptyFolder(named: "damaged")
            let ended = try await run("run", Self.scenario, "cross-hv-p-old", out: folder)
            #expect(ended.status == 0, ended.text)
            #expect(try await Drbench.run(["report", folder]).status == 0)
            let capture = "\(folder)/\(Self.scenario)/capture.pcapng"
            let whole = try Data(contentsOf: URL(filePath: capture))
            var blocks = whole
            // The first enhanced packet block goes.
            var offset = 0
            while blocks[offset] != 6 { offset += Int(blocks[offset + 4]) | Int(blocks[offset + 5]) << 8 }
            blocks.removeSubrange(offset..<offset + (Int(blocks[offset + 4]) | Int(blocks[offset + 5]) << 8))
            try blocks.write(to: URL(filePath: capture))
            for command in [
                ["report", "\(folder)/\(Self.scenario)"], ["report", folder],
                ["explain", Self.scenario, "--from", folder],
            ] {
                let ended = try await Drbench.run(command)
                #expect(ended.status == 3, ended.text)
                #expect(
                    (ended.output + ended.errors).contains(#/capture file has \d+ frames? of \S+, which received \d+/#))
            }
            let difference = try await Drbench.run(["diff", folder, folder])
            #expect(difference.status == 3 && difference.errors.contains("which received"), difference.text)
            try whole.write(to: URL(filePath: capture))
            let results = "\(folder)/results.json"
            let text = try RunResults(folder: folder).text("results.json")
            for (from, to) in [("\"seed\" : 1", "\"seed\" : 2"), ("\"\(Self.scenario)\",", "\"../elsewhere\",")] {
                try #require(text.contains(from))
                try write(text.replacing(from, with: to), to: results)
                let ended = try await Drbench.run(["report", folder])
                #expect(ended.status == 3, ended.text)
            }
            #expect(!FileManager.default.fileExists(atPath: "\(Drbench.output)/elsewhere"))
        }

        @Test("what is found is printed though it cannot be kept, and an output that cannot be written is no success")
        func fullDisk() async throws {
            let folder = try Drbench.emptyFolder(named: "full")
            let first = try await run("run", Self.scenario, out: folder)
            #expect(first.status == 0, first.text)
            try FileManager.default.removeItem(atPath: "\(folder)/results.json")
            try FileManager.default.createDirectory(atPath: "\(folder)/results.json", withIntermediateDirectories: true)
            let second = try await run("run", Self.scenario, out: folder)
            #expect(second.status == 3, second.text)
            #expect(second.output.contains("0 failed, 0 skipped"), second.text)
            #expect(second.errors.contains("cannot write \(folder)/results.json"), second.text)
            for command in ["list dr-happy-same", "schema", "graph dr-happy-same", "--help", "--version"] {
                let program = try #require(Drbench.program)
                let shell = try Drbench.start(["-c", "'\(program)' \(command) >/dev/full"], program: "/bin/sh")
                #expect(shell.status == 3, shell.text)
                #expect(shell.errors.contains("No space left on device"), shell.text)
                #expect(
                    try Drbench.start(["-c", "'\(program)' \(command) >/dev/null"], program: "/bin/sh").status == 0)
            }
        }
    }

    /// What ends a run, and where in the scenario's file.
    @Suite("Runs that go wrong", .enabled(if: Drbench.hasLabKernel, Drbench.noLabKernel))
    struct Wrong {
        @Test(
            "it is an error that names the step's place in the file",
            arguments: [
                (
                    "capture-gone", "capture-gone.yaml:8:5: step 'away and back'",
                    "client:eth0 is not captured any more: its interface was deleted or left its namespace"
                ),
                ("clock-back", "clock-back.yaml:5:5: step 'back'", "the clock was set back by"),
                (
                    "failing-steps", "failing-steps.yaml:5:5: step 'a command that fails'",
                    "client: the command 'sh -c echo no such thing >&2; exit 3' ended with status 3: no such thing"
                ),
            ])
        func wrong(scenario: String, place: String, reason: String) async throws {
            let (ended, results) = try await Drbench.run(scenario: scenario)
            #expect(ended.status == 3, ended.text)
            #expect(ended.output.contains(place) && ended.output.contains(reason), ended.text)
            #expect(try !results.evidence(scenario).complete)
        }
    }
}
