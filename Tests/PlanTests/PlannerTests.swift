import Net
import Scenario
import Testing

@testable import Plan

/// A director on hv1, a real server on hv2, a gateway on the fabric and a client cabled to it.
func twoHypervisors(release: String? = "2014.1.5") throws -> Scenario {
    func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
    func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text)) }
    func mac(_ last: UInt64) -> MACAddress { MACAddress(bits: 0xFA16_3E00_0000 | last) }
    let vip = try prefix("203.0.113.2/32")
    return Scenario(
        name: "deployment", title: "two hypervisors", topology: "test",
        neutron: release.map { NeutronDeployment(release: $0) },
        securityGroups: [SecurityGroup(name: "web", rules: [SecurityGroupRule(direction: .egress)])],
        networks: [
            Network(name: "public", id: "e7000001-0000-4000-8000-000000000001", cidr: try prefix("203.0.113.0/27"))
        ],
        switches: [Switch(name: "fab")],
        hypervisors: [Hypervisor(name: "hv1", uplink: "fab"), Hypervisor(name: "hv2", uplink: "fab")],
        hosts: [
            Host(
                name: "gw", on: "fab",
                ports: [
                    Port(
                        id: "00000001-00", network: "public", macAddress: mac(1),
                        fixedIPs: [try address("203.0.113.1")]),
                    Port(name: "eth1", id: "00000002-00", peer: "client:eth0", macAddress: mac(2)),
                ]),
            Host(
                name: "client",
                ports: [
                    Port(
                        id: "00000003-00", peer: "gw:eth1", macAddress: mac(3),
                        addresses: [try prefix("198.51.100.10/24")])
                ], routes: [Route(to: nil, via: try address("198.51.100.1"))]),
            Host(
                name: "lb", on: "hv1",
                ports: [
                    Port(
                        id: "6c620000-00aa-4000-8000-000000000001", network: "public", macAddress: mac(4),
                        fixedIPs: [try address("203.0.113.3")], securityGroups: ["web"])
                ]),
            Host(
                name: "rs2", on: "hv2",
                ports: [
                    Port(
                        id: "72733200-00aa-4000-8000-000000000002", network: "public", macAddress: mac(5),
                        fixedIPs: [try address("203.0.113.5")],
                        allowedAddressPairs: [AddressPair(ipAddress: "203.0.113.2/32")], securityGroups: ["web"])
                ], interfaces: [Interface(name: "eth-vip", kind: .dummy, addresses: [vip])],
                arptables: ["-A INPUT -d 203.0.113.2 -j DROP", "-A OUTPUT -s 203.0.113.2 -j DROP"]),
        ])
}

extension Plan {
    fileprivate func actions(in namespace: String) -> [Operation.Action] {
        setup.filter { $0.namespace == namespace }.map(\.action)
    }

    fileprivate func rules(on namespace: String, _ family: Operation.RuleFamily = .ipv4) -> [String] {
        actions(in: namespace).compactMap {
            if case .loadRules(family, let text, _) = $0 { text } else { nil }
        }
    }
}

@Suite("Planning")
struct PlannerTests {
    @Test("a port on a hypervisor is a veth pair of the host's card and a tap named after the port's id")
    func taps() throws {
        let plan = try Plan(twoHypervisors())
        #expect(
            plan.actions(in: "lb").contains(
                .addVeth(
                    name: "eth0", mac: MACAddress("fa:16:3e:00:00:04"), mtu: nil,
                    peer: .init(namespace: "hv1", name: "tap6c620000-00", mac: MACAddress("fe:16:3e:00:00:04")))))
        #expect(plan.actions(in: "hv1").contains(.setMaster(interface: "tap6c620000-00", bridge: "brqe7000001-00")))
        #expect(plan.captures.map(\.name).contains("hv1:tap6c620000-00"))
    }

    @Test("a cable that both ends name is laid once")
    func cables() throws {
        let plan = try Plan(twoHypervisors())
        let cables = plan.setup.filter {
            if case .addVeth(_, _, _, let peer) = $0.action {
                Set([$0.namespace, peer.namespace]) == ["gw", "client"]
            } else {
                false
            }
        }
        #expect(cables.count == 1)
    }

    @Test("the fabric filters no bridged frames, a hypervisor all of them")
    func bridgeFilters() throws {
        let plan = try Plan(twoHypervisors())
        for filter in ["iptables", "ip6tables", "arptables"] {
            let key = "net.bridge.bridge-nf-call-\(filter)"
            #expect(plan.actions(in: "fab").contains(.sysctl(Sysctl(key, "0"))))
            #expect(plan.actions(in: "hv1").contains(.sysctl(Sysctl(key, "1"))))
        }
    }

    @Test("every interface that is captured sends real frames: one segment a GSO frame")
    func gso() throws {
        let plan = try Plan(twoHypervisors())
        for point in plan.captures {
            #expect(
                plan.actions(in: point.namespace).contains(.setGSOMaxSegments(interface: point.interface, 1)),
                "\(point.name)")
        }
    }

    @Test("each hypervisor gets the rules of the ports that are on it, and of no others")
    func portSecurity() throws {
        let plan = try Plan(twoHypervisors())
        let first = try #require(plan.rules(on: "hv1").first)
        #expect(first.contains("neutron-linuxbri-i6c620000-0") && !first.contains("72733200"))
        let second = try #require(plan.rules(on: "hv2").first)
        #expect(second.contains("neutron-linuxbri-i72733200-0") && !second.contains("6c620000"))
    }

    @Test("without Neutron no rules are loaded")
    func noNeutron() throws {
        #expect(try Plan(twoHypervisors(release: nil)).rules(on: "hv1").isEmpty)
    }

    @Test("rules beside Neutron's are loaded after them, and may name a port's chain by its host")
    func additionalRules() throws {
        var scenario = try twoHypervisors()
        scenario.hypervisors[0].iptables = ["-t raw -A PREROUTING -j CT --notrack", "-I i(lb) 1 -p udp -j RETURN"]
        let plan = try Plan(scenario)
        let loads = plan.actions(in: "hv1").compactMap {
            if case .loadRules(_, let text, let flush) = $0 { (text, flush) } else { nil }
        }
        #expect(loads.count == 2)
        #expect(loads.map(\.1) == [true, false])
        #expect(
            loads.last?.0 == """
                *raw
                -A PREROUTING -j CT --notrack
                COMMIT
                *filter
                -I neutron-linuxbri-i6c620000-0 1 -p udp -j RETURN
                COMMIT

                """)
    }

    @Test("a chain of a host that does not exist, or without Neutron, is an error that names it")
    func unknownChains() throws {
        var scenario = try twoHypervisors()
        scenario.hypervisors[0].iptables = ["-I i(rs9) 1 -j RETURN"]
        #expect(throws: PlanError("the rule names the chain i(rs9), but there is no such port")) { try Plan(scenario) }
        scenario = try twoHypervisors(release: nil)
        scenario.hypervisors[0].iptables = ["-I i(lb) 1 -j RETURN"]
        #expect(throws: PlanError("the rule names the chain i(lb), but the scenario has no Neutron to make it")) {
            try Plan(scenario)
        }
    }

    @Test("ARP rules of a host are one restore of the filter table")
    func arptables() throws {
        #expect(
            try Plan(twoHypervisors()).rules(on: "rs2", .arp) == [
                "*filter\n-A INPUT -d 203.0.113.2 -j DROP\n-A OUTPUT -s 203.0.113.2 -j DROP\nCOMMIT\n"
            ])
    }

    @Test("a host that moves finds its rules there, announces itself, and leaves none behind")
    func move() throws {
        var scenario = try twoHypervisors()
        let location = SourceLocation(file: "test.yaml", line: 1, column: 1)
        scenario.timeline = [
            Step(name: "there", action: .move(host: "rs2", to: "hv1"), location: location),
            Step(name: "already there", action: .move(host: "rs2", to: "hv1"), location: location),
        ]
        let plan = try Plan(scenario)
        guard case .operations(let moves) = plan.steps[0].action else {
            Issue.record("a move is operations")
            return
        }
        let order = moves.map { operation in
            switch operation.action {
            case .loadRules(_, let text, true):
                "rules on \(operation.namespace) \(text.contains("72733200") ? "with" : "without") rs2"
            case .moveInterface(let name, let to): "\(name) from \(operation.namespace) to \(to)"
            case .setMaster(_, let bridge): "plugged into \(bridge) on \(operation.namespace)"
            case .announce(let interface, _): "announced by \(operation.namespace):\(interface)"
            default: "\(operation.action)"
            }
        }
        #expect(
            order == [
                "rules on hv1 with rs2", "tap72733200-00 from hv2 to hv1", "plugged into brqe7000001-00 on hv1",
                "announced by rs2:eth0", "rules on hv2 without rs2",
            ])
        #expect(plan.captures.contains(.init(namespace: "hv1", interface: "tap72733200-00")))
        #expect(plan.steps[1].action == .operations([]))
    }

    @Test("a name too long for an interface is an error that says so")
    func longNames() throws {
        var scenario = try twoHypervisors()
        scenario.hosts[0].name = "a-very-long-router"
        scenario.hosts[1].ports[0].peer = "a-very-long-router:eth1"
        #expect(
            throws: PlanError(
                "'a-very-long-router-eth0' in fab is too long for an interface's name (15 characters); shorten the names of the host, hypervisor or network that it is made of"
            )
        ) {
            try Plan(scenario)
        }
    }

    @Test(
        "a step that asks for IPVS's counters waits for them, and so does the one before, from which they are counted")
    func statistics() throws {
        var scenario = try twoHypervisors()
        let location = SourceLocation(file: "test.yaml", line: 1, column: 1)
        let asks = Expectation(.ipvs(.init(on: "lb", connections: .some)), location: location)
        let looks = Expectation(.ipvs(.init(on: "lb", state: "SYN_RECV", entries: .some)), location: location)
        scenario.timeline = [
            Step(name: "first", action: .wait(1), location: location),
            Step(name: "before", action: .wait(1), location: location),
            Step(
                name: "asks", action: .wait(1),
                expectations: [Expectation(.anyOf([[looks], [asks]]), location: location)], location: location),
            Step(name: "looks", action: .wait(1), expectations: [looks], location: location),
        ]
        #expect(try Plan(scenario).steps.map(\.awaitsIPVSStatistics) == [false, true, true, false])
    }
}
