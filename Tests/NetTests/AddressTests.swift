import Net
import Testing

@Suite struct IPAddressTests {
    @Test(
        "an IPv6 address is written as RFC 5952 says",
        arguments: [
            // Section 1 and 4.1: leading zeros go.
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:0db8::0001", "2001:db8::1"),
            ("2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:db8::1:0:0:1", "2001:db8::1:0:0:1"),
            // 4.2.1: as short as possible.
            ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"), ("2001:db8::0:1", "2001:db8::1"),
            // 4.2.2: not for a single group of zeros.
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            // 4.2.3: the longest run, the first of equals.
            ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            // 4.3: lower case.
            ("2001:DB8::AAAA", "2001:db8::aaaa"), ("0:0:0:0:0:0:0:0", "::"), ("::1", "::1"), ("1::", "1::"),
            ("1:0:0:0:0:0:0:0", "1::"), ("fe80::", "fe80::"),
            // 5: mixed notation for IPv4-mapped addresses.
            ("::ffff:c000:201", "::ffff:192.0.2.1"), ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
            ("64:ff9b::192.0.2.1", "64:ff9b::c000:201"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
            ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ])
    func canonicalText(written: String, canonical: String) throws {
        let address = try #require(IPAddress(written))
        #expect(address.family == .v6)
        #expect(address.description == canonical)
        #expect(IPAddress(canonical) == address)
    }

    @Test(
        "what is no address is not read as one",
        arguments: [
            "", " ", ":", ":::", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.04", "1.2.3.-4", "+1.2.3.4",
            "1.2.3.4 ", " 1.2.3.4", "1..3.4", "0x1.2.3.4", "1.2.3.4/24", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
            "1:2:3:4:5:6:7:8:", ":1:2:3:4:5:6:7:8", "1::2::3", "12345::", "g::", "::1%eth0", "1:2:3:4:5:6:7:8::",
            "::1:2:3:4:5:6:7:8", "::1.2.3", "::1.2.3.4:5", "1.2.3.4::", "1:2:3:4:5:6:7:1.2.3.4", "+1::", "-1::",
            "[::1]",
            "１.2.3.4", "1.2.3.4\0", "fe80:::1", ":1",
        ])
    func garbage(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("octets and number are two ways to say the same")
    func octets() throws {
        let v4 = try #require(IPAddress("203.0.113.2"))
        #expect(v4.octets == [203, 0, 113, 2])
        #expect(v4.value == 0xCB00_7102)
        #expect(IPAddress(octets: v4.octets) == v4)
        let v6 = try #require(IPAddress("2001:db8::2"))
        #expect(v6.octets == [0x20, 0x01, 0x0D, 0xB8] + Array(repeating: 0, count: 11) + [2])
        #expect(IPAddress(octets: v6.octets) == v6)
        #expect(IPAddress(octets: [1, 2, 3]) == nil)
        #expect(IPAddress(octets: [UInt8](repeating: 0, count: 17)) == nil)
    }

    @Test("IPv4 sorts before IPv6, then by number; :: is not 0.0.0.0")
    func order() throws {
        let sorted = ["9.0.0.1", "10.0.0.1", "::", "::1", "2001:db8::"]
        #expect(try sorted.reversed().map { try #require(IPAddress($0)) }.sorted().map(\.description) == sorted)
        #expect(IPAddress("::") != IPAddress("0.0.0.0"))
        #expect(IPAddress("0.0.0.0")?.isUnspecified == true)
        #expect(IPAddress("::1")?.isUnspecified == false)
    }
}

@Suite struct MACAddressTests {
    @Test("a MAC is written in six lower-case octets, and read as ip and ebtables write it")
    func text() {
        #expect(MACAddress("FA:16:3E:00:00:03")?.description == "fa:16:3e:00:00:03")
        #expect(MACAddress("fa:16:3e:0:0:3")?.description == "fa:16:3e:00:00:03")
        #expect(MACAddress("fa:16:3e:00:00:03")?.bits == 0xFA16_3E00_0003)
        #expect(MACAddress(octets: [0xFA, 0x16, 0x3E, 0, 0, 3, 99]) == MACAddress("fa:16:3e:00:00:03"))
        #expect(MACAddress(octets: [1, 2, 3, 4, 5]) == nil)
        #expect(MACAddress(bits: 0xFFFF_FA16_3E00_0003).octets == [0xFA, 0x16, 0x3E, 0, 0, 3])
    }

    @Test(
        "what is no MAC is not read as one",
        arguments: [
            "", "fa:16:3e:00:00", "fa:16:3e:00:00:03:04", "fa:16:3e:00:00:", "fa-16-3e-00-00-03", "fa163e000003",
            "fa:16:3e:00:00:003", "fa:16:3e:00:00:g3", "fa:16:3e:00:00:+3", "fa:16:3e:00:00:-3", " fa:16:3e:00:00:03",
            "fa:16:3e:00:00:３",
        ])
    func garbage(text: String) {
        #expect(MACAddress(text) == nil)
    }

    @Test("the group bit tells multicast and broadcast from one station")
    func multicast() {
        #expect(MACAddress.broadcast.isMulticast)
        #expect(MACAddress("01:00:5e:00:00:01")?.isMulticast == true)
        #expect(MACAddress("33:33:00:00:00:01")?.isMulticast == true)
        #expect(MACAddress("fa:16:3e:00:00:03")?.isMulticast == false)
    }
}

@Suite struct IPPrefixTests {
    @Test("a prefix keeps its host bits and masks them for its network")
    func network() throws {
        let prefix = try #require(IPPrefix("203.0.113.35/27"))
        #expect(prefix.description == "203.0.113.35/27")
        #expect(prefix.network.description == "203.0.113.32/27")
        #expect(IPPrefix("2001:db8::5/32")?.network.description == "2001:db8::/32")
        #expect(IPPrefix("10.1.2.3/0")?.network.description == "0.0.0.0/0")
        #expect(IPPrefix("::5/0")?.network.description == "::/0")
    }

    @Test("an address alone is a host prefix")
    func host() throws {
        #expect(IPPrefix("203.0.113.2")?.length == 32)
        #expect(IPPrefix("2001:db8::2")?.length == 128)
        #expect(IPPrefix("203.0.113.2/32")?.isHost == true)
        #expect(IPPrefix("2001:db8::2/32")?.isHost == false)
    }

    @Test("a prefix contains the addresses of its network and family")
    func contains() throws {
        let prefix = try #require(IPPrefix("203.0.113.35/27"))
        #expect(prefix.contains(try #require(IPAddress("203.0.113.63"))))
        #expect(prefix.contains(try #require(IPAddress("203.0.113.32"))))
        #expect(!prefix.contains(try #require(IPAddress("203.0.113.64"))))
        #expect(!prefix.contains(try #require(IPAddress("203.0.113.31"))))
        let all = try #require(IPPrefix("0.0.0.0/0"))
        #expect(all.contains(try #require(IPAddress("255.255.255.255"))))
        #expect(!all.contains(try #require(IPAddress("::1"))))
    }

    @Test(
        "what is no prefix is not read as one",
        arguments: [
            "", "/", "/24", "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/+1", "1.2.3.4/24/24", "1.2.3/24",
            "::1/129", "1.2.3.4/0024", "1.2.3.4/255.255.255.0", "1.2.3.4 /24",
        ])
    func garbage(text: String) {
        #expect(IPPrefix(text) == nil)
    }
}

@Suite struct EndpointTests {
    @Test("an endpoint is address and port, IPv6 in brackets", arguments: ["203.0.113.2:80", "[2001:db8::2]:65535"])
    func text(written: String) {
        #expect(Endpoint(written)?.description == written)
    }

    @Test(
        "what is no endpoint is not read as one",
        arguments: [
            "", ":", "203.0.113.2", "203.0.113.2:", ":80", "203.0.113.2:65536", "203.0.113.2:-1", "203.0.113.2:+1",
            "[203.0.113.2]:80", "2001:db8::2:80:", "2001:db8::2", "[2001:db8::2]", "[2001:db8::2]80", "[]:80",
            "203.0.113.2:８０", "203.0.113.2:80 ", "host:80",
        ])
    func garbage(text: String) {
        #expect(Endpoint(text) == nil)
    }
}
