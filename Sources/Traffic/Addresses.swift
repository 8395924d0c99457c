internal import NIOCore
internal import Net

extension Endpoint {
    /// An IPv4-mapped address (a dual-stack socket's word for an IPv4 peer) becomes the IPv4 address; nil for a Unix
    /// domain address.
    init?(_ address: SocketAddress?) {
        guard let address, let port = address.port, let ip = address.ipAddress.flatMap({ IPAddress($0) })
        else { return nil }
        let isMapped = ip.family == .v6 && ip.value >> 32 == 0xFFFF
        self.init(
            isMapped ? IPAddress(v4: UInt32(truncatingIfNeeded: ip.value)) : ip, port: UInt16(truncatingIfNeeded: port))
    }

    func socketAddress() throws -> SocketAddress {
        try SocketAddress(packedIPAddress: ByteBuffer(bytes: address.octets), port: Int(port))
    }

    /// The wildcard address of a family, as sockets are bound to when only the port matters.
    static func wildcard(_ family: IPAddress.Family, port: UInt16) -> Endpoint {
        Endpoint(family == .v4 ? IPAddress(v4: 0) : IPAddress(v6: 0), port: port)
    }
}
