internal import Evidence
internal import Glibc
internal import Kernel
internal import Net
internal import Plan
internal import Scenario
internal import Traffic

/// A namespace of the run with the handles that were opened in it, each when it was first needed.
final class Place {
    let name: String
    let role: Plan.Namespace.Role
    let namespace: NetworkNamespace
    private let route: RouteNetlink
    private var ruleReader: RuleReader?
    private var conntrack: ConntrackHandle?
    private var ipvs: IPVSHandle?
    private var procNet: ProcNet?
    /// Interfaces that the plan has put here, and their MACs.
    private(set) var interfaces: Set<String> = []
    private(set) var macs: [String: MACAddress] = [:]

    /// - Throws: `KernelError` if no socket can be opened in the namespace.
    init(_ plan: Plan.Namespace, in namespace: NetworkNamespace) throws {
        name = plan.name
        role = plan.role
        self.namespace = namespace
        route = try RouteNetlink(in: namespace)
    }

    var handle: NamespaceHandle { NamespaceHandle(name: name, fileDescriptor: namespace.fileDescriptor) }
    var hasRules: Bool { ruleReader != nil }

    func note(_ interface: String, mac: MACAddress?) {
        interfaces.insert(interface)
        macs[interface] = mac
    }

    func forget(_ interface: String) -> MACAddress? {
        interfaces.remove(interface)
        return macs.removeValue(forKey: interface)
    }

    // MARK: Changes

    func perform(_ requests: [RouteRequest]) throws {
        try route.perform(requests)
    }

    func awaitCarriers() throws {
        try route.awaitCarrier(of: interfaces.sorted())
    }

    func flushNeighbours() throws {
        try route.flushNeighbours()
    }

    func write(_ sysctls: [Sysctl]) throws {
        try SystemControl.write(sysctls.map { ($0.key, $0.value) }, in: namespace)
    }

    func loadRules(_ text: String, family: RuleFamily, flush: Bool) throws {
        try rules().load(text, family: family, flush: flush)
    }

    func restoreSets(_ text: String) throws {
        try RuleTables.restoreSets(text, run: ruleProgramRunner)
    }

    func add(_ service: IPVSServicePlan) throws {
        let director = try director()
        let virtual = try IPVSVirtualService(service)
        try director.add(virtual)
        for server in service.realServers {
            try director.add(IPVSRealServer(server), to: virtual.key)
        }
    }

    /// Runs a program here, as `ip netns exec` does, and waits for it.
    func run(_ arguments: [String]) throws -> CommandRecord {
        let record = try ProcessRunner.run(
            arguments, in: namespace, showsOwnSys: true, keeping: KeptOutput.ofCommands
        ).record
        try noteBridgeTables(arguments)
        return record
    }

    /// Starts a program here, as `ip netns exec` does; what is returned waits for its end.
    func begin(_ arguments: [String]) throws -> () throws -> CommandRecord {
        let process = try ProcessRunner.start(
            arguments, in: namespace, showsOwnSys: true, keeping: KeptOutput.ofCommands)
        return {
            let record = try process.finish().record
            try self.noteBridgeTables(arguments)
            return record
        }
    }

    /// A command may have made a bridge table, which the kernel lists nowhere: its rules are to be evidence, too.
    private func noteBridgeTables(_ arguments: [String]) throws {
        let command = arguments.joined(separator: " ")
        guard command.contains("ebtables") else { return }
        let named = ["filter", "nat", "broute"].filter { command.contains("-t \($0)") }
        try rules().noteBridgeTables(named.isEmpty ? ["filter"] : named)
    }

    /// Whether there is a TCP socket that listens on each of these ports.
    func listens(on ports: [UInt16]) throws -> Bool {
        guard !ports.isEmpty else { return true }
        let listening = try files().listeningPorts()
        return ports.allSatisfy(listening.contains)
    }

    // MARK: Observation

    /// - Parameter listsConnections: whether with the entries of conntrack and IPVS.
    func observe(into snapshot: inout Snapshot, listsConnections: Bool) throws {
        let rules = try rules().read()
        if !rules.isEmpty {
            snapshot.rules[name] = rules
            // Without a rule that needs it, conntrack is not even active in a namespace.
            let entries = listsConnections ? try tracker().entries() : []
            if !entries.isEmpty { snapshot.conntrack[name] = entries }
        }
        if let ipvs {
            snapshot.ipvs[name] = listsConnections ? try ipvs.state() : IPVSState(services: try ipvs.services())
        }
        guard role == .host else { return }
        let neighbours = try route.neighbours()
        if !neighbours.isEmpty { snapshot.neighbours[name] = neighbours }
    }

    func ipvsStatisticsAreCurrent() throws -> Bool {
        guard let ipvs else { return true }
        return try ipvs.isCurrent(ipvs.services())
    }

    func savedRules(_ family: RuleFamily) throws -> String {
        try ruleReader?.savedText(family) ?? ""
    }

    /// What reads what it counts while a load goes on, from any thread.
    func meter() throws -> NamespaceMeter {
        NamespaceMeter(name: name, route: route, files: role == .host ? try files() : nil, ipvs: ipvs)
    }

    // MARK: Handles

    /// Runs iptables and its relatives here.
    private var ruleProgramRunner: RuleProgramRunner {
        let namespace = namespace
        return { arguments, input in
            let record = try ProcessRunner.run(arguments, in: namespace, input: input).record
            return (record.status, record.output, record.errors)
        }
    }

    private func rules() throws -> RuleReader {
        if let ruleReader { return ruleReader }
        let run = ruleProgramRunner
        let reader = try namespace.run { try RuleReader(run: run) }
        ruleReader = reader
        return reader
    }

    private func tracker() throws -> ConntrackHandle {
        if let conntrack { return conntrack }
        let handle = try namespace.run { try ConntrackHandle() }
        conntrack = handle
        return handle
    }

    /// What reads its counters, from any thread.
    func files() throws -> ProcNet {
        if let procNet { return procNet }
        let files = try ProcNet(of: namespace)
        procNet = files
        return files
    }

    private func director() throws -> IPVSHandle {
        if let ipvs { return ipvs }
        let handle = try namespace.run { try IPVSHandle() }
        ipvs = handle
        return handle
    }
}

extension IPVSVirtualService {
    init(_ plan: IPVSServicePlan) throws {
        guard let transport = Transport(rawValue: plan.transport) else {
            throw KernelError("add an IPVS service for \(plan.transport)", code: EPROTONOSUPPORT)
        }
        let flags: [String: SchedulerFlags] = ["fallback": .fallback, "port": .port]
        self.init(
            plan.firewallMark.map { .firewallMark($0, plan.address.family) }
                ?? .endpoint(transport, Endpoint(plan.address, port: plan.port)),
            scheduler: plan.scheduler, schedulerFlags: SchedulerFlags(plan.schedulerFlags.compactMap { flags[$0] }),
            persistence: plan.persistence.map { UInt32(clamping: $0) }, persistencePrefix: plan.persistencePrefix,
            onePacket: plan.onePacket)
    }
}

extension IPVSRealServer {
    init(_ plan: IPVSServicePlan.RealServerPlan) throws {
        guard let forwarding = Forwarding(rawValue: plan.forwarding) else {
            throw KernelError("add a real server with forwarding \(plan.forwarding)", code: EINVAL)
        }
        let checksums: [String: Tunnel.Checksum] = ["full": .full, "remote": .remote]
        self.init(
            plan.address, port: plan.port, forwarding: forwarding, weight: UInt32(clamping: plan.weight),
            upperThreshold: UInt32(clamping: plan.upperThreshold),
            lowerThreshold: UInt32(clamping: plan.lowerThreshold),
            tunnel: plan.tunnel.flatMap { tunnel in
                Tunnel.Kind(rawValue: tunnel.kind).map {
                    Tunnel(kind: $0, port: tunnel.port, checksum: checksums[tunnel.checksum] ?? .none)
                }
            })
    }
}
