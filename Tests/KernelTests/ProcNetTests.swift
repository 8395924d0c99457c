import Testing

@testable import Kernel

@Suite("Counters of /proc/net")
struct ProcNetTests {
    @Test("snmp and netstat are tables of two lines; zeros and settings are left out")
    func tables() {
        // Recorded from Linux 6.12, shortened; the Icmp lines are from a machine with traffic.
        let text = """
            Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors
            Ip: 1 64 46 0 3
            IcmpMsg: OutType3
            IcmpMsg: 2
            Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens
            Tcp: 1 200 120000 -1 9
            TcpExt: SyncookiesSent IPReversePathFilter
            TcpExt: 0 7

            """
        #expect(
            ProcNet.parseTable(text) == [
                "Ip.InReceives": 46, "Ip.InAddrErrors": 3, "IcmpMsg.OutType3": 2, "Tcp.ActiveOpens": 9,
                "TcpExt.IPReversePathFilter": 7,
            ])
    }

    @Test("a table whose lines do not match yields nothing for them")
    func brokenTable() {
        #expect(ProcNet.parseTable("Ip: A B\nIp: 1\nTcp: C\nTcp: 2\n") == ["Tcp.C": 2])
        #expect(ProcNet.parseTable("") == [:])
    }

    @Test("snmp6 is a list, and the group's name ends at its 6")
    func list() {
        let text = "Ip6InReceives                   \t12\nIcmp6OutType133                 \t4\nUdpLite6InErrors  \t0\n"
        #expect(ProcNet.parseList(text) == ["Ip6.InReceives": 12, "Icmp6.OutType133": 4])
    }

    @Test("rt_cache is hexadecimal, a line for each CPU, and its entries are no counter")
    func routeCache() {
        let text = """
            entries  in_hit   in_slow_tot in_slow_mc in_no_route in_brd   in_martian_dst in_martian_src
            00000005 00000000 0000001f    00000000   00000000    00000000 00000000       0000000a
            00000005 00000000 00000001    00000000   00000000    00000000 00000000       00000006

            """
        #expect(ProcNet.parseRouteCache(text) == ["rt_cache.in_slow_tot": 32, "rt_cache.in_martian_src": 16])
    }

    @Test(
        "each namespace counts for itself",
        .enabled(if: Machine.mayCreateNamespaces, Machine.needsRoot))
    func real() throws {
        let (a, b) = (try NetworkNamespace.create(named: "a"), try NetworkNamespace.create(named: "b"))
        let (inA, inB) = (try ProcNet(of: a), try ProcNet(of: b))
        // The loopback gets 127.0.0.1 by itself when it comes up (inetdev_event).
        try RouteNetlink(in: a).perform(.setUp("lo"))
        func counters(_ files: ProcNet) throws -> [String: Int] { try ProcNet.counters(of: [files])[0] }
        #expect(try counters(inA)["Udp.NoPorts"] == nil)
        _ = try a.output("bash", "-c", "echo x > /dev/udp/127.0.0.1/9; echo")
        #expect(try counters(inA)["Udp.NoPorts"] == 1)
        #expect(try counters(inA)["IcmpMsg.OutType3"] == 1)
        #expect(try counters(inB)["Udp.NoPorts"] == nil)
        let both = try ProcNet.counters(of: [inB, inA])
        #expect(both.map { $0["Udp.NoPorts"] } == [nil, 1])
        #expect(both[1]["IcmpMsg.OutType3"] == 1)
    }
}
