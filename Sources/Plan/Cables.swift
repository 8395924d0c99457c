internal import Net
internal import Scenario

extension Planner {
    /// The cables of the hosts' ports, into bridges or from host to host.
    mutating func addCables() throws {
        // Ports of which another one says that it is cabled to them.
        let peers = Set(scenario.hosts.flatMap { $0.ports.compactMap(\.peer) })
        for host in scenario.hosts {
            for port in host.ports {
                capture(host.name, port.name)
                if let peer = port.peer {
                    try addCable(from: host, port, to: peer)
                } else if let place = port.on ?? host.on, !peers.contains("\(host.name):\(port.name)") {
                    try addCable(from: host, port, into: place)
                }
            }
        }
    }

    private mutating func addCable(from host: Host, _ port: Port, into place: String) throws {
        guard let network = network(of: port) else {
            throw PlanError("\(host.name):\(port.name) is plugged into \(place) but belongs to no network")
        }
        let far: Operation.Peer
        if scenario.isHypervisor(place) {
            // libvirt gives the tap device the port's MAC with its first octet set to fe.
            let mac = MACAddress(bits: port.macAddress.bits & 0x00FF_FFFF_FFFF | 0xFE00_0000_0000)
            far = .init(namespace: place, name: port.tapName, mac: mac)
        } else {
            let name = host.ports.count == 1 ? host.name : "\(host.name)-\(port.name)"
            far = .init(namespace: place, name: name, mac: nextFabricMAC())
        }
        add(host.name, .addVeth(name: port.name, mac: port.macAddress, mtu: port.link.mtu, peer: far))
        add(host.name, .setGSOMaxSegments(interface: port.name, 1))
        guard scenario.isHypervisor(place) else {
            plug(place, far.name, into: bridgeName(on: place, network))
            impair(port.link, near: (host.name, port.name), far: (place, far.name))
            return
        }
        capture(place, far.name)
        if scenario.hasHybridBridges { addHybridBridge(of: port, on: place, network) }
        plug(place, far.name, into: tapBridge(of: port, on: place, network))
        impair(port.link, near: (host.name, port.name), far: (place, far.name))
    }

    private mutating func addCable(from host: Host, _ port: Port, to peer: String) throws {
        let parts = peer.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2, let other = scenario.host(parts[0]),
            let far = other.ports.first(where: { $0.name == parts[1] })
        else { throw PlanError("\(host.name):\(port.name) is cabled to '\(peer)', which is no host's port") }
        // Both ends may name each other; the first one lays the cable.
        guard laidCables.insert([host.name, port.name, other.name, far.name]).inserted,
            !laidCables.contains([other.name, far.name, host.name, port.name])
        else { return }
        for (near, distant) in [(port, far), (far, port)]
        where !near.link.sending.isNone && !distant.link.receiving.isNone {
            throw PlanError("what \(peer) and \(host.name):\(port.name) say of their cable is about the same way of it")
        }
        add(
            host.name,
            .addVeth(
                name: port.name, mac: port.macAddress, mtu: port.link.mtu ?? far.link.mtu,
                peer: .init(namespace: other.name, name: far.name, mac: far.macAddress)))
        add(host.name, .setGSOMaxSegments(interface: port.name, 1))
        add(other.name, .setGSOMaxSegments(interface: far.name, 1))
        impair(port.link, near: (host.name, port.name), far: (other.name, far.name))
        impair(far.link, near: (other.name, far.name), far: (host.name, port.name))
    }
}
