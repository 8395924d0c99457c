import Testing

@testable import Net

@Suite struct FrameTests {
    private let syn = tcp(flags: 0x02, options: octets("020405b4 0402 080a 00000001 00000000 01 030307"))

    @Test("an Ethernet header gives both MACs and the EtherType")
    func header() throws {
        let dissected = try #require(Frame(frame(0x88CC, [1, 2, 3])))
        #expect(dissected.destination.description == "fa:16:3e:00:00:03")
        #expect(dissected.source.description == "fa:16:3e:00:00:01")
        #expect(dissected.etherType == 0x88CC)
        #expect(dissected.vlan == nil)
        #expect(dissected.payload == .other)
    }

    @Test("less than an Ethernet header is no frame")
    func tooShort() {
        #expect(Frame([UInt8]()) == nil)
        #expect(Frame([UInt8](repeating: 0xFF, count: 13)) == nil)
        #expect(Frame([UInt8](repeating: 0xFF, count: 14)) != nil)
    }

    @Test("802.1Q and 802.1ad tags are looked behind; the outermost gives the VLAN")
    func vlan() throws {
        let tagged = try #require(Frame(ethernet + octets("8100 6064 0800") + ipv4(6, syn)))
        #expect(tagged.vlan == 100)
        #expect(tagged.etherType == 0x0800)
        #expect(tagged.ip?.tcp?.destinationPort == 80)
        let doubly = try #require(Frame(ethernet + octets("88a8 0007 8100 0064 0806")))
        #expect(doubly.vlan == 7)
        #expect(doubly.payload == .unreadable)
        #expect(Frame(ethernet + octets("8100 00"))?.payload == .unreadable)
    }

    @Test("an ARP request and reply give who asks whom for what")
    func arp() throws {
        let request = octets("0001 0800 0604 0001 fa163e000001 cb007101 000000000000 cb007102")
        let arp = try #require(Frame(frame(0x0806, request + [UInt8](repeating: 0, count: 18)))?.arp)
        #expect(arp.operation == .request)
        #expect(arp.senderMAC.description == "fa:16:3e:00:00:01")
        #expect(arp.senderAddress.description == "203.0.113.1")
        #expect(arp.targetMAC.bits == 0)
        #expect(arp.targetAddress.description == "203.0.113.2")
        #expect(!arp.isGratuitous && !arp.isProbe)
        let reply = octets("0001 0800 0604 0002 fa163e000003 cb007102 fa163e000001 cb007102")
        let gratuitous = try #require(Frame(frame(0x0806, reply))?.arp)
        #expect(gratuitous.operation == .reply)
        #expect(gratuitous.isGratuitous)
        #expect(Frame(frame(0x0806, Array(reply.dropLast())))?.payload == .unreadable)
        #expect(Frame(frame(0x0806, octets("0006") + reply.dropFirst(2)))?.payload == .unreadable)
    }

    @Test("an IPv4 TCP SYN gives addresses, ports, sequence, flags, window and MSS")
    func tcpSYN() throws {
        let ip = try #require(Frame(frame(0x0800, ipv4(6, syn)))?.ip)
        #expect(ip.version == 4)
        #expect(ip.ttl == 64)
        #expect(ip.identification == 7)
        #expect(ip.dontFragment)
        #expect(ip.fragment == nil)
        #expect(ip.totalLength == 60)
        #expect(ip.headerLength == 20)
        #expect(ip.sourceEndpoint?.description == "203.0.113.1:40000")
        #expect(ip.destinationEndpoint?.description == "203.0.113.2:80")
        let segment = try #require(ip.tcp)
        #expect(segment.sequence == 1000)
        #expect(segment.flags == .syn)
        #expect(segment.window == 64240)
        #expect(segment.payloadLength == 0)
        #expect(segment.maximumSegmentSize == 1460)
        #expect(segment.timestamp == 1)
    }

    @Test("TCP data is counted by the IP length: padding does not add to it, a cut-off capture does not take from it")
    func payloadLength() throws {
        let segment = tcp(flags: 0x18, acknowledgement: 5, payload: octets("68656c6c6f"))
        let padded = try #require(Frame(frame(0x0800, ipv4(6, segment) + [0]))?.ip?.tcp)
        #expect(padded.payloadLength == 5)
        #expect(padded.acknowledgement == 5)
        let cut = try #require(Frame(frame(0x0800, ipv4(6, segment, totalLength: 1500)))?.ip)
        #expect(cut.totalLength == 1500)
        #expect(cut.tcp?.payloadLength == 1460)
        let offloaded = try #require(Frame(frame(0x0800, ipv4(6, segment, totalLength: 0)))?.ip)
        #expect(offloaded.totalLength == 45)
        #expect(offloaded.tcp?.payloadLength == 5)
    }

    @Test("IPv4 options stand between header and payload")
    func ipOptions() throws {
        let ip = try #require(Frame(frame(0x0800, ipv4(17, udp([1, 2, 3]), options: octets("94040000"))))?.ip)
        #expect(ip.headerLength == 24)
        #expect(ip.udp?.destinationPort == 53)
        #expect(ip.udp?.payloadLength == 3)
    }

    @Test("only the first fragment has a transport header")
    func fragments() throws {
        let first = try #require(Frame(frame(0x0800, ipv4(17, udp([1, 2, 3]), fragment: 0x2000)))?.ip)
        #expect(first.fragment == IPPacket.Fragment(offset: 0, more: true))
        #expect(first.udp != nil)
        let last = try #require(Frame(frame(0x0800, ipv4(17, udp([1, 2, 3]), fragment: 185)))?.ip)
        #expect(last.fragment == IPPacket.Fragment(offset: 1480, more: false))
        #expect(last.payload == .fragment)
        #expect(last.sourceEndpoint == nil)
    }

    @Test("headers that are cut off or contradict themselves are unreadable, and what stands before them is not")
    func malformed() throws {
        let whole = frame(0x0800, ipv4(6, syn))
        #expect(Frame(whole.prefix(14 + 19))?.payload == .unreadable)
        #expect(Frame(whole.prefix(14 + 20 + 19))?.ip?.payload == .unreadable)
        #expect(Frame(whole.prefix(14 + 20 + 20))?.ip?.tcp?.flags == .syn)
        #expect(Frame(whole.prefix(14 + 20 + 19))?.ip?.destination.description == "203.0.113.2")
        #expect(Frame(frame(0x0800, ipv4(6, syn, totalLength: 19)))?.payload == .unreadable)
        #expect(Frame(frame(0x0800, ipv4(6, syn, totalLength: 30)))?.ip?.payload == .unreadable)
        #expect(Frame(frame(0x0800, ipv6(6, syn)))?.payload == .unreadable)
        #expect(Frame(frame(0x86DD, ipv4(6, syn)))?.payload == .unreadable)
        var shortHeader = ipv4(6, syn)
        shortHeader[0] = 0x44
        #expect(Frame(frame(0x0800, shortHeader))?.payload == .unreadable)
        var shortOffset = syn
        shortOffset[12] = 0x40
        #expect(Frame(frame(0x0800, ipv4(6, shortOffset)))?.ip?.payload == .unreadable)
        #expect(Frame(frame(0x0800, ipv4(17, octets("14e9 0035 0007 0000"))))?.ip?.payload == .unreadable)
    }

    @Test("IPv6 extension headers are skipped to the transport header")
    func ipv6Extensions() throws {
        let hopByHop = octets("3c 00 050200000100")
        let destinationOptions = octets("06 00 010400000000")
        let ip = try #require(Frame(frame(0x86DD, ipv6(0, hopByHop + destinationOptions + syn)))?.ip)
        #expect(ip.version == 6)
        #expect(ip.ttl == 63)
        #expect(ip.protocol == 6)
        #expect(ip.headerLength == 56)
        #expect(ip.totalLength == 56 + 40)
        #expect(ip.destinationEndpoint?.description == "[2001:db8::2]:80")
        #expect(ip.tcp?.maximumSegmentSize == 1460)
        #expect(ip.tcp?.payloadLength == 0)
        #expect(Frame(frame(0x86DD, ipv6(0, octets("3c ff 050200000100"))))?.ip?.payload == .unreadable)
        #expect(Frame(frame(0x86DD, ipv6(0, octets("3c"))))?.ip?.payload == .unreadable)
    }

    @Test("an IPv6 fragment carries its identification")
    func ipv6Fragment() throws {
        let first = try #require(Frame(frame(0x86DD, ipv6(44, octets("11 00 0001 0000abcd") + udp([1]))))?.ip)
        #expect(first.fragment == IPPacket.Fragment(offset: 0, more: true))
        #expect(first.identification == 0xABCD)
        #expect(first.udp?.destinationPort == 53)
        let later = try #require(Frame(frame(0x86DD, ipv6(44, octets("11 00 05a8 0000abcd 0102"))))?.ip)
        #expect(later.fragment == IPPacket.Fragment(offset: 1448, more: false))
        #expect(later.payload == .fragment)
    }

    @Test("IPIP, 6in4 and GRE give the packet inside")
    func tunnels() throws {
        let inner = ipv4(6, syn, source: "198.51.100.7", destination: "203.0.113.9")
        let ipip = try #require(Frame(frame(0x0800, ipv4(4, inner)))?.ip)
        #expect(ipip.encapsulated?.destinationEndpoint?.description == "203.0.113.9:80")
        #expect(ipip.innermost.tcp?.flags == .syn)
        #expect(ipip.tcp == nil)
        let sit = try #require(Frame(frame(0x0800, ipv4(41, ipv6(6, syn))))?.ip)
        #expect(sit.innermost.version == 6)
        for (flags, optional) in [("0000", ""), ("2000", "00000007"), ("b000", "00000000 00000007 00000001")] {
            let gre = try #require(Frame(frame(0x0800, ipv4(47, octets(flags + "0800" + optional) + inner)))?.ip)
            #expect(gre.innermost.source.description == "198.51.100.7", "GRE flags \(flags)")
        }
        #expect(Frame(frame(0x0800, ipv4(47, octets("0000 6558") + ethernet)))?.ip?.payload == .other)
        #expect(Frame(frame(0x0800, ipv4(4, [0x00])))?.ip?.payload == .unreadable)
    }

    @Test("a tunnel in a tunnel in a tunnel has an end")
    func nesting() throws {
        var packet = ipv4(6, syn)
        for _ in 0..<60 { packet = ipv4(4, packet) }
        let ip = try #require(Frame(frame(0x0800, packet))?.ip)
        #expect(ip.innermost.payload == .unreadable)
    }

    @Test("an ICMP error quotes the header of the packet it is about, 8 octets of TCP are enough")
    func icmpError() throws {
        let quoted = ipv4(6, Array(syn.prefix(8)), totalLength: 1500)
        let icmp = try #require(Frame(frame(0x0800, ipv4(1, octets("03 04 0000 0000 0578") + quoted)))?.ip?.icmp)
        #expect(icmp.type == 3)
        #expect(icmp.code == 4)
        #expect(icmp.mtu == 1400)
        #expect(icmp.isError)
        #expect(icmp.echo == nil)
        let about = try #require(icmp.quoted)
        #expect(about.destinationEndpoint?.description == "203.0.113.2:80")
        #expect(about.totalLength == 1500)
        #expect(about.tcp?.sequence == 1000)
        #expect(about.tcp?.isPartial == true)
        let v6 = octets("02 00 0000 00000500") + ipv6(17, udp([]), payloadLength: 1400)
        let tooBig = try #require(Frame(frame(0x86DD, ipv6(58, v6)))?.ip?.icmp)
        #expect(tooBig.mtu == 1280)
        #expect(tooBig.quoted?.udp?.sourcePort == 5353)
    }

    @Test("an echo has identifier and sequence number, a neighbour solicitation its target")
    func icmpQuery() throws {
        let echo = try #require(Frame(frame(0x0800, ipv4(1, octets("08 00 0000 1234 0002 ffff"))))?.ip?.icmp)
        #expect(echo.echo == ICMPMessage.Echo(isReply: false, identifier: 0x1234, sequence: 2))
        #expect(echo.length == 10)
        #expect(echo.quoted == nil)
        let body = octets("87 00 0000 00000000") + (IPAddress("2001:db8::2")?.octets ?? [])
        let solicitation = try #require(Frame(frame(0x86DD, ipv6(58, body)))?.ip?.icmp)
        #expect(solicitation.target == IPAddress("2001:db8::2"))
    }
}

@Suite struct DissectionRobustnessTests {
    /// A linear congruential generator (Knuth's MMIX): the same garbage every time.
    private struct Garbage: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 33
        }
    }

    @Test("no garbage behind a plausible EtherType stops the dissection")
    func garbage() {
        var random = Garbage(state: 1)
        var readable = 0
        let etherTypes: [UInt16] = [0x0800, 0x86DD, 0x0806, 0x8100]
        let numbers: [UInt8] = [0, 1, 4, 6, 17, 41, 43, 44, 47, 51, 58, 60]
        for _ in 0..<20_000 {
            let etherType: UInt16 = etherTypes.randomElement(using: &random) ?? 0
            var payload = (0..<Int.random(in: 0...90, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            // So that most get beyond the version check, and many to tunnels and ICMP.
            if !payload.isEmpty { payload[0] = etherType == 0x86DD ? 0x60 : 0x45 }
            if payload.count > 9 {
                payload[etherType == 0x86DD ? 6 : 9] = numbers.randomElement(using: &random) ?? 0
                if Bool.random(using: &random) { payload[etherType == 0x86DD ? 4 : 2] = 0 }
            }
            guard let dissected = Frame(frame(etherType, payload)) else { continue }
            if dissected.ip != nil { readable += 1 }
            #expect(!dissected.description.isEmpty)
        }
        #expect(readable > 1000)
    }

    @Test("every frame cut at every octet, and with every octet changed, is dissected to something")
    func cutAndChanged() {
        let syn = tcp(flags: 0x02, options: octets("020405b4 0402 080a 00000001 00000000 01 030307"))
        let samples = [
            frame(0x0800, ipv4(6, syn)), frame(0x0800, ipv4(4, ipv4(6, syn))),
            frame(0x0800, ipv4(47, octets("b000 0800 00000000 00000007 00000001") + ipv4(17, udp([1])))),
            frame(0x0800, ipv4(1, octets("03 04 0000 0000 0578") + ipv4(6, Array(syn.prefix(8))))),
            frame(0x86DD, ipv6(0, octets("2c 00 050200000100 06 00 0000 00000001") + syn)),
            frame(0x86DD, ipv6(58, octets("87 00 0000 00000000") + [UInt8](repeating: 1, count: 16))),
        ]
        for sample in samples {
            for count in 14...sample.count { #expect(Frame(sample.prefix(count)) != nil) }
            for index in 12..<sample.count {
                for value in [UInt8(0), 1, 0x0F, 0x40, 0x7F, 0x80, 0xF0, 0xFF] {
                    var changed = sample
                    changed[index] = value
                    #expect(Frame(changed)?.description.isEmpty == false)
                }
            }
        }
    }

    @Test("a slice in the middle of a buffer is dissected like a frame of its own")
    func slices() {
        let whole = frame(0x0800, ipv4(6, tcp(flags: 0x02)))
        let buffer = [UInt8](repeating: 0xEE, count: 5) + whole + [UInt8](repeating: 0xEE, count: 5)
        #expect(Frame(buffer[5..<5 + whole.count]) == Frame(whole))
    }
}
