/// One table as iptables-save would print it after Neutron has written it.
///
/// iptables prints the built-in chains first and the others by name; rules keep the order in which they were added to their
/// chain. That is why Neutron's own order of chains (a Python set) does not show.
struct IptablesTable {
    struct Rule: Hashable {
        var chain: String
        /// As iptables-save prints it: `-p tcp -m tcp --dport 80`; empty for all packets.
        var match: String
        var comment: String?
        /// `RETURN`, `DROP`, a chain, `CT --zone 1`.
        var target: String
        /// What Neutron wrote, where that says more than iptables prints: an address with or without a prefix length.
        var spelling = ""

        var text: String {
            let comment = comment.map { "-m comment --comment \"\($0)\" " } ?? ""
            return "-A \(chain) \(match.isEmpty ? "" : match + " ")\(comment)-j \(target)"
        }
    }

    let name: String
    let builtinChains: [String]
    private var chains: Set<String> = []
    private var rules: [Rule] = []

    init(_ name: String) {
        self.name = name
        builtinChains =
            switch name {
            case "mangle": ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]
            case "nat": ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"]
            case "raw": ["PREROUTING", "OUTPUT"]
            default: ["INPUT", "FORWARD", "OUTPUT"]
            }
    }

    mutating func addChain(_ name: String) { chains.insert(name) }

    mutating func append(_ rule: Rule) { rules.append(rule) }

    mutating func append(
        to chain: String, _ match: String = "", comment: String? = nil, target: String, spelling: String = ""
    ) {
        rules.append(Rule(chain: chain, match: match, comment: comment, target: target, spelling: spelling))
    }

    /// The rules of a chain that are left when Neutron has weeded out duplicates: `_modify_rules` goes through them from the
    /// end and so keeps the last of equals, as Neutron itself spelled them.
    func rules(of chain: String) -> [Rule] {
        var seen: Set<Rule> = []
        return rules.filter { $0.chain == chain }.reversed().filter { seen.insert($0).inserted }.reversed()
    }

    /// From `*filter` to `COMMIT`, with counters of zero.
    var text: String {
        let own = chains.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        var lines = ["*\(name)"]
        lines += builtinChains.map { ":\($0) ACCEPT [0:0]" }
        lines += own.map { ":\($0) - [0:0]" }
        for chain in builtinChains + own { lines += rules(of: chain).map(\.text) }
        lines.append("COMMIT")
        return lines.joined(separator: "\n") + "\n"
    }
}
