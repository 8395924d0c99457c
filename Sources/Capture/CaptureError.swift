internal import Glibc

/// What capturing, filtering or a capture file refused, as one sentence.
public enum CaptureError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A filter expression that libpcap does not compile, with libpcap's reason.
    case badFilter(String, reason: String)
    /// A port that cannot be captured, with libpcap's reason: no such interface, no privilege, no memory for the ring.
    case cannotCapture(port: String, reason: String)
    /// A file that cannot be read or written: what was tried, and the errno.
    case file(operation: String, code: Int32)
    /// Rings that cannot be watched: the errno.
    case watch(code: Int32)

    public var description: String {
        switch self {
        case .badFilter(let text, let reason): "filter '\(text)': \(reason)"
        case .cannotCapture(let port, let reason): "capture \(port): \(reason)"
        case .file(let operation, let code): "\(operation): \(String(cString: strerror(code)))"
        case .watch(let code): "start a thread that empties capture rings: \(String(cString: strerror(code)))"
        }
    }
}
