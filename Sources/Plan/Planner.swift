internal import Net
public import Scenario

extension Plan {
    /// Spells a scenario out. Pure; the scenario must be valid (`ScenarioLibrary` reports what is not).
    public init(_ scenario: Scenario) throws {
        var planner = Planner(scenario)
        try planner.layOut()
        self = planner.plan
    }
}

/// What a valid file can still ask for that no plan can give.
public struct PlanError: Error, Sendable, Equatable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}

/// Builds the plan in the order in which the kernel wants things: namespaces, bridges, cables, sysctls, links up,
/// addresses, routes, neighbours, rules, IPVS services.
struct Planner {
    let scenario: Scenario
    var plan: Plan
    /// Where each host's ports on hypervisors are at this point of the timeline.
    var placement: [String: String] = [:]
    /// Numbers the MACs of uplinks and bridges, which nobody writes down.
    private var fabricMACs: UInt64 = 0

    init(_ scenario: Scenario) {
        self.scenario = scenario
        plan = Plan(
            scenario: scenario.fullName, settle: scenario.settle, snapshotLength: scenario.capture.snapshotLength)
    }

    mutating func layOut() throws {
        for host in scenario.hosts {
            placement[host.name] = host.on
        }
        addNamespaces()
        try addBridges()
        try addCables()
        for host in scenario.hosts {
            configure(host)
        }
        for hypervisor in scenario.hypervisors {
            for sysctl in hypervisor.sysctls { add(hypervisor.name, .sysctl(sysctl)) }
            plan.setup += try portSecurity(of: hypervisor)
        }
        for service in scenario.services {
            add(service.director, .addService(IPVSServicePlan(service)))
        }
        plan.servers = scenario.hosts.flatMap { host in
            host.servers.map { Plan.ServerPlan(namespace: host.name, kind: $0.kind.rawValue, port: $0.port) }
        }
        plan.programs = scenario.hosts.flatMap { host in
            host.programs.filter(\.starts).map { Plan.ProgramPlan($0, in: host.name) }
        }
        plan.awaitsIPVSStatistics = scenario.expectations.askForIPVSStatistics
        for step in scenario.timeline {
            plan.steps.append(try plan(step))
        }
    }

    private mutating func add(_ namespace: String, _ action: Operation.Action) {
        plan.setup.append(Operation(namespace, action))
    }

    // MARK: Namespaces and bridges

    private mutating func addNamespaces() {
        plan.namespaces =
            scenario.switches.map { .init(name: $0.name, role: .switch) }
            + scenario.hypervisors.map { .init(name: $0.name, role: .hypervisor) }
            + scenario.hosts.map { .init(name: $0.name, role: .host) }
        let filters = ["iptables", "ip6tables", "arptables"]
        for namespace in plan.namespaces {
            // Without an IPv6 address in the scenario, IPv6's own chatter (DAD, router solicitations, MLD) is noise.
            if !scenario.usesIPv6 {
                add(namespace.name, .sysctl(Sysctl("net.ipv6.conf.all.disable_ipv6", "1")))
                add(namespace.name, .sysctl(Sysctl("net.ipv6.conf.default.disable_ipv6", "1")))
            }
            switch namespace.role {
            case .host: add(namespace.name, .setUp(interface: "lo"))
            // A fabric only forwards: br_netfilter must not track its frames. Neutron's agent switches all three on.
            case .switch: for name in filters { add(namespace.name, .sysctl(Sysctl(bridgeFilter: name, on: false))) }
            case .hypervisor: for name in filters { add(namespace.name, .sysctl(Sysctl(bridgeFilter: name, on: true))) }
            }
        }
    }

    private mutating func addBridges() throws {
        for each in scenario.switches {
            for network in scenario.networks {
                let bridge = bridgeName(on: each.name, network)
                add(each.name, .addBridge(name: bridge, mac: nextFabricMAC()))
                add(each.name, .setUp(interface: bridge))
            }
        }
        for hypervisor in scenario.hypervisors {
            for network in scenario.networks {
                let bridge = bridgeName(on: hypervisor.name, network)
                add(hypervisor.name, .addBridge(name: bridge, mac: nextFabricMAC()))
                add(hypervisor.name, .setUp(interface: bridge))
                guard let uplink = hypervisor.uplink else { continue }
                let card = uplinkName(network)
                let far = scenario.networks.count == 1 ? hypervisor.name : "\(hypervisor.name)-\(network.name)"
                try checkInterfaceName(far)
                add(
                    hypervisor.name,
                    .addVeth(
                        name: card, mac: nextFabricMAC(), mtu: nil,
                        peer: .init(namespace: uplink, name: far, mac: nextFabricMAC())))
                plug(hypervisor.name, card, into: bridge)
                plug(uplink, far, into: bridgeName(on: uplink, network))
                plan.captures.append(.init(namespace: hypervisor.name, interface: card))
            }
        }
    }

    private mutating func plug(_ namespace: String, _ interface: String, into bridge: String) {
        add(namespace, .setGSOMaxSegments(interface: interface, 1))
        add(namespace, .setMaster(interface: interface, bridge: bridge))
        add(namespace, .setUp(interface: interface))
    }

    // MARK: Cables

    private mutating func addCables() throws {
        for host in scenario.hosts {
            for port in host.ports {
                plan.captures.append(.init(namespace: host.name, interface: port.name))
                if let peer = port.peer {
                    try addCable(from: host, port, to: peer)
                } else if let place = port.on ?? host.on {
                    try addCable(from: host, port, into: place)
                }
            }
        }
    }

    private mutating func addCable(from host: Host, _ port: Port, into place: String) throws {
        guard let network = network(of: port) else {
            throw PlanError("\(host.name):\(port.name) is plugged into \(place) but belongs to no network")
        }
        let far: Operation.Peer
        if scenario.isHypervisor(place) {
            // libvirt gives the tap device the port's MAC with its first octet set to fe.
            let mac = MACAddress(bits: port.macAddress.bits & 0x00FF_FFFF_FFFF | 0xFE00_0000_0000)
            far = .init(namespace: place, name: port.tapName, mac: mac)
        } else {
            let name = host.ports.count == 1 ? host.name : "\(host.name)-\(port.name)"
            try checkInterfaceName(name)
            far = .init(namespace: place, name: name, mac: nextFabricMAC())
        }
        add(host.name, .addVeth(name: port.name, mac: port.macAddress, mtu: port.mtu, peer: far))
        add(host.name, .setGSOMaxSegments(interface: port.name, 1))
        plug(place, far.name, into: bridgeName(on: place, network))
        if scenario.isHypervisor(place) {
            plan.captures.append(.init(namespace: place, interface: far.name))
        }
    }

    private mutating func addCable(from host: Host, _ port: Port, to peer: String) throws {
        let parts = peer.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2, let other = scenario.host(parts[0]),
            let far = other.ports.first(where: { $0.name == parts[1] })
        else { throw PlanError("\(host.name):\(port.name) is cabled to '\(peer)', which is no host's port") }
        // Both ends may name each other; the first one lays the cable.
        let laid = plan.setup.contains {
            if case .addVeth(let name, _, _, let end) = $0.action {
                return $0.namespace == other.name && name == far.name && end.namespace == host.name
                    && end.name == port.name
            }
            return false
        }
        guard !laid else { return }
        add(
            host.name,
            .addVeth(
                name: port.name, mac: port.macAddress, mtu: port.mtu ?? far.mtu,
                peer: .init(namespace: other.name, name: far.name, mac: far.macAddress)))
        add(host.name, .setGSOMaxSegments(interface: port.name, 1))
        add(other.name, .setGSOMaxSegments(interface: far.name, 1))
    }

    private mutating func nextFabricMAC() -> MACAddress {
        fabricMACs += 1
        return MACAddress(bits: 0x0200_0000_0100 + fabricMACs)
    }

    private func checkInterfaceName(_ name: String) throws {
        // IFNAMSIZ is 16 with the closing zero.
        guard name.utf8.count < 16 else {
            throw PlanError("'\(name)' is too long for an interface's name (15 characters); shorten the host's name")
        }
    }

    // MARK: Hosts

    private mutating func configure(_ host: Host) {
        for interface in host.interfaces where interface.kind == .dummy {
            add(host.name, .addDummy(name: interface.name))
        }
        for sysctl in host.sysctls {
            add(host.name, .sysctl(sysctl))
        }
        for port in host.ports {
            for address in addresses(of: port) {
                add(host.name, .addAddress(address, interface: port.name))
            }
            add(host.name, .setUp(interface: port.name))
        }
        for interface in host.interfaces {
            if interface.kind == .dummy { add(host.name, .setUp(interface: interface.name)) }
            for address in interface.addresses {
                add(host.name, .addAddress(address, interface: interface.name))
            }
        }
        for route in host.routes {
            add(host.name, .addRoute(to: route.to, via: route.via, interface: route.interface))
        }
        for neighbour in host.neighbours {
            add(host.name, .addNeighbour(neighbour.address, neighbour.mac, interface: neighbour.interface))
        }
        if let text = RestoreText(arguments: host.arptables, defaultTable: "filter") {
            add(host.name, .loadRules(family: .arp, text: text.text, flush: true))
        }
        if let text = RestoreText(arguments: host.iptables, defaultTable: "filter") {
            add(host.name, .loadRules(family: .ipv4, text: text.text, flush: true))
        }
    }

    private func addresses(of port: Port) -> [IPPrefix] {
        if let addresses = port.addresses { return addresses }
        let network = network(of: port)
        return port.fixedIPs.map { address in
            if let cidr = network?.cidr, cidr.family == address.family,
                let prefix = IPPrefix(address, length: cidr.length)
            {
                return prefix
            }
            return IPPrefix(host: address)
        }
    }

    // MARK: Names

    func network(of port: Port) -> Network? {
        if let name = port.network { return scenario.networks.first { $0.name == name } }
        return scenario.networks.count == 1 ? scenario.networks[0] : nil
    }

    /// `brq` and the first 11 characters of the network's id on a hypervisor
    /// (linuxbridge_neutron_agent.py, get_bridge_name); `br-` and the network's name on a switch.
    func bridgeName(on place: String, _ network: Network) -> String {
        scenario.isHypervisor(place) ? "brq" + network.id.prefix(11) : String("br-\(network.name)".prefix(15))
    }

    private func uplinkName(_ network: Network) -> String {
        scenario.networks.count == 1 ? "uplink" : String("uplink-\(network.name)".prefix(15))
    }
}

extension Sysctl {
    init(bridgeFilter name: String, on: Bool) {
        self.init("net.bridge.bridge-nf-call-\(name)", on ? "1" : "0")
    }
}

extension Port {
    /// `tap` and the first 11 characters of the port's id (neutron.plugins.common.constants, TAP_DEVICE_PREFIX).
    public var tapName: String { "tap" + id.prefix(11) }
}

extension Scenario {
    public func host(_ name: String) -> Host? { hosts.first { $0.name == name } }
    public func isHypervisor(_ name: String) -> Bool { hypervisors.contains { $0.name == name } }

    var usesIPv6: Bool {
        networks.contains { $0.cidr.family == .v6 }
            || hosts.contains { host in
                host.ports.contains { port in
                    port.fixedIPs.contains { $0.family == .v6 }
                        || (port.addresses ?? []).contains { $0.family == .v6 }
                } || host.interfaces.contains { $0.addresses.contains { $0.family == .v6 } }
            }
    }
}

extension IPVSServicePlan {
    init(_ service: Service) {
        self.init(
            transport: service.transport.rawValue, address: service.address, port: service.port,
            scheduler: service.scheduler, persistence: service.persistence,
            realServers: service.realServers.map {
                let forwarding =
                    switch $0.forwarding {
                    case .directRouting: "Route"
                    case .masquerading: "Masq"
                    case .tunneling: "Tunnel"
                    }
                var plan = RealServerPlan(
                    address: $0.address, port: $0.port, forwarding: forwarding, weight: $0.weight)
                plan.upperThreshold = $0.upperThreshold ?? 0
                plan.lowerThreshold = $0.lowerThreshold ?? 0
                plan.tunnel = $0.tunnel.map {
                    .init(kind: $0.kind.rawValue, port: $0.port ?? 0, checksum: $0.checksum.rawValue)
                }
                return plan
            })
        schedulerFlags = service.schedulerFlags.map(\.rawValue)
        persistencePrefix = service.persistencePrefix
        onePacket = service.onePacket
        firewallMark = service.firewallMark
    }
}
