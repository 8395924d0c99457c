internal import CLinux
public import Net

extension NetworkNamespace {
    /// Sends one Ethernet frame out of an interface of this namespace, as it stands.
    ///
    /// Privileges: CAP_NET_RAW. Errors: ENODEV for an interface that does not exist, ENETDOWN for one that is down.
    public func send(_ frame: [UInt8], from interface: String) throws(KernelError) {
        let operation = "send a frame from \(interface)"
        do {
            let status = try run { drb_send_frame(interface, frame, frame.count) }
            guard status == 0 else { throw KernelError(operation, code: -status, namespace: name) }
        } catch {
            throw KernelError(error, during: operation, in: name)
        }
    }
}

/// The frame by which a machine that has moved makes switches look for it at its new port.
public enum Announcement {
    /// A RARP request about itself, as QEMU sends after a migration (announce_self_create in net/announce.c): 60 octets.
    public static func rarp(_ mac: MACAddress) -> [UInt8] {
        var frame = MACAddress.broadcast.octets + mac.octets
        frame += [0x80, 0x35]  // ethertype RARP (RFC 903)
        frame += [0x00, 0x01, 0x08, 0x00, 6, 4]  // Ethernet, IPv4, the lengths of their addresses
        frame += [0x00, 0x03]  // request reverse
        frame += mac.octets + [0, 0, 0, 0]  // sender
        frame += mac.octets + [0, 0, 0, 0]  // target
        return frame + [UInt8](repeating: 0, count: 60 - frame.count)
    }
}
