import Foundation
import Testing

/// A terminal with a test at its keyboard.
final class TestTerminal: Sendable {
    private let master: FileHandle
    private let path: String

    init(rows: UInt16, columns: UInt16) throws {
        let descriptor = posix_openpt(O_RDWR | O_NOCTTY)
        try #require(descriptor >= 0 && grantpt(descriptor) == 0 && unlockpt(descriptor) == 0)
        path = String(cString: try #require(ptsname(descriptor)))
        master = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        resize(rows: rows, columns: columns)
    }

    func resize(rows: UInt16, columns: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(master.fileDescriptor, UInt(TIOCSWINSZ), &size)
    }

    /// Starts drbench in it.
    func start(_ arguments: [String], environment: [String: String]) throws -> Process {
        let other = try #require(FileHandle(forUpdatingAtPath: path))
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

    /// Types something and reads until `mark` comes back; behind the echo, if it was a line.
    func say(_ text: String, expecting mark: String) async throws {
        let master = master
        let isLine = text.hasSuffix("\n")
        let seen: String = await LabThatIsUp.blocking {
            var seen = ""
            try? master.write(contentsOf: Data(text.utf8))
            while true {
                // "\r\n" is one Character.
                let answer =
                    isLine ? seen.split(separator: "\r\n", maxSplits: 1).dropFirst().first ?? "" : seen[...]
                let data = answer.contains(mark) ? Data() : master.availableData
                if data.isEmpty { return seen }
                seen += String(decoding: data, as: UTF8.self)
            }
        }
        #expect(seen.contains(mark), Comment(rawValue: seen))
    }
}
