import Evidence
import Foundation
import Testing

@testable import Engine

/// The program as its users meet it, with scenarios that misbehave.
@Suite(.enabled(if: Workplace.hasLabKernel, Workplace.needsLabKernel))
struct ProgramTests {
    @Test("a program that waits in vain is a virtual deadlock; what was seen before that step is kept and named")
    func deadlock() async throws {
        let folder = try Workplace.folder()
        let ended = try await Command.drbench("deadlock", in: folder)
        #expect(ended.status == 3, "\(ended.lines)")
        #expect(
            ended.output.contains(
                "virtual deadlock: everything in the guest waited in vain for 7203 s of virtual time, "
                    + "in step 'waits for ever'"), "\(ended.lines)")
        try expectPartialEvidence(in: folder, "out/deadlock", ended)
    }

    @Test("a program that computes for ever is a hang; what was seen before that step is kept and named")
    func hang() async throws {
        let folder = try Workplace.folder()
        // Time enough to get to the step, with all the other tests about.
        let ended = try await Command.drbench("busy", "--timeout", "20", in: folder)
        #expect(ended.status == 3, "\(ended.lines)")
        #expect(
            ended.output.contains("hang: not finished after 20 s of wall-clock time, in step 'computes for ever'"),
            "\(ended.lines)")
        try expectPartialEvidence(in: folder, "out/busy", ended, steps: 0)
    }

    @Test("what programs send by themselves does not overflow the captures")
    func flood() async throws {
        let folder = try Workplace.folder()
        let ended = try await Command.drbench("flood", in: folder)
        #expect(ended.status == 0, "\(ended.lines)")
    }

    @Test("a step that cannot be carried out ends the run with its reason; what was seen before is kept")
    func impossible() async throws {
        let folder = try Workplace.folder()
        let ended = try await Command.drbench("impossible", in: folder)
        #expect(ended.status == 3, "\(ended.lines)")
        #expect(
            ended.output.contains("server: run no-such-program: ENOENT (No such file or directory)"),
            "\(ended.lines)")
        try expectPartialEvidence(in: folder, "out/impossible", ended)
    }

    private func expectPartialEvidence(in folder: Folder, _ name: String, _ ended: Command, steps: Int = 1) throws {
        let kept = try #require(ended.lines.first { $0.contains("kept ") }, "\(ended.lines)")
        for file in ["plan.json", "evidence.json", "capture.pcapng", "console.log"] {
            #expect(kept.contains(file), "\(kept)")
            #expect(folder.contents.contains("\(name)/\(file)"))
        }
        let evidence = try JSONDecoder().decode(
            Evidence.self, from: Data(contentsOf: URL(filePath: "\(folder.path)/\(name)/evidence.json")))
        #expect(!evidence.complete)
        #expect(evidence.steps.count == steps)
        #expect(evidence.ports.map(\.name).contains("client:eth0"))
    }

    @Test("an expectation that does not hold exits 1 with expected and actual, one that holds exits 0")
    func failing() async throws {
        let folder = try Workplace.folder()
        let failed = try await Command.drbench("failing", in: folder)
        #expect(failed.status == 1, "\(failed.lines)")
        #expect(failed.output.contains("expected  the outcomes refused"))
        #expect(failed.output.contains("actual    server"))
        let passed = try await Command.drbench("routed", in: folder)
        #expect(passed.status == 0, "\(passed.lines)")
    }

    @Test(
        "a run on the host's own kernel passes as well",
        .enabled(if: Workplace.hostCanRun, Workplace.needsHost))
    func native() async throws {
        let folder = try Workplace.folder()
        let ended = try await Command.drbench("routed", "--engine", "native", in: folder)
        #expect(ended.status == 0, "\(ended.lines)")
        #expect(ended.output.contains("engine  native, this host's Linux"))
        let evidence = try JSONDecoder().decode(
            Evidence.self, from: Data(contentsOf: URL(filePath: "\(folder.path)/out/routed/evidence.json")))
        #expect(evidence.complete && !evidence.engine.virtualTime)
    }

    @Test(
        "a user without privileges needs no more than a copy of the programs, a lab kernel and scenarios",
        .enabled(if: Workplace.isRoot, Workplace.needsRoot))
    func unprivileged() async throws {
        // Below /tmp, because the way to the checkout may be closed to others.
        let folder = try Workplace.folder(below: NSTemporaryDirectory())
        let kernel = try #require(Workplace.labKernel)
        let manager = FileManager.default
        try manager.createDirectory(atPath: folder.path + "/kernels", withIntermediateDirectories: true)
        let copies = [
            (Workplace.drbench, "drbench"), (Workplace.laboratory, "drbench-lab"), (Workplace.bench, "bench"),
            (URL(filePath: kernel.program).deletingLastPathComponent().path, "kernels/lab"),
        ]
        for (source, copy) in copies {
            // By a process of its own: a program that any process still has open for writing cannot be executed
            // (ETXTBSY), and what other tests start meanwhile may inherit the descriptor.
            let copied = try await Command.run(
                ["cp", "-rL", URL(filePath: source).resolvingSymlinksInPath().path, folder.path + "/" + copy],
                in: folder)
            #expect(copied.status == 0, "\(copied.lines)")
        }
        try manager.createDirectory(atPath: folder.path + "/own", withIntermediateDirectories: true)
        try manager.setAttributes([.ownerAccountID: 65534], ofItemAtPath: folder.path + "/own")
        let ended = try await Command.run(
            [
                "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs",
                folder.path + "/drbench", "run", "--scenarios", folder.path + "/bench/Scenarios", "--topologies",
                folder.path + "/bench/netns", "--engine", "uml", "--out", folder.path + "/own/out", "routed",
            ], in: folder,
            environment: [
                "PATH": "/usr/bin:/bin", "DRBENCH_KERNEL_CACHE": folder.path + "/kernels",
                "HOME": "/nonexistent",
            ])
        #expect(ended.status == 0, "\(ended.lines)")
        #expect(ended.output.contains("1 passed, 0 failed, 0 skipped"), "\(ended.lines)")
    }
}
