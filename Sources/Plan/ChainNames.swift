internal import Scenario

extension Planner {
    /// Rules written beside Neutron's may name its chains by their host, as expectations do: `-I i(lb) 1 -p tcp …` puts a
    /// rule at the head of the ingress chain of lb's port. So they may the interfaces: `--physdev-in tap(lb)`, `qvb(lb)`.
    func namingChains(_ lines: [String]) throws -> [String] {
        try lines.map { line in
            try line.split(separator: " ", omittingEmptySubsequences: false)
                .map { try interface(String($0)) ?? chain(String($0)) ?? String($0) }
                .joined(separator: " ")
        }
    }

    /// The interface that `tap(lb)` or `qvb(lb:eth0)` stands for; nil if the word is neither.
    private func interface(_ word: String) throws -> String? {
        guard word.hasPrefix("tap(") || word.hasPrefix("qvb("), word.hasSuffix(")") else { return nil }
        let port = try port(word, "the interface")
        return word.hasPrefix("tap") ? port.tapName : port.hybridPortName
    }

    private func port(_ word: String, _ kind: String) throws -> Port {
        guard let port = port(inside: word) else {
            throw PlanError("the rule names \(kind) \(word), but there is no such port")
        }
        return port
    }

    /// The port between the parentheses of `tap(lb)` or `i(lb:eth0)`; nil if there is none.
    func port(inside word: String) -> Port? {
        let place = word.drop { $0 != "(" }.dropFirst().dropLast().split(separator: ":").map(String.init)
        guard let name = place.first, let host = scenario.host(name) else { return nil }
        return place.count == 1 ? host.ports.first : host.ports.first { $0.name == place[1] }
    }

    /// The chain that `i(lb)`, `o(lb)` or `s(lb:eth0)` stands for; nil if the word is none of these.
    private func chain(_ word: String) throws -> String? {
        guard word.hasSuffix(")"), let open = word.firstIndex(of: "("),
            let kind = Neutron.Chain(rawValue: String(word[..<open]))
        else { return nil }
        guard let neutron = scenario.neutron else {
            throw PlanError("the rule names the chain \(word), but the scenario has no Neutron to make it")
        }
        let port = try port(word, "the chain")
        return try Neutron.Driver(named: neutron.driver).chain(kind, of: Neutron.Port(port))
    }
}

extension Neutron.Port {
    /// As much of a port as its chains' names need.
    fileprivate init(_ port: Port) {
        self.init(id: port.id, networkID: "", macAddress: port.macAddress, fixedIPs: [])
    }
}
