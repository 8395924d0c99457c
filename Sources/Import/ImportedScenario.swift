internal import FoundationEssentials
internal import Net
internal import Reading
internal import Text

/// A scenario made of a support bundle: what the bundle proves, with everything that it lacks named in comments.
public struct ImportedScenario: Sendable, Equatable {
    /// The YAML.
    public private(set) var text: String
    /// What the bundle lacks or the format cannot say, a sentence each.
    public private(set) var missing: [String]
    /// The bundle's file that each line of the text comes from, by the line's number; not of all lines.
    public private(set) var origins: [Int: String]

    /// - Parameters:
    ///   - folder: the bundle: a folder for each machine.
    ///   - rules: how the scenario file's folder reaches the bundle's, empty or ending in `/`.
    /// - Throws: `ImportError` for a folder that is no bundle, or one with a filter that import cannot read.
    public init(bundle folder: String, rules: String) throws(ImportError) {
        let bundle = try Bundle(folder: folder)
        var writer = try ScenarioWriter(bundle, rules: rules)
        let body = try writer.body()
        missing = writer.missing
        let name = folder.split(separator: "/").last.map(String.init) ?? folder
        var content: [YAMLLine] = [.remark("Imported by drbench from \(name).")]
        if !missing.isEmpty {
            content += [.remark(""), .remark("Not in the bundle, or not to be said in a scenario:")]
            content += missing.map { .remark("- \($0)") }
        }
        content += [.entry("title", .text("Imported from \(name)".printable)), .entry("topology", .word("empty"))]
        if writer.deduction.isHybrid {
            content.append(
                .entry("neutron", .flow([("driver", .word("ovs_hybrid"))]), comment: "whose rules are in files"))
        }
        content += body
        let document = YAMLDocument(content)
        text = document.text
        origins = document.origins
        // What a bundle holds must not say more in the scenario than import meant.
        guard let read = PlainYAML.read(text) else {
            throw ImportError("the scenario that would be written is no YAML that drbench reads")
        }
        guard read == PlainYAML(content) else {
            throw ImportError("the scenario that would be written says something else than import meant")
        }
    }
}

/// Writes the scenario's parts in the order of the format.
struct ScenarioWriter {
    let bundle: Bundle
    let rules: String
    let deduction: Deduction
    private(set) var missing: [String] = []

    init(_ bundle: Bundle, rules: String) throws(ImportError) {
        self.bundle = bundle
        self.rules = rules
        deduction = try Deduction(bundle)
    }

    mutating func body() throws(ImportError) -> [YAMLLine] {
        nameMissingFiles()
        var lines = networks()
        missing += deduction.unknownOfHybridBridges()
        let isOnFabric = deduction.cards.contains { if case .fabric = $0.place { true } else { false } }
        if !deduction.uplinks.isEmpty || isOnFabric {
            lines += [
                .gap, .remark("What is between the hypervisors' uplinks."),
                .entry("switches", .list([.word("fab")])),
            ]
            missing.append("what is between the hypervisors' uplinks; the switch fab stands for it")
        }
        lines += hypervisors()
        lines += try hosts()
        lines += services()
        missing += bundle.unread
        missing.append("what listens in the hosts: 'servers' is to be added")
        lines += [
            .gap, .remark("What happens, and what must be seen, is to be added:"), .remark("timeline:"),
            .remark("  - http: {from: HOST, to: \"ADDRESS:PORT\", count: 4}"), .remark("    expect:"),
            .remark("      - traffic: {outcomes: [HOST, connected then silent, …]}"),
        ]
        return lines
    }

    private mutating func nameMissingFiles() {
        let ofHypervisors: [Bundle.File] = [
            .iptables, .ip6tables, .ebtables, .ipset, .link, .bridgeLink, .bridgeFDB, .bridgeVLAN, .sysctl,
        ]
        let ofHosts: [Bundle.File] = [.iptables, .link, .address, .route, .sysctl]
        for machine in bundle.machines {
            let wanted = machine.isHypervisor ? ofHypervisors : ofHosts
            for file in wanted where machine.texts[file] == nil {
                missing.append("\(machine.name): what '\(file.command)' prints")
            }
            if machine.name != machine.folderName {
                missing.append(
                    "\(machine.name) is the folder \(machine.folderName), which is no name for a machine here")
            }
        }
        if !bundle.machines.contains(where: { $0.texts[.ipvsadm] != nil }) {
            missing.append("a director: no machine has what 'ipvsadm -Sn' prints")
        }
    }

    // MARK: Networks

    private static func name(ofNetwork index: Int) -> String { "net\(index + 1)" }

    /// Tap devices and bridges show eleven characters of an id.
    private static func id(_ head: some StringProtocol) -> String? {
        let isHead =
            head.count == 11
            && head.enumerated().allSatisfy {
                $0.offset == 8 ? $0.element == "-" : "0123456789abcdef".contains($0.element)
            }
        return isHead ? head + "00-0000-0000-000000000000" : nil
    }

    private mutating func networks() -> [YAMLLine] {
        guard !deduction.networks.isEmpty else { return [] }
        var networks: [YAMLLine] = []
        for (index, network) in deduction.networks.enumerated() {
            let name = Self.name(ofNetwork: index)
            var lines: [YAMLLine] = []
            if let bridge = network.bridge {
                if let id = Self.id(bridge.dropFirst(3)) {
                    lines.append(
                        .entry("id", .word(id), comment: "of \(bridge), which shows its first eleven characters"))
                } else {
                    missing.append("\(name): the id of the network with the bridge \(bridge)")
                }
            }
            if let subnet = deduction.subnet(of: index) {
                lines.append(.entry("cidr", YAMLNode(subnet)))
            } else {
                lines.append(.remark("cidr: is to be added; no instance's address tells"))
                missing.append("\(name): the subnet" + (network.bridge.map { " of \($0)" } ?? ""))
            }
            networks.append(.entry(name, .block(lines)))
        }
        return [.gap, .entry("networks", .block(networks))]
    }

    // MARK: Hypervisors

    private mutating func hypervisors() -> [YAMLLine] {
        guard !deduction.hypervisors.isEmpty else { return [] }
        let hypervisors = deduction.hypervisors.map { machine in
            YAMLLine.entry(machine.name, .block(hypervisor(machine)), origin: machine.folderName)
        }
        return [.gap, .entry("hypervisors", .block(hypervisors))]
    }

    private mutating func hypervisor(_ machine: Machine) -> [YAMLLine] {
        var lines: [YAMLLine] = []
        if let uplinks = deduction.uplinks[machine.name] {
            lines.append(.entry("uplink", .word("fab"), comment: uplinks.joined(separator: ", ")))
        }
        let sysctls = Sysctls.ofHypervisor(machine, &missing)
        if !sysctls.isEmpty { lines.append(.entry("sysctls", .flow(sysctls), origin: machine.paths[.sysctl])) }
        var dumps: [YAMLLine] = []
        let files: [(Bundle.File, String)] = [
            (.iptables, "iptables_save"), (.ip6tables, "ip6tables_save"), (.ebtables, "ebtables_save"),
            (.ipset, "ipset_save"),
        ]
        for (file, key) in files {
            guard let path = machine.paths[file] else { continue }
            let hasContent = machine.hasContent(file)
            // Without a release every hypervisor needs rules, even if they are none.
            if hasContent || deduction.isHybrid && file == .iptables {
                dumps.append(.entry(key, .text(rules + path), origin: path))
            }
            if !hasContent, file == .iptables || file == .ebtables && !deduction.isHybrid {
                missing.append("\(machine.name): \(file.command) printed no table")
            }
        }
        if !dumps.isEmpty { lines.append(.entry("rules", .block(dumps))) }
        for tap in deduction.taps where tap.hypervisor == machine.name && deduction.card(of: tap) == nil {
            lines.append(.remark("\(tap.device) on \(tap.bridge): no machine of the bundle has its card"))
            missing.append("\(machine.name): the instance behind \(tap.device)")
        }
        for port in machine.unfilteredPorts {
            missing.append(
                "\(machine.name): why no rule names \(port); port security is off there, or another filter has it")
        }
        for (port, bridge) in machine.bridgePorts
        where !machine.isFiltered(bridge) && !(deduction.isHybrid && machine.isOpenVSwitch(bridge)) {
            missing.append("\(machine.name): \(port) on \(bridge), which is no linuxbridge network's bridge")
        }
        if let vlans = machine.texts[.bridgeVLAN],
            vlans.split(separator: "\"vlan\":").dropFirst().contains(where: {
                !$0.hasPrefix("1,") && !$0.hasPrefix("1}")
            })
        {
            missing.append("\(machine.name): VLANs on its bridges, which scenarios do not have")
        }
        return lines
    }

    // MARK: Hosts

    private mutating func hosts() throws(ImportError) -> [YAMLLine] {
        guard !deduction.hosts.isEmpty else { return [] }
        var hosts: [YAMLLine] = []
        for machine in deduction.hosts {
            hosts.append(.entry(machine.name, .block(try host(machine)), origin: machine.folderName))
        }
        return [.gap, .entry("hosts", .block(hosts))]
    }

    private mutating func host(_ machine: Machine) throws(ImportError) -> [YAMLLine] {
        var lines: [YAMLLine] = []
        let cards = deduction.cards.filter { $0.machine == machine.name }
        var ports: [YAMLLine] = []
        for card in cards { ports.append(try port(card, of: machine)) }
        if !ports.isEmpty { lines.append(.entry("ports", .block(ports))) }
        let interfaces = machine.interfaces
        if !interfaces.isEmpty {
            let entries = interfaces.map { interface in
                YAMLLine.entry(interface.name, .flow([("addresses", Self.list(interface.addresses))]))
            }
            lines.append(.entry("interfaces", .block(entries), origin: machine.paths[.address]))
        }
        let known = Set(cards.map(\.name) + interfaces.map(\.name))
        let routes = self.routes(of: machine, interfaces: known)
        if !routes.isEmpty { lines.append(.entry("routes", Self.list(routes), origin: machine.paths[.route])) }
        let sysctls = Sysctls.ofHost(machine, interfaces: known)
        if !sysctls.isEmpty { lines.append(.entry("sysctls", .flow(sysctls), origin: machine.paths[.sysctl])) }
        let rules = machine.texts[.iptables] ?? ""
        try HostRules.check(rules, of: machine.paths[.iptables] ?? "")
        let arguments = HostRules.arguments(rules)
        if !arguments.isEmpty {
            lines.append(.entry("iptables", .items(arguments.map { .text($0) }), origin: machine.paths[.iptables]))
        }
        for file in [Bundle.File.ip6tables, .ebtables, .ipset] where machine.hasContent(file) {
            missing.append(
                "\(machine.name): what is in \(machine.paths[file] ?? ""), which scenarios' hosts cannot have")
        }
        return lines
    }

    private static func list(_ elements: [some CustomStringConvertible]) -> YAMLNode {
        .list(elements.map { YAMLNode($0) })
    }

    private mutating func port(_ card: Deduction.Card, of machine: Machine) throws(ImportError) -> YAMLLine {
        var lines: [YAMLLine] = []
        if let network = card.network {
            lines.append(.entry("network", .word(Self.name(ofNetwork: network))))
        } else if case .tap = card.place {
            lines.append(.remark("network: is to be added; its addresses are in no subnet"))
            missing.append("\(card.machine):\(card.name): its network")
        }
        switch card.place {
        case .tap(let hypervisor, let device):
            lines.append(.entry("on", .word(hypervisor)))
            if let id = Self.id(device.dropFirst(3)) {
                lines.append(
                    .entry("id", .word(id), comment: "of \(device), which shows its first eleven characters"))
            } else {
                missing.append("\(card.machine):\(card.name): its port's id; \(device) is no Neutron tap's name")
            }
        case .fabric(let why):
            lines.append(.entry("on", .word("fab"), comment: why))
        case .cable(let peer):
            lines.append(.entry("peer", .text(peer), comment: "the only other card in its subnet"))
        case .unknown:
            lines.append(.remark("on: or peer: is to be added; nothing tells where this card is plugged in"))
            missing.append("\(card.machine):\(card.name): where it is plugged in")
        }
        lines.append(.entry("mac_address", YAMLNode(card.mac), origin: machine.paths[.link]))
        lines.append(.entry("addresses", Self.list(card.addresses), origin: machine.paths[.address]))
        if let mtu = card.mtu, mtu != 1500 {
            guard (68...65535).contains(mtu) else {
                throw ImportError(
                    "\(machine.paths[.link] ?? ""): \(card.name) has an MTU of \(mtu), expected 68 to 65535")
            }
            lines.append(.entry("mtu", YAMLNode(mtu)))
        }
        return .entry(card.name, .block(lines), origin: machine.paths[.link])
    }

    private mutating func routes(of machine: Machine, interfaces: Set<String>) -> [String] {
        var routes: [String] = []
        for route in machine.routes where route.protocol != "kernel" {
            let isDefault = route.dst == "default"
            let prefix = route.dst.flatMap { IPPrefix($0) }
            guard route.type == nil || route.type == "unicast", isDefault || prefix != nil,
                route.gateway != nil || !isDefault, route.dev.map({ interfaces.contains($0.text) }) ?? true,
                route.gateway != nil || route.dev != nil
            else {
                missing.append("\(machine.name): its route to \(route.dst ?? "?"), which scenarios cannot say")
                continue
            }
            let via = route.gateway.map { " via \($0)" } ?? ""
            let text = (prefix.map { "\($0)" } ?? "default") + via + (route.dev.map { " dev \($0.text)" } ?? "")
            if !routes.contains(text) { routes.append(text) }
        }
        return routes
    }

    // MARK: Services

    private mutating func services() -> [YAMLLine] {
        var services: [YAMLLine] = []
        for machine in deduction.hosts {
            for service in IPVSRules(machine.texts[.ipvsadm] ?? "", of: machine.name, &missing).services {
                guard !service.realServers.isEmpty else {
                    missing.append("\(machine.name): its service \(service.key), which has no real servers")
                    continue
                }
                services.append(
                    .entry(
                        "service\(services.count + 1)",
                        .block([.entry("on", .word(machine.name))] + service.content), origin: machine.paths[.ipvsadm]))
            }
        }
        return services.isEmpty ? [] : [.gap, .entry("services", .block(services))]
    }
}
