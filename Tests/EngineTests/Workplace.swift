import Foundation
import Testing

@testable import Engine

/// What the tests of engines work with: the programs that were built, the lab kernel, and folders of their own.
enum Workplace {
    static let checkout = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
    static let bench = checkout + "/Tests/EngineTests/Bench"

    /// Where SwiftPM puts programs: beside the test bundle.
    private static let built: String = {
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let folder = URL(filePath: program).deletingLastPathComponent().path
        let isThere = FileManager.default.isExecutableFile(atPath: folder + "/overseer")
        return isThere ? folder : checkout + "/.build/debug"
    }()

    /// $DRBENCH_PROGRAM names an optimised one.
    static let drbench = ProcessInfo.processInfo.environment["DRBENCH_PROGRAM"] ?? built + "/drbench"
    /// Beside drbench, as it looks for it itself.
    static let laboratory = URL(filePath: drbench).deletingLastPathComponent().path + "/drbench-lab"
    static let misfit = built + "/misfit"
    static let trial = built + "/trial"
    static let overseer = built + "/overseer"

    static let labKernel = LabKernel.choose(
        version: LabKernel.defaultVersion, sources: checkout + "/netns/kernel",
        caches: LabKernel.caches(environment: ProcessInfo.processInfo.environment))
    static let hasLabKernel = labKernel != nil
    static let needsLabKernel: Comment = "the lab kernel is not built; 'make kernel' builds it"
    static let isRoot = geteuid() == 0
    static let needsRoot: Comment = "namespaces of its own and other users' identities need root"

    /// The words that every run of a test scenario begins with.
    static let testScenarios = ["--scenarios", bench + "/Scenarios", "--topologies", bench + "/netns"]

    /// Whether this host's kernel can carry the test scenarios.
    static let hostCanRun: Bool = {
        guard isRoot, let able = try? NativeEngine(program: laboratory).probe() else { return false }
        return able.has("bridge-nf") && able.has("conntrack")
    }()
    static let needsHost: Comment = "this host's kernel lacks br_netfilter or conntrack, or this is not root"

    /// A new, empty folder. Not below /tmp, which the overseer hides.
    static func folder(below parent: String = checkout + "/.build/scratch") throws -> Folder {
        try Folder(parent + "/" + UUID().uuidString)
    }
}

/// A folder that is removed when nobody needs it any more.
final class Folder: Sendable {
    let path: String
    /// One that it lies in, which is not removed before it.
    private let parent: Folder?

    init(_ path: String, in parent: Folder? = nil) throws {
        self.path = path
        self.parent = parent
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Relative paths of everything in it, sorted.
    var contents: [String] {
        (FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []).sorted()
    }

    func text(_ name: String) throws -> String { try String(contentsOfFile: path + "/" + name, encoding: .utf8) }
}

/// A program that was run to its end.
struct Command: Sendable {
    var status: Int32
    /// Whether `status` is a signal.
    var wasSignalled: Bool
    var output: String
    var errors: String
    var seconds: Double

    /// Both outputs as lines.
    var lines: [String] { (output + errors).split(separator: "\n").map(String.init) }

    /// Runs a program on a thread of its own, so that no other test has to wait for it.
    /// - Parameters:
    ///   - environment: all of it.
    ///   - ending: a signal to send after so many seconds.
    static func run(
        _ words: [String], in folder: Folder, environment: [String: String] = Self.environment,
        ending: (signal: Int32, after: Double)? = nil
    ) async throws -> Command {
        try await onOwnThread {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["--"] + words
            process.environment = environment
            process.currentDirectoryURL = URL(filePath: folder.path)
            process.standardInput = FileHandle.nullDevice
            // Files, not pipes: a leaked process would keep a pipe open for ever.
            let files = try (0..<2).map { _ in
                let path = NSTemporaryDirectory() + "/" + UUID().uuidString
                _ = FileManager.default.createFile(atPath: path, contents: nil)
                return (path, try #require(FileHandle(forWritingAtPath: path)))
            }
            defer { for (path, _) in files { try? FileManager.default.removeItem(atPath: path) } }
            process.standardOutput = files[0].1
            process.standardError = files[1].1
            let start = ContinuousClock.now
            try process.run()
            if let ending {
                Thread.sleep(forTimeInterval: ending.after)
                kill(process.processIdentifier, ending.signal)
            }
            process.waitUntilExit()
            let time = (ContinuousClock.now - start).components
            return Command(
                status: process.terminationStatus, wasSignalled: process.terminationReason == .uncaughtSignal,
                output: try String(contentsOfFile: files[0].0, encoding: .utf8),
                errors: try String(contentsOfFile: files[1].0, encoding: .utf8),
                seconds: Double(time.seconds) + Double(time.attoseconds) * 1e-18)
        }
    }

    static let environment: [String: String] = {
        var environment = [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "DRBENCH_HOME": Workplace.checkout,
        ]
        // The kernel may be in a cache that only these tests know.
        let cache = "DRBENCH_KERNEL_CACHE"
        environment[cache] = ProcessInfo.processInfo.environment[cache]
        return environment
    }()

    /// Runs drbench with the test scenarios.
    static func drbench(_ words: String..., in folder: Folder) async throws -> Command {
        try await run(
            [Workplace.drbench, "run"] + Workplace.testScenarios + ["--seed", "1", "--out", "out"] + words, in: folder)
    }
}

/// Runs something that blocks on a thread of its own instead of one of the few that all tests share.
func onOwnThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
    }
}
