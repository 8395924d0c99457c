/// An Ethernet frame as captured at a port, dissected.
///
/// Dissection never fails on what is inside: a packet that is cut off or contradicts itself is `.unreadable`, and what was
/// readable in front of it is there. Checksums are not verified: a frame captured on a veth port carries whatever checksum
/// offloading left in it.
public struct Frame: Sendable, Equatable {
    public let destination: MACAddress
    public let source: MACAddress
    /// The VLAN identifier of the outermost 802.1Q (or 802.1ad) tag; nil for an untagged frame.
    public let vlan: UInt16?
    /// The EtherType behind all tags. Below 0x600 it is the length of an 802.3 frame instead.
    public let etherType: UInt16
    public let payload: Payload

    public enum Payload: Sendable, Equatable {
        case arp(ARPPacket)
        case ip(IPPacket)
        /// An EtherType that is not looked into.
        case other
        /// The EtherType promises ARP or IP, and what follows is not, or is cut off within its header.
        case unreadable
    }

    /// EtherTypes (linux/if_ether.h).
    enum EtherType {
        static let ipv4: UInt16 = 0x0800
        static let arp: UInt16 = 0x0806
        static let vlan: UInt16 = 0x8100
        static let ipv6: UInt16 = 0x86DD
        static let providerBridge: UInt16 = 0x88A8
    }

    /// Dissects the frame that starts with the destination address; nil if there is not even an Ethernet header.
    public init?(_ octets: Span<UInt8>) {
        guard octets.count >= 14 else { return nil }
        destination = octets.macAddress(at: 0)
        source = octets.macAddress(at: 6)
        var type = octets.uint16(at: 12)
        var offset = 14
        var outermost: UInt16?
        while type == EtherType.vlan || type == EtherType.providerBridge, octets.count >= offset + 4 {
            if outermost == nil { outermost = octets.uint16(at: offset) & 0x0FFF }
            type = octets.uint16(at: offset + 2)
            offset += 4
        }
        vlan = outermost
        etherType = type
        switch type {
        case EtherType.ipv4, EtherType.ipv6:
            payload =
                if let packet = IPPacket(octets, at: offset), packet.version == (type == EtherType.ipv4 ? 4 : 6) {
                    .ip(packet)
                } else {
                    .unreadable
                }
        case EtherType.arp:
            payload = ARPPacket(octets, at: offset).map { .arp($0) } ?? .unreadable
        case EtherType.vlan, EtherType.providerBridge:
            payload = .unreadable
        default:
            payload = .other
        }
    }

    public init?(_ octets: ArraySlice<UInt8>) { self.init(octets.span) }
    public init?(_ octets: [UInt8]) { self.init(octets.span) }

    /// The ARP packet, if the frame carries one.
    public var arp: ARPPacket? { if case .arp(let packet) = payload { packet } else { nil } }
    /// The (outermost) IP packet, if the frame carries one.
    public var ip: IPPacket? { if case .ip(let packet) = payload { packet } else { nil } }
}

/// An ARP packet for IPv4 over Ethernet (RFC 826).
public struct ARPPacket: Sendable, Equatable {
    /// ar$op; other values than these exist (RARP, InARP).
    public struct Operation: RawRepresentable, Sendable, Hashable {
        public let rawValue: UInt16
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        public static let request = Operation(rawValue: 1)
        public static let reply = Operation(rawValue: 2)
    }

    public let operation: Operation
    /// ar$sha
    public let senderMAC: MACAddress
    /// ar$spa
    public let senderAddress: IPAddress
    /// ar$tha
    public let targetMAC: MACAddress
    /// ar$tpa
    public let targetAddress: IPAddress

    /// Whether the sender announces itself: it names its own address as the target (RFC 5227, 3).
    public var isGratuitous: Bool { senderAddress == targetAddress }
    /// Whether this is an address probe: a request from nobody (RFC 5227, 1.1).
    public var isProbe: Bool { operation == .request && senderAddress.isUnspecified }

    /// nil unless hardware is Ethernet, protocol IPv4, and all of it is there.
    init?(_ octets: Span<UInt8>, at offset: Int) {
        guard octets.count >= offset + 28, octets.uint16(at: offset) == 1,
            octets.uint16(at: offset + 2) == Frame.EtherType.ipv4, octets[offset + 4] == 6, octets[offset + 5] == 4
        else { return nil }
        operation = Operation(rawValue: octets.uint16(at: offset + 6))
        senderMAC = octets.macAddress(at: offset + 8)
        senderAddress = octets.ipv4Address(at: offset + 14)
        targetMAC = octets.macAddress(at: offset + 18)
        targetAddress = octets.ipv4Address(at: offset + 24)
    }
}
