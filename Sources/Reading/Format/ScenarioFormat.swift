internal import Net
internal import Scenario

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

    static let release = Shape<String>.scalar(
        "a release of Neutron such as 2014.1.5, 9.4.1 or newton",
        schema: .scalar(pattern: "^([0-9]+(\\.[0-9]+){1,2}|[A-Za-z]+)$"),
        parse: { text in
            let isName = text.utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            let isVersion =
                (2...3).contains(parts.count)
                && parts.allSatisfy { part in
                    !part.isEmpty && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
                }
            return !text.isEmpty && (isName || isVersion) ? text : nil
        }
    ).checked { text, tree, reader in
        guard let releases = reader.checks.releases, !releases.exists(text) else { return }
        reader.error(
            at: tree.location, "there is no Neutron release '\(text)'", expected: releases.expected,
            suggestion: releases.nearest(text) ?? NearestName.of(text, among: releases.names))
    }

    private static let neutron = Shape<NeutronDeployment>.object(
        "neutron", "a Neutron deployment", "Whose port security the hypervisors enforce.",
        blank: NeutronDeployment(release: nil),
        fields: [
            Field(
                "release", \.release, release,
                "Neutron's version, 2014.1.5 to 25.2.3, or a series' name for its last one: newton. Needed unless every "
                    + "hypervisor has 'rules'."),
            Field("driver", \.driver, .word(Vocabulary.drivers), "The firewall's driver; linuxbridge."),
            Field("ipset", \.ipset, .boolean, "Whether remote groups are IP sets (enable_ipset); false."),
        ])

    private static let need = Shape<String>.text(
        "a feature such as ipvs, dummy or zones", pattern: NameForm.word.pattern, matches: NameForm.word.matches
    ).checked { need, tree, reader in
        guard let known = reader.checks.knownNeeds, !known.contains(need) else { return }
        reader.unknown("feature", need, at: tree.location, known: known)
    }

    private static let capture = Shape<CaptureOptions>.either(
        Shape<String>.word(["none"]).map { _ in CaptureOptions(isOn: false) },
        or: .object(
            "capture", "capture options", "How to capture.", blank: CaptureOptions(),
            fields: [
                Field(
                    "snapshot_length", \.snapshotLength, .integer(64...262_144), "Octets kept of each frame; 1600.")
            ]), choosesFirst: { $0.entries == nil })

    /// Known by their keys; `ScenarioFile` takes them off before the rest is read.
    static let topologyKey = "topology"
    static let variantsKey = "variants"
    static let titleKey = "title"

    private static let own: [Field<Scenario>] = [
        Field(
            titleKey, \.title, .text("one line for drbench list", upTo: Limits.line), required: true,
            "One line for drbench list."),
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
        Field("settle", \.settle, .duration(), "How long to watch after the last step; 1.5s."),
        Field("capture", \.capture, capture, "How to capture."),
    ]

    /// Keys that make one file many scenarios: only a file's own level has them.
    static let fileKeys: Set = [variantsKey, Matrix.key, Matrix.cellsKey]

    /// Read by `ScenarioFile` before the rest; declared here for the schema.
    private static func composition(_ key: String, _ schema: Schema, _ documentation: String) -> Field<Scenario> {
        Field(key, Shape<Bool>(schema: schema, expected: "") { _, _ in nil }, documentation) { _, _ in }
    }

    private static func overlays(_ form: NameForm, _ overlay: Schema.Overlay) -> Schema {
        .keyed(keyPattern: form.pattern, .overlay(overlay), minimum: 1, maximum: Limits.scenarios)
    }

    private static let change = Schema.Overlay(name: "change", without: fileKeys)

    private static let compositions = [
        composition(
            Parameters.key, .keyed(keyPattern: NameForm.word.pattern, .anything, minimum: 0),
            "Values by name, for $(name) anywhere in the file; variants and a matrix's values may change them."),
        composition(
            variantsKey,
            overlays(
                NameForm.scenario, Schema.Overlay(name: "variant", required: [titleKey], without: fileKeys)),
            "Scenarios of their own, each laid over this one: maps merge key by key, the rest is replaced."),
        composition(
            Matrix.key,
            .keyed(
                keyPattern: NameForm.word.pattern,
                .any([
                    .list(.scalar(pattern: NameForm.scenario.pattern), minimum: 1),
                    .keyed(
                        keyPattern: NameForm.scenario.pattern, .any([.overlay(change), .null]), minimum: 1),
                ]), minimum: 1),
            "Axes, each with its values: every combination is a scenario of its own in place of this one. A value is what "
                + "it changes, or just a word; the parameter with the axis's name is its name."),
        composition(
            Matrix.cellsKey, overlays(NameForm.scenario, change),
            "What single cells of the matrix change beside: by their values' names with '-' between them."),
        composition(
            Mutations.key,
            overlays(
                NameForm.scenario,
                Schema.Overlay(
                    name: "mutation", required: [titleKey],
                    without: fileKeys.union([Mutations.key, Parameters.key]).union(Mutations.fixed),
                    extra: [
                        Schema.Field(
                            name: Mutations.withoutKey,
                            documentation: "Steps, or what happens meanwhile, that do not happen, by name.",
                            required: false,
                            schema: .any([.text(pattern: nil), .list(.text(pattern: nil), minimum: 1)]))
                    ])),
            "Changes of the set-up that must make this scenario fail: 'drbench mutate' sees to it."),
    ]

    private static let blank = Scenario(name: "", title: "", topology: "")

    static let topology = Shape<Scenario>.object(
        "topology", "a topology", "Which namespaces, bridges and links exist.", blank: blank, fields: network)

    static let scenario = Shape<Scenario>.object(
        "scenario", "a scenario", "A network, what happens in it, and what must be seen.", blank: blank,
        fields: own + network + events + compositions)
}
