import Foundation
import Testing

/// `drbench mutate` as its users meet it.
@Suite(.enabled(if: Workplace.hasLabKernel, Workplace.needsLabKernel))
struct MutateTests {
    private static func mutate(_ words: String..., in folder: Folder) async throws -> Command {
        try await Command.run(
            [Workplace.drbench, "mutate"] + Workplace.testScenarios + ["--out", "out"] + words, in: folder)
    }

    @Test("what is noticed, survives, cannot be run or fails unchanged is told apart")
    func outcomes() async throws {
        let folder = try Workplace.folder()
        let ended = try await Self.mutate("mutated", in: folder)
        #expect(ended.status == 1, "\(ended.lines)")
        for line in [
            "  noticed           mutated/noticing: nobody listens",
            "  SURVIVED          mutated/blind",
            "  COULD NOT RUN     mutated/stuck",
            "  FAILED UNCHANGED  mutated/wrong",
        ] {
            #expect(ended.lines.contains(line), "\(ended.lines)")
        }
        #expect(ended.output.contains("in vain: another gateway's name: all expectations hold"))
        #expect(ended.output.contains("not run: a sysctl that there is not: "))
    }

    @Test("when every scenario notices, the exit status is 0; without a baseline only the mutants run")
    func noticed() async throws {
        let folder = try Workplace.folder()
        let ended = try await Self.mutate("mutated/noticing", "--no-baseline", in: folder)
        #expect(ended.status == 0, "\(ended.lines)")
        #expect(ended.lines.last == "1 noticed, 0 survived")
        #expect(folder.contents.contains("out/mutated/variants/noticing+silent"))
        #expect(!folder.contents.contains("out/mutated/variants/noticing/evidence.json"))
    }
}
