import Net
import Plan
import Scenario
import Testing

@Suite("Neutron in a scenario")
struct NeutronAdapterTests {
    func scenario() throws -> Scenario {
        let network = try Network(
            name: "vms", id: "e7000001-0000-4000-8000-000000000001", cidr: #require(IPPrefix("10.0.0.0/24")),
            dhcpServer: IPAddress("10.0.0.2"))
        func host(_ name: String, _ id: String, mac: UInt64, on place: String, _ ips: [String], _ pairs: [String])
            -> Host
        {
            Host(
                name: name, on: place,
                ports: [
                    Port(
                        id: id, network: "vms", macAddress: MACAddress(bits: mac),
                        fixedIPs: ips.compactMap { IPAddress($0) },
                        allowedAddressPairs: pairs.map { AddressPair(ipAddress: $0) }, securityGroups: ["web"])
                ])
        }
        let group = SecurityGroup(
            name: "web",
            rules: [
                SecurityGroupRule(direction: .ingress, protocol: "tcp", portRangeMin: 80, portRangeMax: 80),
                SecurityGroupRule(direction: .ingress, protocol: "icmp"), SecurityGroupRule(direction: .egress),
            ])
        return Scenario(
            name: "cross", title: "cross", topology: "cross", neutron: NeutronDeployment(release: "newton"),
            securityGroups: [group], networks: [network], switches: [Switch(name: "fab")],
            hypervisors: [Hypervisor(name: "hv1"), Hypervisor(name: "hv2")],
            hosts: [
                host(
                    "lb", "1b000010-0010-4000-8000-000000000010", mac: 0xFA16_3E00_0010, on: "hv1",
                    ["10.0.0.10", "10.0.0.11"], ["0.0.0.0/0", "10.0.0.100"]),
                host(
                    "rs1", "a5000021-0021-4000-8000-000000000021", mac: 0xFA16_3E00_0021, on: "hv2", ["10.0.0.21"],
                    ["10.0.0.100/32"]),
                host(
                    "rs2", "a5000022-0022-4000-8000-000000000022", mac: 0xFA16_3E00_0022, on: "hv2", ["10.0.0.22"],
                    ["10.0.0.100/32"]),
                Host(name: "gw", on: "fab", ports: [Port(id: "gw", macAddress: MACAddress(bits: 0x0200_0000_0001))]),
            ])
    }

    @Test("a scenario like the reference deployment gets the reference's rules")
    func referenceRules() throws {
        for (hypervisor, placement) in [("hv1", ReferenceDeployment.Placement.lbHV1), ("hv2", .rsHV2)] {
            let rules = try NeutronRules.rules(for: hypervisor, in: scenario())
            #expect(try rules == ReferenceDeployment.rules("newton", .linuxbridge, placement))
        }
    }

    @Test("rules follow a host that moves")
    func move() throws {
        var scenario = try scenario()
        scenario.hosts[2].on = "hv1"
        let first = try #require(try NeutronRules.rules(for: "hv1", in: scenario))
        let second = try #require(try NeutronRules.rules(for: "hv2", in: scenario))
        #expect(first.ipv4.contains("tapa5000022-00"))
        #expect(!second.ipv4.contains("tapa5000022-00"))
    }

    @Test("a port that loses port security loses groups and pairs, as the API demands")
    func portSecurityOff() throws {
        var scenario = try scenario()
        scenario.hosts[0].ports[0].portSecurityEnabled = false
        let rules = try NeutronRules.rules(for: "hv1", in: scenario)
        #expect(try rules == ReferenceDeployment.rules("newton", .linuxbridge, .lbHV1, .lbPortSecurityOff))
    }

    @Test("without Neutron there are no rules")
    func without() throws {
        var scenario = try scenario()
        scenario.neutron = nil
        #expect(try NeutronRules.rules(for: "hv1", in: scenario) == nil)
    }

    @Test("unknown hypervisors, drivers and releases, and ports without a network, are errors")
    func errors() throws {
        var scenario = try scenario()
        #expect(throws: NeutronError.unknownHypervisor("hv9")) { try NeutronRules.rules(for: "hv9", in: scenario) }
        scenario.hosts[0].ports[0].network = "nowhere"
        #expect(throws: NeutronError.unknownNetwork("nowhere", port: "lb:eth0")) {
            try NeutronRules.rules(for: "hv1", in: scenario)
        }
        scenario.hosts[0].ports[0].network = nil
        #expect(throws: NeutronError.portWithoutNetwork("lb:eth0")) {
            try NeutronRules.rules(for: "hv1", in: scenario)
        }
        scenario = try self.scenario()
        scenario.neutron = NeutronDeployment(release: "newton", driver: "openvswitch")
        #expect(throws: NeutronError.unknownDriver("openvswitch")) {
            try NeutronRules.rules(for: "hv1", in: scenario)
        }
        scenario.neutron = NeutronDeployment(release: "9.9.9")
        #expect(throws: NeutronError.self) { try NeutronRules.rules(for: "hv1", in: scenario) }
    }
}

@Suite("Rules from a compute node's files")
struct RuleDumpPlanTests {
    @Test("they take the place of the generated ones, sets first, and rules beside them come last")
    func dumps() throws {
        var scenario = try NeutronAdapterTests().scenario()
        scenario.hypervisors[0].rules = RuleDumps(
            iptables: "*filter\nCOMMIT\n", ip6tables: "*raw\nCOMMIT\n", ebtables: "*nat\n",
            ipset: "create web hash:net\n")
        scenario.hypervisors[0].iptables = ["-A FORWARD -j ACCEPT"]
        let actions = try Plan(scenario).setup.filter { $0.namespace == "hv1" }.map(\.action).filter { action in
            switch action {
            case .loadRules, .restoreSets: true
            default: false
            }
        }
        // No IPv6 in the scenario: its table is left alone.
        #expect(
            actions == [
                .restoreSets(text: "create web hash:net\n"),
                .loadRules(family: .ipv4, text: "*filter\nCOMMIT\n", flush: true),
                .loadRules(family: .bridge, text: "*nat\n", flush: true),
                .loadRules(family: .ipv4, text: "*filter\n-A FORWARD -j ACCEPT\nCOMMIT\n", flush: false),
            ])
    }

    @Test("ipset and stateless groups of a scenario reach the generator")
    func switches() throws {
        var scenario = try NeutronAdapterTests().scenario()
        scenario.neutron = NeutronDeployment(release: "dalmatian", ipset: true)
        scenario.securityGroups[0].rules[0].remoteGroup = "web"
        scenario.securityGroups[0].stateful = false
        let rules = try #require(try NeutronRules.rules(for: "hv1", in: scenario))
        #expect(rules.ipv4.contains("--match-set NIPv4web src"))
        #expect(rules.ipv4.contains("-j CT --notrack"))
        #expect(rules.ipsets?.hasPrefix("create NIPv4web hash:net family inet\n") == true)
        #expect(
            try Plan(scenario).setup.contains {
                if case .restoreSets(let text) = $0.action {
                    $0.namespace == "hv1" && text == rules.ipsets
                } else {
                    false
                }
            })
    }
}
