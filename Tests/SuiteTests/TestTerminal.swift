import CLinux
import Foundation
import Testing

/// A terminal with a test at its keyboard.
final class TestTerminal: Sendable {
    private let master: FileHandle
    private let other: FileHandle

    init(rows: UInt16, columns: UInt16) throws {
        var ends: [Int32] = [-1, -1]
        try #require(drb_open_terminal(&ends) == 0)
        // A FileHandle waits.
        _ = fcntl(ends[0], F_SETFL, 0)
        master = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
        other = FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
        resize(rows: rows, columns: columns)
    }

    func resize(rows: UInt16, columns: UInt16) {
        _ = drb_set_window(master.fileDescriptor, Int32(rows), Int32(columns))
    }

    /// Starts drbench in it.
    func start(_ arguments: [String], environment: [String: String]) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: try #require(Drbench.program))
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }.merging(
            ["TERM": "xterm"]) { $1 }
        process.standardInput = other
        process.standardOutput = other
        process.standardError = other
        try process.run()
        return process
    }

    /// Types something and reads until `mark` comes back, behind the echo, if it was a line, and the shell asks for more, if
    /// it does; at most half a minute.
    func say(_ text: String, expecting mark: String, thenAsks: Bool = true) async throws {
        let master = master
        let isLine = text.hasSuffix("\n")
        let seen: String = await LabThatIsUp.blocking {
            let deadline = ContinuousClock.now + .seconds(30)
            var seen = ""
            try? master.write(contentsOf: Data(text.utf8))
            while true {
                // "\r\n" is one Character.
                let answer =
                    isLine ? seen.split(separator: "\r\n", maxSplits: 1).dropFirst().first ?? "" : seen[...]
                if let found = answer.range(of: mark), !thenAsks || answer[found.upperBound...].contains(":/# ") {
                    return seen
                }
                let left = Int32((deadline - .now) / .milliseconds(1))
                var waiting = pollfd(fd: master.fileDescriptor, events: Int16(POLLIN), revents: 0)
                guard left > 0, poll(&waiting, 1, left) > 0 else { return seen }
                let data = master.availableData
                if data.isEmpty { return seen }
                seen += String(decoding: data, as: UTF8.self)
            }
        }
        #expect(seen.contains(mark), Comment(rawValue: seen))
    }
}
