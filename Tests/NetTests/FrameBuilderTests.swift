import Net
import Testing

@Suite("Frames that are built field by field")
struct FrameBuilderTests {
    private let a = IPAddress(v4: 0xC000_0201)
    private let b = IPAddress(v4: 0xC000_0202)
    private let mac = MACAddress(bits: 0x0200_0000_0001)

    @Test("a TCP segment is read back as it was meant, and its checksums add up")
    func tcp() throws {
        let segment = FrameBuilder.tcp(
            source: a, destination: b, sourcePort: 4000, destinationPort: 80, sequence: 7, acknowledgement: 9,
            flags: [.syn, .ack], window: 1000, data: [1, 2, 3])
        let packet = FrameBuilder.ip(source: a, destination: b, protocol: 6, ttl: 3, payload: segment)
        #expect(sum(Array(packet.prefix(20))) == 0xFFFF)
        #expect(sum(a.octets + b.octets + [0, 6, 0, UInt8(segment.count)] + segment) == 0xFFFF)
        // tcp checksum by hand: RFC 1071 over the pseudo header of RFC 9293, 3.1
        #expect(segment.count == 23)
        #expect(Array(segment.prefix(4)) == [0x0F, 0xA0, 0, 80])
        #expect(segment[13] == 0x12)
    }

    @Test("an IPv6 datagram and message have their checksums over the pseudo header of RFC 8200")
    func v6() throws {
        let one = try #require(IPAddress("2001:db8::1"))
        let other = try #require(IPAddress("2001:db8::2"))
        let datagram = FrameBuilder.udp(
            source: one, destination: other, sourcePort: 1, destinationPort: 2, data: [5])
        #expect(sum(one.octets + other.octets + [0, 0, 0, 9, 0, 0, 0, 17] + datagram) == 0xFFFF)
        let message = FrameBuilder.icmp(source: one, destination: other, type: 128, code: 0, rest: [0, 1, 0, 2])
        #expect(sum(one.octets + other.octets + [0, 0, 0, 8, 0, 0, 0, 58] + message) == 0xFFFF)
        let packet = FrameBuilder.ip(source: one, destination: other, protocol: 17, ttl: 9, payload: datagram)
        #expect(Array(packet.prefix(8)) == [0x60, 0, 0, 0, 0, 9, 17, 9])
    }

    @Test("an ARP packet is a whole frame")
    func arp() {
        let payload = FrameBuilder.arp(
            operation: 1, sender: a, senderMAC: mac, target: b, targetMAC: MACAddress(bits: 0))
        let frame = FrameBuilder.ethernet(source: mac, destination: .broadcast, type: 0x0806, payload: payload)
        #expect(frame.count == 60)
        #expect(Array(frame[12..<22]) == [8, 6, 0, 1, 8, 0, 6, 4, 0, 1])
        #expect(Array(frame[28..<32]) == a.octets)
    }

    /// What the receiver adds up: all ones if nothing is wrong.
    private func sum(_ octets: [UInt8]) -> UInt32 {
        var sum: UInt32 = 0
        for index in stride(from: 0, to: octets.count, by: 2) {
            sum += UInt32(octets[index]) << 8 | (index + 1 < octets.count ? UInt32(octets[index + 1]) : 0)
        }
        while sum > 0xFFFF { sum = sum & 0xFFFF + sum >> 16 }
        return sum
    }
}
