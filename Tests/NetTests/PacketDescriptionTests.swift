import Net
import Testing

@Suite struct PacketDescriptionTests {
    @Test(
        "a frame reads as tcpdump prints it",
        arguments: [
            (
                frame(0x0800, ipv4(6, tcp(flags: 0x02, options: octets("020405b4")))),
                "IP 203.0.113.1.40000 > 203.0.113.2.80: Flags [S], seq 1000, win 64240, mss 1460, length 0"
            ),
            (
                frame(0x0800, ipv4(6, tcp(flags: 0x10, acknowledgement: 7))),
                "IP 203.0.113.1.40000 > 203.0.113.2.80: Flags [.], ack 7, win 64240, length 0"
            ),
            (
                frame(0x0800, ipv4(6, tcp(flags: 0x18, sequence: .max, acknowledgement: 7, payload: [1, 2]))),
                "IP 203.0.113.1.40000 > 203.0.113.2.80: Flags [P.], seq 4294967295:1, ack 7, win 64240, length 2"
            ),
            (
                frame(0x86DD, ipv6(6, tcp(flags: 0x14, acknowledgement: 7))),
                "IP6 2001:db8::1.40000 > 2001:db8::2.80: Flags [R.], seq 1000, ack 7, win 64240, length 0"
            ),
            (
                frame(0x0800, ipv4(17, udp([1, 2, 3]))),
                "IP 203.0.113.1.5353 > 203.0.113.2.53: UDP, length 3"
            ),
            (
                frame(0x0800, ipv4(1, octets("08 00 0000 1234 0002"))),
                "IP 203.0.113.1 > 203.0.113.2: ICMP echo request, id 4660, seq 2, length 8"
            ),
            (
                frame(0x0800, ipv4(1, octets("03 03 0000 00000000") + ipv4(17, udp([])))),
                "IP 203.0.113.1 > 203.0.113.2: ICMP port unreachable, length 36 "
                    + "[IP 203.0.113.1.5353 > 203.0.113.2.53: UDP, length 0]"
            ),
            (
                frame(0x0800, ipv4(4, ipv4(17, udp([]), source: "10.0.0.1"))),
                "IP 203.0.113.1 > 203.0.113.2: IP 10.0.0.1.5353 > 203.0.113.2.53: UDP, length 0"
            ),
            (frame(0x0800, ipv4(6, [1, 2, 3])), "IP 203.0.113.1 > 203.0.113.2: TCP, unreadable"),
            (frame(0x0800, ipv4(132, [1, 2, 3])), "IP 203.0.113.1 > 203.0.113.2: ip-proto-132, length 3"),
            (
                frame(0x0800, ipv4(17, [1, 2, 3], fragment: 185)),
                "IP 203.0.113.1 > 203.0.113.2: UDP fragment, offset 1480, length 3"
            ),
            (
                frame(0x0806, octets("0001 0800 0604 0001 fa163e000001 cb007101 000000000000 cb007102")),
                "ARP, Request who-has 203.0.113.2 tell 203.0.113.1"
            ),
            (
                frame(0x0806, octets("0001 0800 0604 0002 fa163e000003 cb007102 fa163e000001 cb007101")),
                "ARP, Reply 203.0.113.2 is-at fa:16:3e:00:00:03"
            ),
            (frame(0x88CC, []), "ethertype 0x88cc"), (frame(0x0026, []), "802.3, length 38"),
            (frame(0x0800, []), "ethertype 0x0800, unreadable"),
        ])
    func description(octets: [UInt8], text: String) {
        #expect(Frame(octets)?.description == "fa:16:3e:00:00:01 > fa:16:3e:00:00:03, " + text)
    }
}
