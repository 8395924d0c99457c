internal import Net
internal import Scenario

/// Expectations about captured frames.
enum PacketFormat {
    static let filter = Shape<String>.text(
        "a pcap filter such as \"src host 203.0.113.2\"", upTo: Limits.filterBytes
    ).checked {
        filter, tree, reader in
        if let problem = reader.memory.problem(ofFilter: filter, reader.checks) {
            reader.error(at: tree.location, "'\(Tree.shortened(filter))' is no pcap filter: \(problem)")
        }
    }

    static let owner = Shape<String>(
        schema: .text(pattern: nil), expected: "a MAC address or the name of the host that has it"
    ) { tree, reader in
        if let text = tree.text, MACAddress(text) != nil { return text }
        if let text = tree.text, text.contains(":") {
            reader.error(
                at: tree.location, "found \(tree.found)", expected: "a MAC address or the name of the host that has it")
            return nil
        }
        return Shape<String>.name(of: .host).read(tree, reader)
    }

    private static let control = Shape<Expectation.Packets.Control>.object(
        "control", "a control", "What must be seen in the same run, to show that the capture sees such frames at all.",
        blank: .init(filter: ""),
        fields: [
            Field("at", \.at, Places.port, "The port; the expectation's own if left out."),
            Field("filter", \.filter, filter, required: true, "A pcap filter."),
        ])

    private static let of = Shape<Expectation.Packets.Control>.object(
        "of", "other frames", "Other frames, with whose octets those of these are compared.", blank: .init(filter: ""),
        fields: [
            Field("at", \.at, Places.port, "The port; the expectation's own if left out."),
            Field("filter", \.filter, filter, required: true, "A pcap filter."),
        ])

    static let packets = Shape<Expectation.Packets>.object(
        "packets", "a packets expectation", "Frames at a captured port.", blank: .init(at: "", filter: ""),
        fields: [
            Field("at", \.at, Places.port, required: true, "The port."),
            Field("filter", \.filter, filter, required: true, "A pcap filter: what tcpdump takes."),
            Field("count", \.count, .count, "How many."),
            Field("bytes", \.bytes, .sizes, "Octets of all these frames together."),
            Field("share", \.share, .percents, "These octets in percent of those of other frames: 'of'."),
            Field("of", \.of, of, "What 'share' is a share of."),
            Field(
                "tcp_timestamps", \.tcpTimestamps, .word(),
                "Whether the TCP timestamps (TSval) of one after another never fall."),
            Field("source_mac", \.sourceMAC, owner, "The source of every one: a MAC, or the host that has it."),
            Field("destination_mac", \.destinationMAC, owner, "The destination of every one."),
            Field("ttl", \.ttl, .integer(0...255), "The TTL of every one."),
            Field("control", \.control, control, "For an absence: what must be seen in the same run."),
        ],
        rules: [
            .atLeastOne(["count", "bytes", "share", "tcp_timestamps", "source_mac", "destination_mac", "ttl"]),
            .needs("share", oneOf: ["of"]), .needs("of", oneOf: ["share"]),
        ],
        check: { packets, tree, reader in
            if packets.count?.maximum == 0, packets.control == nil {
                reader.warning(
                    at: tree.location(of: ["count"]), "an absence without 'control' also holds where nothing is seen",
                    expected: "a control that must be seen in the same run")
            }
        })

    static let replyPath = Shape<Expectation.ReplyPath>.object(
        "replyPath", "a reply path",
        "Whose MACs the replies from the VIP carry, and which port they do or do not cross.",
        blank: .init(vip: IPAddress(v4: 0), from: [], at: ""),
        fields: [
            Field("vip", \.vip, .address, required: true, "The virtual IP: the replies' source."),
            Field("from", \.from, .oneOrMore(of: .name(of: .host)), required: true, "The hosts that send the replies."),
            Field(
                "at", \.at, Places.port, required: true, "The port where replies leave the segment: the gateway's."),
            Field("not_across", \.notAcross, Places.port, "The director's port, which they must not cross."),
            Field("across", \.across, Places.port, "The director's port, which they must cross (masquerading)."),
        ],
        check: { path, tree, reader in
            if let notAcross = path.notAcross, notAcross == path.across {
                reader.error(at: tree.location(of: ["across"]), "replies cannot cross \(notAcross) and not cross it")
            }
        })

    static let arp = Shape<Expectation.ARP>.object(
        "arp", "an ARP expectation", "An ARP question and who answered it, as captured at one port.",
        blank: .init(at: "", whoHas: IPAddress(v4: 0)),
        fields: [
            Field("at", \.at, Places.port, required: true, "The port."),
            Field("who_has", \.whoHas, .address, required: true, "The address asked for."),
            Field("tell", \.tell, .address, "The sender's address in the question."),
            Field("asked_by", \.askedBy, .name(of: .host), "The host whose MAC asked."),
            Field("requests", \.requests, .count, "How many such questions; at least one."),
            Field(
                "answered_by", \.answeredBy, .list(of: .name(of: .host)),
                "Exactly the hosts that answered with their MACs; [] for nobody."),
        ])

    private static let frame = Shape<Expectation.Order.Frame>.object(
        "orderedFrame", "a frame", "The first frame that matches.", blank: .init(at: "", filter: ""),
        fields: [
            Field("at", \.at, Places.port, required: true, "The port."),
            Field("filter", \.filter, filter, required: true, "A pcap filter."),
        ])

    static let order = Shape<[Expectation.Order.Frame]>.list(of: frame, minimum: 2).map { Expectation.Order($0) }

    static let drop = Shape<Expectation.Drop>.object(
        "drop", "a drop",
        "Frames that came in by one port and did not go out by another, and the rule that counted them.",
        blank: .init(on: "", packet: "", from: "", to: "", chain: "", rule: ""),
        fields: [
            Field("on", \.on, .name(of: .namespace), required: true, "The hypervisor or host."),
            Field("packet", \.packet, filter, required: true, "Which packets: a pcap filter."),
            Field("from", \.from, Places.port, required: true, "The port they came in by."),
            Field("to", \.to, Places.port, required: true, "The port they did not go out by."),
            Field("table", \.table, .word(Vocabulary.tables), "The rule's table; filter."),
            Field("chain", \.chain, Places.chain, required: true, "The rule's chain."),
            Field("rule", \.rule, .text("a part of the rule's text"), required: true, "What the rule's text contains."),
            Field(
                "conntrack", \.conntrack, .word(Vocabulary.conntrackStates + ["none"]),
                "The state of their connection's entry on the hypervisor; none for no entry."),
            Field("count", \.count, .count, "How many; at least one."),
        ])
}
