import Evidence
import Foundation
import Testing

@testable import Engine

/// What is left when drbench is ended at any moment; see Tests/Overseer for how that is seen.
@Suite(.enabled(if: Workplace.isRoot, Workplace.needsRoot), .serialized)
struct InterruptionTests {
    /// How a program ended that the overseer watched, and what it left beside its output folder.
    private struct End {
        var how: String
        var leftovers: [String]
        var messages: String
    }

    /// Runs a test scenario and sends a signal after some time.
    private func end(
        _ scenario: String, after milliseconds: Int, signal: Int32, engine: String, in folder: Folder,
        _ words: [String] = [], command: String = "run"
    ) async throws -> End {
        var environment = Command.environment
        // The overseer hides $HOME and /tmp, where a kernel may lie, and the checkout.
        var kept = [Workplace.checkout]
        if let kernel = Workplace.labKernel {
            let cache = URL(filePath: kernel.program).deletingLastPathComponent().deletingLastPathComponent().path
            environment["DRBENCH_KERNEL_CACHE"] = cache
            kept.append(cache)
        }
        environment["OVERSEER_KEEP"] = kept.joined(separator: ":")
        let ended = try await Command.run(
            [Workplace.overseer, "\(milliseconds)", "\(signal)", Workplace.drbench, command] + Workplace.testScenarios
                + ["--seed", "1", "--engine", engine, "--out", "out", scenario] + words,
            in: folder, environment: environment)
        #expect(ended.status == 0, "\(ended.errors)")
        let told = ended.output.split(separator: "\n").map(String.init).filter { line in
            ["exited ", "signalled ", "process ", "mount ", "file "].contains { line.hasPrefix($0) }
        }
        return End(
            how: told.first ?? "nothing", leftovers: Array(told.dropFirst()), messages: ended.output + ended.errors)
    }

    /// Runs it often, ended by SIGKILL at moments that are spread at random over the time that a whole run takes.
    private func endAtRandomMoments(_ times: Int, engine: String) async throws {
        let folder = try Workplace.folder()
        var limit = 10_000
        var killed = 0
        var attempts = 0
        while killed < times, attempts < 4 * times {
            attempts += 1
            // The first is a control: nobody ends it.
            let moment = attempts == 1 ? 60_000 : Int.random(in: 0..<limit)
            let start = ContinuousClock.now
            let end = try await end("routed", after: moment, signal: SIGKILL, engine: engine, in: folder)
            #expect(end.leftovers == [], "killed after \(moment) ms of \(limit)")
            // Only its own files, each of which a whole run leaves, too, or the guest's helpers.
            let others = folder.contents.filter { !$0.hasPrefix("out") }
            #expect(others == [], "killed after \(moment) ms of \(limit)")
            if end.how == "signalled 9" {
                killed += 1
            } else {
                #expect(end.how == "exited 0", "\(end.messages)")
                // How long a whole run takes depends on what else this machine does.
                limit = min(limit, Int((ContinuousClock.now - start) / .milliseconds(1)))
            }
        }
        #expect(killed == times, "\(attempts) attempts were not enough")
        let afterwards = try await end("routed", after: 60_000, signal: SIGKILL, engine: engine, in: folder)
        #expect(afterwards.how == "exited 0", "what is in the folder does not keep the next run from working")
        #expect(!folder.contents.contains { $0.contains(".guest") }, "and is cleaned up by it: \(folder.contents)")
    }

    @Test(
        "kill -9 at any of 50 moments leaves nothing of a lab kernel",
        .enabled(if: Workplace.hasLabKernel, Workplace.needsLabKernel))
    func killGuest() async throws { try await endAtRandomMoments(50, engine: "uml") }

    @Test(
        "kill -9 at any of 10 moments leaves nothing of a run on the host's kernel",
        .enabled(if: Workplace.hostCanRun, Workplace.needsHost))
    func killNative() async throws { try await endAtRandomMoments(10, engine: "native") }

    /// A lab that is up stays until it is killed: being built, or with its porter inside.
    private func endUp(engine: String) async throws {
        let folder = try Workplace.folder()
        for moment in [50, 200, 400, 700, 1500, 4000] {
            let end = try await end(
                "routed", after: moment, signal: SIGKILL, engine: engine, in: folder, command: "up")
            #expect(end.how == "signalled 9", "\(end.messages)")
            // But for its folder, which the next one recognises; see LabFolderTests.
            let others = end.leftovers.filter { !$0.hasPrefix("file /tmp/drbench-\(geteuid())") }
            #expect(others == [], "killed after \(moment) ms")
            if moment == 4000 { #expect(end.messages.contains("routed is up"), "\(end.messages)") }
        }
    }

    @Test(
        "kill -9 of a lab that is up leaves no process, mount or memory of a lab kernel",
        .enabled(if: Workplace.hasLabKernel, Workplace.needsLabKernel))
    func killUpGuest() async throws { try await endUp(engine: "uml") }

    @Test(
        "kill -9 of a lab that is up leaves no process or mount on the host's kernel",
        .enabled(if: Workplace.hostCanRun, Workplace.needsHost))
    func killUpNative() async throws { try await endUp(engine: "native") }

    @Test(
        "the overseer sees what is left: its positive control",
        .enabled(if: Workplace.isRoot, Workplace.needsRoot))
    func control() async throws {
        let folder = try Workplace.folder()
        let script = """
            echo left > /tmp/leftover
            mount -t tmpfs leftover /mnt
            setsid sleep 60 < /dev/null > /dev/null 2>&1 &
            exit 3
            """
        let ended = try await Command.run([Workplace.overseer, "9000", "9", "/bin/sh", "-c", script], in: folder)
        let lines = ended.lines
        #expect(lines.first == "exited 3")
        #expect(lines.contains { $0.hasPrefix("process ") && $0.hasSuffix(" sleep") })
        #expect(lines.contains { $0.hasPrefix("mount ") && $0.contains(" /mnt ") })
        #expect(lines.contains("file /tmp/leftover"))
    }

    @Test(
        "SIGINT and SIGTERM end a run in order: reports are written, and the shell sees the signal",
        .enabled(if: Workplace.hasLabKernel, Workplace.needsLabKernel), arguments: [SIGINT, SIGTERM])
    func interrupt(_ signal: Int32) async throws {
        let folder = try Workplace.folder()
        let end = try await end(
            "long", after: 1500, signal: signal, engine: "uml", in: folder, ["--real-time"])
        #expect(end.how == "signalled \(signal)", "\(end.messages)")
        #expect(end.leftovers == [])
        let name = signal == SIGINT ? "SIGINT" : "SIGTERM"
        #expect(end.messages.contains("interrupted: drbench got \(name)"), "\(end.messages)")
        #expect(folder.contents.contains("out/results.json"))
        #expect(folder.contents.contains("out/junit.xml"))
    }
}
