internal import Net

/// The header fields of a frame that verdicts are about. What the frame does not have, or what was cut off, is nil.
struct Headers {
    var destinationMAC: MACAddress
    var sourceMAC: MACAddress
    var neighbour: NeighbourMessage?
    var packet: Packet?

    /// nil for fewer octets than an Ethernet header has.
    init?(_ octets: [UInt8]) {
        guard let destination = MACAddress(octets: octets), let source = MACAddress(octets: octets.dropFirst(6)),
            let type = octets.number(at: 12, octets: 2)
        else { return nil }
        destinationMAC = destination
        sourceMAC = source
        // IEEE 802 EtherTypes: IPv4, ARP, IPv6.
        switch type {
        case 0x0800: packet = Packet(v4: Array(octets.dropFirst(14)))
        case 0x86DD:
            let body = Array(octets.dropFirst(14))
            packet = Packet(v6: body)
            neighbour = packet.flatMap { NeighbourMessage(ndp: body, packet: $0, sourceMAC: source) }
        case 0x0806: neighbour = NeighbourMessage(arp: Array(octets.dropFirst(14)))
        default: break
        }
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

    init?(arp octets: [UInt8]) {
        // RFC 826: hardware type 1 with 6 octets, protocol IPv4 with 4; operation 1 asks, 2 answers.
        guard octets.number(at: 0, octets: 6) == 0x0001_0800_0604, let operation = octets.number(at: 6, octets: 2),
            operation == 1 || operation == 2, octets.count >= 28,
            let mac = MACAddress(octets: octets[8..<14]), let sender = IPAddress(octets: octets[14..<18]),
            let target = IPAddress(octets: octets[24..<28])
        else { return nil }
        isRequest = operation == 1
        isIPv6 = false
        senderMAC = mac
        self.sender = sender
        self.target = target
    }

    init?(ndp octets: [UInt8], packet: Packet, sourceMAC: MACAddress) {
        // RFC 4861, 4.3 and 4.4: types 135 and 136, the target address at octet 8 of the ICMPv6 message.
        guard packet.protocolNumber == 58, let type = packet.icmpType, type == 135 || type == 136,
            octets.count >= 64, let subject = IPAddress(octets: octets[48..<64])
        else { return nil }
        isRequest = type == 135
        isIPv6 = true
        senderMAC = sourceMAC
        sender = isRequest ? packet.source : subject
        target = isRequest ? subject : packet.destination
    }
}

/// The IP and transport header of a packet.
struct Packet {
    var source: IPAddress
    var destination: IPAddress
    /// IPv6: the hop limit.
    var ttl: Int
    var protocolNumber: UInt8
    /// IPv4's identification and fragment offset in one number; 0 for IPv6.
    var fragment: UInt64 = 0
    /// Of TCP, UDP and SCTP.
    var sourcePort: UInt16?
    var destinationPort: UInt16?
    /// Of TCP.
    var sequence: UInt32?
    var acknowledgement: UInt32?
    var flags: UInt8?
    /// Of ICMP and ICMPv6.
    var icmpType: UInt8?
    var icmpCode: UInt8?
    /// Octets behind the transport header, by the IP header's length.
    var payloadLength = 0

    /// RFC 791.
    init?(v4 octets: [UInt8]) {
        guard let first = octets.first, first >> 4 == 4, octets.count >= 20,
            let length = octets.number(at: 2, octets: 2), let fragment = octets.number(at: 4, octets: 4),
            let source = IPAddress(octets: octets[12..<16]), let destination = IPAddress(octets: octets[16..<20])
        else { return nil }
        self.source = source
        self.destination = destination
        ttl = Int(octets[8])
        protocolNumber = octets[9]
        self.fragment = fragment
        let header = Int(first & 0x0F) * 4
        payloadLength = Int(length) - header
        // Only the first fragment has a transport header.
        if fragment & 0x1FFF == 0 { readTransport(Array(octets.dropFirst(header))) }
    }

    /// RFC 8200; extension headers are not followed.
    init?(v6 octets: [UInt8]) {
        guard let first = octets.first, first >> 4 == 6, octets.count >= 40,
            let length = octets.number(at: 4, octets: 2), let source = IPAddress(octets: octets[8..<24]),
            let destination = IPAddress(octets: octets[24..<40])
        else { return nil }
        self.source = source
        self.destination = destination
        ttl = Int(octets[7])
        protocolNumber = octets[6]
        payloadLength = Int(length)
        readTransport(Array(octets.dropFirst(40)))
    }

    private mutating func readTransport(_ octets: [UInt8]) {
        switch protocolNumber {
        case 6:  // TCP, RFC 9293
            readPorts(octets)
            guard octets.count >= 14 else { return }
            sequence = octets.number(at: 4, octets: 4).map { UInt32(truncatingIfNeeded: $0) }
            acknowledgement = octets.number(at: 8, octets: 4).map { UInt32(truncatingIfNeeded: $0) }
            flags = octets[13]
            payloadLength -= Int(octets[12] >> 4) * 4
        case 17:  // UDP, RFC 768
            readPorts(octets)
            payloadLength -= 8
        case 132:  // SCTP, RFC 9260
            readPorts(octets)
            payloadLength -= 12
        case 1, 58:  // ICMP, RFC 792; ICMPv6, RFC 4443
            guard octets.count >= 2 else { return }
            icmpType = octets[0]
            icmpCode = octets[1]
            // The word behind the checksum: an echo's identifier and sequence number tell one ping from the next.
            sequence = octets.number(at: 4, octets: 4).map { UInt32(truncatingIfNeeded: $0) }
        default: break
        }
    }

    private mutating func readPorts(_ octets: [UInt8]) {
        sourcePort = octets.number(at: 0, octets: 2).map { UInt16(truncatingIfNeeded: $0) }
        destinationPort = octets.number(at: 2, octets: 2).map { UInt16(truncatingIfNeeded: $0) }
    }
}

/// What stays the same when a packet is bridged and routed: everything here but MAC addresses and TTL.
struct PacketIdentity: Hashable {
    var source: IPAddress
    var destination: IPAddress
    var protocolNumber: UInt8
    var fragment: UInt64
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
        fragment = packet.fragment
        ports = [packet.sourcePort, packet.destinationPort]
        sequence = packet.sequence
        acknowledgement = packet.acknowledgement
        flags = packet.flags
        icmp = [packet.icmpType, packet.icmpCode]
        payloadLength = packet.payloadLength
    }
}

extension [UInt8] {
    /// The unsigned number in network order that begins at `offset`; nil if it does not lie within the array.
    func number(at offset: Int, octets width: Int) -> UInt64? {
        guard offset + width <= count else { return nil }
        return self[offset..<offset + width].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
