internal import Scenario

/// How much a plan asks for, counted while it is made: steps can make anew what is large, such as all rules of a hypervisor.
struct PlanSize {
    private var operations = 0
    private var bytes = 0

    /// - Throws: `PlanError` beyond a limit.
    mutating func add(_ operations: [Operation]) throws {
        self.operations += operations.count
        if self.operations > Limits.operations {
            throw PlanError("the plan changes too much until here, expected at most \(Limits.operations) changes")
        }
        for operation in operations {
            switch operation.action {
            case .loadRules(_, let text, _), .restoreSets(let text): try add(text)
            case .sysctl(let sysctl): try add(sysctl.value)
            default: break
            }
        }
    }

    mutating func add(_ action: Plan.StepPlan.Action) throws {
        switch action {
        case .operations(let operations), .powerOff(_, let operations): try add(operations)
        case .start(let program):
            for text in program.files.map(\.text) + program.arguments { try add(text) }
        case .run(_, let arguments, _):
            for text in arguments { try add(text) }
        default: break
        }
    }

    private mutating func add(_ text: String) throws {
        bytes += text.utf8.count
        if bytes > Limits.planBytes {
            throw PlanError(
                "the plan's rules, files and commands are too large until here, expected at most \(Limits.planBytes) bytes"
            )
        }
    }
}

extension Planner {
    /// Whether the kernel would take every interface's name: whatever the scenario's names put together, none is too long, and
    /// none is there twice in a namespace.
    func checkInterfaces() throws {
        var known: Set<[String]> = []
        for namespace in plan.namespaces { known.insert([namespace.name, "lo"]) }
        func claim(_ namespace: String, _ name: String) throws {
            guard name.utf8.count <= Limits.interfaceName else {
                throw PlanError(
                    "'\(name)' in \(namespace) is too long for an interface's name (\(Limits.interfaceName) characters); "
                        + "shorten the names of the host, hypervisor or network that it is made of")
            }
            guard known.insert([namespace, name]).inserted else {
                throw PlanError(
                    "two interfaces in \(namespace) would be named '\(name)'; change the names of the hosts, ports or "
                        + "networks that they are made of")
            }
        }
        for operation in plan.setup {
            switch operation.action {
            case .addBridge(let name, _), .addDummy(let name), .addVLAN(let name, _, _), .addVXLAN(let name, _, _, _):
                try claim(operation.namespace, name)
            case .addVeth(let name, _, _, let peer):
                try claim(operation.namespace, name)
                try claim(peer.namespace, peer.name)
            default: break
            }
        }
    }
}

extension [String] {
    /// Each once, in order.
    var distinct: [String] {
        var known: Set<String> = []
        return filter { known.insert($0).inserted }
    }
}
