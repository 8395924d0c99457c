/// Builds Ethernet frames octet by octet, checksums included: what a raw socket sends.
public enum FrameBuilder {
    /// Ethernet II, padded to the 60 octets that a cable carries at least (IEEE 802.3; the checksum is the card's matter).
    public static func ethernet(
        source: MACAddress, destination: MACAddress, type: UInt16, payload: [UInt8]
    ) -> [UInt8] {
        let frame = destination.octets + source.octets + type.octets + payload
        return frame + [UInt8](repeating: 0, count: max(0, 60 - frame.count))
    }

    /// ARP for IPv4 over Ethernet (RFC 826), ethertype 0x0806: operation 1 asks, 2 answers.
    public static func arp(
        operation: UInt16, sender: IPAddress, senderMAC: MACAddress, target: IPAddress, targetMAC: MACAddress
    ) -> [UInt8] {
        let head: [UInt8] = [0x00, 0x01, 0x08, 0x00, 6, 4]
        return head + operation.octets + senderMAC.octets + sender.octets + targetMAC.octets + target.octets
    }

    /// An IPv4 (RFC 791) or IPv6 (RFC 8200) packet without options, by the addresses' family.
    public static func ip(
        source: IPAddress, destination: IPAddress, protocol number: UInt8, ttl: UInt8, payload: [UInt8]
    ) -> [UInt8] {
        let length = UInt16(truncatingIfNeeded: payload.count)
        guard source.family == .v4 else {
            return [0x60, 0, 0, 0] + length.octets + [number, ttl] + source.octets + destination.octets + payload
        }
        // Don't fragment, as every TCP of today says it.
        var header: [UInt8] = [0x45, 0] + (length &+ 20).octets + [0, 0, 0x40, 0, ttl, number, 0, 0]
        header += source.octets + destination.octets
        let sum = checksum(header)
        (header[10], header[11]) = (sum.octets[0], sum.octets[1])
        return header + payload
    }

    /// A TCP segment (RFC 9293) without options.
    public static func tcp(
        source: IPAddress, destination: IPAddress, sourcePort: UInt16, destinationPort: UInt16, sequence: UInt32,
        acknowledgement: UInt32, flags: TCPSegment.Flags, window: UInt16, data: [UInt8]
    ) -> [UInt8] {
        var segment = sourcePort.octets + destinationPort.octets + sequence.octets + acknowledgement.octets
        segment += [0x50, flags.rawValue] + window.octets + [0, 0, 0, 0] + data
        let sum = transportChecksum(source, destination, 6, segment)
        (segment[16], segment[17]) = (sum.octets[0], sum.octets[1])
        return segment
    }

    /// A UDP datagram (RFC 768).
    public static func udp(
        source: IPAddress, destination: IPAddress, sourcePort: UInt16, destinationPort: UInt16, data: [UInt8]
    ) -> [UInt8] {
        let length = UInt16(truncatingIfNeeded: data.count + 8)
        var datagram = sourcePort.octets + destinationPort.octets + length.octets + [0, 0] + data
        let sum = transportChecksum(source, destination, 17, datagram)
        // 0 says that there is none.
        let octets = (sum == 0 ? 0xFFFF : sum).octets
        (datagram[6], datagram[7]) = (octets[0], octets[1])
        return datagram
    }

    /// An ICMP (RFC 792) or ICMPv6 (RFC 4443) message; `rest` begins behind the checksum.
    public static func icmp(
        source: IPAddress, destination: IPAddress, type: UInt8, code: UInt8, rest: [UInt8]
    ) -> [UInt8] {
        var message = [type, code, 0, 0] + rest
        let sum =
            source.family == .v4 ? checksum(message) : transportChecksum(source, destination, 58, message)
        (message[2], message[3]) = (sum.octets[0], sum.octets[1])
        return message
    }

    /// The Internet checksum (RFC 1071).
    static func checksum(_ octets: [UInt8]) -> UInt16 {
        var sum: UInt64 = 0
        for index in stride(from: 0, to: octets.count, by: 2) {
            sum += UInt64(octets[index]) << 8 | (index + 1 < octets.count ? UInt64(octets[index + 1]) : 0)
        }
        while sum > 0xFFFF { sum = sum & 0xFFFF + sum >> 16 }
        return ~UInt16(truncatingIfNeeded: sum)
    }

    private static func transportChecksum(
        _ source: IPAddress, _ destination: IPAddress, _ number: UInt8, _ payload: [UInt8]
    ) -> UInt16 {
        let length = UInt32(truncatingIfNeeded: payload.count)
        let pseudo =
            source.octets + destination.octets
            + (source.family == .v4
                ? [0, number] + UInt16(truncatingIfNeeded: length).octets : length.octets + [0, 0, 0, number])
        return checksum(pseudo + payload)
    }
}

extension FixedWidthInteger where Self: UnsignedInteger {
    /// In network byte order.
    fileprivate var octets: [UInt8] {
        stride(from: Self.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: self >> Self($0)) }
    }
}
