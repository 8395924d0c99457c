internal import Scenario

extension Planner {
    func link(_ name: String, isUp: Bool) throws -> [Operation] {
        let port = try port(named: name)
        return port.interfaces.map {
            Operation(port.namespace, isUp ? .setUp(interface: $0) : .setDown(interface: $0))
        }
    }

    /// A hypervisor takes the hosts on it along.
    func powerOff(_ machines: [String]) throws -> Plan.StepPlan.Action {
        var operations: [Operation] = []
        let machines = machines.distinct
        let known = Set(machines)
        let hypervisors = machines.filter(scenario.isHypervisor)
        let hosts = scenario.hosts.filter { host in
            known.contains(host.name)
                || host.ports.contains { port in
                    guard let place = port.peer == nil ? port.on ?? placement[host.name] : nil else { return false }
                    return hypervisors.contains(place)
                }
        }
        for name in hypervisors where scenario.hypervisors.contains(where: { $0.name == name && $0.uplink != nil }) {
            operations += try link("\(name):uplink", isUp: false)
        }
        for host in hosts {
            operations += host.ports.map { Operation(host.name, .setDown(interface: $0.name)) }
        }
        return .powerOff(hosts: hosts.map(\.name), operations)
    }
}
