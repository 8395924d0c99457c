public import Scenario

// Inside extensions of Neutron's types, their neighbours hide the scenario's types of the same names.
private typealias ScenarioPort = Port
private typealias ScenarioNetwork = Network
private typealias ScenarioSecurityGroup = SecurityGroup
private typealias ScenarioSecurityGroupRule = SecurityGroupRule

extension Neutron.Hypervisor {
    /// What Neutron would know of one hypervisor of a scenario, as the scenario's hosts stand (a planner that moves a host
    /// changes its `on` and asks again).
    ///
    /// Security groups have their names as ids. A port without port security loses its groups and pairs: the API refuses the
    /// combination, so whoever switched it off had to remove them.
    public init(_ name: String, in scenario: Scenario) throws(NeutronError) {
        guard scenario.hypervisors.contains(where: { $0.name == name }) else { throw .unknownHypervisor(name) }
        let places = Set(scenario.hypervisors.map(\.name))
        var here: [Neutron.Port] = []
        var everywhere: [Neutron.Port] = []
        for host in scenario.hosts {
            for port in host.ports where port.peer == nil {
                guard let place = port.on ?? host.on, places.contains(place) else { continue }
                let made = try Neutron.Port(port, host: host.name, networks: scenario.networks)
                everywhere.append(made)
                if place == name { here.append(made) }
            }
        }
        self.init(
            ports: here,
            deployment: Neutron.Deployment(
                networks: scenario.networks.map {
                    Neutron.Network(
                        id: $0.id, dhcpServers: [$0.dhcpServer].compactMap { $0 },
                        routerAdvertisers: $0.routerAdvertisers)
                },
                securityGroups: scenario.securityGroups.map(Neutron.SecurityGroup.init), ports: everywhere))
    }
}

extension NeutronRules {
    /// The rules of one hypervisor of a scenario; nil if the scenario has no Neutron, or all rules from files.
    public static func rules(for hypervisor: String, in scenario: Scenario) throws(NeutronError) -> NeutronRules? {
        guard let neutron = scenario.neutron, let release = neutron.release else { return nil }
        return try NeutronRules(
            for: Neutron.Hypervisor(hypervisor, in: scenario), release: NeutronRelease(version: release),
            driver: Neutron.Driver(named: neutron.driver), usesIPSet: neutron.ipset)
    }
}

extension Neutron.Driver {
    /// Reads `linuxbridge` or `ovs_hybrid`.
    public init(named text: String) throws(NeutronError) {
        guard let driver = Self(rawValue: text) else { throw .unknownDriver(text) }
        self = driver
    }
}

extension Neutron.Port {
    /// A scenario's port. The names in errors are the scenario's: `lb:eth0`.
    fileprivate init(_ port: ScenarioPort, host: String, networks: [ScenarioNetwork]) throws(NeutronError) {
        let place = "\(host):\(port.name)"
        guard let name = port.network else { throw .portWithoutNetwork(place) }
        guard let network = networks.first(where: { $0.name == name }) else {
            throw .unknownNetwork(name, port: place)
        }
        self.init(
            id: port.id, networkID: network.id, macAddress: port.macAddress, fixedIPs: port.fixedIPs,
            allowedAddressPairs: port.portSecurityEnabled
                ? port.allowedAddressPairs.map {
                    Neutron.AddressPair(ipAddress: $0.ipAddress, macAddress: $0.macAddress)
                } : [],
            portSecurityEnabled: port.portSecurityEnabled,
            securityGroups: port.portSecurityEnabled ? port.securityGroups : [])
    }
}

extension Neutron.SecurityGroup {
    fileprivate init(_ group: ScenarioSecurityGroup) {
        self.init(id: group.name, rules: group.rules.map(Neutron.SecurityGroupRule.init), stateful: group.stateful)
    }
}

extension Neutron.SecurityGroupRule {
    fileprivate init(_ rule: ScenarioSecurityGroupRule) {
        self.init(
            direction: rule.direction == .ingress ? .ingress : .egress, ethertype: rule.ethertype,
            protocol: rule.protocol, portRangeMin: rule.portRangeMin, portRangeMax: rule.portRangeMax,
            remoteIPPrefix: rule.remoteIPPrefix, remoteGroupID: rule.remoteGroup)
    }
}
