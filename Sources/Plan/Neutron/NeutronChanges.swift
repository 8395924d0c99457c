internal import Net

extension NeutronRelease {
    /// What some version of Neutron did differently from those before it.
    struct Change: Sendable {
        /// The first version to have it, of each series that it was brought back to; the last one stands for all later series,
        /// too. A series that began without it although an earlier one had it in the end is the rule rather than an exception:
        /// a change of master comes with the next series, its backports when they are ready.
        var since: [String]
        var make: @Sendable (inout NeutronRelease) -> Void

        func applies(to version: String) -> Bool {
            since.enumerated().contains { index, first in
                !NeutronVersions.isBefore(version, first)
                    && (index == since.count - 1 || Self.series(first) == Self.series(version))
            }
        }

        private static func series(_ version: String) -> String? {
            NeutronVersions.series.first { $0.versions.contains(version) }?.codeName
        }
    }

    /// 2014.1, Icehouse: INVALID first, no comments, no port security extension, no zones, nothing against spoofed ARP.
    static let first = NeutronRelease(
        version: "2014.1", codeName: "icehouse",
        invalidDrop: .beforeUserRules, comments: false, portSecurityExtension: false, acceptsInEmptyGroupChain: false,
        arrival: .dictionary, filteredOrder: .dictionary, unfilteredOrder: .dictionary,
        dhcpServerRules: .fromServersAfterUserRules, ingressICMPv6Types: [130, 131, 132, 134, 135, 136],
        fixedEgress: [.v4: .anyDHCPClient, .v6: .anyICMPv6],
        linkLocalPairs: false, normalizesAddresses: false,
        protocolMatch: .always, portProtocols: ["tcp", "udp"], zeroPortIsNone: true,
        remoteGroupMembers: .perAllocation, dropsRepeatedUserRules: false, ipset: nil,
        tables: [.v4: [.natForRouters, .filter], .v6: [.filter]],
        zones: [:], zoneMatches: [], zoneComment: .none, statelessGroups: false, arpProtection: nil)

    /// In the order in which they came, which matters where two touch the same thing.
    static let changes: [Change] = [
        // Juno. The agent asks for groups rather than for each port's rules (`security_group_info_for_devices`), and ports
        // arrive as the server lists them. (In the source they are in a dictionary still; the reference dumps show no trace of
        // it.)
        Change(since: ["2014.2"]) {
            $0.arrival = .listed
            $0.dhcpServerRules = .fromServersBeforeUserRules
            $0.ingressICMPv6Types = [130, 131, 132, 135, 136]
            $0.fixedEgress[.v6] = .anyICMPv6AndDHCPClient
            $0.ipset = IPSet(
                type: "hash:ip", prefix: "", maximumLength: 24, emptySets: false, halvesZeroPrefix: false)
            $0.tables[.v4] = [.natForRouters, .filter, .raw]
        },
        Change(since: ["2014.2.1"]) { $0.remoteGroupMembers = .set },
        // `NET` before the set's name, of whose UUID three digits less are left: 0325b98c54.
        Change(since: ["2014.2.4"]) {
            $0.ipset?.type = "hash:net"
            $0.ipset?.prefix = "NET"
        },
        // 0a258afc7e, LP#1460741.
        Change(since: ["2014.2.4", "2015.1.2", "7.0.0"]) { $0.invalidDrop = .afterUserRules },

        // Kilo.
        Change(since: ["2015.1.0"]) {
            $0.comments = true
            $0.portSecurityExtension = true
            $0.fixedEgress = [.v4: .anyDHCPClient.commented, .v6: .anyICMPv6AndDHCPClient.commented]
            $0.ipset?.type = "hash:net"
            $0.ipset?.prefix = "NET"
            $0.ipset?.maximumLength = 27
            $0.tables[.v4] = [.mangleWithMark, .natForRouters, .filter, .raw]
        },
        Change(since: ["2015.1.1"]) { $0.ipset?.halvesZeroPrefix = true },
        Change(since: ["2015.1.3", "7.0.1"]) { $0.acceptsInEmptyGroupChain = true },

        // Liberty.
        Change(since: ["7.0.0"]) {
            $0.fixedEgress[.v6] = .noRouterAdvertisements
            $0.zeroPortIsNone = false
            $0.ipset?.prefix = "N"
            $0.ipset?.maximumLength = 29
            $0.ipset?.emptySets = true
            $0.tables[.v6] = [.filter, .raw]
            // 7e9b0e4ac5, LP#1478925: two rules per port, each from one end of its bridge.
            $0.zones = [.ovsHybrid: .perPort(from: 1, keptAtRestart: true)]
            $0.zoneMatches = [.bridgeAsPort, .port]
            // LP#1274034. Kilo and Juno can have it too, but by default do without (`prevent_arp_spoofing`).
            $0.arpProtection = ARPProtection(
                table: "filter", chain: "FORWARD", checksMAC: false, explicitDrop: false, sortsAddresses: false)
        },
        // Rules as iptables-save prints them, or nearly.
        Change(since: ["7.0.1"]) {
            $0.fixedEgress = $0.fixedEgress.mapValues(\.matchingTwice)
            $0.normalizesAddresses = true
            $0.protocolMatch = .perPortArgument
        },
        Change(since: ["7.0.2"]) { $0.filteredOrder = .sorted },
        // DHCP clients without an address yet, and those with one.
        Change(since: ["2015.1.4", "7.1.0", "8.1.0"]) {
            let after = $0.fixedEgress[.v4]?.afterSpoofChain ?? []
            $0.fixedEgress[.v4] = .verifiedDHCPClient(after: after)
        },
        Change(since: ["7.1.0", "8.1.1"]) {
            $0.fixedEgress[.v6] = .verifiedICMPv6.matchingTwice
            $0.linkLocalPairs = true
            $0.arpProtection?.checksMAC = true
        },
        Change(since: ["7.1.2", "8.2.0"]) { $0.dropsRepeatedUserRules = true },

        // Mitaka and Newton.
        Change(since: ["8.0.0"]) { $0.tables[.v6] = [.mangle, .filter, .raw] },
        Change(since: ["9.0.0"]) { $0.ingressICMPv6Types = [130, 134, 135, 136] },
        Change(since: ["9.2.0"]) { $0.tables = [.v4: [.filter, .raw], .v6: [.filter, .raw]] },
        // c76164c058: zones for linuxbridge too.
        Change(since: ["9.4.0", "10.0.2"]) {
            $0.zones = [.linuxbridge: .perNetwork(from: 1), .ovsHybrid: .perPort(from: 1, keptAtRestart: false)]
            $0.zoneMatches = [.bridgeAsPort, .bridgeAsInput, .port]
            $0.zoneComment = .withoutFourCharacters
        },

        // Ocata to Queens.
        Change(since: ["10.0.0"]) {
            $0.fixedEgress = $0.fixedEgress.mapValues(\.matchingOnce)
            $0.protocolMatch = .once
            $0.portProtocols = ["tcp", "udp", "sctp", "dccp", "udplite"]
        },
        Change(since: ["10.0.2"]) { $0.dhcpServerRules = .toPortBeforeUserRules },
        // LP#1745642: the zones up to 4096 belong to br-int's VLANs.
        Change(since: ["11.0.6", "12.0.0"]) {
            $0.zones = [
                .linuxbridge: .perNetwork(from: 4097), .ovsHybrid: .perPort(from: 4097, keptAtRestart: false),
            ]
        },
        Change(since: ["12.0.0"]) {
            $0.ingressICMPv6Types = [130, 135, 136]
            // LP#1732294.
            $0.arpProtection?.table = "nat"
            $0.arpProtection?.chain = "PREROUTING"
            $0.arpProtection?.sortsAddresses = true
        },

        // Ussuri and later. Python 3, whose dictionaries keep their order, was a choice before.
        Change(since: ["16.0.0"]) {
            $0.unfilteredOrder = .listed
            $0.statelessGroups = true
        },
        Change(since: ["16.1.0"]) { $0.zoneComment = .withoutTap },
        Change(since: ["16.4.1", "17.2.1", "18.1.0"]) { $0.arpProtection?.explicitDrop = true },
        Change(since: ["24.0.0"]) {
            $0.tables = [.v4: [.natShortCircuit, .filter, .raw], .v6: [.natShortCircuit, .filter, .raw]]
        },
    ]
}
