internal import Evidence
internal import Measurement
internal import Scenario

extension Expectation.Rule {
    func judged(in scope: Scope) throws(Unjudgeable) -> Finding {
        let counted = try CountedRules(on: on, family: family, table: table, chain: chain, rule: rule, in: scope)
        var finding = Finding(
            "rule '\(rule)' in \(table) \(counted.chain) on \(on) counts \(packets.of("packet"))")
        counted.describe(in: &finding)
        finding.require(
            !counted.rules.isEmpty && packets.contains(counted.packets),
            expected: "\(packets.of("packet")) counted by '\(rule)' in \(table) \(counted.chain) on \(on)",
            actual: counted.actual)
        return finding
    }
}

/// The rules of one chain whose text contains a given one, and what they counted in a scope.
///
/// A rule is known again in the next snapshot by its text and its rank among the rules of its chain with the same text,
/// so a rule inserted above it does not matter. Comments are no part of the text: Neutron writes them from Liberty on.
struct CountedRules {
    struct Counted {
        var rule: RuleCounter
        var growth: Growth
    }
    private struct Key: Hashable {
        var text: String
        var rank: Int
    }

    let chain: String
    private let on: String
    private let wanted: String
    private(set) var rules: [Counted] = []
    /// Rules of the chain that do not contain the text, as last seen.
    private let chainText: [String]
    private let knownChains: [String]

    init(
        on: String, family: String, table: String, chain: String, rule: String, in scope: Scope
    ) throws(Unjudgeable) {
        self.on = try scope.names.namespace(on)
        self.chain = try scope.names.chain(chain)
        wanted = try scope.names.expandingTaps(rule)
        let name = self.chain
        let all = scope.snapshots.map { snapshot in
            (snapshot.rules[on] ?? []).filter { $0.family == family && $0.table == table }
        }
        let chains = all.map { rules in rules.filter { $0.chain == name } }
        chainText = (chains.last { !$0.isEmpty } ?? []).map(\.text)
        var known: [String] = []
        let latest = all.last(where: { !$0.isEmpty }) ?? []
        for counter in latest where !known.contains(counter.chain) { known.append(counter.chain) }
        knownChains = known

        var order: [Key] = []
        var found: [Key: Counted] = [:]
        for (index, chain) in chains.enumerated() {
            var ranks: [String: Int] = [:]
            var present: Set<Key> = []
            for counter in chain where Self.text(counter.rule, contains: wanted) {
                let key = Key(text: counter.rule, rank: ranks[counter.rule, default: 0])
                ranks[counter.rule, default: 0] += 1
                present.insert(key)
                if var known = found[key] {
                    known.rule = counter
                    known.growth.follow(counter.packets)
                    found[key] = known
                } else {
                    var growth = Growth(baseline: index == 0 ? counter.packets : nil)
                    if index > 0 { growth.follow(counter.packets) }
                    found[key] = Counted(rule: counter, growth: growth)
                    order.append(key)
                }
            }
            for key in order where !present.contains(key) { found[key]?.growth.follow(nil) }
        }
        rules = order.compactMap { found[$0] }
    }

    /// Their sum.
    var packets: Int { rules.map(\.growth.value).saturatingSum }

    /// Whether so many packets can all have met their end here: a rule that counted fewer leaves some to another cause.
    func explains(_ dropped: Int) -> Bool {
        packets >= dropped || rules.contains { $0.growth.restarted }
    }

    /// The count, or why there is none.
    var actual: String {
        guard rules.isEmpty else { return "\(packets)" }
        return chainText.isEmpty ? "no chain \(chain) with rules on \(on)" : "no such rule in the chain"
    }

    func describe(in finding: inout Finding) {
        if rules.isEmpty {
            finding.details += chainText.isEmpty ? knownChains.map { "chain \($0)" }.limited() : chainText.limited()
        } else {
            finding.details += rules.map { counted in
                "\(counted.growth.value.of("packet")): \(counted.rule.text)"
                    + (counted.growth.restarted ? " (its counter restarted: packets before that may be missing)" : "")
            }.limited()
        }
    }

    static func text(_ rule: String, contains wanted: String) -> Bool {
        rule.contains(wanted) || withoutComments(rule).contains(wanted)
    }

    /// `-m comment --comment "…" ` removed; iptables-save quotes a comment that has spaces and escapes its quotes.
    private static func withoutComments(_ rule: String) -> String {
        rule.replacing(#/-m comment --comment (?:"(?:[^"\\]|\\.)*"|\S+) ?/#, with: "")
    }
}
