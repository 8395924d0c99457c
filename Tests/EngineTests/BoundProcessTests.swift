import Foundation
import Lab
import Testing

@testable import Engine

@Suite("A laboratory's process")
struct BoundProcessTests {
    private struct Outcome: Sendable {
        var end: BoundProcess.End
        var console: String
        var events: [LabEvent]
    }

    private func run(_ script: String, seconds: Double = 30, restLimit: Double? = nil) async throws -> Outcome {
        try await onOwnThread {
            var process = try BoundProcess(
                path: "/bin/sh", arguments: ["-c", script], environment: ["PATH=/usr/bin:/bin"], directory: "/")
            var events: [LabEvent] = []
            let end = process.wait(seconds: seconds, restLimit: restLimit) { events.append($0) }
            return Outcome(
                end: end, console: String(decoding: process.consoleText.bytes, as: UTF8.self), events: events)
        }
    }

    @Test("its exit status, its signal and what it printed last are known")
    func ends() async throws {
        let exited = try await run("echo one; echo two >&2; exit 3")
        #expect(exited.end == .exited(3))
        #expect(exited.console == "one\ntwo\n")
        let killed = try await run("echo so far; kill -TERM $$")
        #expect(killed.end == .signalled(SIGTERM))
        #expect(killed.console == "so far\n")
    }

    @Test("events come through its fourth descriptor, whatever else is written there")
    func events() async throws {
        let line = String(decoding: LabEvent.step(2, name: "gets").line(), as: UTF8.self)
        let outcome = try await run("echo garbage >&3; printf '%s' '\(line)' >&3; printf '{\"started\"' >&3")
        #expect(outcome.events == [.step(2, name: "gets")])
    }

    @Test("one that only waits is at rest, and ended")
    func rest() async throws {
        #expect(try await run("sleep 60", restLimit: 0.5).end == .atRest)
    }

    @Test("one that may wait for time to pass is not ended for it")
    func patience() async throws {
        #expect(try await run("sleep 1; exit 4", restLimit: nil).end == .exited(4))
    }

    @Test("one whose children compute is not at rest")
    func busyChild() async throws {
        #expect(try await run("while :; do :; done & wait", seconds: 1.5, restLimit: 0.5).end == .outOfTime)
    }

    @Test("one that somebody has stopped is not at rest: it may go on")
    func stopped() async throws {
        #expect(try await run("kill -STOP $$", seconds: 1.5, restLimit: 0.5).end == .outOfTime)
    }

    @Test("what it started in its group ends with it, and an open pipe does not keep its front waiting")
    func group() async throws {
        let outcome = try await run("sleep 60 & echo $!")
        #expect(outcome.end == .exited(0))
        let child = try #require(pid_t(outcome.console.trimmingCharacters(in: .whitespacesAndNewlines)))
        // It was killed before `wait` returned; gone or a zombie that its new parent has yet to reap.
        let state = try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8)
        #expect(state == nil || state?.contains(") Z ") == true || state?.contains(") X ") == true)
    }

    @Test("it starts whatever other threads start at that moment", .timeLimit(.minutes(2)))
    func amongOthers() async throws {
        // glibc's posix_spawn holds a lock that a process cloned meanwhile must not need.
        let others = Task.detached {
            while !Task.isCancelled {
                let process = Process()
                process.executableURL = URL(filePath: "/bin/true")
                try process.run()
                process.waitUntilExit()
            }
        }
        defer { others.cancel() }
        for _ in 0..<100 {
            #expect(try await run("exit 5").end == .exited(5))
        }
    }

    @Test("a program that is not there is an error that says so")
    func missing() async throws {
        let failure = try await onOwnThread { () -> RunFailure? in
            do throws(RunFailure) {
                _ = try BoundProcess(path: "/no/such", arguments: [], environment: [], directory: "/")
                return nil
            } catch {
                return error
            }
        }
        #expect(
            failure == RunFailure(.couldNotStart, "/no/such: could not execute: ENOENT (No such file or directory)"))
    }
}
