internal import Net
internal import Scenario

/// Every name that a scenario's network defines, taken from the merged tree before anything is read: so a name is known
/// wherever it is used, and stays known if what it names has a mistake of its own.
struct Names {
    struct Host {
        var name: String
        var cards: [Card]
        var interfaces: [String]
        var programs: [String] = []
    }

    struct Card {
        var name: String
        /// The hypervisor or switch it is plugged into when the run starts.
        var on: String?
        var peer: String?
        var fixedIPs: [IPAddress]
    }

    var hosts: [Host] = []
    private var hostsByName: [String: Host] = [:]
    private var knownNames: [Kind: Set<String>] = [:]
    var hypervisors: [String] = []
    var switches: [String] = []
    var switchesWithUplink: [String] = []
    var networks: [String] = []
    /// Whether each network has an uplink of its own, so that with several the word alone means none.
    var isFlat = true
    var hasHybridBridges = false
    var securityGroups: [String] = []
    /// Where the timeline moves each host, each place once.
    private var moves: [String: [String]] = [:]
    /// Cards that are the far end of another card's cable, with the near end: `gw:eth1`.
    private(set) var cables: [String: String] = [:]

    init(of tree: Tree) {
        hypervisors = tree["hypervisors"]?.entries?.map(\.key) ?? []
        switches =
            tree["switches"]?.elements?.compactMap(\.text) ?? tree["switches"]?.entries?.map(\.key) ?? []
        switchesWithUplink = (tree["switches"]?.entries ?? []).filter { $0.value["uplink"] != nil }.map(\.key)
        isFlat = tree["fabric"]?["network_type"]?.text ?? "flat" == "flat"
        hasHybridBridges = tree["neutron"]?["driver"]?.text == "ovs_hybrid"
        networks = tree["networks"]?.entries?.map(\.key) ?? []
        securityGroups = tree["security_groups"]?.entries?.map(\.key) ?? []
        for host in tree["hosts"]?.entries ?? [] {
            let on = host.value["on"]?.text
            let cards = (host.value["ports"]?.entries ?? []).map { port in
                let peer = port.value["peer"]?.text
                let addresses = port.value["fixed_ips"]?.elements?.compactMap { $0.text.flatMap { IPAddress($0) } }
                return Card(
                    name: port.key, on: port.value["on"]?.text ?? (peer == nil ? on : nil), peer: peer,
                    fixedIPs: addresses ?? [])
            }
            let interfaces = host.value["interfaces"]?.entries?.map(\.key) ?? []
            let programs = host.value["programs"]?.entries?.map(\.key) ?? []
            hosts.append(Host(name: host.key, cards: cards, interfaces: interfaces, programs: programs))
            for card in cards {
                if let peer = card.peer, cables[peer] == nil { cables[peer] = "\(host.key):\(card.name)" }
            }
        }
        let steps = tree["timeline"]?.elements ?? []
        let targets = Set(hypervisors.prefix(Limits.hypervisors))
        for step in steps.flatMap({ [$0] + ($0["meanwhile"]?.elements ?? []) }) {
            if let move = step["move"], let host = move["host"]?.text, let to = move["to"]?.text,
                targets.contains(to), !moves[host, default: []].contains(to)
            {
                moves[host, default: []].append(to)
            }
        }
        hostsByName = Dictionary(hosts.map { ($0.name, $0) }) { first, _ in first }
        for kind in Kind.allCases { knownNames[kind] = Set(known(kind)) }
    }

    func host(_ name: some StringProtocol) -> Host? { hostsByName[String(name)] }

    func isKnown(_ name: String, _ kind: Kind) -> Bool { knownNames[kind]?.contains(name) ?? false }

    /// The hypervisors and switches that any of these cards is on at any time of the run.
    func places(of host: Host, cards: [Card]) -> [String] {
        let start = cards.compactMap { cables["\(host.name):\($0.name)"] == nil ? $0.on : nil }
        let later = start.contains { isKnown($0, .hypervisor) } ? moves[host.name] ?? [] : []
        return start + later
    }

    /// What can be named where a certain kind of thing is wanted.
    enum Kind: String, Sendable, CaseIterable {
        case host
        case hypervisor
        case `switch`
        case network
        case securityGroup = "security group"
        /// What a port is plugged into.
        case attachment = "hypervisor or switch"
        /// What has a plug.
        case machine = "host or hypervisor"
        /// What has a kernel's tables of its own.
        case namespace = "host, hypervisor or switch"
    }

    func known(_ kind: Kind) -> [String] {
        switch kind {
        case .host: hosts.map(\.name)
        case .hypervisor: hypervisors
        case .switch: switches
        case .network: networks
        case .securityGroup: securityGroups
        case .attachment: hypervisors + switches
        case .machine: hosts.map(\.name) + hypervisors
        case .namespace: hosts.map(\.name) + hypervisors + switches
        }
    }
}

extension Shape<String> {
    /// The name of something that exists.
    static func name(of kind: Names.Kind) -> Shape {
        Shape(schema: .text(pattern: nil), expected: "a \(kind.rawValue)'s name") { tree, reader in
            guard let name = tree.text, !name.isEmpty else {
                reader.error(at: tree.location, "found \(tree.found)", expected: "a \(kind.rawValue)'s name")
                return nil
            }
            if let names = reader.names, !names.isKnown(name, kind) {
                reader.unknown(kind.rawValue, name, at: tree.location, known: names.known(kind))
            }
            return name
        }
    }
}
