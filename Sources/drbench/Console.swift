internal import Glibc
internal import Kernel
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
    static func writeError(_ text: String) { write(text, .text, to: STDERR_FILENO) }

    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
    /// Whether standard output is a terminal that shows colours (https://no-color.org).
    static var showsColours: Bool { isTerminal && getenv("NO_COLOR") == nil }

    /// Why standard output did not take what was written to it, as a sentence; nil if it did.
    static var obstacle: String? {
        gates.withLock { $0.failure }.map {
            "cannot write to standard output: \(Errno.message($0)) (\(Errno.name($0)))"
        }
    }

    private struct Gates {
        var gates = [STDOUT_FILENO: Outgoing(), STDERR_FILENO: Outgoing()]
        /// The errno with which standard output first failed. Nothing is written to it any more after that.
        var failure: Int32?
    }
    private static let gates = Mutex(Gates())

    private static func write(_ text: String, _ kind: Outgoing.Kind, to descriptor: Int32) {
        gates.withLock { state in
            let isOutput = descriptor == STDOUT_FILENO
            guard !isOutput || state.failure == nil else { return }
            let safe = state.gates[descriptor, default: Outgoing()].filtered(text, as: kind)
            var rest = Array(safe.utf8)[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    if isOutput { state.failure = count < 0 ? errno : EIO }
                    return
                }
                rest = rest.dropFirst(count)
            }
        }
    }
}
