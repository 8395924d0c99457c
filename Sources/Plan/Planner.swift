internal import Net
public import Scenario

extension Plan {
    /// Spells a scenario out. Pure; the scenario must be valid (`ScenarioLibrary` reports what is not).
    /// - Throws: `PlanError` with the place in the scenario's file, where it was read from one.
    public init(_ scenario: Scenario) throws {
        var planner = Planner(scenario)
        do {
            try planner.layOut()
        } catch var error as PlanError {
            if error.location == nil { error.location = scenario.location }
            throw error
        } catch {
            throw PlanError("\(error)", at: scenario.location)
        }
        self = planner.plan
    }
}

/// What a valid file can still ask for that no plan can give.
public struct PlanError: Error, Sendable, Equatable, CustomStringConvertible {
    public var description: String
    public var location: SourceLocation?

    public init(_ description: String, at location: SourceLocation? = nil) {
        self.description = description
        self.location = location
    }
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
    /// The users' own, which no bridge port may have as well: it would take their frames for its own.
    private lazy var declaredMACs = Set(scenario.hosts.flatMap { $0.ports.map(\.macAddress) })
    /// Cables from host to host that there are: each end's host and port.
    var laidCables: Set<[String]> = []
    /// What is captured already, as the plan has it in order.
    private var captured: Set<[String]> = []
    /// How much the plan asks for until now.
    private var size = PlanSize()
    /// Hybrid bridges that there are: by hypervisor and name.
    var hybridBridges: Set<[String]> = []

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
        try addFabric()
        try addCables()
        try addBridgesForMoves()
        try captureSwitches()
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
        plan.names = scenario.addressNames
        plan.awaitsIPVSStatistics = scenario.expectations.askForIPVSStatistics
        try size.add(plan.setup)
        try checkInterfaces()
        for step in scenario.timeline {
            let planned = try placed(at: step.location) {
                let planned = try $0.plan(step)
                for action in [planned.action] + planned.meanwhile.map(\.action) { try $0.size.add(action) }
                return planned
            }
            // What it counts is counted from the snapshot before it, which must be complete, too.
            if planned.awaitsIPVSStatistics, let last = plan.steps.indices.last {
                plan.steps[last].awaitsIPVSStatistics = true
            }
            plan.steps.append(planned)
        }
        if !scenario.capture.isOn { plan.captures = [] }
    }

    /// What goes wrong within is wrong at that place.
    private mutating func placed<Value>(
        at location: SourceLocation, _ work: (inout Planner) throws -> Value
    ) throws -> Value {
        do {
            return try work(&self)
        } catch let error as PlanError {
            throw error.location == nil ? PlanError(error.description, at: location) : error
        } catch {
            throw PlanError("\(error)", at: location)
        }
    }

    /// Captures a port, once.
    mutating func capture(_ namespace: String, _ interface: String) {
        guard captured.insert([namespace, interface]).inserted else { return }
        plan.captures.append(.init(namespace: namespace, interface: interface))
    }

    mutating func add(_ namespace: String, _ action: Operation.Action) {
        plan.setup.append(Operation(namespace, action))
    }

    // MARK: Namespaces and bridges

    private mutating func addNamespaces() {
        plan.namespaces =
            scenario.switches.map { .init(name: $0.name, role: .switch) }
            + scenario.hypervisors.map { .init(name: $0.name, role: .hypervisor) }
            + scenario.hosts.map { .init(name: $0.name, role: .host) }
        let filters = ["iptables", "ip6tables", "arptables"]
        let usesIPv6 = scenario.usesIPv6
        for namespace in plan.namespaces {
            // Without an IPv6 address in the scenario, IPv6's own chatter (DAD, router solicitations, MLD) is noise; on
            // what only bridges it always is (Nova switches it off there, too). Where it is used, nothing waits for DAD
            // unless the host's sysctls ask for it, and only what is written down is configured.
            let settings =
                usesIPv6 && namespace.role == .host
                ? [("accept_dad", "0"), ("accept_ra", "0"), ("router_solicitations", "0")] : [("disable_ipv6", "1")]
            for (name, value) in settings {
                for scope in ["all", "default"] {
                    add(namespace.name, .sysctl(Sysctl("net.ipv6.conf.\(scope).\(name)", value)))
                }
            }
            switch namespace.role {
            case .host: add(namespace.name, .setUp(interface: "lo"))
            // A fabric only forwards: br_netfilter must not track its frames. Neutron's agent switches all three on.
            case .switch: for name in filters { add(namespace.name, .sysctl(Sysctl(bridgeFilter: name, on: false))) }
            // With hybrid bridges those alone are filtered: see addHybridBridge.
            case .hypervisor:
                for name in filters {
                    add(namespace.name, .sysctl(Sysctl(bridgeFilter: name, on: !scenario.hasHybridBridges)))
                }
            }
        }
    }

    mutating func nextFabricMAC() -> MACAddress {
        repeat { fabricMACs += 1 } while declaredMACs.contains(Self.fabricMAC(fabricMACs))
        return Self.fabricMAC(fabricMACs)
    }

    private static func fabricMAC(_ number: UInt64) -> MACAddress { MACAddress(bits: 0x0200_0000_0100 + number) }

    // MARK: Names

    func network(of port: Port) -> Network? {
        if let name = port.network { return scenario.networks.first { $0.name == name } }
        return scenario.networks.count == 1 ? scenario.networks[0] : nil
    }

    /// The network's bridge: `brq` and the first 11 characters of its id on a hypervisor
    /// (linuxbridge_neutron_agent.py, get_bridge_name), br-int with hybrid bridges; `br-` and its name on a switch.
    func bridgeName(on place: String, _ network: Network) -> String {
        guard scenario.isHypervisor(place) else { return String("br-\(network.name)".prefix(15)) }
        guard scenario.hasHybridBridges else { return "brq" + network.id.prefix(11) }
        return scenario.networks.count == 1 ? "br-int" : String("br-int-\(network.name)".prefix(15))
    }
}

extension Sysctl {
    init(bridgeFilter name: String, on: Bool) {
        self.init("net.bridge.bridge-nf-call-\(name)", on ? "1" : "0")
    }
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
