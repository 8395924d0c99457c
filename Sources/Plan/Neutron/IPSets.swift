internal import Net

extension UserRules {
    /// The sets of all remote groups that the ports' rules name, as `ipset restore` takes them; ipset_manager.py.
    func sets(for ports: [Neutron.Port]) throws(NeutronError) -> String {
        guard let ipset = release.ipset else { return "" }
        var lines: [String] = []
        var seen: Set<String> = []
        for port in ports {
            for id in port.securityGroups {
                for rule in try group(id, user: "port \(port.id)").rules {
                    guard let remote = rule.remoteGroupID else { continue }
                    let name = ipset.name(group: remote, rule.ethertype)
                    let members = try members(of: remote, rule.ethertype)
                    guard ipset.emptySets || !members.isEmpty, seen.insert(name).inserted else { continue }
                    lines.append("create \(name) \(ipset.type) family \(rule.ethertype == .v4 ? "inet" : "inet6")")
                    if !ipset.halvesZeroPrefix, members.contains(where: { $0.prefix.length == 0 }) {
                        throw NeutronError.unavailable(.zeroPrefixInSets, release: release.version)
                    }
                    lines += Self.entries(members.map(\.prefix)).map { "add \(name) \($0)" }
                }
            }
        }
        return lines.isEmpty ? "" : lines.joined(separator: "\n") + "\n"
    }

    /// No set knows a /0; Neutron writes its two halves (`_sanitize_addresses`).
    private static func entries(_ prefixes: [IPPrefix]) -> [String] {
        var entries: [String] = []
        for prefix in prefixes {
            let halves = prefix.family == .v4 ? ["0.0.0.0/1", "128.0.0.0/1"] : ["::/1", "8000::/1"]
            // A set holds an address once; `ipset restore` refuses to add it again.
            for entry in prefix.length == 0 ? halves : [prefix.network.description] where !entries.contains(entry) {
                entries.append(entry)
            }
        }
        return entries
    }
}
