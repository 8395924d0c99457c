/// What instances may send and may not send whatever their groups say, through the ages: `_spoofing_rule` and
/// `_drop_dhcp_rule` in iptables_firewall.py.
extension NeutronRelease.FixedEgress {
    private typealias Rule = NeutronRelease.FixedRule

    private static func dhcp(_ from: Int, _ to: Int) -> String { "-p udp -m udp --sport \(from) --dport \(to)" }
    private static func icmpv6(_ type: Int) -> String { "-p ipv6-icmp -m icmp6 --icmpv6-type \(type)" }

    // MARK: IPv4

    static let anyDHCPClient = Self(
        beforeSpoofChain: [Rule(match: dhcp(68, 67), target: "RETURN")],
        afterSpoofChain: [Rule(match: dhcp(67, 68), target: "DROP")])

    /// Before the spoof chain only those that have no address yet.
    static func verifiedDHCPClient(after: [NeutronRelease.FixedRule]) -> Self {
        Self(
            beforeSpoofChain: [
                Rule(
                    match: "-s 0.0.0.0/32 -d 255.255.255.255/32 " + dhcp(68, 67), target: "RETURN",
                    comment: .dhcpClient)
            ], afterSpoofChain: [Rule(match: dhcp(68, 67), target: "RETURN", comment: .dhcpClient)] + after)
    }

    // MARK: IPv6

    static let anyICMPv6 = Self(
        beforeSpoofChain: [Rule(match: "-p ipv6-icmp", target: "RETURN")], afterSpoofChain: [])

    static let anyICMPv6AndDHCPClient = Self(
        beforeSpoofChain: anyICMPv6.beforeSpoofChain + [Rule(match: dhcp(546, 547), target: "RETURN")],
        afterSpoofChain: [Rule(match: dhcp(547, 546), target: "DROP")])

    /// With comments from now on.
    static let noRouterAdvertisements = Self(
        beforeSpoofChain: verified,
        afterSpoofChain: [
            Rule(match: dhcp(547, 546), target: "DROP", comment: .dhcpSpoof)
        ])

    /// Before the spoof chain only duplicate address detection, the rest after it.
    static let verifiedICMPv6 = Self(
        beforeSpoofChain: [131, 135, 143].map {
            Rule(match: "-s ::/128 -d ff02::/16 " + icmpv6($0), target: "RETURN", comment: .icmpv6)
        }, afterSpoofChain: verified + noRouterAdvertisements.afterSpoofChain)

    private static let verified = [
        Rule(match: icmpv6(134), target: "DROP", comment: .routerAdvertisementDrop),
        Rule(match: "-p ipv6-icmp", target: "RETURN", comment: .icmpv6),
        Rule(match: dhcp(546, 547), target: "RETURN", comment: .dhcpClient),
    ]

    // MARK: Ways to write them

    /// With the comments of Kilo, which left some of IPv6's out.
    var commented: Self {
        func commented(_ rule: NeutronRelease.FixedRule) -> NeutronRelease.FixedRule {
            var rule = rule
            switch rule.match {
            case Self.dhcp(68, 67): rule.comment = .dhcpClient
            case Self.dhcp(67, 68): rule.comment = .dhcpSpoof
            case "-p ipv6-icmp": rule.comment = .routerAdvertisements
            default: break
            }
            return rule
        }
        return Self(beforeSpoofChain: beforeSpoofChain.map(commented), afterSpoofChain: afterSpoofChain.map(commented))
    }

    /// Each port with a match of its own: `-m udp --sport 67 -m udp --dport 68`. (iptables keeps both.)
    var matchingTwice: Self { rewritten(" --dport", " -m udp --dport") }
    /// Both ports in one match.
    var matchingOnce: Self { rewritten(" -m udp --dport", " --dport") }

    private func rewritten(_ old: String, _ new: String) -> Self {
        func rewritten(_ rule: NeutronRelease.FixedRule) -> NeutronRelease.FixedRule {
            var rule = rule
            rule.match = rule.match.replacing(old, with: new)
            return rule
        }
        return Self(
            beforeSpoofChain: beforeSpoofChain.map(rewritten), afterSpoofChain: afterSpoofChain.map(rewritten))
    }
}
