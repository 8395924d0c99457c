internal import Evidence
internal import Net
internal import Scenario

/// How the captured ports are joined: where a frame that is seen at one can be seen next.
///
/// Switches are not captured, but for their own uplinks: what enters one is seen next where it leaves. A host that moves
/// has a tap on each hypervisor; which one a frame took, the capture says.
struct Wiring {
    /// A port together with a direction: into its namespace or out of it.
    typealias Place = Int

    enum Role: Equatable {
        case host
        /// A machine's end on a hypervisor, and which captured port it leads to.
        case tap(of: Int?)
        /// The outer end of a hybrid bridge.
        case hybrid
        /// By which one network leaves a hypervisor or a switch.
        case uplink(network: Int)
        /// The cable that carries all networks, wrapped.
        case trunk
    }

    let roles: [Role]
    /// The network that a port's frames belong to, as a number; cables from host to host have numbers of their own. nil
    /// for a trunk.
    let domains: [Int?]
    /// Each host port's MAC address, in the beginning; nil for other ports.
    let macs: [MACAddress?]
    /// By port: those that it was given later, and since when.
    private let laterMACs: [[(since: Nanoseconds, mac: MACAddress)]]
    /// By place.
    private(set) var next: [[Place]]
    /// By a VLAN's or VXLAN's number.
    let networks: [Int: Int]
    private let portsByMAC: [MACAddress: [Int]]
    private let distances: [[Int]]

    static func into(_ port: Int) -> Place { port * 2 }
    static func outOf(_ port: Int) -> Place { port * 2 + 1 }
    static func port(of place: Place) -> Int { place / 2 }
    static func isInward(_ place: Place) -> Bool { place % 2 == 0 }
    /// The domain of frames on a trunk that carry no network.
    static let underlay = -1

    init(scenario: Scenario, ports: [CapturePort], changes: Changes) {
        var roles: [Role] = []
        var domains: [Int?] = []
        var macs: [MACAddress?] = []
        func network(_ name: String?) -> Int? {
            if let name { return scenario.networks.firstIndex { $0.name == name } }
            return scenario.networks.count == 1 ? 0 : nil
        }
        func index(_ namespace: String, _ interface: String) -> Int? {
            ports.firstIndex { $0.namespace == namespace && $0.interface == interface }
        }
        var cables: [String: Int] = [:]
        for port in ports {
            if let host = scenario.hosts.first(where: { $0.name == port.namespace }) {
                let card = host.ports.first { $0.name == port.interface }
                roles.append(.host)
                macs.append(card?.macAddress ?? port.mac)
                if let peer = card?.peer {
                    let ends = [port.name, peer].sorted().joined(separator: " ")
                    let number = cables[ends] ?? scenario.networks.count + cables.count
                    cables[ends] = number
                    domains.append(number)
                } else {
                    domains.append(card.flatMap { network($0.network) })
                }
                continue
            }
            macs.append(nil)
            let owners = scenario.hosts.flatMap { host in host.ports.map { (host.name, $0) } }
            if let (host, card) = owners.first(where: { $0.1.tapName == port.interface }) {
                roles.append(.tap(of: index(host, card.name)))
                domains.append(network(card.network))
            } else if let (_, card) = owners.first(where: { $0.1.hybridPortName == port.interface }) {
                roles.append(.hybrid)
                domains.append(network(card.network))
            } else if let net = scenario.networks.firstIndex(where: { scenario.uplinkName(of: $0) == port.interface }) {
                roles.append(.uplink(network: net))
                domains.append(net)
            } else {
                roles.append(.trunk)
                domains.append(nil)
            }
        }
        self.roles = roles
        self.domains = domains
        self.macs = macs
        var numbers: [Int: Int] = [:]
        if scenario.fabric != .flat {
            for (number, network) in scenario.networks.enumerated() {
                numbers[scenario.segmentationID(of: network)] = number
            }
        }
        networks = numbers
        laterMACs = zip(ports, macs).map { port, mac in
            mac == nil ? [] : changes.macs(of: port.interface, in: port.namespace)
        }
        var owners: [MACAddress: [Int]] = [:]
        for port in ports.indices {
            guard let mac = macs[port] else { continue }
            for mac in Set([mac] + laterMACs[port].map(\.mac)) { owners[mac, default: []].append(port) }
        }
        portsByMAC = owners

        var cabling = Cabling(count: ports.count)
        cabling.lay(scenario, ports, roles, domains)
        next = cabling.finish()
        distances = Self.distances(next)
    }

    /// Whether a host's port had this MAC address at a moment.
    func port(_ port: Int, has mac: MACAddress, at time: Nanoseconds) -> Bool {
        guard let first = macs[port] else { return false }
        guard !laterMACs[port].isEmpty else { return first == mac }
        let all = [(since: Nanoseconds.min, mac: first)] + laterMACs[port]
        return all.indices.contains { index in
            // In virtual time a change and a frame may be of one instant.
            all[index].mac == mac && all[index].since <= time
                && (index + 1 == all.count || time <= all[index + 1].since)
        }
    }

    /// The host ports that had this MAC address at a moment.
    func ports(with mac: MACAddress, at time: Nanoseconds) -> [Int] {
        (portsByMAC[mac] ?? []).filter { port($0, has: mac, at: time) }
    }

    /// How many steps it is from a place to a port, coming in there; nil if no way leads there.
    func distance(from place: Place, to port: Int) -> Int? {
        let distance = distances[place][Self.into(port)]
        return distance < 0 ? nil : distance
    }

    /// By place: how many steps to each other place, -1 for none.
    private static func distances(_ next: [[Place]]) -> [[Int]] {
        next.indices.map { start in
            var found = [Int](repeating: -1, count: next.count)
            found[start] = 0
            var queue = [start]
            var head = 0
            while head < queue.count {
                let place = queue[head]
                head += 1
                for other in next[place] where found[other] < 0 {
                    found[other] = found[place] + 1
                    queue.append(other)
                }
            }
            return found
        }
    }
}

/// The bridges and cables of a network while they are laid.
private struct Cabling {
    private var next: [[Wiring.Place]]
    /// By bridge: the places at which what leaves it is seen.
    private var bridges: [String: [Wiring.Place]] = [:]

    init(count: Int) { next = [[Wiring.Place]](repeating: [], count: count * 2) }

    mutating func lay(_ scenario: Scenario, _ ports: [CapturePort], _ roles: [Wiring.Role], _ domains: [Int?]) {
        for (number, port) in ports.enumerated() {
            let domain = domains[number].map(String.init) ?? "fabric"
            switch roles[number] {
            case .host:
                guard let host = scenario.host(port.namespace),
                    let card = host.ports.first(where: { $0.name == port.interface })
                else { continue }
                if let peer = card.peer, let other = ports.firstIndex(where: { $0.name == peer }) {
                    join(Wiring.outOf(number), Wiring.into(other))
                    join(Wiring.outOf(other), Wiring.into(number))
                } else if let place = card.on ?? host.on, scenario.switches.contains(where: { $0.name == place }) {
                    bridges["\(place) \(domain)", default: []].append(Wiring.into(number))
                }
            case .tap(let machine):
                if let machine {
                    join(Wiring.outOf(machine), Wiring.into(number))
                    join(Wiring.outOf(number), Wiring.into(machine))
                }
                let bridge = scenario.hasHybridBridges ? "qbr\(port.interface.dropFirst(3))" : domain
                bridges["\(port.namespace) \(bridge)", default: []].append(Wiring.outOf(number))
            case .hybrid:
                bridges["\(port.namespace) qbr\(port.interface.dropFirst(3))", default: []].append(
                    Wiring.outOf(number))
                bridges["\(port.namespace) \(domain)", default: []].append(Wiring.into(number))
            case .uplink:
                bridges["\(port.namespace) \(domain)", default: []].append(Wiring.outOf(number))
                if scenario.fabric == .flat, let far = scenario.uplinkSwitch(of: port.namespace) {
                    bridges["\(far) \(domain)", default: []].append(Wiring.into(number))
                } else if let trunk = ports.firstIndex(where: {
                    $0.namespace == port.namespace && $0.interface == "uplink"
                }) {
                    join(Wiring.outOf(number), Wiring.outOf(trunk))
                    join(Wiring.into(trunk), Wiring.into(number))
                }
            case .trunk:
                if let far = scenario.uplinkSwitch(of: port.namespace) {
                    bridges["\(far) fabric", default: []].append(Wiring.into(number))
                }
            }
        }
    }

    private mutating func join(_ place: Wiring.Place, _ other: Wiring.Place) {
        if !next[place].contains(other) { next[place].append(other) }
    }

    /// What comes from one member of a bridge leaves by all others.
    mutating func finish() -> [[Wiring.Place]] {
        for (_, members) in bridges.sorted(by: { $0.key < $1.key }) {
            for member in members {
                // The same port, the other way.
                let entering = member ^ 1
                for other in members where other != member { join(entering, other) }
            }
        }
        return next
    }
}

extension Scenario {
    fileprivate func host(_ name: String) -> Host? { hosts.first { $0.name == name } }

    fileprivate func uplinkSwitch(of name: String) -> String? {
        hypervisors.first { $0.name == name }?.uplink ?? switches.first { $0.name == name }?.uplink
    }
}
