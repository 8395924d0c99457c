internal import Net

/// How a bundle's machines hang together, as far as their files prove it.
struct Deduction {
    /// Where a card is plugged in.
    enum Place {
        /// A tap device on a hypervisor, which has the card's MAC but for its first octet.
        case tap(hypervisor: String, device: String)
        /// Beyond the hypervisors' uplinks.
        case fabric(why: String)
        /// The only other card in its subnet.
        case cable(to: String)
        case unknown
    }
    struct Card {
        var machine: String
        var name: String
        var mac: MACAddress
        var mtu: Int?
        var addresses: [IPPrefix]
        var place = Place.unknown
        /// Its index in `networks`; nil if it is in none, or nothing tells.
        var network: Int?

        /// The subnets that its addresses are in; a host address says nothing of one.
        var subnets: [IPPrefix] { addresses.filter { !$0.isHost }.map(\.network) }
    }
    struct Tap {
        var hypervisor: String
        var device: String
        var bridge: String
        var mac: MACAddress?
    }
    struct Network {
        /// `brq…`; nil with hybrid bridges, which belong to ports.
        var bridge: String?
    }

    let hypervisors: [Machine]
    let hosts: [Machine]
    /// Whether each port has a bridge of its own.
    let isHybrid: Bool
    var cards: [Card] = []
    private(set) var taps: [Tap] = []
    /// Sorted: by bridge, or with hybrid bridges by subnet.
    var networks: [Network] = []
    /// The devices by which frames leave a hypervisor, by hypervisor.
    private(set) var uplinks: [String: [String]] = [:]

    init(_ bundle: Bundle) throws(ImportError) {
        hypervisors = bundle.machines.filter(\.isHypervisor)
        hosts = bundle.machines.filter { !$0.isHypervisor }
        isHybrid = try Self.hasHybridBridges(hypervisors)
        var bridges: Set<String> = []
        for machine in hypervisors {
            for (port, bridge) in machine.bridgePorts where machine.isFiltered(bridge) {
                if bridge.hasPrefix("brq") { bridges.insert(bridge) }
                let mac = machine.links.first { $0.ifname?.text == port }?.mac
                if port.hasPrefix("tap") {
                    taps.append(Tap(hypervisor: machine.name, device: port, bridge: bridge, mac: mac))
                } else if !isHybrid {
                    uplinks[machine.name, default: []].append(port)
                }
            }
            if isHybrid, !machine.openVSwitchUplinks.isEmpty { uplinks[machine.name] = machine.openVSwitchUplinks }
        }
        networks = bridges.sorted().map { Network(bridge: $0) }
        for machine in hosts {
            for link in machine.cards {
                guard let name = link.ifname?.text, let mac = link.mac else { continue }
                cards.append(
                    Card(
                        machine: machine.name, name: name, mac: mac, mtu: link.mtu,
                        addresses: machine.addresses[name] ?? []))
            }
        }
        plugIntoTaps()
        if isHybrid { groupIntoNetworks() }
        plugIntoFabric()
        cable()
    }

    /// The network's subnet: what its instances' addresses say; nil if they say nothing or different things.
    func subnet(of network: Int) -> IPPrefix? {
        let all = cards.filter { $0.network == network }.flatMap(\.subnets)
        let found = Set(all.filter { $0.family == .v4 })
        return found.count == 1 ? found.first : Set(all).count == 1 ? all.first : nil
    }

    func card(of tap: Tap) -> Card? {
        cards.first { card in
            if case .tap(tap.hypervisor, tap.device) = card.place { true } else { false }
        }
    }

    /// libvirt gives a tap device the instance's MAC with its first octet set to fe.
    private mutating func plugIntoTaps() {
        for tap in taps {
            guard let mac = tap.mac else { continue }
            let own = cards.indices.filter { cards[$0].mac.bits & 0xFF_FFFF_FFFF == mac.bits & 0xFF_FFFF_FFFF }
            guard own.count == 1 else { continue }
            cards[own[0]].place = .tap(hypervisor: tap.hypervisor, device: tap.device)
            cards[own[0]].network = networks.firstIndex { $0.bridge == tap.bridge }
        }
    }

    private mutating func plugIntoFabric() {
        for index in cards.indices {
            guard case .unknown = cards[index].place else { continue }
            for machine in hypervisors {
                let seen = machine.learned.first { entry in
                    entry.mac.flatMap { MACAddress($0) } == cards[index].mac && entry.state != "permanent"
                        && entry.ifname.map { uplinks[machine.name]?.contains($0.text) == true } == true
                }
                guard let seen, let network = networks.firstIndex(where: { $0.bridge == seen.master?.text }) else {
                    continue
                }
                cards[index].place = .fabric(
                    why: "\(machine.name) learned its MAC at \(seen.ifname?.text ?? "its uplink")")
                cards[index].network = network
                break
            }
        }
        for index in cards.indices {
            guard case .unknown = cards[index].place else { continue }
            guard
                let network = networks.indices.first(where: { network in
                    subnet(of: network).map { cards[index].subnets.contains($0) } == true
                })
            else { continue }
            cards[index].place = .fabric(why: "its address is in the network's subnet")
            cards[index].network = network
        }
    }

    private mutating func cable() {
        func isFree(_ index: Int) -> Bool { if case .unknown = cards[index].place { true } else { false } }
        for index in cards.indices where isFree(index) {
            let others = cards.indices.filter { other in
                other != index && isFree(other)
                    && cards[other].subnets.contains { cards[index].subnets.contains($0) }
            }
            guard others.count == 1, cards[others[0]].machine != cards[index].machine else { continue }
            cards[index].place = .cable(to: "\(cards[others[0]].machine):\(cards[others[0]].name)")
            cards[others[0]].place = .cable(to: "\(cards[index].machine):\(cards[index].name)")
        }
    }
}
