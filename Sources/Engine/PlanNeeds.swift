public import Plan

extension Plan {
    /// What a kernel must have for this plan, by the names of `Capabilities.known`, whether or not the scenario says so:
    /// Neutron's rules alone may need ebtables or ipset.
    public var needs: Set<String> {
        var needs: Set<String> = []
        var operations = setup
        for action in actions {
            if case .operations(let changes) = action { operations += changes }
        }
        for operation in operations {
            switch operation.action {
            case .addDummy: needs.insert("dummy")
            case .setImpairment: needs.insert("netem")
            case .addVXLAN: needs.insert("vxlan")
            case .setCallsFilters: needs.insert("bridge-nf")
            case .addService: needs.insert("ipvs")
            case .restoreSets: needs.insert("ipset")
            case .loadRules(let family, let text, _): needs.formUnion(Self.needs(of: text, family))
            default: break
            }
        }
        return needs
    }

    /// The programs that it starts, by the word that finds them.
    public var programWords: [String] {
        var words = programs.compactMap(\.arguments.first)
        for action in actions {
            if case .start(let program) = action { words += program.arguments.prefix(1) }
        }
        return words.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    private static func needs(of rules: String, _ family: Operation.RuleFamily) -> Set<String> {
        switch family {
        case .arp: return ["arptables"]
        case .bridge: return ["ebtables"]
        case .ipv4, .ipv6:
            var needs: Set<String> = family == .ipv6 ? ["ipv6"] : []
            let marks = [
                ("--physdev-", "bridge-nf"), ("--state ", "conntrack"), ("--ctstate ", "conntrack"),
                ("--zone ", "zones"),
                ("--match-set ", "ipset"),
            ]
            for (mark, need) in marks where rules.contains(mark) { needs.insert(need) }
            return needs
        }
    }
}
