internal import Evidence
internal import Measurement
internal import Net
internal import Scenario

extension Expectation.IPVS {
    func judged(in scope: Scope) throws(Unjudgeable) -> Finding {
        let director = try scope.names.namespace(on)
        var finding = Finding(statement)
        let services = scope.state.ipvs[director]?.services ?? []
        if let service, connections != nil || inPackets != nil || outPackets != nil,
            !services.contains(where: { $0.endpoint == service })
        {
            finding.require(
                false, expected: "a service at \(service) on \(on)",
                actual: services.isEmpty ? "no services" : services.map(\.text).inline(separator: ", "))
        } else {
            for (count, noun, counter) in [
                (connections, "connection", \IPVSStatistics.connections), (inPackets, "incoming packet", \.inPackets),
                (outPackets, "outgoing packet", \.outPackets),
            ] {
                guard let count else { continue }
                let grown = growth(of: counter, director: director, in: scope)
                finding.require(
                    count.contains(grown.value), expected: "\(count.of(noun)) counted by \(subject)",
                    actual: "\(grown.value)\(grown.restarted ? " (a service was added anew)" : "")")
            }
        }
        if let entries = entries ?? (state == nil && to == nil ? nil : .some) {
            try judgeEntries(entries, director: director, in: scope, finding: &finding)
        }
        finding.details += services.flatMap { service in
            ["\(service.text) \(service.statistics.text)"]
                + service.destinations.map { "  → \($0.text) \($0.statistics.text)" }
        }.limited()
        return finding
    }

    private func judgeEntries(
        _ count: Expectation.Count, director: String, in scope: Scope, finding: inout Finding
    ) throws(Unjudgeable) {
        let addresses = try to.map { name throws(Unjudgeable) in try scope.names.addresses(name) }
        let candidates = (scope.state.ipvs[director]?.connections ?? []).filter { connection in
            (service == nil || connection.virtual == service)
                && (addresses?.contains(connection.destination.address) ?? true)
        }
        let fitting = candidates.filter { state == nil || $0.state == state }
        let holds = count.contains(fitting.count)
        let shown = fitting.count < count.minimum ? candidates : fitting
        let list = holds || shown.isEmpty ? "" : ": \(shown.map(\.text).inline())"
        finding.require(
            holds, expected: "\(count.of("IPVS connection"))\(entryAttributes) on \(on)",
            actual: "\(fitting.count) of \(candidates.count)\(list)")
        finding.details += candidates.map(\.text).limited()
    }

    private func growth(of counter: KeyPath<IPVSStatistics, UInt64>, director: String, in scope: Scope) -> Growth {
        let perSnapshot = scope.snapshots.map { snapshot in
            (snapshot.ipvs[director]?.services ?? []).filter { service == nil || $0.endpoint == service }
        }
        var identities: [String] = []
        for service in perSnapshot.joined() where !identities.contains(service.identity) {
            identities.append(service.identity)
        }
        var sum = Growth(baseline: nil)
        for identity in identities {
            let counts = perSnapshot.map { services in
                services.first { $0.identity == identity }.map { Int(clamping: $0.statistics[keyPath: counter]) }
            }
            var growth = Growth(baseline: counts.first ?? nil)
            for count in counts.dropFirst() { growth.follow(count) }
            sum.value = sum.value.addingSaturated(growth.value)
            sum.restarted = sum.restarted || growth.restarted
        }
        return sum
    }

    private var subject: String { service.map { "service \($0) on \(on)" } ?? "IPVS on \(on)" }

    private var entryAttributes: String {
        (state.map { " in \($0)" } ?? "") + (to.map { " to \($0)" } ?? "") + (service.map { " of \($0)" } ?? "")
    }

    private var statement: String {
        var parts: [String] = []
        if let connections { parts.append(connections.of("connection")) }
        if let inPackets { parts.append(inPackets.of("incoming packet")) }
        if let outPackets { parts.append(outPackets.of("outgoing packet")) }
        var sentences = parts.isEmpty ? [] : ["\(subject) counts \(parts.joined(separator: ", "))"]
        if let entries = entries ?? (state == nil && to == nil ? nil : .some) {
            sentences.append("\(on) has \(entries.of("IPVS connection"))\(entryAttributes)")
        }
        return sentences.isEmpty ? "\(subject) is looked at" : sentences.joined(separator: " and ")
    }
}

extension IPVSService {
    fileprivate var endpoint: Endpoint? {
        guard let address, let port else { return nil }
        return Endpoint(address, port: port)
    }

    fileprivate var identity: String {
        firewallMark.map { "fwmark \($0)" } ?? "\(`protocol` ?? "?") \(endpoint?.description ?? "?")"
    }

    fileprivate var text: String { "\(identity) \(scheduler)" }
}

extension IPVSDestination {
    fileprivate var text: String { "\(Endpoint(address, port: port)) \(forwarding) weight \(weight)" }
}

extension IPVSStatistics {
    fileprivate var text: String { "conns \(connections) in \(inPackets) out \(outPackets)" }
}

extension IPVSConnection {
    fileprivate var text: String { "\(`protocol`) \(client) → \(virtual) → \(destination) \(state)" }
}
