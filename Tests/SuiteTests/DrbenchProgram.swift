import Evidence
import Foundation
import Testing

/// The built program, as a user starts it.
enum Drbench {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path(percentEncoded: false)

    /// $DRBENCH_PROGRAM (the Makefile sets it to the release build), else what was built last here; nil if nothing was.
    static let program: String? = {
        let named = ProcessInfo.processInfo.environment["DRBENCH_PROGRAM"]
        let candidates =
            named.map { [$0] } ?? [repository + ".build/release/drbench", repository + ".build/debug/drbench"]
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()
    static let isBuilt = program != nil
    static let notBuilt: Comment = "there is no drbench program: $DRBENCH_PROGRAM, or swift build --product drbench"

    static let hasLabKernel = isBuilt && (try? start(["kernel", "path"]).status) == 0
    static let noLabKernel: Comment = "no drbench program, or no lab kernel: make kernel builds one"

    static let hasTshark = FileManager.default.isExecutableFile(atPath: "/usr/bin/tshark")

    /// Where the tests' runs write to; what the last run left stays there to look at.
    static let output = repository + ".build/suite-tests/"
    static let scenarios = repository + "Tests/SuiteTests/Scenarios/"

    struct Ended: Sendable {
        var status: Int32
        var output: String
        var errors: String
        /// Both, for a failing test's message.
        var text: Comment { "status \(status)\n\(output)\(errors)" }
    }

    /// Runs the program in the checkout, waiting on a thread of its own: Swift's pool has few.
    static func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> Ended {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try start(arguments, environment: environment) })
            }
        }
    }

    /// `drbench run` of one of the tests' own scenarios; returns the folder with its results, which was emptied before.
    static func run(
        scenario: String, seed: UInt64 = 1, _ options: [String] = []
    ) async throws -> (ended: Ended, folder: RunResults) {
        let folder = try emptyFolder(named: "\(scenario)-\(seed)")
        let ended = try await run(
            ["run", "\(scenarios)\(scenario).yaml", "--engine", "uml", "--seed", "\(seed)", "--out", folder] + options)
        return (ended, RunResults(folder: folder))
    }

    /// A folder of its own for each test.
    static func emptyFolder(named name: String) throws -> String {
        let folder = output + name
        try? FileManager.default.removeItem(atPath: folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    /// Output goes to files: two pipes that fill at their own pace would need two readers.
    static func start(
        _ arguments: [String], environment: [String: String] = [:], program: String? = Drbench.program
    ) throws -> Ended {
        let files = try ["out", "err"].map { kind in
            let path = NSTemporaryDirectory() + "drbench-\(UUID().uuidString).\(kind)"
            try Data().write(to: URL(filePath: path))
            return (path: path, handle: try FileHandle(forUpdating: URL(filePath: path)))
        }
        defer { for file in files { try? FileManager.default.removeItem(atPath: file.path) } }
        let process = Process()
        guard let program else { throw CocoaError(.fileNoSuchFile) }
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: repository)
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = files[0].handle
        process.standardError = files[1].handle
        try process.run()
        process.waitUntilExit()
        let texts = files.map {
            String(decoding: FileManager.default.contents(atPath: $0.path) ?? Data(), as: UTF8.self)
        }
        return Ended(status: process.terminationStatus, output: texts[0], errors: texts[1])
    }
}

/// What a run left in its output folder.
struct RunResults: Sendable {
    var folder: String

    func evidence(_ scenario: String) throws -> Evidence {
        try JSONDecoder().decode(
            Evidence.self, from: Data(contentsOf: URL(filePath: path("\(Self.directory(of: scenario))/evidence.json"))))
    }

    /// A run's folder within, by its scenario's full name.
    static func directory(of scenario: String) -> String {
        let parts = scenario.split(separator: "/", maxSplits: 1)
        return parts.count == 2 ? "\(parts[0])/variants/\(parts[1])" : scenario
    }

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path(name))), as: UTF8.self)
    }
}

/// The tests that run the built program: one at a time, since each run takes all processors.
@Suite(.serialized) enum WholeProgram {}

/// What many tests look at and only one of them must run.
enum SharedRuns {
    private static func run(_ scenario: String) -> Task<RunResults, any Error> {
        Task {
            let (ended, results) = try await Drbench.run(scenario: scenario)
            try #require(ended.status == 0, ended.text)
            return results
        }
    }

    static let tools = run("standard-tools")
    static let toolsBehindNAT = run("standard-tools-nat")
    static let besideTcpdump = run("beside-tcpdump")
}
