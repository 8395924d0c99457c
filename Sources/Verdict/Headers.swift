internal import Net

/// The header fields of a frame that verdicts are about. What the frame does not have, or what was cut off, is nil.
struct Headers {
    var destinationMAC: MACAddress
    var sourceMAC: MACAddress
    var etherType: UInt16
    var neighbour: NeighbourMessage?
    var packet: Packet?

    /// nil for fewer octets than an Ethernet header has.
    init?(_ octets: Span<UInt8>) {
        guard let frame = Net.Frame(octets) else { return nil }
        destinationMAC = frame.destination
        sourceMAC = frame.source
        etherType = frame.etherType
        packet = frame.ip.map(Packet.init)
        neighbour =
            frame.arp.flatMap(NeighbourMessage.init(arp:))
            ?? frame.ip.flatMap { NeighbourMessage(ndp: $0, sourceMAC: frame.source) }
    }
}

/// An ARP request or reply (RFC 826), or an IPv6 neighbour solicitation or advertisement (RFC 4861).
struct NeighbourMessage {
    var isRequest: Bool
    var isIPv6: Bool
    /// The MAC the message speaks for: ARP's sender hardware address, NDP's Ethernet source.
    var senderMAC: MACAddress
    /// Who asks (`tell`), or the address that is answered for.
    var sender: IPAddress
    /// The address asked about, or the asker that is answered.
    var target: IPAddress

    /// Whether it announces its sender without asking or answering anybody (gratuitous ARP, RFC 5227).
    var isAnnouncement: Bool { sender == target }

    init?(arp packet: ARPPacket) {
        guard packet.operation == .request || packet.operation == .reply else { return nil }
        isRequest = packet.operation == .request
        isIPv6 = false
        senderMAC = packet.senderMAC
        sender = packet.senderAddress
        target = packet.targetAddress
    }

    init?(ndp packet: IPPacket, sourceMAC: MACAddress) {
        // RFC 4861, 4.3 and 4.4: types 135 and 136.
        guard let message = packet.icmp, message.version == 6, message.type == 135 || message.type == 136,
            let subject = message.target
        else { return nil }
        isRequest = message.type == 135
        isIPv6 = true
        senderMAC = sourceMAC
        sender = isRequest ? packet.source : subject
        target = isRequest ? subject : packet.destination
    }
}

/// An IP packet, with its transport header's fields beside its own: nil for those of another protocol.
struct Packet {
    private let ip: IPPacket

    init(_ packet: IPPacket) { ip = packet }

    var source: IPAddress { ip.source }
    var destination: IPAddress { ip.destination }
    /// IPv6: the hop limit.
    var ttl: Int { Int(ip.ttl) }
    var protocolNumber: UInt8 { ip.protocol }
    /// Of TCP and UDP.
    var sourcePort: UInt16? { ip.sourceEndpoint?.port }
    var destinationPort: UInt16? { ip.destinationEndpoint?.port }
    /// TCP's, or what tells one ping from the next.
    var sequence: UInt32? {
        ip.tcp?.sequence ?? ip.icmp?.echo.map { UInt32($0.identifier) << 16 | UInt32($0.sequence) }
    }
    /// TCP's TSval.
    var timestamp: UInt32? { ip.tcp?.timestamp }
    var acknowledgement: UInt32? { ip.tcp?.acknowledgement }
    var flags: UInt8? { ip.tcp?.flags.rawValue }
    /// Of ICMP and ICMPv6.
    var icmpType: UInt8? { ip.icmp?.type }
    var icmpCode: UInt8? { ip.icmp?.code }
    /// Octets behind the transport header (the IP header for other protocols), by the IP header's length.
    var payloadLength: Int { ip.tcp?.payloadLength ?? ip.udp?.payloadLength ?? ip.payloadLength }

    var identification: UInt32? { ip.identification }
    var fragmentOffset: Int? { ip.fragment?.offset }
}

/// What stays the same when a packet is bridged and routed: everything here but MAC addresses and TTL.
struct PacketIdentity: Hashable {
    var source: IPAddress
    var destination: IPAddress
    var protocolNumber: UInt8
    var identification: UInt32?
    var fragmentOffset: Int?
    var ports: [UInt16?]
    var sequence: UInt32?
    var acknowledgement: UInt32?
    var flags: UInt8?
    var icmp: [UInt8?]
    var payloadLength: Int

    init(_ packet: Packet) {
        source = packet.source
        destination = packet.destination
        protocolNumber = packet.protocolNumber
        identification = packet.identification
        fragmentOffset = packet.fragmentOffset
        ports = [packet.sourcePort, packet.destinationPort]
        sequence = packet.sequence
        acknowledgement = packet.acknowledgement
        flags = packet.flags
        icmp = [packet.icmpType, packet.icmpCode]
        payloadLength = packet.payloadLength
    }
}
