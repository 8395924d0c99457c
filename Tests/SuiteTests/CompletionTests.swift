import Foundation
import Testing

extension WholeProgram {
    @Suite("Completion in a shell", .enabled(if: Drbench.isBuilt, Drbench.notBuilt))
    struct Completion {
        /// What bash would offer behind a command line.
        private func offers(_ words: String...) async throws -> [String] {
            let folder = try Drbench.emptyFolder(named: "completion-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let script = try await Drbench.run(["--generate-completion-script", "bash"])
            try #require(script.status == 0, script.text)
            try Data(script.output.utf8).write(to: URL(filePath: "\(folder)/completion"))
            let program = try #require(Drbench.program)
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder)/drbench", withDestinationPath: program)
            let line = (["drbench"] + words).joined(separator: " ")
            let ended = try Drbench.start(
                [
                    "-c",
                    """
                    . "$0/completion"; PATH=$0:$PATH
                    COMP_WORDS=(drbench "$@"); COMP_CWORD=$#; COMP_LINE=$DRBENCH_LINE; COMP_POINT=${#COMP_LINE}
                    COMP_TYPE=9; _drbench drbench "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"; printf '%s\\n' "${COMPREPLY[@]}"
                    """, folder,
                ] + words, environment: ["DRBENCH_LINE": line], program: "/bin/bash")
            try #require(ended.status == 0, ended.text)
            return ended.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        }

        @Test("the beginning of a command, of a scenario and of a variant is completed")
        func names() async throws {
            #expect(try await offers("expl") == ["explain"])
            #expect(try await offers("run", "cross-hv-p") == ["cross-hv-p-old"])
            #expect(
                try await offers("explain", "release-matters/new") == [
                    "release-matters/newton", "release-matters/newton-together",
                ])
            #expect(try await offers("run", "no-such-thing") == [])
        }

        @Test("YAML files and the folders on the way to them are completed")
        func files() async throws {
            #expect(try await offers("validate", "netns/fl") == ["netns/flat.yaml"])
            #expect(try await offers("validate", "Scenarios/direct-r") == ["Scenarios/direct-routing/"])
        }
    }
}
