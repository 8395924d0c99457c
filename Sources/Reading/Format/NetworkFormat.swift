internal import Net
internal import Scenario

/// Networks, security groups, switches and hypervisors in a file.
enum NetworkFormat {
    static let cidr = Shape<IPPrefix>.prefix.checked { prefix, tree, reader in
        if prefix.network != prefix {
            reader.error(
                at: tree.location, "'\(prefix)' has bits beyond its prefix length", suggestion: "\(prefix.network)")
        }
    }

    static let uuid = Shape<String>.text(
        "a UUID such as e7000001-0000-4000-8000-000000000001",
        pattern: "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        matches: { text in
            let groups = text.split(separator: "-", omittingEmptySubsequences: false)
            return groups.map(\.utf8.count) == [8, 4, 4, 4, 12]
                && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) || $0 == 0x2D }
        })

    static let network = Shape<Network>.object(
        "network", "a network", "A Neutron network with its subnet.",
        blank: Network(name: "", id: "", cidr: IPPrefix(host: IPAddress(v4: 0))),
        fields: [
            Field(
                "id", \.id, uuid,
                "Its UUID: the bridge on a hypervisor is brq and the first 11 characters. Made of the name."),
            Field("cidr", \.cidr, cidr, required: true, "The subnet's prefix."),
            Field("gateway", \.gateway, .address, "The subnet's gateway."),
            Field("dhcp_server", \.dhcpServer, .address, "The subnet's DHCP server, if it has one."),
            Field(
                "router_advertisers", \.routerAdvertisers, .list(of: .address),
                "The link-local addresses of the routers that advertise IPv6 prefixes."),
            Field(
                "segmentation_id", \.segmentationID, .integer(1...(1 << 24) - 1),
                "Its VLAN's or VXLAN's number, on a fabric of such; from 101 up, in order."),
        ],
        check: { network, tree, reader in
            for (key, address) in [("gateway", network.gateway), ("dhcp_server", network.dhcpServer)] {
                guard let address, !network.cidr.contains(address) else { continue }
                reader.error(
                    at: tree.valueLocation(of: [key]), "\(address) is not in the network",
                    expected: "an address in \(network.cidr)")
            }
        })

    static let networks = Shape<[Network]>.keyed(
        by: .word, "network", network, maximum: Limits.networks
    ) { network, name, _, _ in
        network.name = name
        if network.id.isEmpty { network.id = DefaultIdentity.id(name, "network") }
    }

    private static let ethertypes: [String: IPAddress.Family] = ["IPv4": .v4, "IPv6": .v6]

    static let rule = Shape<SecurityGroupRule>.object(
        "securityGroupRule", "a security group rule", "A rule in the words of the Neutron API; no field means any.",
        blank: SecurityGroupRule(direction: .ingress),
        fields: [
            Field("direction", \.direction, .word(), required: true, "Into the port (ingress) or out of it (egress)."),
            Field("ethertype", \.ethertype, .word(["IPv4", "IPv6"]) { ethertypes[$0] }, "IPv4 unless it says IPv6."),
            Field(
                "protocol", \.protocol,
                .scalar(
                    "a protocol such as tcp, udp, icmp or 112", schema: .scalar(pattern: "^[a-z0-9-]+$"),
                    parse: { protocols.contains($0) || UInt8($0) != nil ? $0 : nil }),
                "A protocol's name or number."),
            Field("port_range_min", \.portRangeMin, Self.portRange, "The first port; for ICMP the type."),
            Field("port_range_max", \.portRangeMax, Self.portRange, "The last port; for ICMP the code."),
            Field("remote_ip_prefix", \.remoteIPPrefix, .prefix, "Whom the rule is about: a prefix."),
            Field("remote_group", \.remoteGroup, .name(of: .securityGroup), "Whom the rule is about: a group's ports."),
        ],
        check: { rule, tree, reader in
            let isICMP = rule.protocol.map { $0.hasPrefix("icmp") || $0 == "ipv6-icmp" } ?? false
            if let first = rule.portRangeMin, let last = rule.portRangeMax, first > last, !isICMP {
                reader.error(
                    at: tree.valueLocation(of: ["port_range_max"]), "port_range_max is below port_range_min",
                    expected: "at least \(first)")
            }
            // neutron/db/securitygroups_db.py, _validate_port_range: SecurityGroupProtocolRequiredWithPorts.
            if rule.protocol == nil, let entry = tree.entry("port_range_min") ?? tree.entry("port_range_max") {
                reader.error(at: entry.keyLocation, "'\(entry.key)' without 'protocol'")
            }
            // The same file: SecurityGroupRemoteGroupAndRemoteIpPrefix.
            if rule.remoteGroup != nil, rule.remoteIPPrefix != nil {
                reader.error(
                    at: tree.location(of: ["remote_group"]), "a rule has both 'remote_ip_prefix' and 'remote_group'",
                    expected: "only one of them")
            }
            if let prefix = rule.remoteIPPrefix, prefix.family != rule.ethertype {
                reader.error(
                    at: tree.valueLocation(of: ["remote_ip_prefix"]), "\(prefix) is not of the rule's ethertype")
            }
        })

    private static let portRange = Shape<UInt16>.zone

    private static let protocols = [
        "tcp", "udp", "icmp", "icmpv6", "ipv6-icmp", "sctp", "ah", "dccp", "egp", "esp", "gre", "igmp", "ipip", "ospf",
        "pgm", "rsvp", "udplite", "vrrp",
    ]

    static let securityGroups = Shape<[SecurityGroup]>.keyed(
        by: .word, "security group",
        .object(
            "securityGroup", "a security group", "A Neutron security group.", blank: SecurityGroup(name: "", rules: []),
            fields: [
                Field("rules", \.rules, .list(of: rule), required: true, "What may pass."),
                Field(
                    "stateful", \.stateful, .boolean,
                    "Whether conntrack sees its ports' packets; true. False from Neutron 16.0.0 on."),
            ]), maximum: Limits.securityGroups
    ) { group, name, _, _ in group.name = name }

    static let sysctls = Shape<[Sysctl]>.keyed(
        by: .sysctl, "sysctl", Shape<String>.anyScalar("a value", upTo: Limits.ruleLine).map { Sysctl("", $0) }
    ) { sysctl, key, _, _ in sysctl.key = key }

    /// Argument lists of iptables and its like.
    static let rules = Shape<[String]>.list(
        of: .text(
            "a rule such as \"-A INPUT -d 203.0.113.2 -j DROP\"", pattern: "^-", upTo: Limits.ruleLine,
            matches: { $0.hasPrefix("-") }
        ).checked { rule, tree, reader in
            // A restore program would take what stands behind it for another line.
            if rule.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
                reader.error(at: tree.location, "a rule with a control character", expected: "one line")
            }
        })

    static let hypervisor = Shape<Hypervisor>.object(
        "hypervisor", "a hypervisor",
        "A network namespace with a bridge and a conntrack table, where port security is.",
        blank: Hypervisor(name: ""),
        fields: [
            Field("uplink", \.uplink, .name(of: .switch), "The switch that its uplink goes to.")
        ] + LinkFormat.fields(\.link, near: "the uplink") + [
            Field("sysctls", \.sysctls, sysctls, "Settings of its kernel, by sysctl(8)'s names."),
            Field("iptables", \.iptables, rules, "Rules beside Neutron's, loaded after them: iptables' arguments."),
            Field(
                "rules", \.rules, RuleDumpFormat.dumps,
                "The rules of a real compute node instead of Neutron's, from files; ports match by their tap devices."),
            Field("ip6tables", \.ip6tables, rules, "The same for IPv6: ip6tables' arguments."),
        ])

    static let hypervisors = Shape<[Hypervisor]>.keyed(
        by: .namespace, "hypervisor", hypervisor, maximum: Limits.hypervisors
    ) {
        hypervisor, name, _, _ in hypervisor.name = name
    }
}
