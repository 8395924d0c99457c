/// A network namespace in which clients or servers live: a name for reports and a descriptor to enter it by.
///
/// The descriptor (an open `/proc/…/ns/net`) stays the caller's, who keeps it open for as long as traffic runs.
public struct NamespaceHandle: Sendable, Hashable {
    /// The namespace's name, which is its host's.
    public var name: String
    public var fileDescriptor: Int32

    public init(name: String, fileDescriptor: Int32) {
        self.name = name
        self.fileDescriptor = fileDescriptor
    }
}

/// What a client speaks and a server understands.
public enum TrafficKind: String, Sendable, CaseIterable, Codable {
    /// HTTP/1.1 over TCP.
    case http
    /// Lines over TCP: the client sends `GET n`, the server answers one line and n octets, and keeps the connection
    /// until the client closes it.
    case tcp
    /// The same over UDP: a datagram `GET n` is answered with one datagram, the line and n octets.
    case udp
}

/// What a caller of this room got wrong.
public enum TrafficError: Error, Equatable, CustomStringConvertible {
    /// No connection was opened under this name, or it was closed.
    case noSuchConnection(String)
    /// There is a connection under this name already.
    case connectionExists(String)
    /// UDP has no connection that could be kept open.
    case notAConnection(TrafficKind)

    public var description: String {
        switch self {
        case .noSuchConnection(let name): "no connection is open under the name '\(name)'"
        case .connectionExists(let name): "a connection is already open under the name '\(name)'"
        case .notAConnection(let kind): "\(kind.rawValue) has no connections that could be kept open"
        }
    }
}
