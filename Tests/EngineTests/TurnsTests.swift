import Evidence
import Foundation
import Plan
import Testing

@testable import Engine

/// Several plans on one boot of a lab kernel.
@Suite(.enabled(if: Workplace.hasLabKernel, Workplace.needsLabKernel))
struct TurnsTests {
    private struct Ended: Sendable {
        var index: Int
        var problems: [String]
        var failure: RunFailure?
    }

    /// Runs a command each, in a namespace of the same name.
    private func inTurn(
        _ commands: [[String]], timeLimit: Double = 60
    ) async throws -> (ended: [Ended], folder: Folder) {
        let folder = try Workplace.folder()
        let requests = try commands.enumerated().map { index, command in
            var plan = Plan(scenario: "turn \(index)", settle: 0, snapshotLength: 64)
            plan.namespaces = [.init(name: "host", role: .host)]
            plan.steps = [
                .init(name: "command", action: .run(namespace: "host", arguments: command, mayFail: false))
            ]
            let own = "\(folder.path)/round \(index)/run"
            try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
            return RunRequest(plan: plan, directory: own, seed: 1, realTime: true, timeLimit: timeLimit)
        }
        let kernel = try #require(Workplace.labKernel)
        return try await onOwnThread {
            var ended: [Ended] = []
            UMLEngine(kernel: kernel, program: Workplace.laboratory).runInTurn(requests, in: folder.path) {
                ended.append(Ended(index: $0, problems: $1, failure: $2))
            }
            return (ended, folder)
        }
    }

    private func evidence(_ index: Int, in folder: Folder) throws -> Evidence {
        try JSONDecoder().decode(Evidence.self, from: Data(folder.text("round \(index)/run/evidence.json").utf8))
    }

    @Test("they share the boot, nothing of one is in the next, and a failed one stops none")
    func oneBoot() async throws {
        let look = "cat /proc/sys/kernel/random/boot_id; ip -o link show; ip link add left-behind type dummy"
        let (ended, folder) = try await inTurn([["sh", "-c", look], ["false"], ["sh", "-c", look]])
        #expect(ended.map(\.index) == [0, 1, 2])
        #expect(ended.map(\.failure) == [nil, nil, nil])
        #expect(ended.map(\.problems.count) == [0, 1, 0])
        #expect(ended[1].problems.first?.contains("the command 'false' ended with status 1") == true)
        let texts = try [0, 2].map { try #require(evidence($0, in: folder).steps.first?.command).output }
        #expect(texts[0].count > 36)
        #expect(texts[0] == texts[1])
        #expect(!texts[1].contains("left-behind"))
        #expect(try [0, 1, 2].map { try evidence($0, in: folder).complete } == [true, false, true])
        #expect(!folder.contents.contains { $0.hasPrefix(".") })
    }

    @Test("what a guest does not come to is not begun, and what it had done is kept")
    func dies() async throws {
        let (ended, folder) = try await inTurn([["true"], ["sleep", "1000"], ["true"]], timeLimit: 2)
        #expect(ended.map(\.index) == [0, 1, 2])
        #expect(ended.map { $0.failure?.kind } == [nil, .hang, .hang])
        #expect(ended[1].failure?.explanation == "not finished after 6 s of wall-clock time, in step 'command'")
        #expect(ended[2].failure?.explanation.hasPrefix("not begun: not finished after 6 s") == true)
        #expect(try evidence(0, in: folder).complete)
    }
}
