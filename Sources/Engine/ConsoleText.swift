internal import Kernel
internal import Text

/// What a laboratory's console printed. A console that never stops printing keeps its beginning and its end.
struct ConsoleText: Sendable, Equatable {
    private var output: KeptOutput

    /// - Parameter room: bytes kept at either end.
    init(room: Int = 1 << 20) { output = KeptOutput(room: room) }

    mutating func append(_ bytes: [UInt8]) { output.append(bytes) }

    /// All of it, with a line about what was left out.
    var bytes: [UInt8] { output.bytes }

    /// The last lines that say something: not a kernel's stack, which in a lab kernel is addresses without names.
    func tail(_ count: Int) -> [String] {
        let text = String(escapingInvalid: output.suffix(64 * 1024))
        var lines: [String] = []
        for line in text.split(whereSeparator: \.isNewline) {
            var line = line
            while line.last?.isWhitespace == true { line.removeLast() }
            if !Self.saysNothing(line) { lines.append(String(line)) }
        }
        return Array(lines.suffix(count))
    }

    /// Whom the kernel ended because memory was used up, by name, the last one; nil if it ended nobody.
    var outOfMemory: String? {
        let mark = "Out of memory: Killed process "
        guard let line = tail(100).last(where: { $0.hasPrefix(mark) }) else { return nil }
        // `37 (python3) total-vm:…`
        let words = line.dropFirst(mark.count).split(separator: " ").prefix(2)
        return words.count == 2 ? "\(words[1].filter { $0 != "(" && $0 != ")" }) (process \(words[0]))" : nil
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
