public import Net
internal import Scenario

extension Plan {
    /// A load, spelled out.
    public struct LoadPlan: Codable, Sendable, Equatable {
        /// `http` or `udp`.
        public var kind: String
        /// The clients' namespaces.
        public var namespaces: [String]
        public var to: Endpoint
        /// Requests per second; nil for a closed loop.
        public var rate: Int?
        public var connections: Int
        public var keepAlive: Bool
        /// Octets.
        public var request: Int
        public var response: Int
        /// Nanoseconds.
        public var warmUp: Int64
        public var duration: Int64
        public var timeout: Int64
        /// The ports whose traffic is counted.
        public var ports: [CapturePoint]
        /// Those of them that are the clients', and those of the director: the host with an IPVS service or, where there
        /// is none, with a program and the load's destination on a port.
        public var clientPorts: [String]
        public var directorPorts: [String]
    }
}

extension Planner {
    func plan(_ load: Load) throws -> Plan.LoadPlan {
        let directors = Set(scenario.services.map(\.director))
        func isDirector(_ host: Host) -> Bool {
            guard directors.isEmpty else { return directors.contains(host.name) }
            return !host.programs.isEmpty
                && host.ports.contains { port in
                    port.addresses.map { $0.contains { $0.address == load.to.address } }
                        ?? port.fixedIPs.contains(load.to.address)
                }
        }
        func ports(of hosts: [Host]) -> [String] {
            hosts.flatMap { host in host.ports.map { "\(host.name):\($0.name)" } }
        }
        return Plan.LoadPlan(
            kind: load.kind.rawValue, namespaces: load.from, to: load.to, rate: load.rate,
            connections: load.connections, keepAlive: load.keepAlive, request: load.request, response: load.response,
            warmUp: load.warmUp, duration: load.duration, timeout: load.timeout, ports: plan.captures,
            clientPorts: ports(of: scenario.hosts.filter { load.from.contains($0.name) }),
            directorPorts: ports(of: scenario.hosts.filter(isDirector)))
    }
}
