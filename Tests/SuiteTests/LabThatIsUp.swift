import Foundation
import Synchronization
import Testing

/// A `drbench up` (or a `run` that pauses) as a test has it beside itself, with a folder for labs of its own.
final class LabThatIsUp: Sendable {
    let folder: String
    private let process: Process
    private let printed: Printed
    /// Where labs of this test are, apart from all others'.
    let runtime: String

    var environment: [String: String] { ["XDG_RUNTIME_DIR": runtime] }

    /// What has been printed, and those who wait for something in it.
    private final class Printed: Sendable {
        private let state = Mutex<(text: String, ended: Bool)>(("", false))
        private let news = DispatchSemaphore(value: 0)

        var hasEnded: Bool { state.withLock { $0.ended } }

        func add(_ data: Data) {
            state.withLock {
                $0.text += String(decoding: data, as: UTF8.self)
                if data.isEmpty { $0.ended = true }
            }
            news.signal()
        }

        /// Everything, once `mark` is in it; without one, once the process has ended. Blocks, until nothing has come for a
        /// minute: a test is to fail, not to wait.
        func text(until mark: String?) -> String {
            while true {
                let (text, ended) = state.withLock { $0 }
                if ended || mark.map({ text.contains($0) }) == true { return text }
                if news.wait(timeout: .now() + 60) == .timedOut { return state.withLock { $0.text } }
            }
        }
    }

    /// Starts it; `ready()` waits until people can come.
    init(_ arguments: [String], folder name: String, runtime: String? = nil) throws {
        folder = try Drbench.emptyFolder(named: "inside-\(name)")
        self.runtime = runtime ?? folder + "/labs"
        try FileManager.default.createDirectory(
            atPath: self.runtime, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: try #require(Drbench.program))
        process.arguments = arguments + ["--out", folder + "/out"]
        process.currentDirectoryURL = URL(filePath: Drbench.repository)
        process.environment = ProcessInfo.processInfo.environment.merging(["XDG_RUNTIME_DIR": self.runtime]) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = pipe
        let printed = Printed()
        self.printed = printed
        self.process = process
        try process.run()
        let output = pipe.fileHandleForReading
        Thread.detachNewThread {
            while true {
                let data = output.availableData
                printed.add(data)
                if data.isEmpty { return }
            }
        }
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    /// What it printed until it could be entered.
    func ready() async throws -> String {
        let printed = printed
        let text = await Self.blocking { printed.text(until: "ends it\n") }
        try #require(text.contains("drbench down"), Comment(rawValue: text))
        return text
    }

    /// What it printed until `mark`.
    func text(until mark: String) async -> String {
        let printed = printed
        return await Self.blocking { printed.text(until: mark) }
    }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Its exit status (a signal's number negative), and all that it printed.
    func ended() async -> (status: Int32, text: String) {
        let (process, printed) = (process, printed)
        return await Self.blocking {
            let text = printed.text(until: nil)
            // Still silent after all that time: it would be waited for until somebody ends the tests.
            if !printed.hasEnded { kill(process.processIdentifier, SIGKILL) }
            process.waitUntilExit()
            let status = process.terminationStatus
            return (process.terminationReason == .uncaughtSignal ? -status : status, text)
        }
    }

    func drbench(_ arguments: String...) async throws -> Drbench.Ended {
        try await Drbench.run(arguments, environment: environment)
    }

    /// `drbench shell PLACE -- COMMAND`.
    func shell(_ place: String, _ command: String...) async throws -> Drbench.Ended {
        try await Drbench.run(["shell", place, "--"] + command, environment: environment)
    }

    static func blocking<R: Sendable>(_ body: @escaping @Sendable () -> R) async -> R {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: body()) }
        }
    }
}
