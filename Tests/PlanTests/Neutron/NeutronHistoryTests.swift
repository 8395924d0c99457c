import Net
import Testing

@testable import Plan

/// One way in which releases differ: its value in every version, told by the versions in which it changed. The tables were
/// taken from the source of each tagged version by a script that looked for the words in question, not from the generator.
struct HistoryOf: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// `2014.1 first, 2014.2.4 last`: oldest first, with all changes, also back.
    var changes: String
    var value: @Sendable (NeutronRelease) -> String

    init(_ name: String, _ changes: String, _ value: @escaping @Sendable (NeutronRelease) -> String) {
        testDescription = name
        self.changes = changes
        self.value = value
    }

    static let all = [
        HistoryOf("INVALID before or after user rules", "2014.1 first, 2014.2.4 last, 2015.1.0 first, 2015.1.2 last") {
            $0.invalidDrop == .beforeUserRules ? "first" : "last"
        },
        HistoryOf("comments", "2014.1 no, 2015.1.0 yes") { $0.comments ? "yes" : "no" },
        HistoryOf("the port security extension", "2014.1 no, 2015.1.0 yes") { $0.portSecurityExtension ? "yes" : "no" },
        HistoryOf("an ACCEPT in an empty sg-chain", "2014.1 no, 2015.1.3 yes, 7.0.0 no, 7.0.1 yes") {
            $0.acceptsInEmptyGroupChain ? "yes" : "no"
        },
        HistoryOf("ports in the order of their names", "2014.1 no, 7.0.2 yes") {
            $0.filteredOrder == .sorted ? "yes" : "no"
        },
        HistoryOf("DHCP rules", "2014.1 after, 2014.2 before, 10.0.2 to-port") {
            switch $0.dhcpServerRules {
            case .fromServersAfterUserRules: "after"
            case .fromServersBeforeUserRules: "before"
            case .toPortBeforeUserRules: "to-port"
            }
        },
        HistoryOf(
            "ICMPv6 types that may come in",
            "2014.1 130+131+132+134+135+136, 2014.2 130+131+132+135+136, 9.0.0 130+134+135+136, 12.0.0 130+135+136"
        ) { $0.ingressICMPv6Types.map(String.init).joined(separator: "+") },
        HistoryOf("DHCP clients verified", "2014.1 no, 2015.1.4 yes, 7.0.0 no, 7.1.0 yes, 8.0.0 no, 8.1.0 yes") {
            $0.fixedEgress[.v4]?.beforeSpoofChain.first?.match.contains("255.255.255.255") == true ? "yes" : "no"
        },
        HistoryOf("ICMPv6 senders verified", "2014.1 no, 7.1.0 yes, 8.0.0 no, 8.1.1 yes") {
            $0.fixedEgress[.v6]?.beforeSpoofChain.first?.match.contains("ff02::/16") == true ? "yes" : "no"
        },
        HistoryOf("router advertisements out", "2014.1 pass, 7.0.0 drop") { release in
            let egress = release.fixedEgress[.v6]
            let rules = (egress?.beforeSpoofChain ?? []) + (egress?.afterSpoofChain ?? [])
            return rules.contains { $0.match.contains("type 134") && $0.target == "DROP" } ? "drop" : "pass"
        },
        HistoryOf("two matches for two ports", "2014.1 no, 7.0.1 yes, 10.0.0 no") { release in
            release.fixedEgress[.v4]?.afterSpoofChain.contains { $0.match.contains("67 -m udp --dport 68") } == true
                ? "yes" : "no"
        },
        HistoryOf("DHCPv6 servers", "2014.1 pass, 2014.2 drop") { release in
            release.fixedEgress[.v6]?.afterSpoofChain.contains { $0.match.contains("--sport 547") } == true
                ? "drop" : "pass"
        },
        HistoryOf("a link-local address for each pair", "2014.1 no, 7.1.0 yes, 8.0.0 no, 8.1.1 yes") {
            $0.linkLocalPairs ? "yes" : "no"
        },
        HistoryOf("/32 and none are the same", "2014.1 no, 7.0.1 yes") { $0.normalizesAddresses ? "yes" : "no" },
        HistoryOf("-m tcp", "2014.1 always, 7.0.1 perPortArgument, 10.0.0 once") { "\($0.protocolMatch)" },
        HistoryOf("port 0", "2014.1 none, 7.0.0 zero") { $0.zeroPortIsNone ? "none" : "zero" },
        HistoryOf("members of a group", "2014.1 perAllocation, 2014.2.1 set") { "\($0.remoteGroupMembers)" },
        HistoryOf("rules written once", "2014.1 no, 7.1.2 yes, 8.0.0 no, 8.2.0 yes") {
            $0.dropsRepeatedUserRules ? "yes" : "no"
        },
        HistoryOf(
            "a set",
            """
            2014.1 none, 2014.2 hash:ip+IPv45e900001-0000-4000-8, 2014.2.4 hash:net+NETIPv45e900001-0000-400, \
            2015.1.0 hash:net+NETIPv45e900001-0000-4000-8, 7.0.0 hash:net+NIPv45e900001-0000-4000-8000-
            """
        ) { release in
            release.ipset.map { "\($0.type)+\($0.name(group: ReferenceDeployment.groupID, .v4))" } ?? "none"
        },
        HistoryOf("empty sets", "2014.1 no, 7.0.0 yes") { $0.ipset?.emptySets == true ? "yes" : "no" },
        HistoryOf("a /0 in a set", "2014.1 no, 2015.1.1 halves") {
            $0.ipset?.halvesZeroPrefix == true ? "halves" : "no"
        },
        HistoryOf(
            "IPv4 tables",
            """
            2014.1 natForRouters+filter, 2014.2 natForRouters+filter+raw, \
            2015.1.0 mangleWithMark+natForRouters+filter+raw, 9.2.0 filter+raw, 24.0.0 natShortCircuit+filter+raw
            """
        ) { ($0.tables[.v4] ?? []).map { "\($0)" }.joined(separator: "+") },
        HistoryOf(
            "IPv6 tables",
            """
            2014.1 filter, 7.0.0 filter+raw, 8.0.0 mangle+filter+raw, 9.2.0 filter+raw, \
            24.0.0 natShortCircuit+filter+raw
            """
        ) { ($0.tables[.v6] ?? []).map { "\($0)" }.joined(separator: "+") },
        HistoryOf(
            "zones of linuxbridge",
            "2014.1 none, 9.4.0 network:1, 10.0.0 none, 10.0.2 network:1, 11.0.6 network:4097"
        ) { zones($0, .linuxbridge) },
        HistoryOf(
            "zones of OVS-hybrid",
            "2014.1 none, 7.0.0 port:1:kept, 9.4.0 port:1, 10.0.0 port:1:kept, 10.0.2 port:1, 11.0.6 port:4097"
        ) { zones($0, .ovsHybrid) },
        HistoryOf("rules per zone", "2014.1 0, 7.0.0 2, 9.4.0 3, 10.0.0 2, 10.0.2 3") { "\($0.zoneMatches.count)" },
        HistoryOf(
            "what a zone's comment says",
            "2014.1 none, 9.4.0 withoutFourCharacters, 10.0.0 none, 10.0.2 withoutFourCharacters, 16.1.0 withoutTap"
        ) { "\($0.zoneComment)" },
        HistoryOf("stateless groups", "2014.1 no, 16.0.0 yes") { $0.statelessGroups ? "yes" : "no" },
        HistoryOf("ARP protection", "2014.1 none, 7.0.0 filter:FORWARD, 12.0.0 nat:PREROUTING") {
            $0.arpProtection.map { "\($0.table):\($0.chain)" } ?? "none"
        },
        HistoryOf("MAC protection", "2014.1 no, 7.1.0 yes, 8.0.0 no, 8.1.1 yes") {
            $0.arpProtection?.checksMAC == true ? "yes" : "no"
        },
        HistoryOf(
            "a DROP of its own in ebtables",
            "2014.1 no, 16.4.1 yes, 17.0.0 no, 17.2.1 yes, 18.0.0 no, 18.1.0 yes"
        ) { $0.arpProtection?.explicitDrop == true ? "yes" : "no" },
        HistoryOf("addresses sorted in ebtables", "2014.1 no, 12.0.0 yes") {
            $0.arpProtection?.sortsAddresses == true ? "yes" : "no"
        },
    ]

    private static func zones(_ release: NeutronRelease, _ driver: Neutron.Driver) -> String {
        switch release.zones[driver] ?? .none {
        case .none: "none"
        case .perNetwork(let first): "network:\(first)"
        case .perPort(let first, let kept): "port:\(first)\(kept ? ":kept" : "")"
        }
    }
}

@Suite("Neutron's releases, all of them")
struct NeutronHistoryTests {
    @Test("each version differs where its source does", arguments: HistoryOf.all)
    func history(_ history: HistoryOf) throws {
        var changes = history.changes.split(separator: ", ").map { $0.split(separator: " ").map(String.init) }[...]
        #expect(changes.allSatisfy { $0.count == 2 && NeutronRelease.versions.contains($0[0]) })
        var expected = ""
        for version in NeutronRelease.versions {
            if let next = changes.first, next[0] == version {
                expected = next[1]
                changes = changes.dropFirst()
            }
            let actual = try history.value(NeutronRelease(version: version))
            #expect(actual == expected, "\(version)")
        }
        #expect(changes.isEmpty, "out of order: \(changes)")
    }

    @Test("every version makes rules for both drivers")
    func everyVersion() throws {
        #expect(NeutronRelease.versions.count == 167)
        for version in NeutronRelease.versions {
            for driver in Neutron.Driver.allCases {
                let rules = try ReferenceDeployment.rules(version, driver)
                #expect(rules.ipv4.contains("-j \(driver.chainPrefix)-sg-fallback"))
            }
        }
    }

    @Test("versions are listed in their order")
    func order() {
        let versions = NeutronRelease.versions
        for (older, newer) in zip(versions, versions.dropFirst()) {
            #expect(NeutronVersions.isBefore(older, newer), "\(older) \(newer)")
            #expect(!NeutronVersions.isBefore(newer, older))
        }
        #expect(!NeutronVersions.isBefore("2014.1", "2014.1.0"))
    }

    @Test(
        "a series is its last version",
        arguments: [
            ("icehouse", "2014.1.5"), ("Juno", "2014.2.4"), ("kilo", "2015.1.4"), ("liberty", "7.2.0"),
            ("mitaka", "8.4.0"), ("newton", "9.4.1"), ("ocata", "10.0.7"), ("pike", "11.0.8"), ("queens", "12.1.1"),
            ("rocky", "13.0.7"), ("stein", "14.4.2"), ("train", "15.3.4"), ("ussuri", "16.4.2"),
            ("victoria", "17.4.1"), ("wallaby", "18.6.0"), ("xena", "19.7.0"), ("yoga", "20.5.0"), ("zed", "21.2.1"),
            ("antelope", "22.2.1"), ("2023.1", "22.2.1"), ("bobcat", "23.5.0"), ("caracal", "24.2.2"),
            ("DALMATIAN", "25.2.3"), ("2024.2", "25.2.3"), ("2014.2", "2014.2"),
        ])
    func series(name: String, version: String) throws {
        #expect(try NeutronRelease(version: name).version == version)
    }

    @Test("the releases from 7.0.0 to 9.3.1 put each OVS-hybrid port into a zone by two rules without comments")
    func earlyZones() throws {
        let rules = try ReferenceDeployment.rules("9.3.1", .ovsHybrid, .rs1HV2)
        #expect(
            rules.ipv4.rules(of: "neutron-openvswi-PREROUTING") == [
                "-m physdev --physdev-in qvba5000021-00 -j CT --zone 1",
                "-m physdev --physdev-in tapa5000021-00 -j CT --zone 1",
            ])
        #expect(!(try ReferenceDeployment.rules("9.3.1", .linuxbridge).ipv4.contains("CT --zone")))
    }

    @Test("their agents find their zones again when they start anew")
    func earlyRestart() throws {
        let hypervisor = ReferenceDeployment.hypervisor(.all3)
        let release = try NeutronRelease(version: "9.3.1")
        let first = try NeutronRules(for: hypervisor, release: release, driver: .ovsHybrid)
        let second = try NeutronRules(
            for: hypervisor, release: release, driver: .ovsHybrid, restartedOver: first)
        #expect(first.ipv4.contains("--zone 3"))
        #expect(first == second)
    }

    @Test("before 2015.1.1 an agent with ipset fails on a pair of /0")
    func zeroPrefixInSets() throws {
        #expect(throws: NeutronError.unavailable(.zeroPrefixInSets, release: "2014.2.4")) {
            try ReferenceDeployment.rules("2014.2.4", .linuxbridge, .all3, .remoteGroup, usesIPSet: true)
        }
        let rules = try ReferenceDeployment.rules("2015.1.1", .linuxbridge, .all3, .remoteGroup, usesIPSet: true)
        #expect(rules.ipsets?.contains("0.0.0.0/1\n") == true)
    }
}
