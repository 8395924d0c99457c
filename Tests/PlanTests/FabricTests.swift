import Net
import Scenario
import Testing

@testable import Plan

/// Two machines on two hypervisors, a gateway on a network node.
private func deployment(
    driver: String = "linuxbridge", fabric: Fabric = .flat, networks: Int = 1, timeline: [Step] = [],
    sending: Impairment = Impairment(), receiving: Impairment = Impairment()
) throws -> Scenario {
    func port(_ last: UInt64, _ id: String, link: Link = Link()) -> Port {
        Port(
            id: "\(id)0000-00aa-4000-8000-000000000001", network: "n1",
            macAddress: MACAddress(bits: 0xFA16_3E00_0000 | last), link: link)
    }
    let cidr = try #require(IPPrefix("10.0.0.0/24"))
    let link = Link(mtu: 1400, sending: sending, receiving: receiving)
    return Scenario(
        name: "fabric", title: "two hypervisors", topology: "test",
        neutron: NeutronDeployment(release: "9.4.1", driver: driver),
        networks: (1...networks).map {
            Network(name: "n\($0)", id: "e700000\($0)-0000-4000-8000-000000000001", cidr: cidr)
        },
        fabric: fabric, switches: [Switch(name: "fab"), Switch(name: "net", uplink: "fab", isHub: true)],
        hypervisors: [Hypervisor(name: "hv1", uplink: "fab"), Hypervisor(name: "hv2", uplink: "fab")],
        hosts: [
            Host(name: "gw", on: "net", ports: [port(1, "0000")]),
            Host(name: "a", on: "hv1", ports: [port(2, "aaaa", link: link)]),
            Host(name: "b", on: "hv2", ports: [port(3, "bbbb")]),
        ], timeline: timeline)
}

extension Plan {
    fileprivate func actions(in namespace: String) -> [Operation.Action] {
        setup.filter { $0.namespace == namespace }.map(\.action)
    }

    fileprivate func bridge(of interface: String, in namespace: String) -> String? {
        actions(in: namespace).compactMap {
            if case .setMaster(interface, let bridge) = $0 { bridge } else { nil }
        }.last
    }
}

@Suite("Fabrics, cables and hybrid bridges")
struct FabricTests {
    @Test("with ovs_hybrid a port's tap is on a bridge of its own, which a cable joins to br-int")
    func hybrid() throws {
        let plan = try Plan(deployment(driver: "ovs_hybrid"))
        #expect(plan.bridge(of: "tapaaaa0000-00", in: "hv1") == "qbraaaa0000-00")
        #expect(plan.bridge(of: "qvbaaaa0000-00", in: "hv1") == "qbraaaa0000-00")
        #expect(plan.bridge(of: "qvoaaaa0000-00", in: "hv1") == "br-int")
        #expect(plan.bridge(of: "uplink", in: "hv1") == "br-int")
        #expect(
            plan.captures.map(\.name).filter { $0.hasPrefix("hv1:") }.sorted() == [
                "hv1:qvbaaaa0000-00", "hv1:tapaaaa0000-00", "hv1:uplink",
            ])
    }

    @Test("of a hybrid hypervisor's bridges only the ports' own are filtered")
    func filters() throws {
        let plan = try Plan(deployment(driver: "ovs_hybrid"))
        #expect(plan.actions(in: "hv1").contains(.sysctl(Sysctl(bridgeFilter: "iptables", on: false))))
        let filtered = plan.actions(in: "hv1").filter { if case .setCallsFilters = $0 { true } else { false } }
        #expect(filtered == [.setCallsFilters(bridge: "qbraaaa0000-00")])
    }

    @Test("where a host will move to, its hybrid bridge waits")
    func move() throws {
        let location = SourceLocation(file: "f", line: 1, column: 1)
        let step = Step(name: "move", action: .move(host: "a", to: "hv2"), location: location)
        let scenario = try deployment(
            driver: "ovs_hybrid", timeline: [step], receiving: Impairment(delay: 1_000_000))
        let plan = try Plan(scenario)
        #expect(plan.bridge(of: "qvbaaaa0000-00", in: "hv2") == "qbraaaa0000-00")
        guard case .operations(let operations) = plan.steps[0].action else {
            Issue.record("a move is no operations")
            return
        }
        #expect(operations.contains(.init("hv2", .setMaster(interface: "tapaaaa0000-00", bridge: "qbraaaa0000-00"))))
        #expect(
            operations.contains(
                .init("hv2", .setImpairment(interface: "tapaaaa0000-00", Impairment(delay: 1_000_000)))))
    }

    @Test("what a host sends is impaired at its card, what it receives at the other end")
    func impairments() throws {
        let plan = try Plan(deployment(sending: Impairment(loss: 1), receiving: Impairment(loss: 2)))
        #expect(plan.actions(in: "a").contains(.setImpairment(interface: "eth0", Impairment(loss: 1))))
        #expect(plan.actions(in: "hv1").contains(.setImpairment(interface: "tapaaaa0000-00", Impairment(loss: 2))))
        let impairments = plan.setup.filter { if case .setImpairment = $0.action { true } else { false } }
        #expect(impairments.count == 2)
    }

    @Test("a cable of which both ends say how it is impaired the same way is an error")
    func contradiction() throws {
        var scenario = try deployment(sending: Impairment(loss: 1))
        scenario.hosts[1].on = nil
        scenario.hosts[1].ports[0].peer = "b:eth0"
        scenario.hosts[2].on = nil
        scenario.hosts[2].ports[0].link.receiving = Impairment(loss: 2)
        #expect(throws: PlanError.self) { try Plan(scenario) }
    }

    @Test("a hub's bridges learn nothing")
    func hub() throws {
        let plan = try Plan(deployment())
        #expect(plan.actions(in: "net").contains(.setHub(bridge: "br-n1")))
        #expect(!plan.actions(in: "fab").contains { if case .setHub = $0 { true } else { false } })
    }

    @Test("with VXLANs, hypervisors and switches with uplinks get the underlay's addresses in order")
    func vxlan() throws {
        let underlay = try #require(IPPrefix("172.31.0.0/24"))
        let plan = try Plan(deployment(fabric: .vxlan(underlay: underlay), networks: 2))
        for (place, text) in [("hv1", "172.31.0.1"), ("hv2", "172.31.0.2"), ("net", "172.31.0.3")] {
            let address = try #require(IPAddress(text))
            let prefix = try #require(IPPrefix(address, length: 24))
            #expect(plan.actions(in: place).contains(.addAddress(prefix, interface: "uplink")))
            #expect(
                plan.actions(in: place).contains(.addVXLAN(name: "vxlan-102", link: "uplink", id: 102, local: address)))
        }
        #expect(plan.bridge(of: "vxlan-101", in: "hv1") == "brqe7000001-00")
        #expect(plan.bridge(of: "vxlan-102", in: "net") == "br-n2")
        #expect(plan.bridge(of: "hv1", in: "fab") == "br-fabric")
    }

    @Test("an underlay without room for every VXLAN's end is an error that says so")
    func narrowUnderlay() throws {
        let underlay = try #require(IPPrefix("172.31.0.0/31"))
        #expect(throws: PlanError("hv2 would be the 2. VXLAN end in 172.31.0.0/31, which has no room for it")) {
            try Plan(deployment(fabric: .vxlan(underlay: underlay)))
        }
    }

    @Test("with VLANs one cable carries all networks")
    func vlan() throws {
        let plan = try Plan(deployment(fabric: .vlan, networks: 2))
        #expect(plan.actions(in: "hv1").contains(.addVLAN(name: "uplink.101", link: "uplink", id: 101)))
        #expect(plan.bridge(of: "uplink.102", in: "hv1") == "brqe7000002-00")
        let cables = plan.actions(in: "hv1").filter { if case .addVeth = $0 { true } else { false } }
        #expect(cables.count == 1)
    }

    @Test("IPv6 is on in hosts that use it, without waiting for DAD, and off in what only bridges")
    func ipv6() throws {
        var scenario = try deployment()
        scenario.hosts[0].ports[0].fixedIPs = [try #require(IPAddress("2001:db8::1"))]
        let plan = try Plan(scenario)
        #expect(plan.actions(in: "gw").contains(.sysctl(Sysctl("net.ipv6.conf.default.accept_dad", "0"))))
        #expect(!plan.actions(in: "gw").contains(.sysctl(Sysctl("net.ipv6.conf.all.disable_ipv6", "1"))))
        #expect(plan.actions(in: "hv1").contains(.sysctl(Sysctl("net.ipv6.conf.all.disable_ipv6", "1"))))
    }
}
