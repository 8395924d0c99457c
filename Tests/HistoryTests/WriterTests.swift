import FoundationEssentials
import GRDB
import Glibc
import Measurement
import Testing

@testable import History

@Suite("Writers of one history", .serialized)
struct WriterTests {
    let workplace: Workplace

    init() throws { workplace = try Workplace() }

    @Test("twelve processes that make and fill a history at once lose nothing")
    func atOnce() throws {
        let keepers = try (0..<12).map { try Keeper(workplace.file, first: $0 * 1000, count: 10) }
        for keeper in keepers { #expect(keeper.wait() == 0, "\(keeper.output)") }
        let runs = try History(path: workplace.file).runs()
        #expect(runs.map(\.started) == (0..<12).flatMap { first in (0..<10).map { Int64(first * 1000 + $0) } })
        #expect(runs.allSatisfy { $0.measurements == 100 })
        #expect(Set(runs.map(\.number)).count == 120)
    }

    @Test("threads with one history each, and with one together")
    func threads() async throws {
        let shared = try History(path: workplace.file)
        let path = workplace.file
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<16 {
                group.addTask {
                    let history = number.isMultiple(of: 2) ? shared : try History(path: path)
                    try history.append(.sample([1, 2], started: Int64(number)))
                    _ = try history.runs()
                }
            }
            try await group.waitForAll()
        }
        #expect(try shared.runs().map(\.started) == (0..<16).map { Int64($0) })
    }

    @Test("killed at any moment, a writer leaves whole runs and all that it had kept")
    func killed() throws {
        var random = SplitMix64(seed: 7)
        var kept: Set<Int64> = []
        for round in 0..<25 {
            let keeper = try Keeper(workplace.file, first: round * 100_000, count: 100_000)
            // Until it has kept some, so that all moments of an appending are met, those of the first opening too.
            if round > 0 { keeper.readLine() }
            usleep(useconds_t.random(in: 0..<30_000, using: &random))
            keeper.kill()
            #expect(keeper.wait() != 0)
            kept.formUnion(keeper.output.split(separator: "\n").compactMap { Int64($0) })

            let history = try History(path: workplace.file)
            #expect(try history.read { try String.fetchAll($0, sql: "PRAGMA integrity_check") } == ["ok"])
            #expect(try history.read { try Row.fetchAll($0, sql: "PRAGMA foreign_key_check").count } == 0)
            let runs = try history.runs()
            #expect(runs.allSatisfy { $0.measurements == 100 && $0.context.seed == UInt64($0.started) })
            let started = Set(runs.map(\.started))
            #expect(kept.isSubset(of: started))
            // The last may have been kept and not told.
            #expect(started.subtracting(kept).count <= round + 1)
        }
        #expect(kept.count >= 24)
        let history = try History(path: workplace.file)
        for entry in try history.runs().suffix(20) {
            let run = try history.run(entry.number)
            #expect(run?.measurements.map(\.repetition) == Array(1...100))
            #expect(run?.measurements.allSatisfy { $0.metrics.map(\.value) == [Double(entry.started)] } == true)
        }
    }
}

/// The program `keeper`, which stands beside the tests' bundle.
private final class Keeper {
    private(set) var output = ""
    private let process: pid_t
    private let pipe: Int32

    private static let program = URL(filePath: Workplace.testProgram).deletingLastPathComponent().path + "/keeper"

    init(_ file: String, first: Int, count: Int) throws {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw HistoryError.unusable(path: file, reason: "pipe") }
        // Only this suite starts programs, and one after another.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        let words = [Self.program, file, "\(first)", "\(count)"]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var process: pid_t = -1
        let failure = posix_spawn(&process, Self.program, &actions, nil, &arguments, environ)
        posix_spawn_file_actions_destroy(&actions)
        for argument in arguments { free(argument) }
        close(ends[1])
        guard failure == 0 else {
            throw HistoryError.unusable(path: Self.program, reason: String(cString: strerror(failure)))
        }
        self.process = process
        pipe = ends[0]
    }

    deinit { close(pipe) }

    func readLine() {
        while !output.contains("\n"), readSome() {}
    }

    func kill() { _ = Glibc.kill(process, SIGKILL) }

    /// The end of the process, as waitpid(2) has it; its output is read to the end.
    func wait() -> Int32 {
        while readSome() {}
        var status: Int32 = -1
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status
    }

    private func readSome() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(pipe, &buffer, buffer.count)
        guard count > 0 else { return count < 0 && errno == EINTR }
        output += String(decoding: buffer[..<count], as: UTF8.self)
        return true
    }
}
