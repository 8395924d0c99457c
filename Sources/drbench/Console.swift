internal import Glibc

/// Where the command line writes.
enum Console {
    static func error(_ line: String) { write(line + "\n", to: STDERR_FILENO) }
    static func output(_ line: String) { write(line + "\n", to: STDOUT_FILENO) }
    /// Text as it is, without a newline of its own.
    static func write(_ text: String) { write(text, to: STDOUT_FILENO) }

    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
    /// Whether standard output is a terminal that shows colours (https://no-color.org).
    static var showsColours: Bool { isTerminal && getenv("NO_COLOR") == nil }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
