internal import Net
internal import Scenario

/// Cables and the fabric in a file.
enum LinkFormat {
    static let impairment = Shape<Impairment>.object(
        "impairment", "an impairment", "What happens to the frames that go one way over a cable: netem(8).",
        blank: Impairment(),
        fields: [
            Field("delay", \.delay, .duration(upTo: Limits.delay), "How long each frame takes."),
            Field("jitter", \.jitter, .duration(upTo: Limits.delay), "By how much the delay varies, up or down."),
            Field("loss", \.loss, .percent, "How many frames are lost."),
            Field("duplicate", \.duplicate, .percent, "How many frames arrive twice."),
            Field("reorder", \.reorder, .percent, "How many frames skip the delay, and so overtake others."),
            Field("rate", \.rate, .rate, "At most how many bits a second."),
        ], rules: [.needs("jitter", oneOf: ["delay"]), .needs("reorder", oneOf: ["delay"])])

    /// The keys of a cable, for what has one.
    static func fields<Object>(
        _ path: any WritableKeyPath<Object, Link> & Sendable, near: String
    ) -> [Field<Object>] {
        [
            Field("mtu", .integer(68...65535), "The MTU of the cable's two ends; 1500.") {
                $0[keyPath: path].mtu = $1
            },
            Field("sending", impairment, "What happens to frames that \(near) sends.") {
                $0[keyPath: path].sending = $1
            },
            Field("receiving", impairment, "What happens to frames that \(near) receives, where they are sent.") {
                $0[keyPath: path].receiving = $1
            },
        ]
    }

    private enum NetworkType: String, CaseIterable, Sendable { case flat, vlan, vxlan }

    private struct Draft: Sendable {
        /// nil if it could not be read.
        var type: NetworkType?
        var underlay: IPPrefix?
    }

    private static let draft = Shape<Draft>.object(
        "fabric", "a fabric", "How networks cross from one hypervisor to another.", blank: Draft(),
        fields: [
            Field(
                "network_type", \.type, .word(), required: true,
                "A cable for each network (flat), or one for all with a VLAN or a VXLAN for each."),
            Field(
                "underlay", \.underlay, NetworkFormat.cidr,
                "The prefix of the VXLANs' ends: hypervisors, then switches, get its addresses in order."),
        ],
        check: { fabric, tree, reader in
            if fabric.type == .vxlan, fabric.underlay == nil {
                reader.error(
                    at: tree.location, "a fabric of VXLANs needs 'underlay'", expected: NetworkFormat.cidr.expected)
            }
            guard let entry = tree.entry("underlay") else { return }
            if let type = fabric.type, type != .vxlan {
                reader.error(at: entry.keyLocation, "only a fabric of VXLANs has an underlay")
            } else if fabric.underlay?.family == .v6 {
                reader.error(
                    at: entry.value.location, "an underlay is IPv4 here", expected: "a prefix such as 172.31.0.0/24")
            }
        })

    static let fabric = Shape<Fabric>(schema: draft.schema, expected: draft.expected) { tree, reader in
        guard let draft = draft.read(tree, reader) else { return nil }
        return switch draft.type {
        case nil: nil
        case .flat: .flat
        case .vlan: .vlan
        case .vxlan: draft.underlay.map { .vxlan(underlay: $0) }
        }
    }

    private static let listOfSwitches = Shape<[Switch]>.list(
        of: Shape<String>.text(
            "a switch's name", pattern: NameForm.namespace.pattern, matches: NameForm.namespace.matches
        ).map { Switch(name: $0) }, maximum: Limits.switches
    ).checked { switches, tree, reader in
        for (index, one) in switches.enumerated() where switches[..<index].contains(one) {
            reader.error(at: tree.location, "switch '\(one.name)' stands twice in the list")
        }
    }

    private static let mapOfSwitches = Shape<[Switch]>.keyed(
        by: .namespace, "switch",
        .object(
            "switch", "a switch", "A bridge for each network that only forwards: no rules, no conntrack.",
            blank: Switch(name: ""),
            fields: [
                Field("uplink", \.uplink, .name(of: .switch), "The switch that its uplink goes to."),
                Field("hub", \.isHub, .boolean, "Whether it sends every frame to every port; false."),
            ] + fields(\.link, near: "the uplink")), maximum: Limits.switches
    ) { each, name, _, _ in each.name = name }

    /// Names, or a mapping for those of which there is more to say.
    static let switches = Shape<[Switch]>.either(listOfSwitches, or: mapOfSwitches) { $0.entries == nil }
}
