import Evidence
import Glibc
import Net
import Testing

@testable import Kernel

/// On this machine's kernel, in namespaces made for the purpose; what drbench says is compared with what `ip`, `bridge`
/// and `tc` say.
@Suite("rtnetlink on a kernel", .serialized, .enabled(if: Machine.mayCreateNamespaces, Machine.needsRoot))
struct RouteNetlinkTests {
    let namespace: NetworkNamespace
    let netlink: RouteNetlink

    init() throws {
        namespace = try NetworkNamespace.create(named: "hv1")
        netlink = try RouteNetlink(in: namespace)
    }

    private func link(_ name: String, of netlink: RouteNetlink? = nil) throws -> Link {
        try #require(try (netlink ?? self.netlink).links().first { $0.name == name })
    }

    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
    private func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text)) }
    private func mac(_ text: String) throws -> MACAddress { try #require(MACAddress(text)) }

    /// A veth pair `eth0` and `eth1` in the namespace, both up.
    private func pair() throws {
        let peer = RouteRequest.Veth.End(name: "eth1", mac: try mac("fa:16:3e:00:00:02"))
        try netlink.perform([
            .addVeth(.init(name: "eth0", mac: mac("fa:16:3e:00:00:01"), peer: peer)), .setUp("eth0"), .setUp("eth1"),
        ])
    }

    private func operationalState(_ name: String, becomes state: String) throws -> Bool {
        for _ in 0..<100_000 where try link(name).operationalState == state { return true }
        return false
    }

    @Test("a bridge only bridges: no STP, no forward delay, no multicast snooping")
    func bridge() throws {
        try netlink.perform([.addBridge(name: "brq1", mac: mac("fa:16:3e:00:00:99")), .setUp("brq1")])
        let bridge = try link("brq1")
        #expect(bridge.kind == "bridge")
        #expect(bridge.isUp)
        #expect(bridge.mac?.description == "fa:16:3e:00:00:99")
        let details = try namespace.output("ip", "-d", "link", "show", "brq1")
        for setting in ["forward_delay 0 ", "stp_state 0 ", "ageing_time 30000 ", "mcast_snooping 0 "] {
            #expect(details.contains(setting))
        }
    }

    @Test("a veth pair has its far end in another namespace at once, with both MACs and the MTU")
    func veth() throws {
        let guest = try NetworkNamespace.create(named: "lb")
        let inGuest = try RouteNetlink(in: guest)
        try netlink.perform([
            .addBridge(name: "br"),
            .addVeth(
                .init(
                    name: "tap-lb", mac: mac("fe:16:3e:00:00:03"), mtu: 1450, gsoMaxSegments: 1,
                    peer: .init(name: "eth0", mac: mac("fa:16:3e:00:00:03"), namespace: guest.descriptor))),
            .setMaster("tap-lb", bridge: "br"), .setUp("tap-lb"), .setUp("br"),
        ])
        try inGuest.perform(.setUp("eth0"))
        let near = try link("tap-lb")
        #expect(near.master == "br")
        #expect(near.mac?.description == "fe:16:3e:00:00:03")
        #expect(near.mtu == 1450)
        #expect(near.gsoMaxSegments == 1)
        #expect(near.hasCarrier)
        #expect(try operationalState("tap-lb", becomes: "up"))
        let far = try link("eth0", of: inGuest)
        #expect(far.kind == "veth")
        #expect(far.mac?.description == "fa:16:3e:00:00:03")
        #expect(far.mtu == 1450)
        #expect(far.gsoMaxSegments == 1)
        try netlink.perform(.setMaster("tap-lb", bridge: nil))
        #expect(try link("tap-lb").master == nil)
        try netlink.perform(.deleteLink("tap-lb"))
        #expect(try !inGuest.links().contains { $0.name == "eth0" })
    }

    @Test("links change their state, MTU, MAC, segments, ARP flag and name")
    func changes() throws {
        try pair()
        try netlink.perform([
            .setDown("eth1"), .setMTU("eth0", 1400), .setMAC("eth0", mac("fa:16:3e:00:00:0a")),
            .setGSOMaxSegments("eth0", 2), .setARP("eth0", false), .rename("eth1", to: "eth9"), .setMTU("eth9", 1300),
        ])
        let eth0 = try link("eth0")
        #expect(eth0.mtu == 1400)
        #expect(eth0.mac?.description == "fa:16:3e:00:00:0a")
        #expect(eth0.gsoMaxSegments == 2)
        #expect(!eth0.hasCarrier)
        #expect(try operationalState("eth0", becomes: "lowerlayerdown"))
        #expect(try namespace.output("ip", "link", "show", "eth0").contains("NOARP"))
        #expect(try !link("eth9").isUp)
        #expect(try link("eth9").mtu == 1300)
        try netlink.perform(.setARP("eth0", true))
        #expect(try !namespace.output("ip", "link", "show", "eth0").contains("NOARP"))
    }

    @Test("a link moves to another namespace, also under another name")
    func move() throws {
        try pair()
        let other = try NetworkNamespace.create(named: "hv2")
        try netlink.perform([
            .moveLink("eth0", to: other.descriptor), .moveLink("eth1", to: other.descriptor, as: "tap"),
        ])
        #expect(try !netlink.links().contains { $0.kind == "veth" })
        #expect(
            try RouteNetlink(in: other).links().filter { $0.kind == "veth" }.map(\.name).sorted() == ["eth0", "tap"])
    }

    @Test("one batch may refer to links that it creates, deletes and creates anew")
    func batch() throws {
        let veth = RouteRequest.Veth(name: "eth0", peer: .init(name: "eth1"))
        try netlink.perform([
            .addVeth(veth), .addAddress(prefix("10.0.0.1/24"), link: "eth0"), .deleteLink("eth1"), .addVeth(veth),
            .addAddress(prefix("10.0.0.2/24"), link: "eth0"),
        ])
        let addresses = try namespace.output("ip", "-o", "-4", "address")
        #expect(addresses.contains("inet 10.0.0.2/24 scope global eth0"))
        #expect(!addresses.contains("10.0.0.1"))
    }

    @Test("a batch of hundreds of requests is carried out whole")
    func longBatch() throws {
        try pair()
        let addresses = (1...200).map {
            RouteRequest.addAddress(IPPrefix(host: IPAddress(v4: 0x0A00_0000 + $0)), link: "eth0")
        }
        try netlink.perform(addresses)
        #expect(try namespace.output("ip", "-o", "-4", "address").split(separator: "\n").count == 200)
    }

    @Test("addresses have the scope that ip would choose, or the one given; IPv6 is usable at once")
    func addresses() throws {
        try pair()
        try netlink.perform([
            .addAddress(prefix("203.0.113.3/27"), link: "eth0"),
            .addAddress(prefix("203.0.113.2/32"), link: "eth0", .init(scope: .link)),
            .addAddress(prefix("127.0.0.5/8"), link: "lo"), .addAddress(prefix("2001:db8::3/64"), link: "eth0"),
            .addAddress(prefix("10.0.0.1/24"), link: "eth0"), .deleteAddress(prefix("10.0.0.1/24"), link: "eth0"),
        ])
        let text = try namespace.output("ip", "-o", "address")
        #expect(text.contains("inet 203.0.113.3/27 scope global eth0"))
        #expect(text.contains("inet 203.0.113.2/32 scope link eth0"))
        #expect(text.contains("inet 127.0.0.5/8 scope host lo"))
        #expect(text.contains("inet6 2001:db8::3/64 scope global nodad"))
        #expect(!text.contains("2001:db8::3/64 scope global tentative"))
        #expect(!text.contains("10.0.0.1"))
    }

    @Test("routes are what ip would make of the same words")
    func routes() throws {
        try pair()
        try netlink.perform([
            .addAddress(prefix("203.0.113.3/27"), link: "eth0"), .addAddress(prefix("2001:db8::3/64"), link: "eth0"),
            .addRoute(.init(to: prefix("0.0.0.0/0"), via: address("203.0.113.1"))),
            .addRoute(.init(to: prefix("::/0"), via: address("2001:db8::1"), link: "eth0", mtu: 1400)),
            .addRoute(.init(to: prefix("10.1.0.0/16"), via: address("192.0.2.1"), link: "eth0", onlink: true)),
            .addRoute(
                .init(to: prefix("10.2.0.0/16"), link: "eth0", mtu: 1400, metric: 5, source: address("203.0.113.3"))),
            .addRoute(.init(to: prefix("10.3.0.0/16"), via: address("203.0.113.1"), table: 1000)),
            .addRoute(.init(to: prefix("198.51.100.0/24"), link: "lo", kind: .local)),
            .addRoute(.init(to: prefix("10.4.0.0/16"), kind: .blackhole)),
            .addRoute(.init(to: prefix("10.5.0.0/16"), via: address("203.0.113.1"))),
            .replaceRoute(.init(to: prefix("10.5.0.0/16"), via: address("203.0.113.4"))),
            .addRoute(.init(to: prefix("10.6.0.0/16"), via: address("203.0.113.1"))),
            .deleteRoute(.init(to: prefix("10.6.0.0/16"))),
        ])
        let routes = try namespace.output("ip", "route", "show", "table", "all")
        for route in [
            "default via 203.0.113.1 dev eth0", "10.1.0.0/16 via 192.0.2.1 dev eth0 onlink",
            "10.2.0.0/16 dev eth0 scope link src 203.0.113.3 metric 5 mtu 1400",
            "10.3.0.0/16 via 203.0.113.1 dev eth0 table 1000", "local 198.51.100.0/24 dev lo table local scope host",
            "blackhole 10.4.0.0/16", "10.5.0.0/16 via 203.0.113.4 dev eth0",
        ] {
            #expect(routes.split(separator: "\n").contains { $0.trimmingSuffix() == route }, "\(route) in\n\(routes)")
        }
        #expect(!routes.contains("10.6.0.0"))
        let v6 = try namespace.output("ip", "-6", "route")
        #expect(v6.contains("default via 2001:db8::1 dev eth0 metric 1024 mtu 1400"))
    }

    @Test("policy rules choose a table by mark and addresses")
    func rules() throws {
        try netlink.perform([
            .addRule(.init(firewallMark: 1, table: 100, priority: 50)),
            .addRule(.init(from: prefix("10.0.0.0/8"), to: prefix("192.0.2.0/24"), table: 1000, priority: 60)),
            .addRule(.init(family: .v6, firewallMark: 1, table: 100, priority: 70)),
            .addRule(.init(firewallMark: 2, table: 100, priority: 80)),
            .deleteRule(.init(firewallMark: 2, table: 100, priority: 80)),
        ])
        let rules = try namespace.output("ip", "rule")
        #expect(rules.contains("50:\tfrom all fwmark 0x1 lookup 100"))
        #expect(rules.contains("60:\tfrom 10.0.0.0/8 to 192.0.2.0/24 lookup 1000"))
        #expect(!rules.contains("0x2"))
        #expect(try namespace.output("ip", "-6", "rule").contains("70:\tfrom all fwmark 0x1 lookup 100"))
    }

    @Test("a flush of neighbours spares what is permanent")
    func neighbours() throws {
        try pair()
        try netlink.perform([
            .addAddress(prefix("10.0.0.1/24"), link: "eth0"),
            .addNeighbour(address("10.0.0.2"), mac("fa:16:3e:00:00:02"), link: "eth0"),
            .addNeighbour(address("10.0.0.3"), mac("fa:16:3e:00:00:03"), link: "eth0"),
            .addNeighbour(address("10.0.0.3"), mac("fa:16:3e:00:00:04"), link: "eth0"),
            .addNeighbour(address("2001:db8::2"), mac("fa:16:3e:00:00:02"), link: "eth0"),
            .addNeighbour(address("10.0.0.4"), mac("fa:16:3e:00:00:04"), link: "eth0"),
            .deleteNeighbour(address("10.0.0.4"), link: "eth0"),
        ])
        _ = try namespace.output(
            "ip", "neigh", "add", "10.0.0.9", "lladdr", "fa:16:3e:00:00:09", "dev", "eth0", "nud", "stale")
        func entry(_ text: String, _ mac: String, _ state: String) throws -> Neighbour {
            Neighbour(address: try address(text), interface: "eth0", mac: try self.mac(mac), state: state)
        }
        let permanent = [
            try entry("10.0.0.2", "fa:16:3e:00:00:02", "PERMANENT"),
            try entry("10.0.0.3", "fa:16:3e:00:00:04", "PERMANENT"),
            try entry("2001:db8::2", "fa:16:3e:00:00:02", "PERMANENT"),
        ]
        let stale = try entry("10.0.0.9", "fa:16:3e:00:00:09", "STALE")
        #expect(try netlink.neighbours() == (permanent + [stale]).sorted { $0.address < $1.address })
        try netlink.flushNeighbours()
        #expect(try netlink.neighbours() == permanent)
        try netlink.flushNeighbours()
    }

    @Test("neighbour states have the names that ip prints")
    func neighbourStates() throws {
        try pair()
        try netlink.perform(.addAddress(prefix("10.0.0.1/24"), link: "eth0"))
        for (number, state) in ["reachable", "stale", "delay", "probe", "failed", "permanent"].enumerated() {
            _ = try namespace.output(
                "ip", "neigh", "add", "10.0.0.\(10 + number)", "lladdr", "fa:16:3e:00:00:09", "dev", "eth0", "nud",
                state)
        }
        let printed = try namespace.output("ip", "neigh").split(separator: "\n").map { $0.split(separator: " ") }
        let states = printed.reduce(into: [String: String]()) { $0[String($1[0])] = String($1[$1.count - 1]) }
        let ours = try netlink.neighbours().reduce(into: [String: String]()) { $0[$1.address.description] = $1.state }
        #expect(ours == states)
        #expect(ours.count == 6)
    }

    @Test("the forwarding database has static entries and ports' own addresses")
    func forwarding() throws {
        try pair()
        try netlink.perform([
            .addBridge(name: "br"), .setUp("br"), .setMaster("eth1", bridge: "br"),
            .addForwardingEntry(mac("fa:16:3e:00:00:77"), port: "eth1"),
            .addForwardingEntry(mac("fa:16:3e:00:00:78"), port: "eth1"),
            .deleteForwardingEntry(mac("fa:16:3e:00:00:78"), port: "eth1"),
        ])
        // Beside them the bridge may have learned where the other end's IPv6 greetings come from.
        let entries = try netlink.forwardingEntries().filter {
            $0.bridge == "br" && $0.vlan == nil && $0.port == "eth1" && [.permanent, .static].contains($0.state)
        }
        #expect(
            try entries == [
                .init(mac: mac("fa:16:3e:00:00:02"), port: "eth1", bridge: "br", vlan: nil, state: .permanent),
                .init(mac: mac("fa:16:3e:00:00:77"), port: "eth1", bridge: "br", vlan: nil, state: .static),
            ])
    }

    @Test("a bridge learns where a host is from the frames it sends")
    func learning() throws {
        let host = try NetworkNamespace.create(named: "a")
        let onHost = try RouteNetlink(in: host)
        try netlink.perform([
            .addBridge(name: "br"), .setUp("br"),
            .addVeth(
                .init(
                    name: "tap", mac: mac("fe:16:3e:00:00:05"),
                    peer: .init(name: "eth0", mac: mac("fa:16:3e:00:00:05"), namespace: host.descriptor))),
            .setMaster("tap", bridge: "br"), .setUp("tap"),
        ])
        try onHost.perform([.setUp("eth0"), .addAddress(prefix("10.0.0.5/24"), link: "eth0")])
        _ = try ProcessRunner.run(["bash", "-c", "echo x > /dev/udp/10.0.0.6/9"], in: host)
        let learned = try netlink.forwardingEntries().filter { $0.state == .learned }
        #expect(
            try learned == [.init(mac: mac("fa:16:3e:00:00:05"), port: "tap", bridge: "br", vlan: nil, state: .learned)]
        )
        let counters = try link("tap")
        #expect(counters.receivedPackets >= 1)
        #expect(counters.receivedBytes >= 42)
        #expect(try onHost.neighbours().map(\.state) == ["INCOMPLETE"])
        try onHost.flushNeighbours()
        #expect(try onHost.neighbours().filter { $0.state != "FAILED" }.isEmpty)
    }

    @Test("bridge ports have hairpin, learning and isolation")
    func bridgePort() throws {
        try pair()
        try netlink.perform([
            .addBridge(name: "br"), .setMaster("eth0", bridge: "br"),
            .setBridgePort(.init(link: "eth0", hairpin: true, learning: false, isolated: true)),
            .setBridgePort(.init(link: "eth0", isolated: false)),
        ])
        let details = try namespace.output("ip", "-d", "link", "show", "eth0")
        for flag in ["hairpin on", "learning off", "isolated off"] { #expect(details.contains(flag)) }
    }

    @Test("a VLAN stands on its link", .enabled(if: Machine.hasVLANs, "this kernel has no 802.1Q"))
    func vlan() throws {
        try pair()
        try netlink.perform([.addVLAN(name: "eth0.100", link: "eth0", id: 100), .setUp("eth0.100")])
        #expect(try link("eth0.100").kind == "vlan")
        #expect(try namespace.output("ip", "-d", "link", "show", "eth0.100").contains("vlan protocol 802.1Q id 100"))
    }

    @Test("a VXLAN has its endpoints and IANA's port", .enabled(if: Machine.hasVXLAN, "this kernel has no VXLAN"))
    func vxlan() throws {
        try pair()
        try netlink.perform([
            .addAddress(prefix("10.0.0.1/24"), link: "eth0"),
            .addVXLAN(
                .init(
                    name: "vxlan42", id: 42, local: address("10.0.0.1"), remote: address("10.0.0.2"), link: "eth0",
                    learning: false)),
            .setUp("vxlan42"),
        ])
        let details = try namespace.output("ip", "-d", "link", "show", "vxlan42")
        #expect(details.contains("vxlan id 42 remote 10.0.0.2 local 10.0.0.1 dev eth0"))
        #expect(details.contains("dstport 4789"))
        #expect(details.contains("nolearning"))
        let entry = try netlink.forwardingEntries().first { $0.port == "vxlan42" }
        #expect(try entry?.destination == address("10.0.0.2"))
    }

    @Test("a dummy is a link without a cable", .enabled(if: Machine.hasDummy, "this kernel has no dummy"))
    func dummy() throws {
        try netlink.perform([
            .addDummy(name: "eth-vip", mac: mac("fa:16:3e:00:00:07")), .setUp("eth-vip"),
            .addAddress(prefix("203.0.113.2/32"), link: "eth-vip"),
        ])
        let dummy = try link("eth-vip")
        #expect(dummy.kind == "dummy")
        #expect(dummy.mac?.description == "fa:16:3e:00:00:07")
        #expect(try namespace.output("ip", "-o", "address").contains("inet 203.0.113.2/32 scope global eth-vip"))
    }

    @Test("netem gets all it can do, and is replaced", .enabled(if: Machine.hasNetem, "this kernel has no netem"))
    func netem() throws {
        try pair()
        try netlink.perform(.setNetem(link: "eth0", Netem(delay: 5)))
        let netem = Netem(
            delay: 10_000_000, jitter: 1_000_000, loss: 2.5, duplicate: 1, reorder: 25, rate: 8_000_000, limit: 500)
        try netlink.perform(.setNetem(link: "eth0", netem))
        let shown = try namespace.output("tc", "qdisc", "show", "dev", "eth0")
        for setting in [
            "netem", "limit 500", "delay 10ms", "1ms", "loss 2.5%", "duplicate 1%", "reorder 25%", "gap 1",
            "rate 8Mbit",
        ] {
            #expect(shown.contains(setting))
        }
        try netlink.perform(.deleteQdisc(link: "eth0"))
        #expect(try !namespace.output("tc", "qdisc", "show", "dev", "eth0").contains("netem"))
    }

    @Test(
        "a token bucket has its rate, burst and latency",
        .enabled(if: Machine.hasTokenBuckets, "this kernel has no tbf"))
    func tokenBucket() throws {
        try pair()
        try netlink.perform(
            .setTokenBucket(link: "eth0", TokenBucket(rate: 8_000_000, burst: 10_000, latency: 50_000_000)))
        let shown = try namespace.output("tc", "qdisc", "show", "dev", "eth0")
        for setting in ["tbf", "rate 8Mbit", "burst 10000b", "lat 50ms"] { #expect(shown.contains(setting)) }
    }
}

extension Substring {
    /// `ip` ends its lines with a space.
    fileprivate func trimmingSuffix() -> Substring {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
