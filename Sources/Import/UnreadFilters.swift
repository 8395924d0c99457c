internal import Text

/// Filters that import cannot read. A node with one is refused: a network without it would answer what the real one drops.
extension Machine {
    /// - Throws: `ImportError` that names the filter, what shows it, and what would help.
    func checkFilters() throws(ImportError) {
        try checkOpenVSwitch()
        try checkNftables()
        if isHypervisor { try checkPortsAreFiltered() }
    }

    private func refuse(_ filter: String, because: String, help: String) -> ImportError {
        ImportError("\(folderName): \(filter), which import cannot read yet: \(because); \(help)")
    }

    // MARK: Open vSwitch and OVN

    private static let bridgesOfOpenVSwitch = ["br-int", "br-ex", "br-tun", "br-ovs"]

    private func checkOpenVSwitch() throws(ImportError) {
        let noFlows =
            "without them every packet would pass; only nodes whose iptables filter (linuxbridge, ovs_hybrid) "
            + "can be imported"
        if let sign = signOfOVN {
            throw refuse("its ports are filtered by OVN's flows", because: sign, help: noFlows)
        }
        let filtered = "its ports are filtered by Open vSwitch's flows (firewall_driver = openvswitch)"
        // A tap device in Open vSwitch itself has no hybrid bridge whose iptables could filter.
        if let (port, bridge) = bridgePorts.first(where: { isOpenVSwitch($0.bridge) && Self.isOfInstance($0.name) }) {
            throw refuse(filtered, because: "\(port) is on \(bridge) and has no bridge qbr…", help: noFlows)
        }
        for file in others where Self.hasFirewallFlows(file.text) {
            throw refuse(filtered, because: "\(file.path) has flows with ct_state", help: noFlows)
        }
        guard let sign = signOfOpenVSwitch, !hasHybridBridges else { return }
        throw refuse(filtered, because: "\(sign), and no bridge is qbr…", help: noFlows)
    }

    private var hasHybridBridges: Bool {
        !hybridBridges.isEmpty || bridgePorts.contains { $0.bridge.hasPrefix("qbr") }
    }

    /// `tap…` of libvirt, `vnet…` where Nova did not name it, `vhu…` of DPDK.
    private static func isOfInstance(_ port: String) -> Bool {
        ["tap", "vnet", "vhu", "macvtap"].contains { port.hasPrefix($0) }
    }

    private static func hasFirewallFlows(_ text: String) -> Bool {
        text.contains("actions=") && (text.contains("ct_state=") || text.contains("ct(") || text.contains("recirc("))
    }

    private var signOfOVN: String? {
        for name in links.compactMap(\.ifname?.text) + bridgePorts.map(\.name)
        where name.hasPrefix("genev_sys") || name.hasPrefix("ovn") || name.hasPrefix("patch-br-int-to") {
            return "it has \(name)"
        }
        for file in others {
            let name = file.fileName
            if name.hasPrefix("ovn") { return "there is \(file.path)" }
            guard name.hasPrefix("ovs") || name.hasPrefix("openvswitch") else { continue }
            if ["ovn-remote", "ovn-encap", "ovn-bridge", "ovn-installed", "ovn-chassis"].contains(
                where: file.text.contains)
            {
                return "\(file.path) has OVN's settings"
            }
        }
        return nil
    }

    private var signOfOpenVSwitch: String? {
        for link in links {
            guard let name = link.ifname?.text else { continue }
            if link.linkinfo?.infoKind == "openvswitch" || name == "ovs-system" || name == "ovs-netdev" {
                return "\(name) is Open vSwitch's"
            }
            if Self.bridgesOfOpenVSwitch.contains(name), link.linkinfo?.infoKind != "bridge" {
                return "it has \(name)"
            }
        }
        if let (port, bridge) = bridgePorts.first(where: { isOpenVSwitch($0.bridge) }) {
            return "\(port) is on \(bridge)"
        }
        return others.first { $0.fileName.hasPrefix("ovs") || $0.fileName.hasPrefix("openvswitch") }
            .map { "there is \($0.path)" }
    }

    // MARK: nftables

    private func checkNftables() throws(ImportError) {
        if let ruleset = texts[.nft], let table = NftRuleset(ruleset).ownTable {
            throw refuse(
                "rules of nftables",
                because: "\(paths[.nft] ?? "") has the table '\(table)', which iptables did not make",
                help: "iptables-save does not show it")
        }
        for file in [Bundle.File.iptables, .ip6tables, .ebtables] {
            guard let text = texts[file], let path = paths[file] else { continue }
            let remarks = text.split(separator: "\n").filter { $0.hasPrefix("#") }
            if let line = remarks.first(where: { $0.contains("tables present") }) {
                throw refuse(
                    "rules in another table set", because: "\(path) says '\(line.dropFirst().drop { $0 == " " })'",
                    help: "the bundle needs all rules of the node in one dump")
            }
            let isOfNftables = remarks.contains { $0.contains("nf_tables") }
            if isOfNftables, isHypervisor, texts[.nft] == nil {
                throw refuse(
                    "rules in nftables", because: "\(path) was printed by \(file.rawValue) of nf_tables",
                    help: "what 'nft list ruleset' prints (nft-list-ruleset.txt) must show that there are no others")
            }
        }
    }

    // MARK: iptables

    /// Of a node with instances' ports: either rules name them, or it must be shown that there are none.
    private func checkPortsAreFiltered() throws(ImportError) {
        let taps = bridgePorts.filter { isFiltered($0.bridge) && $0.name.hasPrefix("tap") }.map(\.name)
        // With hybrid bridges a scenario is not valid without rules; see Consistency.checkRelease.
        guard let tap = taps.first, texts[.iptables] != nil || !hasHybridBridges else { return }
        guard !taps.contains(where: texts[.iptables, default: ""].contains), texts[.nft] == nil else { return }
        let shown =
            paths[.iptables].map { "no rule in \($0) names" } ?? "there is no iptables-save.txt with the rules of"
        throw ImportError(
            "\(folderName): no filter of its ports can be seen: \(shown) \(tap)\(taps.count > 1 ? " or another tap device" : ""); "
                + "if they have none, what 'nft list ruleset' prints (nft-list-ruleset.txt) must show it")
    }

    /// Ports that no rule names, on a node whose rules name others.
    var unfilteredPorts: [String] {
        guard let rules = texts[.iptables] else { return [] }
        return bridgePorts.map(\.name).filter { $0.hasPrefix("tap") && !rules.contains($0) }
    }
}

extension Machine.Dump {
    /// In lower case.
    fileprivate var fileName: String {
        (path.split(separator: "/").last.map(String.init) ?? path).lowercased().replacing("_", with: "-")
    }
}

/// What `nft list ruleset` prints, as closely as it must be looked at.
private struct NftRuleset {
    /// The first table with rules that is not one of iptables-nft.
    private(set) var ownTable: String?

    init(_ text: String) {
        var table = ""
        var isOwn = false
        var isManaged = false
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map { $0.trimmed }
            // "# Warning: table ip filter is managed by iptables-nft, do not touch!"
            if line.hasPrefix("#") {
                isManaged = line.contains("managed by")
            } else if words.first == "table", words.count >= 3 {
                table = words[1...2].joined(separator: " ")
                isOwn = !(isManaged || Self.isOfIptables(words[1], words[2]))
                isManaged = false
            } else if isOwn, ownTable == nil, !table.isEmpty, Self.isRule(words) {
                ownTable = table
            }
        }
    }

    private static func isOfIptables(_ family: String, _ name: String) -> Bool {
        switch family {
        case "ip", "ip6": ["filter", "nat", "mangle", "raw", "security"].contains(name)
        case "arp", "bridge": ["filter", "nat"].contains(name)
        default: false
        }
    }

    /// Anything that decides something: not a chain's or a set's beginning or end.
    private static func isRule(_ words: [String]) -> Bool {
        guard let first = words.first(where: { !$0.isEmpty }) else { return false }
        if first == "type", words.contains("hook") { return words.contains("drop;") }
        return !["chain", "}", "{", "set", "map", "type", "flags", "elements", "policy", "comment"].contains(first)
    }
}

extension Substring {
    fileprivate var trimmed: String { String(drop { $0.isWhitespace }) }
}
