internal import Scenario

extension Planner {
    /// The rules that port security puts on a hypervisor for the hosts that are on it now, and those written beside them.
    func portSecurity(of hypervisor: Hypervisor) throws -> [Operation] {
        var operations: [Operation] = []
        // Neutron's rules come here.
        if let text = RestoreText(arguments: try namingChains(hypervisor.iptables), defaultTable: "filter") {
            operations.append(
                Operation(hypervisor.name, .loadRules(family: .ipv4, text: text.text, flush: operations.isEmpty)))
        }
        return operations
    }
}
