internal import Net
internal import Scenario

/// The ways to point at a port: `gw:eth0`, `lb`, `hv1:uplink`, `hv1:tap(lb)`, `fab:gw`; and at a port's chain: `i(lb)`.
enum Places {
    /// The other end of a cable: `gw:eth1`.
    static let card = Shape<String>(
        schema: .text(pattern: "^[a-z][a-z0-9-]*:[^:() ]+$"), expected: "a host's port such as gw:eth1"
    ) { tree, reader in
        guard let text = tree.text, let colon = text.firstIndex(of: ":") else {
            reader.error(at: tree.location, "found \(tree.found)", expected: "a host's port such as gw:eth1")
            return nil
        }
        _ = reader.host(text[..<colon], card: text[text.index(after: colon)...], at: tree.location)
        return text
    }

    static let expectedPort = "a port such as gw:eth0, lb, hv1:uplink, hv1:tap(lb) or fab:gw"

    /// A port that is captured.
    static let port = Shape<String>(
        schema: .text(pattern: "^[a-z][a-z0-9-]*(:[^() ]+|:(tap|qvb|uplink)\\([a-z][a-z0-9_-]*(:[^() ]+)?\\))?$"),
        expected: expectedPort
    ) { tree, reader in
        guard let text = tree.text, !text.isEmpty else {
            reader.error(at: tree.location, "found \(tree.found)", expected: expectedPort)
            return nil
        }
        if let names = reader.names { reader.checkPort(text, names, at: tree.location) }
        return text
    }

    /// The chains of a Neutron port that can be named by the port's host: ingress, egress and spoof chain, and those that
    /// its ARP and MAC protection have in ebtables.
    private static let chainsOfPort = ["i", "o", "s", "neutronARP-tap", "neutronMAC-tap"]

    /// A chain of a rule: a real name, or one of a host's Neutron port.
    static let chain = Shape<String>.scalar(
        "a chain's name, or i(host), o(host) or s(host) for those of the host's port",
        schema: .text(pattern: "^([^() ]+|([ios]|neutron(ARP|MAC)-tap)\\([a-z][a-z0-9-]*(:[^() ]+)?\\))$"),
        parse: { text in
            guard text.contains(where: { "() ".contains($0) }) else { return text.isEmpty ? nil : text }
            return argument(of: text, chainsOfPort) == nil ? nil : text
        }
    ).checked { text, tree, reader in
        guard let owner = argument(of: text, chainsOfPort) else { return }
        _ = reader.host(owner.host, card: owner.card, at: tree.location)
    }

    /// Of `tap(lb:eth0)` with one of these words before the parenthesis.
    static func argument(of text: some StringProtocol, _ words: [String]) -> (host: String, card: Substring?)? {
        guard let open = text.firstIndex(of: "("), words.contains(String(text[..<open])), text.hasSuffix(")")
        else { return nil }
        let inside = Substring(text[text.index(after: open)...].dropLast())
        guard !inside.isEmpty, !inside.contains(where: { "() ".contains($0) }) else { return nil }
        let parts = inside.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(parts[0]), parts.count == 2 ? parts[1] : nil)
    }
}

extension Names {
    /// Whether a port, as expectations name it, is a host's card or the other end of its cable.
    func hasMachine(at port: String) -> Bool {
        let parts = port.split(separator: ":", maxSplits: 1).map(String.init)
        guard let place = parts.first else { return false }
        if let host = host(place) { return parts.count == 1 || host.cards.contains { $0.name == parts[1] } }
        guard parts.count == 2 else { return false }
        if hypervisors.contains(place) { return Places.argument(of: parts[1], ["tap", "qvb"]) != nil }
        return host(parts[1].prefix { $0 != ":" }) != nil
    }

    /// Whether a switch's port stands for the cables of all networks to a hypervisor.
    func isSeveralCables(_ port: String) -> Bool {
        let parts = port.split(separator: ":", maxSplits: 1).map(String.init)
        return parts.count == 2 && switches.contains(parts[0]) && hypervisors.contains(parts[1]) && isFlat
            && networks.count > 1
    }
}

extension Reader {
    /// Reports a host, or a card of it, that does not exist; returns the host and the cards meant.
    func host(
        _ name: some StringProtocol, card: Substring?, at location: SourceLocation
    ) -> (host: Names.Host, cards: [Names.Card])? {
        guard let names else { return nil }
        guard let host = names.host(name) else {
            unknown("host", String(name), at: location, known: names.known(.host))
            return nil
        }
        guard let card else { return (host, host.cards) }
        let cards = host.cards.filter { $0.name == card }
        if cards.isEmpty {
            unknown("port of \(host.name)", String(card), at: location, known: host.cards.map(\.name))
            return nil
        }
        return (host, cards)
    }

    fileprivate func checkPort(_ text: String, _ names: Names, at location: SourceLocation) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let (place, rest) = (String(parts[0]), parts.count == 2 ? parts[1] : nil)
        if let host = names.host(place) {
            checkPort(of: host, card: rest, at: location)
        } else if names.isKnown(place, .hypervisor) {
            checkPort(ofHypervisor: place, rest, names, at: location)
        } else if names.isKnown(place, .switch) {
            checkPort(ofSwitch: place, rest, names, at: location)
        } else {
            unknown(Names.Kind.namespace.rawValue, place, at: location, known: names.known(.namespace))
        }
    }

    private func checkPort(of host: Names.Host, card: Substring?, at location: SourceLocation) {
        let cards = host.cards.map(\.name)
        if let card {
            if !(cards + host.interfaces).contains(String(card)) {
                unknown("port of \(host.name)", String(card), at: location, known: cards + host.interfaces)
            }
        } else if cards.count != 1 {
            let ports = cards.map { "\(host.name):\($0)" }
            error(
                at: location, "\(host.name) has \(cards.isEmpty ? "no" : "\(cards.count)") ports",
                expected: ports.isEmpty ? nil : Self.oneOf(ports))
        }
    }

    /// `hv1:uplink` or `hv1:uplink(public)`: the cable, or the device by which one network leaves.
    private func checkUplink(of place: String, _ rest: Substring, _ names: Names, at location: SourceLocation) -> Bool {
        if rest == "uplink" {
            if names.isFlat, names.networks.count > 1 {
                let uplinks = names.networks.map { "\(place):uplink(\($0))" }
                error(at: location, "\(place) has an uplink for each network", expected: Self.oneOf(uplinks))
            }
            return true
        }
        guard let network = Places.argument(of: rest, ["uplink"]) else { return false }
        if !names.networks.contains(network.host) {
            unknown(Names.Kind.network.rawValue, network.host, at: location, known: names.known(.network))
        }
        return true
    }

    private func checkPort(
        ofHypervisor hypervisor: String, _ rest: Substring?, _ names: Names, at location: SourceLocation
    ) {
        if let rest, checkUplink(of: hypervisor, rest, names, at: location) { return }
        let devices = names.hasHybridBridges ? ["tap", "qvb"] : ["tap"]
        guard let rest, let owner = Places.argument(of: rest, devices) else {
            let bridge = names.hasHybridBridges ? ", \(hypervisor):qvb(host) for its hybrid bridge's end" : ""
            error(
                at: location, "\(hypervisor) has no such port",
                expected: "\(hypervisor):uplink, or \(hypervisor):tap(host) for the tap device of a host's port"
                    + bridge)
            return
        }
        guard let (host, cards) = self.host(owner.host, card: owner.card, at: location) else { return }
        let here = cards.filter { names.places(of: host, cards: [$0]).contains(hypervisor) }
        if here.isEmpty {
            error(at: location, "\(host.name) is never on \(hypervisor)")
        } else if here.count > 1 {
            let device = rest.prefix { $0 != "(" }
            let ports = here.map { "\(hypervisor):\(device)(\(host.name):\($0.name))" }
            error(at: location, "\(host.name) has \(here.count) ports on \(hypervisor)", expected: Self.oneOf(ports))
        }
    }

    private func checkPort(ofSwitch place: String, _ rest: Substring?, _ names: Names, at location: SourceLocation) {
        guard let rest else {
            error(at: location, "\(place) is a switch", expected: "\(place):host or \(place):hypervisor")
            return
        }
        if names.hypervisors.contains(String(rest)) { return }
        if names.switchesWithUplink.contains(place), checkUplink(of: place, rest, names, at: location) { return }
        let parts = rest.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard names.host(parts[0]) != nil else {
            let known = names.hypervisors + names.known(.host)
            unknown("host or hypervisor", String(parts[0]), at: location, known: known)
            return
        }
        guard let (host, cards) = self.host(parts[0], card: parts.count == 2 ? parts[1] : nil, at: location)
        else { return }
        let here = cards.filter { names.places(of: host, cards: [$0]).contains(place) }
        if here.isEmpty {
            error(at: location, "\(host.name) is not on \(place)")
        } else if here.count > 1 {
            let ports = here.map { "\(place):\(host.name):\($0.name)" }
            error(at: location, "\(host.name) has \(here.count) ports on \(place)", expected: Self.oneOf(ports))
        }
    }
}
