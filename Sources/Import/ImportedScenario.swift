internal import Net

/// A scenario made of a support bundle: what the bundle proves, with everything that it lacks named in comments.
public struct ImportedScenario: Sendable, Equatable {
    /// The YAML.
    public private(set) var text: String
    /// What the bundle lacks or the format cannot say, a sentence each.
    public private(set) var missing: [String]

    /// - Parameters:
    ///   - folder: the bundle: a folder for each machine.
    ///   - rules: how the scenario file's folder reaches the bundle's, empty or ending in `/`.
    /// - Throws: `ImportError` for a folder that is no bundle.
    public init(bundle folder: String, rules: String) throws(ImportError) {
        let bundle = try Bundle(folder: folder)
        var writer = try ScenarioWriter(bundle, rules: rules)
        let body = writer.body()
        missing = writer.missing
        let name = folder.split(separator: "/").last.map(String.init) ?? folder
        var head = ["# Imported by drbench from \(name)."]
        if !missing.isEmpty {
            head += ["#", "# Not in the bundle, or not to be said in a scenario:"]
            head += missing.map { "# - \($0)" }
        }
        head += ["title: \(ScenarioWriter.quoted("Imported from \(name)"))", "topology: empty"]
        if writer.deduction.isHybrid {
            head.append("neutron: {driver: ovs_hybrid}  # whose rules are in files")
        }
        text = (head + body).joined(separator: "\n") + "\n"
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

    static func quoted(_ text: some CustomStringConvertible) -> String {
        "\"" + "\(text)".replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    mutating func body() -> [String] {
        nameMissingFiles()
        var lines = networks()
        missing += deduction.unknownOfHybridBridges()
        let isOnFabric = deduction.cards.contains { if case .fabric = $0.place { true } else { false } }
        if !deduction.uplinks.isEmpty || isOnFabric {
            lines += ["", "# What is between the hypervisors' uplinks.", "switches: [fab]"]
            missing.append("what is between the hypervisors' uplinks; the switch fab stands for it")
        }
        lines += hypervisors()
        lines += hosts()
        lines += services()
        missing.append("what listens in the hosts: 'servers' is to be added")
        lines += [
            "", "# What happens, and what must be seen, is to be added:", "# timeline:",
            "#   - http: {from: HOST, to: \"ADDRESS:PORT\", count: 4}", "#     expect:",
            "#       - traffic: {outcomes: [HOST, connected then silent, …]}",
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

    private mutating func networks() -> [String] {
        guard !deduction.networks.isEmpty else { return [] }
        var lines = ["", "networks:"]
        for (index, network) in deduction.networks.enumerated() {
            let name = Self.name(ofNetwork: index)
            lines.append("  \(name):")
            if let bridge = network.bridge {
                if let id = Self.id(bridge.dropFirst(3)) {
                    lines.append("    id: \(id)  # of \(bridge), which shows its first eleven characters")
                } else {
                    missing.append("\(name): the id of the network with the bridge \(bridge)")
                }
            }
            if let subnet = deduction.subnet(of: index) {
                lines.append("    cidr: \(Self.quoted(subnet))")
            } else {
                lines.append("    # cidr: is to be added; no instance's address tells")
                missing.append("\(name): the subnet" + (network.bridge.map { " of \($0)" } ?? ""))
            }
        }
        return lines
    }

    // MARK: Hypervisors

    private mutating func hypervisors() -> [String] {
        guard !deduction.hypervisors.isEmpty else { return [] }
        var lines = ["", "hypervisors:"]
        for machine in deduction.hypervisors {
            lines.append("  \(machine.name):")
            if let uplinks = deduction.uplinks[machine.name] {
                lines.append("    uplink: fab  # \(uplinks.joined(separator: ", "))")
            }
            let sysctls = Sysctls.ofHypervisor(machine, &missing)
            if !sysctls.isEmpty { lines.append("    sysctls: \(sysctls)") }
            var dumps: [String] = []
            let files: [(Bundle.File, String)] = [
                (.iptables, "iptables_save"), (.ip6tables, "ip6tables_save"), (.ebtables, "ebtables_save"),
                (.ipset, "ipset_save"),
            ]
            for (file, key) in files {
                guard let path = machine.paths[file], let text = machine.texts[file] else { continue }
                let hasContent = text.split(separator: "\n").contains { $0.first != "#" }
                // Without a release every hypervisor needs rules, even if they are none.
                if hasContent || deduction.isHybrid && file == .iptables {
                    dumps.append("      \(key): \(Self.quoted(rules + path))")
                }
                if !hasContent, file == .iptables || file == .ebtables && !deduction.isHybrid {
                    missing.append("\(machine.name): \(file.command) printed no table")
                }
            }
            if !dumps.isEmpty { lines += ["    rules:"] + dumps }
            if dumps.isEmpty, deduction.uplinks[machine.name] == nil, sysctls.isEmpty {
                lines[lines.count - 1] += " {}"
            }
            for tap in deduction.taps where tap.hypervisor == machine.name && deduction.card(of: tap) == nil {
                lines.append("    # \(tap.device) on \(tap.bridge): no machine of the bundle has its card")
                missing.append("\(machine.name): the instance behind \(tap.device)")
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
        }
        return lines
    }

    // MARK: Hosts

    private mutating func hosts() -> [String] {
        guard !deduction.hosts.isEmpty else { return [] }
        var lines = ["", "hosts:"]
        for machine in deduction.hosts {
            lines.append("  \(machine.name):")
            let start = lines.count
            let cards = deduction.cards.filter { $0.machine == machine.name }
            if !cards.isEmpty { lines.append("    ports:") }
            for card in cards { lines += port(card) }
            let interfaces = machine.interfaces
            if !interfaces.isEmpty { lines.append("    interfaces:") }
            for interface in interfaces {
                lines.append("      \(interface.name): {addresses: \(Self.list(interface.addresses))}")
            }
            let known = Set(cards.map(\.name) + interfaces.map(\.name))
            let routes = self.routes(of: machine, interfaces: known)
            if !routes.isEmpty { lines.append("    routes: \(Self.list(routes))") }
            let sysctls = Sysctls.ofHost(machine, interfaces: known)
            if !sysctls.isEmpty { lines.append("    sysctls: \(sysctls)") }
            let arguments = HostRules.arguments(machine.texts[.iptables] ?? "")
            if !arguments.isEmpty {
                lines.append("    iptables:")
                lines += arguments.map { "      - \(Self.quoted($0))" }
            }
            if lines.count == start { lines[start - 1] += " {}" }
        }
        return lines
    }

    private static func list(_ elements: [some CustomStringConvertible]) -> String {
        "[\(elements.map { quoted($0) }.joined(separator: ", "))]"
    }

    private mutating func port(_ card: Deduction.Card) -> [String] {
        var lines = ["      \(card.name):"]
        if let network = card.network {
            lines.append("        network: \(Self.name(ofNetwork: network))")
        } else if case .tap = card.place {
            lines.append("        # network: is to be added; its addresses are in no subnet")
            missing.append("\(card.machine):\(card.name): its network")
        }
        switch card.place {
        case .tap(let hypervisor, let device):
            lines.append("        on: \(hypervisor)")
            if let id = Self.id(device.dropFirst(3)) {
                lines.append("        id: \(id)  # of \(device), which shows its first eleven characters")
            } else {
                missing.append("\(card.machine):\(card.name): its port's id; \(device) is no Neutron tap's name")
            }
        case .fabric(let why):
            lines.append("        on: fab  # \(why)")
        case .cable(let peer):
            lines.append("        peer: \(Self.quoted(peer))  # the only other card in its subnet")
        case .unknown:
            lines.append("        # on: or peer: is to be added; nothing tells where this card is plugged in")
            missing.append("\(card.machine):\(card.name): where it is plugged in")
        }
        lines.append("        mac_address: \(Self.quoted(card.mac))")
        lines.append("        addresses: \(Self.list(card.addresses))")
        if let mtu = card.mtu, mtu != 1500 { lines.append("        mtu: \(mtu)") }
        return lines
    }

    private mutating func routes(of machine: Machine, interfaces: Set<String>) -> [String] {
        var routes: [String] = []
        for route in machine.routes where route.protocol != "kernel" {
            let isDefault = route.dst == "default"
            guard route.type == nil || route.type == "unicast", let dst = route.dst,
                isDefault || IPPrefix(dst) != nil, route.gateway != nil || !isDefault,
                route.dev.map({ interfaces.contains($0) }) ?? true
            else {
                missing.append("\(machine.name): its route to \(route.dst ?? "?"), which scenarios cannot say")
                continue
            }
            let via = route.gateway.map { " via \($0)" } ?? ""
            routes.append(dst + via + (route.dev.map { " dev \($0)" } ?? ""))
        }
        return routes
    }

    // MARK: Services

    private mutating func services() -> [String] {
        var lines: [String] = []
        var count = 0
        for machine in deduction.hosts {
            for service in IPVSRules(machine.texts[.ipvsadm] ?? "", of: machine.name, &missing).services {
                count += 1
                lines += ["  service\(count):", "    on: \(machine.name)"]
                lines += service.lines.map { "    " + $0 }
            }
        }
        return lines.isEmpty ? [] : ["", "services:"] + lines
    }
}
