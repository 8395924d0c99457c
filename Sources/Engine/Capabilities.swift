/// What an engine's kernel has, by the names that scenarios use in `needs`.
public struct Capabilities: Sendable, Equatable, Codable {
    /// By name: nil if it is there, otherwise why not.
    public var reasons: [String: String?]

    public init(reasons: [String: String?]) { self.reasons = reasons }

    public func has(_ name: String) -> Bool {
        if case .some(.none) = reasons[name] { return true }
        return false
    }

    /// Why something is not there.
    public func reason(against name: String) -> String {
        guard let reason = reasons[name] else { return "drbench does not know how to look for it" }
        return reason ?? "it is there"
    }

    /// The names that a scenario may need, and for each what it stands for and the kernel option that gives it.
    public static let known: [(name: String, meaning: String, option: String)] = [
        ("ipvs", "IP Virtual Server", "CONFIG_IP_VS"),
        ("dummy", "dummy interfaces", "CONFIG_DUMMY"),
        ("bridge-nf", "iptables for bridged frames (br_netfilter)", "CONFIG_BRIDGE_NETFILTER"),
        ("conntrack", "connection tracking", "CONFIG_NF_CONNTRACK"),
        ("zones", "conntrack zones", "CONFIG_NF_CONNTRACK_ZONES"),
        ("arptables", "the ARP filter table", "CONFIG_IP_NF_ARPFILTER"),
        ("ebtables", "the bridge tables", "CONFIG_BRIDGE_NF_EBTABLES_LEGACY"),
        ("ipset", "IP sets", "CONFIG_IP_SET"),
        ("netem", "network emulation (delay, loss)", "CONFIG_NET_SCH_NETEM"),
        ("vxlan", "VXLAN", "CONFIG_VXLAN"),
        ("ipip", "IPIP tunnels", "CONFIG_NET_IPIP"),
        ("gre", "GRE tunnels", "CONFIG_NET_IPGRE"),
        ("ipv6", "IPv6", "CONFIG_IPV6"),
    ]

    /// Reads a kernel configuration.
    public init(kernelConfiguration text: String) {
        let on = Set(
            text.split(separator: "\n").filter { $0.hasSuffix("=y") }.map { String($0.dropLast(2)) })
        reasons = [:]
        for each in Self.known {
            reasons.updateValue(on.contains(each.option) ? nil : "built without \(each.option)", forKey: each.name)
        }
    }
}

extension LabKernel {
    /// What the kernel was configured with.
    public var capabilities: Capabilities {
        get throws { Capabilities(kernelConfiguration: try configuration) }
    }
}
