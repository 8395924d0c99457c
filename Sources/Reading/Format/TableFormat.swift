internal import Net
internal import Scenario

/// Expectations about the kernel's tables and counters.
enum TableFormat {
    private static let flags = Vocabulary.conntrackFlags + Vocabulary.conntrackFlags.map { "!" + $0 }

    private static let states = Shape<[Expectation.PortState]>(
        schema: .keyed(keyPattern: "^[0-9]{1,5}$", .words(Vocabulary.conntrackStates + ["none"]), minimum: 1),
        expected: "a mapping from source ports to states"
    ) { tree, reader in
        guard let entries = tree.entries else {
            reader.error(
                at: tree.location, "found \(tree.found)", expected: "a mapping from source ports to states")
            return nil
        }
        return entries.compactMap { entry in
            guard let port = UInt16(entry.key) else {
                reader.error(at: entry.keyLocation, "'\(Tree.shortened(entry.key))' is no port")
                return nil
            }
            return Shape<String>.word(Vocabulary.conntrackStates + ["none"]).read(entry.value, reader).map {
                Expectation.PortState(port: port, state: $0)
            }
        }
    }

    static let conntrack = Shape<Expectation.Conntrack>.object(
        "conntrack", "a conntrack expectation", "Entries of a conntrack table: those that fit every field.",
        blank: .init(on: ""),
        fields: [
            Field("on", \.on, .name(of: .namespace), required: true, "Whose table."),
            Field("protocol", \.protocol, .word(["tcp", "udp", "icmp", "icmpv6", "sctp"]), "The protocol."),
            Field("source", \.source, .address, "The source address of the original direction."),
            Field("destination", \.destination, .address, "The destination address of the original direction."),
            Field("destination_port", \.destinationPort, .port, "The destination port of the original direction."),
            Field("source_port", \.sourcePort, .port, "The source port of the original direction."),
            Field("state", \.state, .word(Vocabulary.conntrackStates), "The state."),
            Field(
                "states", \.states, states,
                "Of several entries at once, by their original source ports: the state, or none for no entry."),
            Field("flags", \.flags, .oneOrMore(of: .word(flags)), "Flags they have; with ! those they do not have."),
            Field("zone", \.zone, .zone, "The conntrack zone."),
            Field("count", \.count, .count, "How many; at least one."),
        ])

    static let rule = Shape<Expectation.Rule>.object(
        "rule", "a rule expectation", "What the rules that fit have counted together.",
        blank: .init(on: "", chain: "", rule: "", packets: .some),
        fields: [
            Field("on", \.on, .name(of: .namespace), required: true, "Whose rules."),
            Field("family", \.family, .word(Vocabulary.ruleFamilies), "ipv4 unless it says another."),
            Field("table", \.table, .word(Vocabulary.tables), "filter unless it says another."),
            Field("chain", \.chain, Places.chain, required: true, "The chain."),
            Field("rule", \.rule, .text("a part of the rule's text"), required: true, "What the rule's text contains."),
            Field("packets", \.packets, .count, required: true, "How many packets it counted."),
        ])

    static let ipvs = Shape<Expectation.IPVS>.object(
        "ipvs", "an IPVS expectation",
        "What ipvsadm -Ln --stats counted meanwhile, and what ipvsadm -Lnc shows at the end.", blank: .init(on: ""),
        fields: [
            Field("on", \.on, .name(of: .host), required: true, "The director."),
            Field("service", \.service, .endpoint, "The service; all together if left out."),
            Field("connections", \.connections, .count, "Connections scheduled in the step, or in the run."),
            Field("in_packets", \.inPackets, .count, "Packets to the real servers."),
            Field("out_packets", \.outPackets, .count, "Packets from the real servers: none in Direct Routing."),
            Field("state", \.state, .word(Vocabulary.ipvsStates), "The state of the entries to count."),
            Field("to", \.to, .name(of: .host), "The real server of the entries to count."),
            Field("entries", \.entries, .count, "How many entries the connection table has in the end."),
        ],
        rules: [
            .atLeastOne(["connections", "in_packets", "out_packets", "entries"]), .needs("state", oneOf: ["entries"]),
            .needs("to", oneOf: ["entries"]),
        ])

    private static let neighbourState = Shape<String>(
        schema: .words(Vocabulary.neighbourStates), expected: Reader.oneOf(Vocabulary.neighbourStates)
    ) { tree, reader in
        guard let word = tree.text, Vocabulary.hiddenNeighbourStates.contains(word) else {
            return Shape<String>.word(Vocabulary.neighbourStates).read(tree, reader)
        }
        reader.error(
            at: tree.location, "no entry in \(word) is ever seen: this is the table as 'ip neigh' shows it",
            expected: Reader.oneOf(Vocabulary.neighbourStates))
        return nil
    }

    static let neighbour = Shape<Expectation.Neighbour>.object(
        "neighbour", "a neighbour expectation", "A neighbour table entry.",
        blank: .init(on: "", address: IPAddress(v4: 0)),
        fields: [
            Field("on", \.on, .name(of: .host), required: true, "The host whose table it is."),
            Field("address", \.address, .address, required: true, "The neighbour's address."),
            Field("is", \.isHost, .name(of: .host), "The host whose MAC the entry holds."),
            Field("state", \.states, .oneOrMore(of: neighbourState), "Its state, or any of several."),
            Field("absent", \.absent, .boolean, "Whether there must be no such entry; false."),
        ], rules: [.atLeastOne(["is", "state", "absent"])],
        check: { neighbour, tree, reader in
            if neighbour.absent, let entry = tree.entry("is") ?? tree.entry("state") {
                reader.error(at: entry.keyLocation, "'\(entry.key)' of an entry that must be absent")
            }
        })

    static let counter = Shape<Expectation.Counter>.object(
        "counter", "a counter expectation", "How much a kernel counter has grown.",
        blank: .init(on: "", name: "", grows: .some),
        fields: [
            Field("on", \.on, .name(of: .host), required: true, "The host whose counter it is."),
            Field(
                "name", \.name,
                .text(
                    "a counter such as Ip.InAddrErrors, TcpExt.ListenDrops or rt_cache.in_martian_src",
                    pattern: "^[A-Za-z0-9_]+\\.[A-Za-z0-9_]+$",
                    matches: { text in
                        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
                        return parts.count == 2
                            && parts.allSatisfy { part in
                                !part.isEmpty && part.utf8.allSatisfy { $0 < 0x80 }
                                    && part.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
                            }
                    }),
                required: true, "Its name in /proc/net/snmp, netstat or stat/rt_cache."),
            Field("grows", \.grows, .count, required: true, "By how much."),
        ])
}
