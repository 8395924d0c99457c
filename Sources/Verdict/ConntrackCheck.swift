internal import Evidence
internal import Net
internal import Scenario

extension Expectation.Conntrack {
    func judged(in scope: Scope) throws(Unjudgeable) -> Finding {
        let table = scope.state.conntrack[try scope.names.namespace(on)] ?? []
        guard states.isEmpty else { return judgedStates(table) }
        // The connections in question, and those of them that are as expected.
        let candidates = table.filter(concerns)
        let fitting = candidates.filter(fits)
        var finding = Finding("\(on) has \(count.of("conntrack entry", "conntrack entries"))\(attributes)")
        finding.details = candidates.map(\.text).limited()
        finding.control = "\(on)'s table has \(table.count.of("entry", "entries"))"
        let holds = count.contains(fitting.count)
        let shown = fitting.count < count.minimum ? candidates : fitting
        let list = holds || shown.isEmpty ? "" : ": \(shown.map(\.text).inline())"
        finding.require(
            holds, expected: "\(count.of("conntrack entry", "conntrack entries")) on \(on)\(attributes)",
            actual: "\(fitting.count) of \(candidates.count)\(list)")
        return finding
    }

    /// Row by row: every port's entry, and what it is.
    private func judgedStates(_ table: [ConntrackEntry]) -> Finding {
        var finding = Finding(
            "\(on)'s entries\(attributes) by source port: "
                + states.map { "\($0.port) \($0.state)" }.joined(separator: ", "))
        finding.control = "\(on)'s table has \(table.count.of("entry", "entries"))"
        let candidates = table.filter(concerns)
        for wanted in states {
            let found = candidates.filter { $0.original.sourcePort == wanted.port }.map { $0.state ?? "no state" }
            let actual = found.isEmpty ? "none" : found.joined(separator: " and ")
            finding.require(
                actual == wanted.state, expected: "\(wanted.port) in \(wanted.state)",
                actual: "\(wanted.port) in \(actual)")
        }
        finding.details = candidates.map(\.text).limited()
        return finding
    }

    private func concerns(_ entry: ConntrackEntry) -> Bool {
        (`protocol` == nil || entry.protocol == `protocol`) && (source == nil || entry.original.source == source)
            && (destination == nil || entry.original.destination == destination)
            && (sourcePort == nil || entry.original.sourcePort == sourcePort)
            && (destinationPort == nil || entry.original.destinationPort == destinationPort)
    }

    private func fits(_ entry: ConntrackEntry) -> Bool {
        (state == nil || entry.state == state) && (zone == nil || entry.zone == zone)
            && flags.allSatisfy {
                $0.hasPrefix("!") ? !entry.flags.contains(String($0.dropFirst())) : entry.flags.contains($0)
            }
    }

    /// ` in SYN_SENT [UNREPLIED] in zone 5 for tcp from 198.51.100.10 to 203.0.113.2:80`.
    private var attributes: String {
        var words: [String] = []
        if let state { words.append("in \(state)") }
        words += flags.map { $0.hasPrefix("!") ? "without [\($0.dropFirst())]" : "[\($0)]" }
        if let zone { words.append("in zone \(zone)") }
        var target: [String] = []
        if let `protocol` { target.append(`protocol`) }
        if let source { target.append("from \(source)") }
        if let sourcePort { target.append("from port \(sourcePort)") }
        switch (destination, destinationPort) {
        case (let address?, let port?):
            target += [target.isEmpty ? "" : "to", Endpoint(address, port: port).description]
        case (let address?, nil): target += [target.isEmpty ? "" : "to", address.description]
        case (nil, let port?): target.append("port \(port)")
        case (nil, nil): break
        }
        target.removeAll(where: \.isEmpty)
        if !target.isEmpty { words += ["for"] + target }
        return words.isEmpty ? "" : " " + words.joined(separator: " ")
    }
}
