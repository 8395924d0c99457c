/// Writes the tables beside filter. They are the same for IPv4 and IPv6.
struct OtherTables {
    let release: NeutronRelease
    let driver: Neutron.Driver
    let filtered: [Neutron.Port]
    let unfiltered: [Neutron.Port]

    /// A table whose built-in chains jump to the agent's own of the same name.
    private func wrapping(_ name: String, _ chains: [String]) -> IptablesTable {
        var table = IptablesTable(name)
        for chain in chains {
            table.addChain(driver.wrapped(chain))
            table.append(to: chain, target: driver.wrapped(chain))
        }
        return table
    }

    func mangle() -> IptablesTable {
        wrapping("mangle", ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"])
    }

    func mangleWithMark() -> IptablesTable {
        var table = mangle()
        table.addChain(driver.wrapped("mark"))
        table.append(to: driver.wrapped("PREROUTING"), target: driver.wrapped("mark"))
        return table
    }

    func natForRouters() -> IptablesTable {
        var table = wrapping("nat", ["PREROUTING", "OUTPUT", "POSTROUTING"])
        let bottom = "neutron-postrouting-bottom"  // shared among agents, so without their prefix
        table.addChain(bottom)
        table.append(to: "POSTROUTING", target: bottom)
        table.addChain(driver.wrapped("snat"))
        table.append(to: bottom, comment: release.text(.sourceNAT), target: driver.wrapped("snat"))
        table.addChain(driver.wrapped("float-snat"))
        table.append(to: driver.wrapped("snat"), target: driver.wrapped("float-snat"))
        return table
    }

    func natShortCircuit() -> IptablesTable {
        var table = wrapping("nat", ["PREROUTING"])
        for port in filtered + unfiltered {
            for option in ["--physdev-out", "--physdev-in"] {
                table.append(
                    to: driver.wrapped("PREROUTING"), "-m physdev \(option) \(driver.interface(of: port))",
                    comment: release.text(.trusted), target: "ACCEPT")
            }
        }
        return table
    }

    func raw(_ zones: [IptablesTable.Rule]) -> IptablesTable {
        var table = wrapping("raw", ["PREROUTING", "OUTPUT"])
        for rule in zones { table.append(rule) }
        return table
    }

    /// The rules that put the filtered ports' packets into zones, or keep them from being tracked. Ports without port
    /// security have no such rules, but on linuxbridge `-i brq…` takes all that enters the network's bridge, theirs too.
    func zoneRules(
        _ userRules: UserRules, adoptedFrom saved: String
    ) throws(NeutronError) -> [IptablesTable.Rule] {
        var zones = ConntrackZones(release.zones[driver] ?? .none, adoptedFrom: saved)
        var rules: [IptablesTable.Rule] = []
        for port in filtered {
            guard let zone = zones.zone(of: port, driver: driver) else { continue }
            let isStateful = try isStateful(port, userRules)
            for match in release.zoneMatches {
                let bridge = driver.bridgeInterface(of: port)
                let text =
                    switch match {
                    case .bridgeAsPort: "-m physdev --physdev-in \(bridge)"
                    case .bridgeAsInput: "-i \(bridge)"
                    case .port: "-m physdev --physdev-in \(driver.interface(of: port))"
                    }
                rules.append(
                    IptablesTable.Rule(
                        chain: driver.wrapped("PREROUTING"), match: text,
                        comment: commentName(of: port).map {
                            isStateful ? "Set zone for \($0)" : "Make \($0) stateless"
                        },
                        target: isStateful ? "CT --zone \(zone)" : "CT --notrack"))
            }
        }
        return rules
    }

    private func commentName(of port: Neutron.Port) -> String? {
        let key = driver.key(of: port)
        switch release.zoneComment {
        case .none: return nil
        case .withoutFourCharacters: return String(key.dropFirst(4))
        case .withoutTap: return key.hasPrefix("tap") ? String(key.dropFirst(4)) : key
        }
    }

    /// The port's first group decides, as its first rule says: a group without rules counts as stateful.
    private func isStateful(_ port: Neutron.Port, _ userRules: UserRules) throws(NeutronError) -> Bool {
        guard release.statelessGroups, let first = port.securityGroups.first else { return true }
        let group = try userRules.group(first, user: "port \(port.id)")
        return group.stateful || group.rules.isEmpty
    }
}
