import Foundation
import Measurement
import Testing

extension WholeProgram {
    /// Files, names and repositories of somebody else's.
    @Suite("What strangers wrote", .enabled(if: Drbench.isBuilt, Drbench.notBuilt))
    struct Strangers {
        private static let evil = "T\u{1B}[31m\u{9B}31m\u{202E}E\n::warning::from a title\n##[error]x"

        /// Nothing but lines of printable characters, and none that a CI server obeys.
        private func check(_ ended: Drbench.Ended, mentions word: String = "<U+202E>") {
            let text = ended.output + ended.errors
            let odd = text.unicodeScalars.filter { scalar in
                let category = scalar.properties.generalCategory
                return scalar != "\n" && scalar != "\t"
                    && [.control, .format, .lineSeparator, .paragraphSeparator].contains(category)
            }
            #expect(odd.isEmpty, ended.text)
            let commands = text.split(separator: "\n").filter {
                $0.drop(while: \.isWhitespace).hasPrefix("::warning") || $0.contains("##[")
            }
            #expect(commands.filter { !$0.contains("\\##[") }.isEmpty, ended.text)
            // The text was there to be shown.
            #expect(text.contains(word), ended.text)
        }

        /// In YAML, with every character but a letter as an escape.
        private func quoted(_ text: String) -> String {
            let escaped = text.unicodeScalars.map { scalar in
                let digits = String(scalar.value, radix: 16)
                let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || scalar == " ")
                return isPlain ? String(scalar) : "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
            return "\"\(escaped.joined())\""
        }

        private func scenario(title: String, in folder: String, more: String = "") throws -> String {
            let file = "\(folder)/mine.yaml"
            let text = """
                title: \(quoted(title))
                topology: flat
                timeline:
                  - http: {from: client, to: "203.0.113.4:80"}
                    expect: [{traffic: {all: rs1}}]
                \(more)
                """
            try Data(text.utf8).write(to: URL(filePath: file))
            return file
        }

        @Test("a title and a key reach no terminal but as characters")
        func titles() async throws {
            let folder = try Drbench.emptyFolder(named: "strangers")
            let file = try scenario(title: Self.evil, in: folder)
            for words in [["list"], ["validate"]] {
                for environment in [[:], ["GITHUB_ACTIONS": "true"]] {
                    let ended = try await Drbench.run(words + [file], environment: environment)
                    check(ended, mentions: words == ["list"] ? "<U+202E>" : "are valid")
                }
            }
            let wrong = try scenario(title: "x", in: folder, more: "\(quoted(Self.evil)): 1")
            check(try await Drbench.run(["validate", wrong]))
        }

        @Test(
            "a report of a failed run shows them, too, also where GitHub reads it",
            .enabled(if: Drbench.hasLabKernel, Drbench.noLabKernel))
        func reports() async throws {
            let folder = try Drbench.emptyFolder(named: "strangers-run")
            let text = try String(contentsOfFile: Drbench.scenarios + "inverted.yaml", encoding: .utf8)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            let changed = lines.map { $0.hasPrefix("title:") ? "title: \(quoted(Self.evil))" : String($0) }
            let file = "\(folder)/mine.yaml"
            try Data(changed.joined(separator: "\n").utf8).write(to: URL(filePath: file))
            for format in ["terminal", "github", "tap", "markdown", "junit", "json"] {
                let ended = try await Drbench.run(
                    ["run", file, "--engine", "uml", "--seed", "1", "--out", folder + "/out", "--format", format],
                    environment: ["GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "/dev/null"])
                #expect(ended.status == 1, ended.text)
                check(ended, mentions: ["json": "\\u202e", "tap": "not ok", "junit": "<failure"][format] ?? "U+202E")
            }
        }

        @Test("what the user typed is shown as it was typed, in one line of characters")
        func typed() async throws {
            for words in [
                ["run", Self.evil], ["--\(Self.evil)"], ["run", "--seed", Self.evil], ["report", "/\(Self.evil)"],
            ] {
                let ended = try await Drbench.run(words)
                #expect(ended.status == 2 || ended.status == 3, ended.text)
                check(ended)
            }
        }

        @Test("a file that is no measurement is told with its place, in words")
        func measurements() async throws {
            let folder = try Drbench.emptyFolder(named: "strangers-json")
            for (text, expected) in [
                ("{\n\"version\": \"x\"}", "m.json:2:12: version: expected a whole number, found the text 'x'"),
                ("[", "m.json:1:2: is not valid JSON: expected a value, found the end of the file"),
                ("{}", "m.json:1:1: 'version' is missing"),
            ] {
                try Data(text.utf8).write(to: URL(filePath: "\(folder)/m.json"))
                for words in [
                    ["compare", "\(folder)/m.json", "\(folder)/m.json"], ["history", "import", "\(folder)/m.json"],
                ] {
                    let ended = try await Drbench.run(words + ["--history", "\(folder)/h.sqlite"])
                    #expect(ended.errors.contains(expected), ended.text)
                    #expect(!ended.errors.contains("DecodingError") && !ended.errors.contains("Debug"), ended.text)
                }
            }
        }

        /// A repository whose configuration runs a program whenever git looks at its files.
        private struct HostileRepository {
            let folder: String
            /// Is there once something of the repository's was run.
            var trace: String { "\(folder)/../trace" }
            var wasRun: Bool { FileManager.default.fileExists(atPath: trace) }

            init(_ name: String) throws {
                folder = try Drbench.emptyFolder(named: name) + "/repository"
                let script = """
                    set -e
                    git init -q '\(folder)' && cd '\(folder)'
                    for each in Scenarios netns; do cp -r '\(Drbench.repository)'$each $each; done
                    echo 1 >file; echo '* filter=evil diff=evil' >.gitattributes
                    git add . && git -c user.name=x -c user.email=x@y commit -q -m x && git tag v1
                    printf '#!/bin/sh\\ntouch %s\\ncat\\n' '\(folder)/../trace' >../evil; chmod +x ../evil
                    for key in core.fsmonitor core.sshCommand core.pager core.editor filter.evil.clean filter.evil.process \
                        diff.evil.textconv diff.external alias.rev-parse alias.status; do
                        git config $key "$PWD/../evil"
                    done
                    git config core.hooksPath "$PWD/.."
                    git config include.path "$PWD/../more"; printf '[core]\\n\\tfsmonitor = %s\\n' "$PWD/../evil" >../more
                    echo 2 >file
                    """
                let made = try Drbench.start(["-c", script], program: "/bin/sh")
                try #require(made.status == 0, made.text)
                try? FileManager.default.removeItem(atPath: trace)
            }

            func git(_ words: [String]) throws -> String {
                try Drbench.start(["-C", folder] + words, program: "/usr/bin/git").output
            }
        }

        @Test("a repository's configuration runs nothing where a revision is looked up")
        func revisions() throws {
            let repository = try HostileRepository("strangers-git")
            let commit = try repository.git(["rev-parse", "v1"]).prefix(10)
            let history = "\(repository.folder)/../h.sqlite"
            // A history that has a run.
            let measured = MeasuredRun(
                started: 1_700_000_000,
                context: MeasurementContext(
                    clock: .real, engine: "uml", kernel: "6.12",
                    machine: .init(processor: "x", processors: 1, memory: 1, hostName: "h", kernel: "6.12"),
                    drbench: "0"),
                measurements: [
                    Measurement(scenario: "a", load: "b", repetition: 1, metrics: [Metric("c", 1, unit: "seconds")])
                ])
            try JSONEncoder().encode(measured).write(to: URL(filePath: "\(repository.folder)/../m.json"))
            let kept = try Drbench.start(["history", "import", "\(repository.folder)/../m.json", "--history", history])
            try #require(kept.status == 0, kept.text)
            for name in ["v1", "HEAD", "master~0", "main~0", "refs/tags/v1"] {
                let ended = try Drbench.start(
                    ["-C", repository.folder, Drbench.program ?? "", "compare", name, "--history", history],
                    program: "/usr/bin/env")
                #expect(ended.status == 3, ended.text)
                if !name.hasPrefix("ma") {
                    #expect(ended.errors.contains("the history has no run of revision \(commit)"), ended.text)
                }
            }
            #expect(!repository.wasRun)
            // Positive control: git itself does run it.
            _ = try repository.git(["status"])
            #expect(repository.wasRun)
        }

        @Test(
            "a benchmark in such a repository has its revision, and asks no program of the scenario for its version",
            .enabled(if: Drbench.hasLabKernel, Drbench.noLabKernel))
        func benchmarks() throws {
            let repository = try HostileRepository("strangers-bench")
            let commit = try repository.git(["rev-parse", "HEAD"]).prefix(12)
            // A scenario that runs programs of its own.
            var text = try String(contentsOfFile: Drbench.scenarios + "loads.yaml", encoding: .utf8)
            let evil = "\(repository.folder)/../evil"
            text = text.replacing(
                "timeline:\n",
                with: "timeline:\n  - run: {on: client1, command: [\"\(evil)\", --version], may_fail: true}\n",
                maxReplacements: 1)
            let file = "\(repository.folder)/../mine.yaml"
            try Data(text.utf8).write(to: URL(filePath: file))
            let folder = "\(repository.folder)/../out"
            let ended = try Drbench.start(
                ["bench", file, "--engine", "uml", "--out", folder, "--no-keep", "--quiet"],
                environment: ["DRBENCH_HOME": repository.folder, "PATH": "\(repository.folder)/..:/usr/bin:/bin"])
            let data = try #require(FileManager.default.contents(atPath: "\(folder)/measurements.json"), ended.text)
            let run = try JSONDecoder().decode(MeasuredRun.self, from: data)
            #expect(run.context.revision == commit + "+")
            #expect(run.context.programs.keys.allSatisfy { !$0.contains("/") })
            #expect(!repository.wasRun)
        }
    }
}
