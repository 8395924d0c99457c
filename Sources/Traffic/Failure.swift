internal import Evidence
internal import Glibc
internal import Kernel
internal import NIOCore
internal import NIOHTTP1

/// What an error means for a connection (or an exchange of datagrams).
struct Failure: Equatable {
    var outcome: Outcome
    var detail: String?

    init(_ outcome: Outcome, _ detail: String? = nil) {
        self.outcome = outcome
        self.detail = detail
    }

    /// - Parameter connected: whether the connection was established when it happened; for UDP false.
    init(_ error: any Error, connected: Bool) {
        switch error {
        case let error as IOError: self.init(errno: error.errnoCode, connected: connected)
        case ChannelError.connectTimeout: self.init(.connectTimedOut)
        // The peer's end, or an answer that is no HTTP; this side then closes.
        case let error as HTTPParserError: self.init(.closedEarly, error == .invalidEOFState ? nil : "\(error)")
        default: self.init(connected ? .closedEarly : .failed, "\(error)")
        }
    }

    init(errno code: Int32, connected: Bool) {
        let name = Errno.name(code)
        switch code {
        // tcp_reset (net/ipv4/tcp_input.c): ECONNREFUSED for a SYN, EPIPE behind the peer's FIN, ECONNRESET otherwise.
        case ECONNREFUSED where !connected: self.init(.refused, name)
        case ECONNRESET, EPIPE: self.init(connected ? .reset : .refused, name)
        case ETIMEDOUT: self.init(connected ? .connectedThenSilent : .connectTimedOut, name)
        // What icmp_err_convert (net/ipv4/icmp.c) and icmpv6_err_convert make of ICMP errors, and what routes say.
        case ENETUNREACH, EHOSTUNREACH, EHOSTDOWN, ENONET, EACCES, EMSGSIZE, ENOPROTOOPT, EOPNOTSUPP, EPROTO,
            ECONNREFUSED:
            self.init(.unreachable, name)
        default: self.init(connected ? .closedEarly : .failed, name)
        }
    }
}
