internal import Evidence
internal import Measurement
internal import Net

/// The run's snapshots, as journeys ask them: what was there at a moment, and what grew around it.
final class States {
    private let evidence: Evidence
    private let snapshots: [Snapshot]
    private var books: [Key: RuleBook] = [:]
    private var tables: [Key: [UInt64: [ConntrackEntry]]] = [:]

    /// The packets of a connection, at all the ports of a machine, ask for the same words.
    private var texts: [TextKey: String?] = [:]

    private struct TextKey: Hashable {
        var table: Key
        var connection: UInt64
    }

    private struct Key: Hashable {
        var number: Int
        var namespace: String
    }

    init(_ evidence: Evidence) {
        self.evidence = evidence
        snapshots = [evidence.initial] + evidence.steps.map(\.after) + [evidence.final]
    }

    /// Between which snapshots a moment can lie: the number of the later one. Two if it is in the pause behind a step,
    /// in which the step's snapshot was taken.
    func intervals(at time: Nanoseconds) -> [Int] {
        let steps = evidence.steps
        guard let index = steps.firstIndex(where: { time <= $0.ended }) else {
            return steps.isEmpty ? [1] : [snapshots.count - 1, snapshots.count - 2]
        }
        return index > 0 && time < steps[index].started || index > 0 && time == steps[index - 1].ended
            ? [index + 1, index] : time == steps[index].ended ? [index + 1, index + 2] : [index + 1]
    }

    func rules(of namespace: String, interval: Int) -> RuleBook {
        let key = Key(number: interval, namespace: namespace)
        if let known = books[key] { return known }
        let book = RuleBook(
            before: snapshots[interval - 1].rules[namespace] ?? [], after: snapshots[interval].rules[namespace] ?? [])
        books[key] = book
        return book
    }

    func rules(of namespace: String, snapshot: Int) -> [RuleCounter] { snapshots[snapshot].rules[namespace] ?? [] }

    func hasRules(_ namespace: String) -> Bool { snapshots.contains { $0.rules[namespace]?.isEmpty == false } }

    func growth(of counter: String, in namespace: String, interval: Int) -> Int {
        (snapshots[interval].counters[namespace]?[counter] ?? 0).subtractingSaturated(
            snapshots[interval - 1].counters[namespace]?[counter] ?? 0)
    }

    /// Whether the namespace's counters are known at an interval's end.
    func hasCounters(_ namespace: String, interval: Int) -> Bool { snapshots[interval].counters[namespace] != nil }

    func neighbours(of namespace: String, interval: Int) -> [Neighbour] {
        (snapshots[interval].neighbours[namespace] ?? []) + (snapshots[interval - 1].neighbours[namespace] ?? [])
    }

    func conntrackCount(of namespace: String, interval: Int) -> Int {
        max(
            snapshots[interval].conntrack[namespace]?.count ?? 0,
            snapshots[interval - 1].conntrack[namespace]?.count ?? 0)
    }

    /// The entries of a packet's connection at a snapshot, in any zone.
    func conntrack(of cargo: Cargo, in namespace: String, snapshot: Int) -> [ConntrackEntry] {
        guard cargo.isIP else { return [] }
        let key = Key(number: snapshot, namespace: namespace)
        if tables[key] == nil {
            var table: [UInt64: [ConntrackEntry]] = [:]
            for entry in snapshots[snapshot].conntrack[namespace] ?? [] {
                for hash in Set([Self.hash(entry.original, entry.protocol), Self.hash(entry.reply, entry.protocol)]) {
                    table[hash, default: []].append(entry)
                }
            }
            tables[key] = table
        }
        guard let table = tables[key], !table.isEmpty else { return [] }
        return table[Self.hash(cargo)] ?? []
    }

    /// These entries in words, see `text`.
    func conntrackText(of cargo: Cargo, in namespace: String, snapshot: Int) -> String? {
        let key = TextKey(table: Key(number: snapshot, namespace: namespace), connection: cargo.connection)
        if let known = texts[key] { return known }
        let text = Self.text(conntrack(of: cargo, in: namespace, snapshot: snapshot))
        texts[key] = .some(text)
        return text
    }

    private static func hash(_ cargo: Cargo) -> UInt64 {
        hash(cargo.source, cargo.destination, cargo.sourcePort, cargo.destinationPort, Int(cargo.protocolNumber))
    }

    /// The same as a packet's `Cargo.connection`.
    static func connection(of tuple: ConntrackTuple, _ name: String) -> UInt64 { hash(tuple, name) }

    private static func hash(_ tuple: ConntrackTuple, _ name: String) -> UInt64 {
        let number =
            switch name {
            case "tcp": 6
            case "udp": 17
            case "icmp": 1
            case "icmpv6": 58
            case "sctp": 132
            default: Int(name) ?? 0
            }
        return hash(tuple.source, tuple.destination, tuple.sourcePort, tuple.destinationPort, number)
    }

    private static func hash(
        _ source: IPAddress, _ destination: IPAddress, _ sourcePort: UInt16, _ destinationPort: UInt16, _ number: Int
    ) -> UInt64 {
        var hash = Mix()
        hash.add(source)
        hash.add(destination)
        // ICMP's second "port" is its type and code.
        let isICMP = number == 1 || number == 58
        hash.add(UInt64(number) << 32 | UInt64(sourcePort) << 16 | (isICMP ? 0 : UInt64(destinationPort)))
        return hash.value
    }

    /// What conntrack can have called a packet, as far as its table shows it.
    func possibleStates(of headers: Headers, _ cargo: Cargo, in namespace: String, interval: Int) -> Set<String> {
        let after = conntrack(of: cargo, in: namespace, snapshot: interval)
        let entries = after.isEmpty ? conntrack(of: cargo, in: namespace, snapshot: interval - 1) : after
        var states: Set<String>
        let flags = headers.packet?.flags
        let isBareSYN = flags.map { $0 & 0x12 == 0x02 } ?? false
        if entries.isEmpty {
            // What is dropped before it is confirmed leaves no entry.
            states = isBareSYN ? ["NEW"] : ["NEW", "INVALID"]
            if let type = headers.packet?.icmpType, headers.packet?.protocolName == "icmp", type != 8 {
                states = ["RELATED", "INVALID"]
            }
        } else if entries.allSatisfy({ $0.state == "SYN_SENT" && $0.flags.contains("UNREPLIED") }), let flags {
            states = flags & 0x02 != 0 ? ["NEW", "ESTABLISHED"] : ["INVALID"]
        } else {
            states = ["ESTABLISHED", "INVALID"]
            if isBareSYN || flags == nil { states.insert("NEW") }
        }
        states.insert("UNTRACKED")
        return states
    }
}

extension States {
    /// `SYN_SENT [UNREPLIED] zone 1`.
    static func text(_ entries: [ConntrackEntry]) -> String? {
        let texts = entries.map { entry in
            ([entry.state].compactMap(\.self) + entry.flags.map { "[\($0)]" }
                + (entry.zone == 0 ? [] : ["zone \(entry.zone)"])).joined(separator: " ")
        }
        var distinct: [String] = []
        for text in texts where !distinct.contains(text) { distinct.append(text.isEmpty ? "tracked" : text) }
        return distinct.isEmpty ? nil : distinct.joined(separator: ", ")
    }
}
