internal import Evidence
internal import Measurement
internal import Verdict

/// The rules of every machine with what they counted during the run; those that dropped packets are marked.
struct RulesSection {
    private let evidence: Evidence
    /// How many packets each rule ended.
    private var guilty: [Key: Int] = [:]
    private var before: [Key: Int] = [:]

    private struct Key: Hashable {
        var place: String
        var family: String
        var table: String
        var chain: String
        var number: Int

        init(_ place: String, _ rule: RuleCounter) {
            self.place = place
            family = rule.family
            table = rule.table
            chain = rule.chain
            number = rule.number
        }
    }

    init(_ evidence: Evidence, _ journeys: Journeys) {
        self.evidence = evidence
        for journey in journeys.journeys {
            guard let blame = journey.blame, let rule = blame.rule, !journey.end.isGood else { continue }
            guilty[Key(blame.place, rule), default: 0] += 1
        }
        for (place, rules) in evidence.initial.rules {
            for rule in rules { before[Key(place, rule)] = rule.packets }
        }
    }

    var markup: Markup {
        let places = evidence.final.rules.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
        return "\(places.map { place($0.key, $0.value) })"
    }

    private func place(_ name: String, _ rules: [RuleCounter]) -> Markup {
        let deaths = rules.reduce(0) { $0 + (guilty[Key(name, $1)] ?? 0) }
        var chains: [(head: String, rules: [RuleCounter])] = []
        for rule in rules {
            let head = "\(rule.family) \(rule.table) \(rule.chain)"
            if chains.last?.head == head {
                chains[chains.count - 1].rules.append(rule)
            } else {
                chains.append((head, [rule]))
            }
        }
        let counting = chains.filter { $0.rules.contains { $0.packets > 0 || guilty[Key(name, $0)] != nil } }
        let idle = chains.filter { $0.rules.allSatisfy { $0.packets == 0 && guilty[Key(name, $0)] == nil } }
        return """
            <details\(.when(deaths > 0, " open"))><summary><span class="name">\(name)</span>: \(rules.count) rules\
            \(.when(deaths > 0, ", <span class=\"killed\">dropped \(deaths) packets</span>"))</summary>
            \(.when(!counting.isEmpty, table("Rules of \(name)", name, counting)))\
            \(.when(!idle.isEmpty, """
                <details class="idle"><summary>\(idle.count) chains that counted nothing</summary>
                <pre tabindex="0">\(Self.text(idle))</pre></details>

                """))</details>

            """
    }

    /// As `iptables-save` writes them, under their family and table.
    private static func text(_ chains: [(head: String, rules: [RuleCounter])]) -> String {
        var lines: [String] = []
        var table = ""
        for rule in chains.flatMap(\.rules) {
            let place = "\(rule.family) \(rule.table)"
            if place != table { lines += (lines.isEmpty ? [] : [""]) + ["# \(place)"] }
            table = place
            lines.append(rule.number == 0 ? ":\(rule.chain) \(rule.rule)" : "-A \(rule.chain) \(rule.rule)")
        }
        return lines.joined(separator: "\n")
    }

    private func table(_ label: String, _ place: String, _ chains: [(head: String, rules: [RuleCounter])]) -> Markup {
        let rows = chains.flatMap { chain in
            ["<tr class=\"chain\"><th colspan=\"3\" scope=\"colgroup\">\(chain.head)</th></tr>\n" as Markup]
                + chain.rules.map { row(place, $0) }
        }
        return scrollingTable(label, head: ["no.", "packets", "rule"], rows: rows, className: "rules")
    }

    private func row(_ place: String, _ rule: RuleCounter) -> Markup {
        let key = Key(place, rule)
        let grown = rule.packets.subtractingSaturated(before[key] ?? 0)
        let deaths = guilty[key]
        let number = rule.number == 0 ? "" : String(rule.number)
        let look = deaths != nil ? "guilty" : rule.packets == 0 ? "idle" : ""
        return """
            <tr\(.when(!look.isEmpty, " class=\"\(look)\""))><td>\(number)</td>\
            <td>\(rule.packets)\(.when(grown != rule.packets, " <small>(+\(grown))</small>"))</td>\
            <td><code>\(rule.rule)</code>\
            \(deaths.markup { " <strong class=\"killed\">◀ ended \($0) \($0 == 1 ? "packet" : "packets")</strong>" })</td></tr>

            """
    }
}
