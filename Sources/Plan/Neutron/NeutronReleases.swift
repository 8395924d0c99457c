internal import Net

extension NeutronRelease {
    /// The releases that are known exactly, oldest first.
    public static let known: [NeutronRelease] = [icehouse, kilo, newton, dalmatian]

    /// Reads a version (`9.4.1`) or a code name (`newton`), upper or lower case.
    ///
    /// - Throws: `NeutronError.unknownRelease` for any other, also for a neighbour of a known one: releases differ in the
    ///   middle of a series (2014.2.3 drops INVALID first, 2014.2.4 does not).
    public init(version text: String) throws(NeutronError) {
        let wanted = text.lowercased()
        guard let release = Self.known.first(where: { $0.version == wanted || $0.codeName == wanted }) else {
            throw .unknownRelease(text, known: Self.known.flatMap { [$0.version, $0.codeName] })
        }
        self = release
    }

    /// The last Icehouse: INVALID first, no comments, no port security extension.
    static let icehouse = NeutronRelease(
        version: "2014.1.5", codeName: "icehouse",
        invalidDrop: .beforeUserRules, comments: false, portSecurityExtension: false, acceptsInEmptyGroupChain: false,
        arrival: .dictionary, filteredOrder: .dictionary, unfilteredOrder: .dictionary,
        dhcpServerRules: .fromServersAfterUserRules, ingressICMPv6Types: [130, 131, 132, 134, 135, 136],
        fixedEgress: [
            .v4: FixedEgress(
                beforeSpoofChain: [FixedRule(match: dhcpClientV4, target: "RETURN")],
                afterSpoofChain: [FixedRule(match: "-p udp -m udp --sport 67 --dport 68", target: "DROP")]),
            .v6: FixedEgress(
                beforeSpoofChain: [FixedRule(match: "-p ipv6-icmp", target: "RETURN")], afterSpoofChain: []),
        ],
        linkLocalPairs: false, normalizesAddresses: false,
        protocolMatch: .always, portProtocols: ["tcp", "udp"], zeroPortIsNone: true,
        remoteGroupMembers: .perAllocation, dropsRepeatedUserRules: false, ipset: nil,
        tables: [.v4: [.natForRouters, .filter], .v6: [.filter]],
        zones: [:], zoneMatches: [], zoneComment: .withoutFourCharacters, statelessGroups: false, arpProtection: nil)

    /// The last Kilo with INVALID first.
    ///
    /// In the source, ports arrive in a dictionary keyed by their ids as in Icehouse (`_get_devices_info`); the reference
    /// dumps show them arriving as the server lists them. It only matters where two devices' hashes collide.
    static let kilo = NeutronRelease(
        version: "2015.1.1", codeName: "kilo",
        invalidDrop: .beforeUserRules, comments: true, portSecurityExtension: true, acceptsInEmptyGroupChain: false,
        arrival: .listed, filteredOrder: .dictionary, unfilteredOrder: .dictionary,
        dhcpServerRules: .fromServersBeforeUserRules, ingressICMPv6Types: [130, 131, 132, 135, 136],
        fixedEgress: [
            .v4: FixedEgress(
                beforeSpoofChain: [FixedRule(match: dhcpClientV4, target: "RETURN", comment: .dhcpClient)],
                afterSpoofChain: [
                    FixedRule(match: "-p udp -m udp --sport 67 --dport 68", target: "DROP", comment: .dhcpSpoof)
                ]),
            .v6: FixedEgress(
                beforeSpoofChain: [
                    FixedRule(match: "-p ipv6-icmp", target: "RETURN", comment: .routerAdvertisements),
                    FixedRule(match: "-p udp -m udp --sport 546 --dport 547", target: "RETURN"),
                ],
                afterSpoofChain: [FixedRule(match: "-p udp -m udp --sport 547 --dport 546", target: "DROP")]),
        ],
        linkLocalPairs: false, normalizesAddresses: false,
        protocolMatch: .always, portProtocols: ["tcp", "udp"], zeroPortIsNone: true,
        remoteGroupMembers: .set, dropsRepeatedUserRules: false,
        ipset: IPSet(prefix: "NET", maximumLength: 27, emptySets: false),
        tables: [.v4: [.mangleWithMark, .natForRouters, .filter, .raw], .v6: [.filter]],
        zones: [:], zoneMatches: [], zoneComment: .withoutFourCharacters, statelessGroups: false, arpProtection: nil)

    /// The last Newton: the user's rules first, zones for both drivers. Ports arrive as in Kilo.
    static let newton = NeutronRelease(
        version: "9.4.1", codeName: "newton",
        invalidDrop: .afterUserRules, comments: true, portSecurityExtension: true, acceptsInEmptyGroupChain: true,
        arrival: .listed, filteredOrder: .sorted, unfilteredOrder: .dictionary,
        dhcpServerRules: .fromServersBeforeUserRules, ingressICMPv6Types: [130, 134, 135, 136],
        fixedEgress: verifiedEgress(portArguments: { "-m udp --sport \($0) -m udp --dport \($1)" }),
        linkLocalPairs: true, normalizesAddresses: true,
        protocolMatch: .perPortArgument, portProtocols: ["tcp", "udp"], zeroPortIsNone: false,
        remoteGroupMembers: .set, dropsRepeatedUserRules: true,
        ipset: IPSet(prefix: "N", maximumLength: 29, emptySets: true),
        tables: [.v4: [.filter, .raw], .v6: [.filter, .raw]],
        zones: [.linuxbridge: .perNetwork(from: 1), .ovsHybrid: .perPort(from: 1)],
        zoneMatches: [.bridgeAsPort, .bridgeAsInput, .port], zoneComment: .withoutFourCharacters,
        statelessGroups: false,
        arpProtection: ARPProtection(
            table: "filter", chain: "FORWARD", checksMAC: true, explicitDrop: false, sortsAddresses: false))

    /// 2024.2, the last series with a linuxbridge agent.
    static let dalmatian = NeutronRelease(
        version: "25.2.3", codeName: "dalmatian",
        invalidDrop: .afterUserRules, comments: true, portSecurityExtension: true, acceptsInEmptyGroupChain: true,
        arrival: .listed, filteredOrder: .sorted, unfilteredOrder: .listed,
        dhcpServerRules: .toPortBeforeUserRules, ingressICMPv6Types: [130, 135, 136],
        fixedEgress: verifiedEgress(portArguments: { "-m udp --sport \($0) --dport \($1)" }),
        linkLocalPairs: true, normalizesAddresses: true,
        protocolMatch: .once, portProtocols: ["tcp", "udp", "sctp", "dccp", "udplite"], zeroPortIsNone: false,
        remoteGroupMembers: .set, dropsRepeatedUserRules: true,
        ipset: IPSet(prefix: "N", maximumLength: 29, emptySets: true),
        tables: [.v4: [.natShortCircuit, .filter, .raw], .v6: [.natShortCircuit, .filter, .raw]],
        zones: [.linuxbridge: .perNetwork(from: 4097), .ovsHybrid: .perPort(from: 4097)],
        zoneMatches: [.bridgeAsPort, .bridgeAsInput, .port], zoneComment: .withoutTap,
        statelessGroups: true,
        arpProtection: ARPProtection(
            table: "nat", chain: "PREROUTING", checksMAC: true, explicitDrop: true, sortsAddresses: true))

    private static let dhcpClientV4 = "-p udp -m udp --sport 68 --dport 67"

    /// Newton's and later releases' egress: before the spoof chain only what has no source address yet, the rest after it.
    private static func verifiedEgress(
        portArguments ports: (Int, Int) -> String
    ) -> [IPAddress.Family: FixedEgress] {
        [
            .v4: FixedEgress(
                beforeSpoofChain: [
                    FixedRule(
                        match: "-s 0.0.0.0/32 -d 255.255.255.255/32 " + dhcpClientV4, target: "RETURN",
                        comment: .dhcpClient)
                ],
                afterSpoofChain: [
                    FixedRule(match: dhcpClientV4, target: "RETURN", comment: .dhcpClient),
                    FixedRule(match: "-p udp " + ports(67, 68), target: "DROP", comment: .dhcpSpoof),
                ]),
            .v6: FixedEgress(
                beforeSpoofChain: [131, 135, 143].map {
                    FixedRule(
                        match: "-s ::/128 -d ff02::/16 -p ipv6-icmp -m icmp6 --icmpv6-type \($0)", target: "RETURN",
                        comment: .icmpv6)
                },
                afterSpoofChain: [
                    FixedRule(
                        match: "-p ipv6-icmp -m icmp6 --icmpv6-type 134", target: "DROP",
                        comment: .routerAdvertisementDrop),
                    FixedRule(match: "-p ipv6-icmp", target: "RETURN", comment: .icmpv6),
                    FixedRule(match: "-p udp " + ports(546, 547), target: "RETURN", comment: .dhcpClient),
                    FixedRule(match: "-p udp " + ports(547, 546), target: "DROP", comment: .dhcpSpoof),
                ]),
        ]
    }
}
