internal import Net

/// The files themselves: a topology, and a scenario, which may have everything that a topology has.
enum ScenarioFormat {
    /// Read, but not kept: what a file says about itself.
    private static let prose = Shape<String>.text("text")

    private static let network: [Field<Scenario>] = [
        Field("description", prose, "What the network is, for readers.") { _, _ in },
        Field("networks", \.networks, NetworkFormat.networks, "Neutron networks, by name."),
        Field("security_groups", \.securityGroups, NetworkFormat.securityGroups, "Security groups, by name."),
        Field("switches", \.switches, LinkFormat.switches, "Bridges that only forward, by name."),
        Field("fabric", \.fabric, LinkFormat.fabric, "How networks cross from one hypervisor to another; flat."),
        Field("hypervisors", \.hypervisors, NetworkFormat.hypervisors, "Hypervisors, by name."),
        Field("hosts", \.hosts, HostFormat.hosts, "Hosts, by name."),
        Field("services", \.services, ServiceFormat.services, "IPVS services, by names that only overlays use."),
    ]

    /// What a scenario and its topology both have.
    static let sharedKeys = Set(network.map(\.schema.name)).subtracting(["description"])

    private static let neutron = Shape<NeutronDeployment>.object(
        "neutron", "a Neutron deployment", "Whose port security the hypervisors enforce.",
        blank: NeutronDeployment(release: ""),
        fields: [
            Field(
                "release", \.release,
                .scalar(
                    "a release of Neutron such as 2014.1.5 or 9.4.1",
                    schema: .scalar(pattern: "^[0-9]+(\\.[0-9]+){1,2}$"),
                    parse: { text in
                        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
                        let isRelease =
                            (2...3).contains(parts.count)
                            && parts.allSatisfy { part in
                                !part.isEmpty && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
                            }
                        return isRelease ? text : nil
                    }),
                required: true, "Neutron's version: 2014.1.5, 9.4.1."),
            Field("driver", \.driver, .word(Vocabulary.drivers), "The firewall's driver; linuxbridge."),
        ])

    private static let need = Shape<String>.text(
        "a feature such as ipvs, dummy or zones", pattern: NameForm.word.pattern, matches: NameForm.word.matches
    ).checked { need, tree, reader in
        guard let known = reader.checks.knownNeeds, !known.contains(need) else { return }
        reader.unknown("feature", need, at: tree.location, known: known)
    }

    private static let capture = Shape<CaptureOptions>.object(
        "capture", "capture options", "How to capture.", blank: CaptureOptions(),
        fields: [
            Field("snapshot_length", \.snapshotLength, .integer(64...262_144), "Octets kept of each frame; 1600.")
        ])

    /// Known by their keys; `ScenarioFile` takes them off before the rest is read.
    static let topologyKey = "topology"
    static let variantsKey = "variants"
    static let titleKey = "title"

    private static let own: [Field<Scenario>] = [
        Field(titleKey, \.title, .text("one line for drbench list"), required: true, "One line for drbench list."),
        Field(
            "tags", \.tags,
            .list(of: .text("a tag such as core", pattern: NameForm.word.pattern, matches: NameForm.word.matches)),
            "Words to select scenarios by."),
        Field("source", \.source, .text("text"), "Where the behaviour is known from."),
        Field("needs", \.needs, .list(of: need), "What an engine must have: ipvs, dummy, zones, …"),
        Field(
            topologyKey, \.topology, .text("a topology's name: that of its file in netns/"), required: true,
            "The topology it stands on: a file's name in netns/, without .yaml."),
        Field("neutron", \.neutron, neutron, "Whose port security the hypervisors enforce; none if left out."),
    ]

    private static let events: [Field<Scenario>] = [
        Field("timeline", \.timeline, StepFormat.timeline, "What happens, in order."),
        Field(
            "expect", \.expectations, ExpectationFormat.expectations, "What must hold at the end, over the whole run."),
        Field("settle", \.settle, .duration, "How long to watch after the last step; 1.5s."),
        Field("capture", \.capture, capture, "How to capture."),
    ]

    private static let variants = Field<Scenario>(
        variantsKey,
        Shape<Bool>(
            schema: .keyed(keyPattern: NameForm.scenario.pattern, .variant(required: [titleKey]), minimum: 1),
            expected: "a mapping from each variant's name to what it changes"
        ) { _, _ in nil },
        "Scenarios of their own, each laid over this one: maps merge key by key, the rest is replaced."
    ) { _, _ in }

    private static let blank = Scenario(name: "", title: "", topology: "")

    static let topology = Shape<Scenario>.object(
        "topology", "a topology", "Which namespaces, bridges and links exist.", blank: blank, fields: network)

    static let scenario = Shape<Scenario>.object(
        "scenario", "a scenario", "A network, what happens in it, and what must be seen.", blank: blank,
        fields: own + network + events + [variants])
}
