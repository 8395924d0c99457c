internal import Evidence
internal import Measurement

/// The rules of one namespace between two snapshots, and what each counted.
struct RuleBook {
    /// A rule, known again in the next snapshot by its text and its rank among those of its chain with the same text.
    struct Key: Hashable, CustomStringConvertible {
        var family: String
        var table: String
        var chain: String
        var text: String
        var rank: Int
        var description: String { "\(family) \(table) \(chain) \(rank) \(text)" }
    }

    struct Entry {
        var key: Key
        var rule: ParsedRule
    }

    /// By family, table and chain.
    private(set) var chains: [String: [Entry]] = [:]
    private(set) var growth: [Key: Int] = [:]
    /// Those that were counted from 0 again, or came or went meanwhile: what they counted is not known.
    private(set) var uncertain: Set<Key> = []
    /// The rules at the interval's start, if they were others.
    private var earlier: [String: [Entry]] = [:]

    init(before: [RuleCounter], after: [RuleCounter]) {
        let old = Self.entries(before)
        let new = Self.entries(after)
        chains = Self.chains(new)
        var counts: [Key: Int] = [:]
        for entry in old { counts[entry.key] = entry.rule.counter.packets }
        var present: Set<Key> = []
        for entry in new {
            present.insert(entry.key)
            let count = entry.rule.counter.packets
            if let earlier = counts[entry.key] {
                growth[entry.key] = count >= earlier ? count - earlier : count
                if count < earlier { uncertain.insert(entry.key) }
            } else {
                growth[entry.key] = count
                uncertain.insert(entry.key)
            }
        }
        let gone = old.filter { !present.contains($0.key) }
        if !gone.isEmpty {
            earlier = Self.chains(old)
            uncertain.formUnion(gone.map(\.key))
        }
    }

    private static func entries(_ counters: [RuleCounter]) -> [Entry] {
        var ranks: [Key: Int] = [:]
        return counters.map { counter in
            var key = Key(
                family: counter.family, table: counter.table, chain: counter.chain, text: counter.rule, rank: 0)
            let rank = ranks[key, default: 0]
            ranks[key] = rank + 1
            key.rank = rank
            return Entry(key: key, rule: ParsedRule(counter))
        }
    }

    private static func chains(_ entries: [Entry]) -> [String: [Entry]] {
        var chains: [String: [Entry]] = [:]
        for entry in entries {
            chains["\(entry.key.family) \(entry.key.table) \(entry.key.chain)", default: []].append(entry)
        }
        // A policy has the number 0 and is asked last.
        return chains.mapValues { rules in
            rules.filter { $0.rule.counter.number != 0 } + rules.filter { $0.rule.counter.number == 0 }
        }
    }

    /// What a drop on this way has counted: the last rule of it, or, where a chain's policy dropped it, what came into the
    /// chain less what its rules took.
    func growth(of way: [Entry]) -> [Int] {
        var counts = way.map { growth[$0.key] ?? 0 }
        guard let last = way.last, case .jump(let chain) = last.rule.target else { return counts }
        let taken = (chains["\(last.key.family) \(last.key.table) \(chain)"] ?? []).reduce(0) {
            $0.addingSaturated($1.rule.target == .none ? 0 : growth[$1.key] ?? 0)
        }
        counts[counts.count - 1] = counts[counts.count - 1].subtractingSaturated(taken)
        return counts
    }

    /// Whether a packet that passes here must have been counted and was not: the counters were started anew meanwhile.
    func missed(family: String, chain: String) -> Bool {
        guard let first = chains["\(family) filter \(chain)"]?.first, first.rule.matches.isEmpty,
            first.rule.counter.number > 0
        else { return false }
        return growth[first.key] ?? 0 == 0
    }

    /// The ways on which a packet can meet its end: each the rules that lead to a DROP, and that rule.
    /// An empty way is none; a way that ends with a jump ends at the policy of the chain that it leads to.
    func drops(of packet: FilteredPacket, family: String, hooks: [(table: String, chain: String)]) -> [[Entry]] {
        var drops = Self.drops(chains, packet, family, hooks)
        if !earlier.isEmpty {
            for drop in Self.drops(earlier, packet, family, hooks)
            where !drops.contains(where: { $0.map(\.key) == drop.map(\.key) }) {
                drops.append(drop)
            }
        }
        return drops
    }

    private static func drops(
        _ chains: [String: [Entry]], _ packet: FilteredPacket, _ family: String,
        _ hooks: [(table: String, chain: String)]
    ) -> [[Entry]] {
        var drops: [[Entry]] = []
        for hook in hooks {
            let way = Way(chains: chains, packet: packet, family: family, prefix: "\(family) \(hook.table) ")
            let outcome = way.walk(hook.chain, depth: 0)
            drops += outcome.drops
            if !outcome.goesOn && !outcome.mayBeAccepted { break }
        }
        return drops
    }
}

/// A packet's way through the chains of one table.
private struct Way {
    struct Outcome {
        var drops: [[RuleBook.Entry]] = []
        var mayBeAccepted = false
        /// Whether it can come to the chain's end, or return from it.
        var goesOn = false
    }

    let chains: [String: [RuleBook.Entry]]
    let packet: FilteredPacket
    let family: String
    let prefix: String

    func walk(_ chain: String, depth: Int) -> Outcome {
        var outcome = Outcome()
        // The kernel refuses loops; a limit is for texts that no kernel wrote.
        guard depth < 16, let rules = chains[prefix + chain] ?? (hasOwnPolicy(chain) ? [] : nil) else {
            outcome.goesOn = true
            return outcome
        }
        for entry in rules {
            let answer = packet.answer(entry.rule)
            guard answer != .no else { continue }
            var ends = answer == .yes
            switch entry.rule.target {
            case .none: ends = false
            case .accept: outcome.mayBeAccepted = true
            case .drop, .reject: outcome.drops.append([entry])
            case .return: outcome.goesOn = true
            case .jump(let name), .goTo(let name):
                let inner = walk(name, depth: depth + 1)
                outcome.drops += inner.drops.map { [entry] + $0 }
                if inner.mayBeAccepted { outcome.mayBeAccepted = true }
                if case .goTo = entry.rule.target {
                    if inner.goesOn { outcome.goesOn = true }
                } else if inner.goesOn {
                    ends = false
                }
            }
            if ends { return outcome }
        }
        if hasOwnPolicy(chain) {
            outcome.drops.append([])
        } else {
            outcome.goesOn = true
        }
        return outcome
    }

    /// ebtables gives chains of users a policy of their own, which counts nothing. Neutron's is DROP for these
    /// (neutron/plugins/ml2/drivers/linuxbridge/agent/arp_protect.py, `ebtables -P`).
    private func hasOwnPolicy(_ chain: String) -> Bool {
        family == "bridge" && (chain.hasPrefix("neutronMAC-") || chain.hasPrefix("neutronARP-"))
    }
}
