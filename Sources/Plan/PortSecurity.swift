internal import Scenario

extension Planner {
    /// The rules that port security puts on a hypervisor for the hosts that are on it now, and those written beside them.
    func portSecurity(of hypervisor: Hypervisor) throws -> [Operation] {
        var operations: [Operation] = []
        func load(_ family: Operation.RuleFamily, _ text: String, flush: Bool = true) {
            guard !text.isEmpty else { return }
            operations.append(Operation(hypervisor.name, .loadRules(family: family, text: text, flush: flush)))
        }
        func restoreSets(_ text: String?) {
            guard let text, !text.isEmpty else { return }
            operations.append(Operation(hypervisor.name, .restoreSets(text: text)))
        }
        if let dumps = hypervisor.rules {
            restoreSets(dumps.ipset)
            load(.ipv4, dumps.iptables ?? "")
            if scenario.usesIPv6 { load(.ipv6, dumps.ip6tables ?? "") }
            load(.bridge, dumps.ebtables ?? "")
        } else if let rules = try NeutronRules.rules(for: hypervisor.name, in: asPlaced) {
            // First: rules refer to sets.
            restoreSets(rules.ipsets)
            load(.ipv4, rules.ipv4)
            if scenario.usesIPv6 { load(.ipv6, rules.ipv6) }
            load(.bridge, rules.ebtables ?? "")
        }
        if let text = RestoreText(arguments: try namingChains(hypervisor.iptables), defaultTable: "filter") {
            load(.ipv4, text.text, flush: operations.isEmpty)
        }
        if let text = RestoreText(arguments: try namingChains(hypervisor.ip6tables), defaultTable: "filter") {
            load(.ipv6, text.text, flush: scenario.neutron == nil || !scenario.usesIPv6)
        }
        return operations
    }

    /// The scenario with its hosts where they are at this point of the timeline.
    private var asPlaced: Scenario {
        var scenario = scenario
        for index in scenario.hosts.indices {
            let host = scenario.hosts[index]
            guard let origin = host.on, let place = placement[host.name], origin != place else { continue }
            scenario.hosts[index].on = place
            for port in host.ports.indices where host.ports[port].on == origin {
                scenario.hosts[index].ports[port].on = place
            }
        }
        return scenario
    }
}

extension [Expectation] {
    /// Whether any asks what IPVS has counted, which the kernel sums up for its readers only every two seconds.
    var askForIPVSStatistics: Bool {
        flatMap(\.leaves).contains {
            if case .ipvs(let ipvs) = $0.check {
                ipvs.connections != nil || ipvs.inPackets != nil || ipvs.outPackets != nil
            } else {
                false
            }
        }
    }
}
