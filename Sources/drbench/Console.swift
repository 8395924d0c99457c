internal import Glibc
internal import Synchronization
internal import Text

/// Where the command line writes.
///
/// Texts of files, bundles, kernels and guests are in what it says: whatever they hold, they neither begin a line of their
/// own nor reach a terminal as anything but characters.
enum Console {
    /// One line.
    static func error(_ line: String) { write(line.printable + "\n", .text, to: STDERR_FILENO) }
    static func output(_ line: String) { write(line.printable + "\n", .text, to: STDOUT_FILENO) }
    /// Several, one after the other.
    static func error(lines: [String]) { for line in lines { error(line) } }
    static func output(lines: [String]) { for line in lines { output(line) } }
    /// Text of several lines, each made printable by its writer; without a newline of its own.
    static func write(_ text: String, as kind: Outgoing.Kind = .text) { write(text, kind, to: STDOUT_FILENO) }
    /// The same for standard error.
    static func writeError(_ text: String, as kind: Outgoing.Kind = .text) { write(text, kind, to: STDERR_FILENO) }

    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
    /// Whether standard output is a terminal that shows colours (https://no-color.org).
    static var showsColours: Bool { isTerminal && getenv("NO_COLOR") == nil }

    private static let gates = Mutex([STDOUT_FILENO: Outgoing(), STDERR_FILENO: Outgoing()])

    private static func write(_ text: String, _ kind: Outgoing.Kind, to descriptor: Int32) {
        gates.withLock { gates in
            let safe = gates[descriptor, default: Outgoing()].filtered(text, as: kind)
            var rest = Array(safe.utf8)[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }
}
