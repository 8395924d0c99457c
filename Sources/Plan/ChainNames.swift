internal import Scenario

extension Planner {
    /// Rules written beside Neutron's may name its chains by their host, as expectations do: `-I i(lb) 1 -p tcp …` puts a
    /// rule at the head of the ingress chain of lb's port.
    func namingChains(_ lines: [String]) throws -> [String] {
        try lines.map { line in
            try line.split(separator: " ", omittingEmptySubsequences: false)
                .map { try chain(String($0)) ?? String($0) }
                .joined(separator: " ")
        }
    }

    /// The chain that `i(lb)`, `o(lb)` or `s(lb:eth0)` stands for; nil if the word is none of these.
    private func chain(_ word: String) throws -> String? {
        guard word.hasSuffix(")"), let open = word.firstIndex(of: "("),
            let kind = Neutron.Chain(rawValue: String(word[..<open]))
        else { return nil }
        let place = word[word.index(after: open)...].dropLast().split(separator: ":").map(String.init)
        guard let neutron = scenario.neutron else {
            throw PlanError("the rule names the chain \(word), but the scenario has no Neutron to make it")
        }
        guard let name = place.first, let host = scenario.host(name),
            let port = place.count == 1 ? host.ports.first : host.ports.first(where: { $0.name == place[1] })
        else { throw PlanError("the rule names the chain \(word), but there is no such port") }
        return try Neutron.Driver(named: neutron.driver).chain(kind, of: Neutron.Port(port))
    }
}

extension Neutron.Port {
    /// As much of a port as its chains' names need.
    fileprivate init(_ port: Port) {
        self.init(id: port.id, networkID: "", macAddress: port.macAddress, fixedIPs: [])
    }
}
