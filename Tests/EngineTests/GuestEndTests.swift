import Foundation
import Plan
import Testing

@testable import Engine

/// Lab kernels whose PID 1 does what it must not do.
@Suite(.enabled(if: Workplace.hasLabKernel, Workplace.needsLabKernel))
struct GuestEndTests {
    /// Runs a guest whose PID 1 is the misfit or another program, under the name that says what it does.
    private func failure(
        _ name: String, program original: String = Workplace.misfit, timeLimit: Double = 60, realTime: Bool = false
    ) async throws -> (failure: RunFailure?, folder: Folder) {
        let folder = try Workplace.folder()
        let program = folder.path + "/" + name
        if name == "nobody" {
            // Open to be read, and no program.
            try Data("nothing".utf8).write(to: URL(filePath: program))
        } else {
            // A copy: of a link the guest would see where it leads.
            try FileManager.default.copyItem(atPath: original, toPath: program)
        }
        let kernel = try #require(Workplace.labKernel)
        let output = try Folder(folder.path + "/out", in: folder)
        return try await onOwnThread {
            let request = RunRequest(
                plan: Plan(scenario: name, settle: 0, snapshotLength: 64), directory: output.path, seed: 1,
                realTime: realTime, timeLimit: timeLimit)
            do throws(RunFailure) {
                try UMLEngine(kernel: kernel, program: program, memory: 64).run(request) { _ in }
                return (nil, output)
            } catch {
                return (error, output)
            }
        }
    }

    @Test("a crash of PID 1 is a panic and names the signal")
    func crash() async throws {
        let (failure, folder) = try await failure("crash")
        #expect(failure?.kind == .panic)
        #expect(failure?.explanation == "PID 1 of the guest crashed with SIGSEGV, before drbench had started in it")
        let console = try #require(failure?.console)
        #expect(console.first == "misfit: crash")
        #expect(console.contains("Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b"))
        #expect(!console.contains { $0.contains("[<") }, "a stack without names says nothing")
        #expect(folder.contents == ["console.log", "plan.json"])
        #expect(try folder.text("console.log").contains("Call Trace:"), "the whole console is kept")
    }

    @Test("an exit of PID 1 is a panic and names the status")
    func exit() async throws {
        let (failure, _) = try await failure("exit")
        #expect(failure?.kind == .panic)
        #expect(failure?.explanation == "PID 1 of the guest ended with status 7, before drbench had started in it")
    }

    @Test("a PID 1 that the guest cannot execute is a panic that names the file and why")
    func noProgram() async throws {
        let (failure, folder) = try await failure("nobody")
        #expect(failure?.kind == .panic)
        let program = URL(filePath: folder.path).deletingLastPathComponent().path + "/nobody"
        #expect(failure?.explanation.hasPrefix("the guest cannot execute \(program): EACCES") == true)
    }

    @Test(
        "no thread loses registers, and no file its contents when memory is short",
        arguments: ["registers", "files"])
    func trial(name: String) async throws {
        let (failure, _) = try await failure(name, program: Workplace.trial)
        #expect(failure?.explanation == "PID 1 of the guest ended with status 0, before drbench had started in it")
        #expect(failure?.console.first == "trial: 0 wrong")
    }

    @Test("a guest that switches itself off has ended early")
    func off() async throws {
        let (failure, folder) = try await failure("off")
        #expect(failure?.kind == .couldNotStart)
        #expect(failure?.explanation == "the guest ended with status 0, before drbench had started in it")
        #expect(failure?.console == ["misfit: off"])
        #expect(folder.contents == ["console.log", "plan.json"])
    }

    @Test("a kernel that was going to sleep for ever is a virtual deadlock")
    func forever() async throws {
        let (failure, _) = try await failure("forever")
        #expect(failure?.kind == .virtualDeadlock)
    }

    @Test("a busy loop in a guest's program is a hang, though the kernel's own process uses no time at all")
    func spin() async throws {
        // Longer than it takes to believe that a guest is at rest.
        let (failure, folder) = try await failure("spin", timeLimit: 15)
        #expect(failure?.kind == .hang)
        #expect(
            failure?.explanation
                == "not finished after 15 s of wall-clock time, before drbench had started in it")
        #expect(failure?.console == ["misfit: spin"])
        #expect(folder.contents == ["console.log", "plan.json"])
    }

    @Test("a guest that never stops printing is ended at its limit all the same", arguments: ["flood", "chatter"])
    func flood(_ name: String) async throws {
        let start = ContinuousClock.now
        let (failure, folder) = try await failure(name, timeLimit: 2)
        #expect(failure?.kind == .hang)
        #expect(ContinuousClock.now - start < .seconds(15))
        #expect(try folder.text("console.log").utf8.count <= 4 << 20)
    }
}
