internal import Glibc

/// What a rule set filters: the words that Plan.RuleFamily and Evidence.RuleCounter use.
public enum RuleFamily: String, Codable, Sendable, CaseIterable {
    case ipv4, ipv6, arp, bridge

    /// The family's tool: `iptables`, `ip6tables`, `arptables` or `ebtables`.
    public var tool: String {
        switch self {
        case .ipv4: "iptables"
        case .ipv6: "ip6tables"
        case .arp: "arptables"
        case .bridge: "ebtables"
        }
    }

    /// The file below /proc/net that lists the tables a namespace has; ebtables has none.
    var namesFile: String? {
        switch self {
        case .ipv4: "ip_tables_names"
        case .ipv6: "ip6_tables_names"
        case .arp: "arp_tables_names"
        case .bridge: nil
        }
    }

    /// `iptables-legacy-restore`, or `iptables-restore` where the host has no such name.
    ///
    /// The plain names are usually the nf_tables variants, whose rules are not in the tables that are read here; a host
    /// without the -legacy names is one from before that split.
    func program(_ suffix: String = "") -> String {
        let legacy = "\(tool)-legacy\(suffix)"
        let found = ["/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin", "/bin"].contains {
            access("\($0)/\(legacy)", X_OK) == 0
        }
        return found ? legacy : "\(tool)\(suffix)"
    }
}

/// Runs a program in the namespace that is meant: its name and arguments, its standard input. Throws if it cannot be
/// started; a program that fails says so in `status`.
public typealias RuleProgramRunner =
    @Sendable (_ arguments: [String], _ input: String) throws -> (status: Int32, output: String, errors: String)
