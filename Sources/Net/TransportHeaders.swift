/// A TCP segment's header (RFC 9293).
public struct TCPSegment: Sendable, Equatable {
    public let sourcePort: UInt16
    public let destinationPort: UInt16
    public let sequence: UInt32
    /// Meaningful only with the ACK flag.
    public let acknowledgement: UInt32
    public let flags: Flags
    /// The window field as it stands, not scaled.
    public let window: UInt16
    /// Octets of data by the IP packet's length, whether captured or not.
    public let payloadLength: Int
    /// The MSS option of a SYN.
    public let maximumSegmentSize: UInt16?
    /// TSval of the timestamps option (RFC 7323).
    public let timestamp: UInt32?
    /// Whether this is the beginning of a header that an ICMP error quotes: ports and sequence number, the rest is zero.
    public let isPartial: Bool

    public struct Flags: OptionSet, Sendable, Hashable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let fin = Flags(rawValue: 0x01)
        public static let syn = Flags(rawValue: 0x02)
        public static let rst = Flags(rawValue: 0x04)
        public static let psh = Flags(rawValue: 0x08)
        public static let ack = Flags(rawValue: 0x10)
        public static let urg = Flags(rawValue: 0x20)
        public static let ece = Flags(rawValue: 0x40)
        public static let cwr = Flags(rawValue: 0x80)
    }

    /// nil if the header is cut off, or claims to be shorter than it must be. Quoted, 8 octets are enough (RFC 792).
    init?(_ octets: Span<UInt8>, at start: Int, end: Int, quoted: Bool) {
        guard octets.count >= start + 8 else { return nil }
        sourcePort = octets.uint16(at: start)
        destinationPort = octets.uint16(at: start + 2)
        sequence = octets.uint32(at: start + 4)
        guard octets.count >= start + 20 else {
            guard quoted else { return nil }
            acknowledgement = 0
            flags = []
            window = 0
            payloadLength = 0
            maximumSegmentSize = nil
            timestamp = nil
            isPartial = true
            return
        }
        acknowledgement = octets.uint32(at: start + 8)
        flags = Flags(rawValue: octets[start + 13])
        window = octets.uint16(at: start + 14)
        isPartial = false
        let header = Int(octets[start + 12] >> 4) * 4
        guard header >= 20, start + header <= end else { return nil }
        payloadLength = end - start - header
        let options = start + 20..<min(start + header, octets.count)
        maximumSegmentSize =
            flags.contains(.syn)
            ? Self.option(2, length: 4, in: octets, options).map { octets.uint16(at: $0 + 2) } : nil
        timestamp = Self.option(8, length: 10, in: octets, options).map { octets.uint32(at: $0 + 2) }
    }

    /// Where the first option of a kind begins; nil if there is none of this length.
    private static func option(_ wanted: UInt8, length: Int, in octets: Span<UInt8>, _ options: Range<Int>) -> Int? {
        var offset = options.lowerBound
        while offset < options.upperBound {
            switch octets[offset] {
            case 0: return nil
            case 1: offset += 1
            case let kind:
                guard offset + 2 <= options.upperBound, case let own = Int(octets[offset + 1]), own >= 2,
                    offset + own <= options.upperBound
                else { return nil }
                if kind == wanted, own == length { return offset }
                offset += own
            }
        }
        return nil
    }
}

/// A UDP header (RFC 768).
public struct UDPDatagram: Sendable, Equatable {
    public let sourcePort: UInt16
    public let destinationPort: UInt16
    /// Octets of data by the datagram's own length field. The first of several fragments does not hold all of them.
    public let payloadLength: Int

    /// nil if the header is cut off, or claims to be shorter than it is.
    init?(_ octets: Span<UInt8>, at start: Int) {
        guard octets.count >= start + 8 else { return nil }
        sourcePort = octets.uint16(at: start)
        destinationPort = octets.uint16(at: start + 2)
        let length = Int(octets.uint16(at: start + 4))
        guard length >= 8 else { return nil }
        payloadLength = length - 8
    }
}

/// An ICMP (RFC 792) or ICMPv6 (RFC 4443, RFC 4861) message.
public struct ICMPMessage: Sendable, Equatable {
    /// 4 for ICMP, 6 for ICMPv6: the same numbers mean different things.
    public let version: Int
    public let type: UInt8
    public let code: UInt8
    /// Identifier and sequence number of an echo request or reply.
    public let echo: Echo?
    /// The MTU that "fragmentation needed" or "packet too big" reports.
    public let mtu: Int?
    /// The packet that an error message is about: its header and the beginning of what follows.
    public var quoted: IPPacket? { quote.first }
    /// The address that a neighbour solicitation asks for or an advertisement speaks of.
    public let target: IPAddress?
    /// Octets of the whole message by the IP packet's length.
    public let length: Int

    // Zero or one packet: IPPacket holds ICMPMessage, so the way back needs a box.
    private let quote: [IPPacket]

    public struct Echo: Sendable, Equatable {
        public let isReply: Bool
        public let identifier: UInt16
        public let sequence: UInt16
    }

    /// Whether the message reports an error about the packet it quotes.
    public var isError: Bool { Self.isError(type, version: version) }

    private static func isError(_ type: UInt8, version: Int) -> Bool {
        version == 6 ? type < 128 : type == 3 || type == 4 || type == 5 || type == 11 || type == 12
    }

    /// nil if not even the 8 octets that every message has are there.
    init?(_ octets: Span<UInt8>, at start: Int, end: Int, version: Int, depth: Int) {
        guard octets.count >= start + 8 else { return nil }
        self.version = version
        type = octets[start]
        code = octets[start + 1]
        length = end - start
        let request: UInt8 = version == 4 ? 8 : 128
        let reply: UInt8 = version == 4 ? 0 : 129
        echo =
            type == request || type == reply
            ? Echo(
                isReply: type == reply, identifier: octets.uint16(at: start + 4), sequence: octets.uint16(at: start + 6)
            )
            : nil
        if version == 4 {
            mtu = type == 3 && code == 4 ? Int(octets.uint16(at: start + 6)) : nil
        } else {
            mtu = type == 2 ? Int(octets.uint32(at: start + 4)) : nil
        }
        target =
            version == 6 && (type == 135 || type == 136) && octets.count >= start + 24
            ? octets.ipv6Address(at: start + 8) : nil
        quote =
            Self.isError(type, version: version) && depth < 4
            ? IPPacket(octets, at: start + 8, quoted: true, depth: depth + 1).map { [$0] } ?? [] : []
    }
}
