internal import Evidence
internal import Net
internal import Scenario

/// Says what the names in expectations mean: ports, MAC addresses, chains.
struct Names {
    let scenario: Scenario
    let ports: [CapturePort]
    private let hostByMAC: [MACAddress: String]

    init(scenario: Scenario, ports: [CapturePort]) {
        self.scenario = scenario
        self.ports = ports
        let pairs = scenario.hosts.flatMap { host in host.ports.map { ($0.macAddress, host.name) } }
        hostByMAC = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    /// The name of a namespace of this scenario, or an error that lists them.
    func namespace(_ name: String) throws(Unjudgeable) -> String {
        let known = scenario.hosts.map(\.name) + scenario.hypervisors.map(\.name) + scenario.switches.map(\.name)
        guard known.contains(name) else {
            throw Unjudgeable("'\(name)' is none of \(known.joined(separator: ", "))")
        }
        return name
    }

    /// The index of a captured port: `lb`, `lb:eth0`, `hv1:uplink`, `hv1:uplink(public)`, `hv1:tap(lb)`,
    /// `hv1:tap(lb:eth0)`, `hv1:qvb(lb)`, `sw:lb`.
    func port(_ name: String) throws(Unjudgeable) -> Int {
        let parts = name.split(separator: ":", maxSplits: 1).map(String.init)
        let candidates: [Int]
        if parts.count == 2 {
            let isSwitch = scenario.switches.contains { $0.name == parts[0] } && !parts[1].hasPrefix("uplink")
            let interfaces = isSwitch ? scenario.switchPorts(parts[1], on: parts[0]) : try interfaces(parts[1])
            candidates = ports.indices.filter {
                ports[$0].namespace == parts[0] && interfaces.contains(ports[$0].interface)
            }
        } else {
            candidates = ports.indices.filter { ports[$0].namespace == name }
        }
        guard let first = candidates.first else {
            let captured = ports.map(\.name).joined(separator: ", ")
            throw Unjudgeable("no port '\(name)' was captured; captured: \(captured.isEmpty ? "none" : captured)")
        }
        guard candidates.count == 1 else {
            let meant = candidates.map { ports[$0].name }.joined(separator: ", ")
            throw Unjudgeable("'\(name)' can mean \(meant): name one")
        }
        return first
    }

    /// The Neutron port whose tap device captured at this index, with its host's name.
    func tapOwner(_ index: Int) -> (host: String, port: Port)? {
        for host in scenario.hosts {
            for port in host.ports where port.tapName == ports[index].interface { return (host.name, port) }
        }
        return nil
    }

    /// The Neutron port whose hybrid bridge has its outer end at this index.
    func hybridOwner(_ index: Int) -> Port? {
        scenario.hosts.lazy.flatMap(\.ports).first { $0.hybridPortName == ports[index].interface }
    }

    /// The name of the host that has this MAC address, or the address.
    func name(of mac: MACAddress) -> String {
        if mac == .broadcast { return "broadcast" }
        return hostByMAC[mac] ?? mac.description
    }

    /// The MAC addresses that a text means: a MAC's own, a host's, one port's (`lb:eth0`).
    func macs(_ text: String) throws(Unjudgeable) -> [MACAddress] {
        if let mac = MACAddress(text) { return [mac] }
        let macs = try scenarioPorts(text).map(\.macAddress)
        guard !macs.isEmpty else { throw Unjudgeable("'\(text)' has no port and so no MAC address") }
        return macs
    }

    /// The addresses that a host has on its network cards; an address means itself.
    func addresses(_ text: String) throws(Unjudgeable) -> [IPAddress] {
        if let address = IPAddress(text) { return [address] }
        return try scenarioPorts(text).flatMap { $0.fixedIPs + ($0.addresses ?? []).map(\.address) }
    }

    /// A chain's name in the kernel. `i(lb)`, `o(lb)` and `s(lb)` are the ingress, egress and spoof chains of that
    /// host's Neutron port: the driver's prefix (neutron/agent/linux/iptables_manager.py: the binary's name, cut to 16
    /// characters), the letter, and the first 10 characters of the port's id (iptables_firewall.py,
    /// _port_chain_name()). `tap(lb)` is replaced wherever it stands.
    func chain(_ text: String) throws(Unjudgeable) -> String {
        guard let letter = text.first, "ios".contains(letter), text.dropFirst().hasPrefix("("), text.hasSuffix(")")
        else { return try expandingTaps(text) }
        let prefix: String
        switch scenario.neutron?.driver {
        case "linuxbridge": prefix = "neutron-linuxbri-"
        case "ovs_hybrid": prefix = "neutron-openvswi-"
        case let driver?: throw Unjudgeable("chain \(text): driver '\(driver)' has no known chain names")
        case nil: throw Unjudgeable("chain \(text): the scenario has no neutron deployment")
        }
        let host = String(text.dropFirst(2).dropLast())
        let candidates = try scenarioPorts(host)
        guard let port = candidates.first, candidates.count == 1 else {
            throw Unjudgeable("chain \(text): '\(host)' has \(candidates.count) ports: name one, as in \(host):eth0")
        }
        return "\(prefix)\(letter)\(port.id.prefix(10))"
    }

    /// The text with every `tap(host)` and `qvb(host)` replaced by the device's name.
    func expandingTaps(_ text: String) throws(Unjudgeable) -> String {
        var result = text
        for word in ["tap(", "qvb("] { result = try expanding(word, in: result) }
        return result
    }

    private func expanding(_ word: String, in text: String) throws(Unjudgeable) -> String {
        var result = ""
        var rest = text[...]
        while let start = rest.firstRange(of: word), let end = rest[start.upperBound...].firstIndex(of: ")") {
            let devices = try interfaces(String(rest[start.lowerBound...end]))
            guard let device = devices.first, devices.count == 1 else {
                throw Unjudgeable("\(rest[start.lowerBound...end]) can mean \(devices.joined(separator: ", "))")
            }
            result += rest[..<start.lowerBound] + device
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    /// The interfaces that `tap(host)`, `qvb(host:port)` or `uplink(network)` means; any other text means itself.
    private func interfaces(_ text: String) throws(Unjudgeable) -> [String] {
        guard let open = text.firstIndex(of: "(") else { return [text] }
        guard text.hasSuffix(")") else { throw Unjudgeable("'\(text)' lacks its closing parenthesis") }
        let inside = String(text[text.index(after: open)...].dropLast())
        switch text[..<open] {
        case "tap": return try scenarioPorts(inside).map(\.tapName)
        case "qvb": return try scenarioPorts(inside).map(\.hybridPortName)
        case "uplink":
            guard let network = scenario.networks.first(where: { $0.name == inside }) else {
                let known = scenario.networks.map(\.name).joined(separator: ", ")
                throw Unjudgeable("'\(inside)' is none of the networks \(known)")
            }
            return [scenario.uplinkName(of: network)]
        default: return [text]
        }
    }

    private func scenarioPorts(_ text: String) throws(Unjudgeable) -> [Port] {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        guard let name = parts.first, let host = scenario.hosts.first(where: { $0.name == name }) else {
            let hosts = scenario.hosts.map(\.name).joined(separator: ", ")
            throw Unjudgeable("'\(text)' is none of the hosts \(hosts)")
        }
        guard parts.count == 2 else { return host.ports }
        let ports = host.ports.filter { $0.name == parts[1] }
        guard !ports.isEmpty else { throw Unjudgeable("\(name) has no port '\(parts[1])'") }
        return ports
    }
}
