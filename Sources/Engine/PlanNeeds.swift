public import Plan

extension Plan {
    /// What a kernel must have for this plan, by the names of `Capabilities.known`, whether or not the scenario says so:
    /// Neutron's rules alone may need ebtables or ipset.
    public var needs: Set<String> {
        var needs: Set<String> = []
        var operations = setup
        for step in steps {
            if case .operations(let changes) = step.action { operations += changes }
        }
        for operation in operations {
            switch operation.action {
            case .addDummy: needs.insert("dummy")
            case .setImpairment: needs.insert("netem")
            case .addVXLAN: needs.insert("vxlan")
            case .setCallsFilters: needs.insert("bridge-nf")
            case .addService: needs.insert("ipvs")
            case .loadRules(let family, let text, _): needs.formUnion(Self.needs(of: text, family))
            default: break
            }
        }
        return needs
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
