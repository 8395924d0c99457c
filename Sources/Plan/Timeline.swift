internal import Net
internal import Scenario

extension Planner {
    mutating func plan(_ step: Step) throws -> Plan.StepPlan {
        var planned = Plan.StepPlan(
            name: step.name, action: try plan(step.action),
            awaitsIPVSStatistics: step.expectations.askForIPVSStatistics)
        planned.meanwhile = try step.meanwhile.map { each in
            Plan.StepPlan.Meanwhile(name: each.name, after: each.after, action: try plan(each.action))
        }
        return planned
    }

    private mutating func plan(_ action: Step.Action) throws -> Plan.StepPlan.Action {
        switch action {
        case .request(let request): .request(Plan.RequestPlan(request))
        case .load(let load): .load(try plan(load))
        case .open(let connection, let request): .open(connection: connection, Plan.RequestPlan(request))
        case .use(let connection, let bytes, let timeout):
            .use(connection: connection, bytes: bytes, timeout: timeout)
        case .close(let connection): .close(connection: connection)
        case .move(let host, let to): .operations(try move(host, to: to))
        case .run(let on, let arguments, let mayFail):
            .run(namespace: on, arguments: arguments, mayFail: mayFail)
        case .sysctl(let on, let sysctls): .operations(sysctls.map { Operation(on, .sysctl($0)) })
        case .start(let host, let name): .start(try program(name, of: host))
        case .stop(let host, let name): .stop(namespace: host, program: name)
        case .link(let port, let isUp): .operations(try link(port, isUp: isUp))
        case .powerOff(let machines): try powerOff(machines)
        case .send(let packet): try send(packet)
        case .flushNeighbours(let hosts): .operations(hosts.map { Operation($0, .flushNeighbours) })
        case .wait(let duration): .wait(duration)
        }
    }

    func program(_ name: String, of host: String) throws -> Plan.ProgramPlan {
        guard let program = scenario.host(host)?.programs.first(where: { $0.name == name }) else {
            throw PlanError("\(host) has no program '\(name)'")
        }
        return Plan.ProgramPlan(program, in: host)
    }

    /// What a live migration does to the network: the new hypervisor gets the port's rules, then the tap device; the
    /// machine announces itself as QEMU makes it; the old hypervisor loses the rules. The other end of the cable, the
    /// host's card, stays where it is.
    private mutating func move(_ name: String, to target: String) throws -> [Operation] {
        guard let host = scenario.host(name) else { throw PlanError("there is no host '\(name)' to move") }
        guard let source = placement[name], scenario.isHypervisor(source), scenario.isHypervisor(target) else {
            throw PlanError("'\(name)' cannot move to '\(target)': both must be hypervisors")
        }
        guard source != target else { return [] }
        placement[name] = target
        let moving = host.ports.filter { $0.peer == nil && ($0.on ?? source) == source }
        var operations: [Operation] = []
        for hypervisor in scenario.hypervisors where hypervisor.name == target {
            operations += try portSecurity(of: hypervisor)
        }
        for port in moving {
            guard let network = network(of: port) else { continue }
            operations.append(Operation(source, .moveInterface(name: port.tapName, toNamespace: target)))
            operations.append(
                Operation(
                    target, .setMaster(interface: port.tapName, bridge: tapBridge(of: port, on: target, network))))
            // A qdisc stays behind (dev_change_net_namespace: dev_shutdown).
            if !port.link.receiving.isNone {
                operations.append(
                    Operation(target, .setImpairment(interface: port.tapName, port.link.receiving)))
            }
            capture(target, port.tapName)
        }
        for port in moving {
            operations.append(Operation(name, .announce(interface: port.name, mac: port.macAddress)))
        }
        for hypervisor in scenario.hypervisors where hypervisor.name == source {
            operations += try portSecurity(of: hypervisor)
        }
        return operations
    }
}

extension Plan.ProgramPlan {
    init(_ program: Program, in namespace: String) {
        self.init(
            namespace: namespace, name: program.name, arguments: program.command, folders: Program.folders,
            files: program.files, listens: program.listens)
    }
}

extension Plan.RequestPlan {
    init(_ request: Step.Request) {
        self.init(
            kind: request.kind.rawValue, namespace: request.from, to: request.to, count: request.count,
            interval: request.interval, sourcePort: request.sourcePort, bytes: request.bytes, timeout: request.timeout)
    }
}
