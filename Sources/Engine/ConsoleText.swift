/// What a laboratory's console printed. A console that never stops printing keeps its beginning and its end.
struct ConsoleText: Sendable, Equatable {
    private var beginning: [UInt8] = []
    private var end: [UInt8] = []
    private var left = 0
    /// Octets kept at either end.
    private let room: Int

    init(room: Int = 1 << 20) { self.room = room }

    mutating func append(_ bytes: [UInt8]) {
        let taken = min(bytes.count, room - beginning.count)
        beginning += bytes.prefix(taken)
        end += bytes.dropFirst(taken)
        // Seldom, so that each octet is moved about once.
        if end.count > 2 * room {
            left += end.count - room
            end.removeFirst(end.count - room)
        }
    }

    /// All of it, with a line about what was left out.
    var bytes: [UInt8] {
        left == 0 ? beginning + end : beginning + Array("\n[\(left) octets left out]\n".utf8) + end
    }

    /// The last lines that say something: not a kernel's stack, which in a lab kernel is addresses without names.
    func tail(_ count: Int) -> [String] {
        let text = String(decoding: bytes.suffix(64 * 1024), as: UTF8.self)
        var lines: [String] = []
        for line in text.split(whereSeparator: \.isNewline) {
            var line = line
            while line.last?.isWhitespace == true { line.removeLast() }
            if !Self.saysNothing(line) { lines.append(String(line)) }
        }
        return Array(lines.suffix(count))
    }

    /// Whether the lab kernel ended because somebody in the guest asked for a restart: see netns/kernel/patches/0009.
    var endsWithRestart: Bool { tail(1) == ["The kernel was asked to restart, and ends."] }

    private static func saysNothing(_ line: Substring) -> Bool {
        if line.isEmpty || line == "reboot: Power down" || line == "Stack:" || line == "Call Trace:"
            || line.hasPrefix(" [<")
        {
            return true
        }
        guard line.first == " " else { return false }
        return line.allSatisfy { $0 == " " || $0.isHexDigit }
    }
}
