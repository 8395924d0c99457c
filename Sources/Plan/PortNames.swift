internal import Net
internal import Scenario

/// What a port's name in a scenario (`lb`, `gw:eth0`, `hv1:uplink`, `hv1:tap(lb)`, `sw:lb`) means in the kernel.
struct NamedPort {
    var namespace: String
    /// More than one for a cable between bridges, which is one for each network.
    var interfaces: [String]
    /// The MAC of the machine that it belongs to, or that is behind it; nil if there is none.
    var mac: MACAddress?
}

extension Planner {
    func port(named name: String) throws -> NamedPort {
        let parts = name.split(separator: ":", maxSplits: 1).map(String.init)
        if let host = scenario.host(parts[0]) {
            if let port = host.ports.first(where: { parts.count == 1 || $0.name == parts[1] }) {
                return NamedPort(namespace: host.name, interfaces: [port.name], mac: port.macAddress)
            }
            if parts.count == 2, host.interfaces.contains(where: { $0.name == parts[1] }) {
                return NamedPort(namespace: host.name, interfaces: [parts[1]])
            }
        }
        guard parts.count == 2 else { throw PlanError("'\(name)' is no port") }
        let (place, rest) = (parts[0], parts[1])
        if rest == "uplink" {
            let networks = scenario.networks.map { scenario.uplinkName(of: $0) }
            return NamedPort(namespace: place, interfaces: scenario.fabric == .flat ? networks : ["uplink"])
        }
        if rest.hasPrefix("uplink("), let network = scenario.networks.first(where: { rest == "uplink(\($0.name))" }) {
            return NamedPort(namespace: place, interfaces: [scenario.uplinkName(of: network)])
        }
        for (word, device) in [("tap(", \Port.tapName), ("qvb(", \.hybridPortName)] where rest.hasPrefix(word) {
            guard let port = port(inside: rest) else { continue }
            return NamedPort(namespace: place, interfaces: [port[keyPath: device]], mac: port.macAddress)
        }
        guard scenario.switches.contains(where: { $0.name == place }) else { throw PlanError("'\(name)' is no port") }
        let behind = rest.split(separator: ":").map(String.init)
        let ports = scenario.host(behind[0])?.ports.filter { port in
            behind.count == 2 ? port.name == behind[1] : (port.on ?? scenario.host(behind[0])?.on) == place
        }
        return NamedPort(
            namespace: place, interfaces: scenario.switchPorts(rest, on: place), mac: ports?.first?.macAddress)
    }

    /// Switches only forward, and their ports are captured only where an expectation looks at them: what goes over the
    /// cable is seen at its other end.
    mutating func captureSwitches() throws {
        let all = scenario.timeline.flatMap(\.expectations) + scenario.expectations
        var known: Set<String> = []
        for name in all.flatMap(\.check.ports) where known.insert(name).inserted {
            guard let place = name.split(separator: ":").first.map(String.init),
                scenario.switches.contains(where: { $0.name == place })
            else { continue }
            let port = try port(named: name)
            for interface in port.interfaces { capture(port.namespace, interface) }
        }
    }
}
