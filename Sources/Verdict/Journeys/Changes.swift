internal import Evidence
internal import Net
internal import Scenario

/// What a scenario's own commands change in the network, as far as journeys must know it: the evidence has no table of
/// MTUs and limits.
struct Changes {
    private struct Change {
        var time: Nanoseconds
        var namespace: String
        var words: [String]
    }

    private var changes: [Change] = []

    init(_ scenario: Scenario, _ evidence: Evidence) {
        for (step, record) in zip(scenario.timeline, evidence.steps) {
            guard case .run(let on, let arguments, _) = step.action else { continue }
            let words = arguments.flatMap { $0.split { " \n;".contains($0) }.map(String.init) }
            changes.append(Change(time: record.started, namespace: on, words: words))
        }
    }

    /// `ip link set DEVICE mtu N`.
    func mtu(of interface: String, in namespace: String, at time: Nanoseconds) -> Int? {
        var found: Int?
        for change in changes where change.time <= time && change.namespace == namespace {
            for (index, word) in change.words.enumerated().dropLast() where word == "mtu" {
                if change.words[..<index].suffix(3).contains(interface) { found = Int(change.words[index + 1]) }
            }
        }
        return found
    }

    /// `sysctl -w KEY=N`, wherever it ran: such limits are the whole kernel's.
    func limit(_ key: String, at time: Nanoseconds) -> Int? {
        var found: Int?
        for word in changes.filter({ $0.time <= time }).flatMap(\.words) {
            let parts = word.split(separator: "=").map(String.init)
            if parts.count == 2, parts[0].hasSuffix(key) { found = Int(parts[1]) }
        }
        return found
    }

    /// `ip neigh del ADDRESS …`.
    func forgotten(by namespace: String, before time: Nanoseconds) -> Set<IPAddress> {
        var found: Set<IPAddress> = []
        for change in changes where change.namespace == namespace && change.time <= time {
            guard let index = change.words.firstIndex(of: "del"), index > 0, change.words[index - 1].hasPrefix("neigh"),
                index + 1 < change.words.count, let address = IPAddress(change.words[index + 1])
            else { continue }
            found.insert(address)
        }
        return found
    }

    /// `ip addr add ADDRESS dev …`, by namespace.
    var addresses: [(namespace: String, address: IPAddress)] {
        changes.flatMap { change in
            change.words.enumerated().compactMap { index, word in
                guard word == "add" || word == "replace", index > 0, change.words[index - 1].hasPrefix("a"),
                    index + 1 < change.words.count,
                    let address = change.words[index + 1].split(separator: "/").first.flatMap({ IPAddress($0) })
                else { return nil }
                return (change.namespace, address)
            }
        }
    }
}
