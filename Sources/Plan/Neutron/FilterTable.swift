internal import Net

/// Writes the filter table: iptables_firewall.py, `_setup_chains_apply`.
struct FilterTable {
    let release: NeutronRelease
    let driver: Neutron.Driver
    let userRules: UserRules
    /// With port security, in the order of their rules.
    let filtered: [Neutron.Port]
    /// Without.
    let unfiltered: [Neutron.Port]

    func table(_ family: IPAddress.Family) throws(NeutronError) -> IptablesTable {
        var table = IptablesTable("filter")
        addAgentChains(to: &table)
        for port in filtered {
            try addIngress(of: port, family, to: &table)
            try addEgress(of: port, family, to: &table)
        }
        // Up to Kilo the ACCEPT is added with each port; the last one remains when duplicates are weeded out.
        if release.acceptsInEmptyGroupChain || !filtered.isEmpty {
            table.append(to: driver.wrapped("sg-chain"), target: "ACCEPT")
        }
        // From 12.0.4 filtered ports' jumps are inserted on top (LP#1762736), which also puts them before the ACCEPTs of
        // trusted ports that earlier runs left. Written at once, the order is the same.
        for port in unfiltered { addAccepts(of: port, to: &table) }
        return table
    }

    /// What the agent sets up before it knows any port.
    private func addAgentChains(to table: inout IptablesTable) {
        let forwardTop = "neutron-filter-top"  // shared among agents, so without their prefix
        table.addChain(forwardTop)
        for chain in ["FORWARD", "OUTPUT"] { table.append(to: chain, target: forwardTop) }
        for chain in ["INPUT", "FORWARD", "OUTPUT"] {
            table.addChain(driver.wrapped(chain))
            table.append(to: chain, target: driver.wrapped(chain))
        }
        table.addChain(driver.wrapped("local"))
        table.append(to: forwardTop, target: driver.wrapped("local"))
        table.addChain(driver.wrapped("sg-chain"))
        table.addChain(driver.wrapped("sg-fallback"))
        table.append(
            to: driver.wrapped("sg-fallback"), comment: release.text(.unmatchedDrop), target: "DROP")
    }

    private func physdev(_ direction: Neutron.Direction, _ port: Neutron.Port) -> String {
        let option = direction == .ingress ? "--physdev-out" : "--physdev-in"
        return "-m physdev \(option) \(driver.interface(of: port)) --physdev-is-bridged"
    }

    private func addJumps(
        of port: Neutron.Port, _ direction: Neutron.Direction, to chain: String, in table: inout IptablesTable
    ) {
        let match = physdev(direction, port)
        table.addChain(chain)
        // A packet between two ports of one hypervisor must pass both chains, so these RETURN to sg-chain, which accepts.
        table.append(
            to: driver.wrapped("FORWARD"), match, comment: release.text(.interfaceToGroupChain),
            target: driver.wrapped("sg-chain"))
        table.append(
            to: driver.wrapped("sg-chain"), match, comment: release.text(.groupChainToPort), target: chain)
        if direction == .egress {
            table.append(to: driver.wrapped("INPUT"), match, comment: release.text(.inputToPort), target: chain)
        }
    }

    private func addAccepts(of port: Neutron.Port, to table: inout IptablesTable) {
        let comment = release.text(.portSecurityDisabled)
        for direction in Neutron.Direction.allCases {
            table.append(
                to: driver.wrapped("FORWARD"), physdev(direction, port), comment: comment, target: "ACCEPT")
        }
        table.append(to: driver.wrapped("INPUT"), physdev(.egress, port), comment: comment, target: "ACCEPT")
    }

    private func addIngress(
        of port: Neutron.Port, _ family: IPAddress.Family, to table: inout IptablesTable
    ) throws(NeutronError) {
        let chain = driver.chain(.ingress, of: port)
        addJumps(of: port, .ingress, to: chain, in: &table)
        if family == .v6 {
            for type in release.ingressICMPv6Types {
                table.append(to: chain, "-p ipv6-icmp -m icmp6 --icmpv6-type \(type)", target: "RETURN")
            }
        }
        try addUserRules(of: port, .ingress, family, to: chain, in: &table)
    }

    private func addEgress(
        of port: Neutron.Port, _ family: IPAddress.Family, to table: inout IptablesTable
    ) throws(NeutronError) {
        let chain = driver.chain(.egress, of: port)
        addJumps(of: port, .egress, to: chain, in: &table)
        let fixed = release.fixedEgress[family]
        for rule in fixed?.beforeSpoofChain ?? [] { append(rule, to: chain, in: &table) }
        try addSpoofChain(of: port, family, from: chain, to: &table)
        for rule in fixed?.afterSpoofChain ?? [] { append(rule, to: chain, in: &table) }
        try addUserRules(of: port, .egress, family, to: chain, in: &table)
    }

    private func append(_ rule: NeutronRelease.FixedRule, to chain: String, in table: inout IptablesTable) {
        table.append(to: chain, rule.match, comment: rule.comment.flatMap(release.text), target: rule.target)
    }

    /// The chain that knows which addresses the port may send from; none for a family in which it has no address.
    private func addSpoofChain(
        of port: Neutron.Port, _ family: IPAddress.Family, from egress: String, to table: inout IptablesTable
    ) throws(NeutronError) {
        let pairs = try SourcePair.pairs(of: port, family, release)
        guard !pairs.isEmpty else { return }
        let chain = driver.chain(.spoof, of: port)
        table.addChain(chain)
        for pair in pairs {
            table.append(
                to: chain, pair.match, comment: release.text(.pairAllowed), target: "RETURN", spelling: pair.spelling)
        }
        table.append(to: chain, comment: release.text(.pairDrop), target: "DROP")
        table.append(to: egress, target: chain)
    }

    private func addUserRules(
        of port: Neutron.Port, _ direction: Neutron.Direction, _ family: IPAddress.Family, to chain: String,
        in table: inout IptablesTable
    ) throws(NeutronError) {
        func dropInvalid() {
            table.append(
                to: chain, "-m state --state INVALID", comment: release.text(.invalidDrop), target: "DROP")
        }
        if release.invalidDrop == .beforeUserRules { dropInvalid() }
        table.append(
            to: chain, "-m state --state RELATED,ESTABLISHED", comment: release.text(.established), target: "RETURN")
        for match in try userRules.matches(of: port, direction, family) {
            table.append(to: chain, match.text, target: "RETURN", spelling: match.spelling)
        }
        if release.invalidDrop == .afterUserRules { dropInvalid() }
        table.append(to: chain, comment: release.text(.unmatched), target: driver.wrapped("sg-fallback"))
    }
}

extension NeutronRelease {
    /// The comment, if the release writes any.
    func text(_ comment: Comment) -> String? { comments ? comment.rawValue : nil }
}
