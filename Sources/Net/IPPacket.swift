/// An IPv4 (RFC 791) or IPv6 (RFC 8200) packet, dissected.
public struct IPPacket: Sendable, Equatable {
    public let source: IPAddress
    public let destination: IPAddress
    /// What the payload is, an IANA protocol number; for IPv6 the one behind the extension headers.
    public let `protocol`: UInt8
    /// Time to live, or the hop limit.
    public let ttl: UInt8
    /// Type of service or traffic class: DSCP and ECN.
    public let trafficClass: UInt8
    /// IPv4's identification; IPv6 has one only in a fragment header.
    public let identification: UInt32?
    /// Don't Fragment; always true for IPv6, which routers never fragment.
    public let dontFragment: Bool
    /// Where this packet belongs in a larger one; nil if it is whole.
    public let fragment: Fragment?
    /// Octets of the whole packet by its own length field. A capture may hold fewer, an Ethernet frame more (padding).
    public let totalLength: Int
    /// Octets in front of the payload: the header with its options or extension headers.
    public let headerLength: Int
    public let payload: Payload

    public struct Fragment: Sendable, Equatable {
        /// Octets of the whole packet's payload in front of this piece.
        public let offset: Int
        /// Whether more pieces follow.
        public let more: Bool
    }

    public enum Payload: Sendable, Equatable {
        case tcp(TCPSegment)
        case udp(UDPDatagram)
        case icmp(ICMPMessage)
        /// A packet in a packet: IPIP, 6in4 or GRE. `via` is the outer protocol number (4, 41 or 47).
        indirect case encapsulated(IPPacket, via: UInt8)
        /// A fragment other than the first: its octets are in the middle of something.
        case fragment
        /// A protocol that is not looked into.
        case other
        /// TCP, UDP, ICMP or a tunnel by its number, but cut off within its header or contradicting itself.
        case unreadable
    }

    public var version: Int { Int(source.family.rawValue) }
    /// Octets behind the header by the packet's own length field.
    public var payloadLength: Int { totalLength - headerLength }

    public var tcp: TCPSegment? { if case .tcp(let segment) = payload { segment } else { nil } }
    public var udp: UDPDatagram? { if case .udp(let datagram) = payload { datagram } else { nil } }
    public var icmp: ICMPMessage? { if case .icmp(let message) = payload { message } else { nil } }
    /// The packet that this one carries through a tunnel.
    public var encapsulated: IPPacket? { if case .encapsulated(let inner, via: _) = payload { inner } else { nil } }
    /// The packet behind all tunnels; this one if it is no tunnel's.
    public var innermost: IPPacket { encapsulated?.innermost ?? self }

    /// Address and port of the sender, for TCP and UDP.
    public var sourceEndpoint: Endpoint? { ports.map { Endpoint(source, port: $0.source) } }
    /// Address and port of the receiver, for TCP and UDP.
    public var destinationEndpoint: Endpoint? { ports.map { Endpoint(destination, port: $0.destination) } }

    private var ports: (source: UInt16, destination: UInt16)? {
        switch payload {
        case .tcp(let segment): (segment.sourcePort, segment.destinationPort)
        case .udp(let datagram): (datagram.sourcePort, datagram.destinationPort)
        default: nil
        }
    }

    /// Dissects the packet that starts with the IP header (a raw IP packet, not a frame); nil if it has none.
    public init?(_ octets: Span<UInt8>) { self.init(octets, at: 0) }

    /// `depth` counts the packets around this one (tunnels, ICMP quotes): garbage can nest one in every 20 octets.
    init?(_ octets: Span<UInt8>, at start: Int, quoted: Bool = false, depth: Int = 0) {
        guard start < octets.count else { return nil }
        switch octets[start] >> 4 {
        case 4: self.init(v4: octets, at: start, quoted: quoted, depth: depth)
        case 6: self.init(v6: octets, at: start, quoted: quoted, depth: depth)
        default: return nil
        }
    }

    private init?(v4 octets: Span<UInt8>, at start: Int, quoted: Bool, depth: Int) {
        guard octets.count >= start + 20 else { return nil }
        headerLength = Int(octets[start] & 0x0F) * 4
        let length = Int(octets.uint16(at: start + 2))
        // Segmentation offload leaves 0 in packets beyond 65535 octets; then the capture's length is all there is.
        totalLength = length == 0 ? octets.count - start : length
        guard headerLength >= 20, totalLength >= headerLength, octets.count >= start + headerLength else { return nil }
        trafficClass = octets[start + 1]
        identification = UInt32(octets.uint16(at: start + 4))
        let flags = octets.uint16(at: start + 6)
        dontFragment = flags & 0x4000 != 0
        let offset = Int(flags & 0x1FFF) * 8
        let more = flags & 0x2000 != 0
        fragment = offset != 0 || more ? Fragment(offset: offset, more: more) : nil
        ttl = octets[start + 8]
        `protocol` = octets[start + 9]
        source = octets.ipv4Address(at: start + 12)
        destination = octets.ipv4Address(at: start + 16)
        payload = Payload(
            octets, from: start + headerLength, to: start + totalLength, protocol: octets[start + 9],
            fragmentOffset: offset, quoted: quoted, depth: depth)
    }

    private init?(v6 octets: Span<UInt8>, at start: Int, quoted: Bool, depth: Int) {
        guard octets.count >= start + 40 else { return nil }
        trafficClass = UInt8(truncatingIfNeeded: octets.uint16(at: start) >> 4)
        let length = Int(octets.uint16(at: start + 4))
        totalLength = length == 0 ? octets.count - start : 40 + length
        ttl = octets[start + 7]
        source = octets.ipv6Address(at: start + 8)
        destination = octets.ipv6Address(at: start + 24)
        dontFragment = true

        var next = octets[start + 6]
        var offset = start + 40
        var piece: Fragment?
        var pieceIdentification: UInt32?
        var cut = false
        let end = start + totalLength
        extensions: while piece.map({ $0.offset == 0 }) ?? true {
            let size: Int
            switch next {
            case IPProtocol.hopByHop, IPProtocol.routing, IPProtocol.destinationOptions:
                guard octets.count >= offset + 2 else {
                    cut = true
                    break extensions
                }
                size = (Int(octets[offset + 1]) + 1) * 8
            case IPProtocol.authentication:
                guard octets.count >= offset + 2 else {
                    cut = true
                    break extensions
                }
                size = (Int(octets[offset + 1]) + 2) * 4
            case IPProtocol.fragment:
                guard octets.count >= offset + 8 else {
                    cut = true
                    break extensions
                }
                let field = octets.uint16(at: offset + 2)
                piece = Fragment(offset: Int(field & 0xFFF8), more: field & 1 == 1)
                pieceIdentification = octets.uint32(at: offset + 4)
                size = 8
            default:
                break extensions
            }
            guard octets.count >= offset + size, offset + size <= end else {
                cut = true
                break extensions
            }
            next = octets[offset]
            offset += size
        }
        `protocol` = next
        headerLength = offset - start
        fragment = piece
        identification = pieceIdentification
        payload =
            cut
            ? .unreadable
            : Payload(
                octets, from: offset, to: end, protocol: next, fragmentOffset: piece?.offset ?? 0, quoted: quoted,
                depth: depth)
    }
}

/// IANA protocol numbers that are looked into (linux/in.h, linux/in6.h).
enum IPProtocol {
    static let hopByHop: UInt8 = 0
    static let icmp: UInt8 = 1
    static let ipip: UInt8 = 4
    static let tcp: UInt8 = 6
    static let udp: UInt8 = 17
    static let ipv6: UInt8 = 41
    static let routing: UInt8 = 43
    static let fragment: UInt8 = 44
    static let gre: UInt8 = 47
    static let authentication: UInt8 = 51
    static let icmpv6: UInt8 = 58
    static let destinationOptions: UInt8 = 60
}

extension IPPacket.Payload {
    /// Packets within packets that are followed.
    private static let maximumDepth = 8

    /// `end` is where the packet ends by its own word: behind the end of `octets` if the capture cut it.
    init(
        _ octets: Span<UInt8>, from start: Int, to end: Int, protocol number: UInt8, fragmentOffset: Int, quoted: Bool,
        depth: Int
    ) {
        guard fragmentOffset == 0 else {
            self = .fragment
            return
        }
        // What is behind the packet's end is Ethernet padding: no header may be read from there.
        let available = min(octets.count, end)
        let packet = octets.extracting(..<available)
        switch number {
        case IPProtocol.tcp:
            self = TCPSegment(packet, at: start, end: end, quoted: quoted).map { .tcp($0) } ?? .unreadable
        case IPProtocol.udp:
            self = UDPDatagram(packet, at: start).map { .udp($0) } ?? .unreadable
        case IPProtocol.icmp, IPProtocol.icmpv6:
            self =
                ICMPMessage(packet, at: start, end: end, version: number == IPProtocol.icmp ? 4 : 6, depth: depth)
                .map { .icmp($0) } ?? .unreadable
        case IPProtocol.ipip, IPProtocol.ipv6, IPProtocol.gre:
            let inner: Int
            if number == IPProtocol.gre {
                guard let header = Self.greHeaderLength(packet, at: start) else {
                    self = .unreadable
                    return
                }
                guard header.carriesIP else {
                    self = .other
                    return
                }
                inner = start + header.length
            } else {
                inner = start
            }
            guard depth < Self.maximumDepth,
                let carried = IPPacket(packet, at: inner, quoted: quoted, depth: depth + 1)
            else {
                self = .unreadable
                return
            }
            self = .encapsulated(carried, via: number)
        default:
            self = .other
        }
    }

    /// RFC 2784 with the key and sequence number of RFC 2890; version 0 only. nil if cut off.
    private static func greHeaderLength(_ octets: Span<UInt8>, at start: Int) -> (length: Int, carriesIP: Bool)? {
        guard octets.count >= start + 4 else { return nil }
        let flags = octets.uint16(at: start)
        let type = octets.uint16(at: start + 2)
        guard flags & 0x0007 == 0 else { return (4, false) }
        let optional = [0x8000, 0x2000, 0x1000].reduce(0) { $0 + (flags & UInt16($1) != 0 ? 4 : 0) }
        return (4 + optional, type == Frame.EtherType.ipv4 || type == Frame.EtherType.ipv6)
    }
}
