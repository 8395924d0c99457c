internal import Net

/// Compute nodes with OVS-hybrid plugging: each port has a bridge of its own, `qbr…`, with its tap device and `qvb…`, whose
/// other end `qvo…` is in Open vSwitch. What that does with frames, no tool of a bundle shows.
extension Deduction {
    /// The port's names: a prefix of three letters, and the first eleven characters of its id.
    private static func id(_ device: String) -> Substring { device.dropFirst(3) }

    /// - Throws: `ImportError` for a bundle with both kinds of compute nodes, as a scenario's hypervisors are of one kind.
    static func hasHybridBridges(_ hypervisors: [Machine]) throws(ImportError) -> Bool {
        func first(_ prefix: String) -> (machine: String, bridge: String)? {
            for machine in hypervisors {
                guard let port = machine.bridgePorts.first(where: { $0.bridge.hasPrefix(prefix) }) else { continue }
                return (machine.folderName, port.bridge)
            }
            return nil
        }
        guard let hybrid = first("qbr") else { return false }
        guard let plain = first("brq") else { return true }
        throw ImportError(
            "\(hybrid.machine) has a bridge for each port (\(hybrid.bridge)) and \(plain.machine) one for each network "
                + "(\(plain.bridge)), but a scenario's hypervisors are all of one kind; import two bundles, each with the "
                + "hypervisors of one kind and what is on them")
    }

    /// Ports are in one network if their instances have addresses of one subnet, or if the bridge of one has learned the MAC
    /// of another at its end towards Open vSwitch. Machines that are not on hypervisors join by what bridges have learned.
    mutating func groupIntoNetworks() {
        var groups: [Set<Int>] = []
        func join(_ members: Set<Int>) {
            let touched = groups.filter { !$0.isDisjoint(with: members) }
            groups.removeAll { !$0.isDisjoint(with: members) }
            groups.append(touched.reduce(members) { $0.union($1) })
        }
        let onTaps = cards.indices.filter { if case .tap = cards[$0].place { true } else { false } }
        for index in onTaps {
            join(Set(onTaps.filter { !Set(cards[$0].subnets).isDisjoint(with: cards[index].subnets) }).union([index]))
        }
        for tap in taps {
            guard let owner = card(of: tap), let own = cards.firstIndex(where: { $0.mac == owner.mac }) else {
                continue
            }
            for (other, machine, device) in seenBeyond(tap) where other != own {
                join([own, other])
                if case .unknown = cards[other].place {
                    cards[other].place = .fabric(why: "\(machine) learned its MAC at \(device)")
                }
            }
        }
        let subnets = groups.map { group in (group, group.flatMap { cards[$0].subnets }.min()) }
        let known = subnets.compactMap { group, subnet in subnet.map { (group, $0) } }.sorted { $0.1 < $1.1 }
        for (network, (group, _)) in known.enumerated() {
            networks.append(Network(bridge: nil))
            for index in group { cards[index].network = network }
        }
    }

    /// The cards whose MACs a port's bridge has learned from Open vSwitch.
    private func seenBeyond(_ tap: Tap) -> [(card: Int, machine: String, device: String)] {
        guard let machine = hypervisors.first(where: { $0.name == tap.hypervisor }) else { return [] }
        let device = "qvb" + Self.id(tap.device)
        return machine.learned.compactMap { entry in
            guard entry.ifname?.text == device, entry.state != "permanent",
                let mac = entry.mac.flatMap({ MACAddress($0) })
            else { return nil }
            let found = cards.indices.filter { cards[$0].mac == mac }
            return found.count == 1 ? (found[0], machine.name, device) : nil
        }
    }

    /// What the files of hybrid compute nodes leave open.
    func unknownOfHybridBridges() -> [String] {
        guard isHybrid else { return [] }
        var lines = [
            "the Neutron release: the rules are the nodes' own",
            "the networks' ids and VLANs: with hybrid bridges no file shows them, and networks are told apart by subnets",
            "what Open vSwitch does to frames (flows, VLANs, tunnels); a bridge for each network stands for br-int",
        ]
        for machine in hypervisors {
            if uplinks[machine.name] == nil {
                lines.append("\(machine.name): its uplink; \(Bundle.File.link.command) shows no card in Open vSwitch")
            }
            for (port, bridge) in machine.bridgePorts {
                let isOwn = bridge.hasPrefix("qbr") && Self.id(port) == Self.id(bridge)
                if port.hasPrefix("tap"), !isOwn {
                    lines.append("\(machine.name): why \(port) is on \(bridge), which is not its hybrid bridge")
                }
                if port.hasPrefix("qvb"),
                    !taps.contains(where: { $0.hypervisor == machine.name && $0.bridge == bridge })
                {
                    lines.append("\(machine.name): the instance of \(bridge), which has no tap device")
                }
            }
        }
        for (index, card) in cards.enumerated() {
            for other in cards[..<index] where other.network != nil && other.network == card.network {
                guard let address = card.addresses.first(where: { !$0.isHost && other.addresses.contains($0) }) else {
                    continue
                }
                lines.append(
                    "whether \(other.machine):\(other.name) and \(card.machine):\(card.name), which both have "
                        + "\(address), are in one network or in two with the same subnet")
            }
        }
        return lines
    }
}

extension Machine {
    /// Whether a bridge's frames go through the rules of port security.
    func isFiltered(_ bridge: String) -> Bool { bridge.hasPrefix("brq") || bridge.hasPrefix("qbr") }

    /// The ports of Open vSwitch, as far as they are cards or tunnels: not the ends of hybrid bridges, and neither the cables
    /// between its bridges (`int-br-ex`, `phy-br-ex`) nor its own devices. Where a Linux bridge stands for br-int, its ports.
    var openVSwitchUplinks: [String] {
        bridgePorts.filter { port, bridge in
            let kind = links.first { $0.ifname?.text == port }?.linkinfo?.infoKind
            let isInner = ["qvo", "qvb", "tap", "int-", "phy-"].contains { port.hasPrefix($0) }
            return isOpenVSwitch(bridge) && !isInner && kind != "openvswitch"
        }.map(\.name)
    }

    func isOpenVSwitch(_ bridge: String) -> Bool { bridge == "ovs-system" || bridge.hasPrefix("br-int") }

    /// The bridges of single ports.
    var hybridBridges: [Link] { links.filter { $0.ifname?.text.hasPrefix("qbr") == true } }
}
