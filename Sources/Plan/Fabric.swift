internal import Net
internal import Scenario

extension Planner {
    /// The bridges of switches and hypervisors, and what joins them.
    mutating func addFabric() throws {
        for each in scenario.switches {
            if carriesFabric(each.name) {
                addBridge(Self.fabricBridge, on: each.name)
            } else {
                for network in scenario.networks { addBridge(bridgeName(on: each.name, network), on: each.name) }
            }
            guard each.isHub else { continue }
            let bridges =
                carriesFabric(each.name)
                ? [Self.fabricBridge] : scenario.networks.map { bridgeName(on: each.name, $0) }
            for bridge in bridges { add(each.name, .setHub(bridge: bridge)) }
        }
        var ends: UInt64 = 0
        for hypervisor in scenario.hypervisors {
            for network in scenario.networks {
                addBridge(bridgeName(on: hypervisor.name, network), on: hypervisor.name)
                guard case .flat = scenario.fabric, let uplink = hypervisor.uplink else { continue }
                try addUplink(of: hypervisor.name, to: uplink, network, hypervisor.link)
            }
            try addTrunk(of: hypervisor.name, to: hypervisor.uplink, hypervisor.link, &ends)
        }
        for each in scenario.switches {
            for network in scenario.networks {
                guard case .flat = scenario.fabric, let uplink = each.uplink else { continue }
                try addUplink(of: each.name, to: uplink, network, each.link)
            }
            try addTrunk(of: each.name, to: each.uplink, each.link, &ends)
        }
    }

    /// The one bridge of a switch that carries wrapped networks.
    private static let fabricBridge = "br-fabric"

    /// Whether a switch has what others wrap: with VLANs or VXLANs, those that uplinks lead to.
    private func carriesFabric(_ name: String) -> Bool {
        guard scenario.fabric != .flat else { return false }
        return scenario.hypervisors.contains { $0.uplink == name } || scenario.switches.contains { $0.uplink == name }
    }

    private mutating func addBridge(_ bridge: String, on place: String) {
        add(place, .addBridge(name: bridge, mac: nextFabricMAC()))
        add(place, .setUp(interface: bridge))
    }

    mutating func plug(_ namespace: String, _ interface: String, into bridge: String) {
        add(namespace, .setGSOMaxSegments(interface: interface, 1))
        add(namespace, .setMaster(interface: interface, bridge: bridge))
        add(namespace, .setUp(interface: interface))
    }

    /// One network's cable, bridge to bridge.
    private mutating func addUplink(
        of place: String, to uplink: String, _ network: Network, _ link: Link
    ) throws {
        let card = scenario.uplinkName(of: network)
        let far = scenario.networks.count == 1 ? place : "\(place)-\(network.name)"
        addUplinkCable(of: place, card, to: uplink, far, link)
        plug(place, card, into: bridgeName(on: place, network))
        plug(uplink, far, into: bridgeName(on: uplink, network))
        impair(link, near: (place, card), far: (uplink, far))
        capture(place, card)
    }

    private mutating func addUplinkCable(
        of place: String, _ card: String, to uplink: String, _ far: String, _ link: Link
    ) {
        add(
            place,
            .addVeth(
                name: card, mac: nextFabricMAC(), mtu: link.mtu,
                peer: .init(namespace: uplink, name: far, mac: nextFabricMAC())))
    }

    /// One cable for all networks, and on it a VLAN or a VXLAN for each. A VXLAN's MTU is 50 less than the cable's: outer
    /// Ethernet, IPv4, UDP and VXLAN headers (vxlan_dev_configure).
    private mutating func addTrunk(of place: String, to uplink: String?, _ link: Link, _ ends: inout UInt64) throws {
        guard scenario.fabric != .flat, let uplink else { return }
        let card = "uplink"
        addUplinkCable(of: place, card, to: uplink, place, link)
        add(place, .setGSOMaxSegments(interface: card, 1))
        plug(uplink, place, into: Self.fabricBridge)
        impair(link, near: (place, card), far: (uplink, place))
        capture(place, card)
        var local: IPAddress?
        if case .vxlan(let underlay) = scenario.fabric {
            ends += 1
            let end = IPAddress(v4: UInt32(truncatingIfNeeded: underlay.network.address.value) &+ UInt32(ends))
            guard underlay.contains(end), let address = IPPrefix(end, length: underlay.length) else {
                throw PlanError("\(place) would be the \(ends). VXLAN end in \(underlay), which has no room for it")
            }
            add(place, .addAddress(address, interface: card))
            local = end
        }
        add(place, .setUp(interface: card))
        for network in scenario.networks {
            let device = scenario.uplinkName(of: network)
            let id = scenario.segmentationID(of: network)
            if let local {
                add(place, .addVXLAN(name: device, link: card, id: UInt32(id), local: local))
            } else {
                add(place, .addVLAN(name: device, link: card, id: UInt16(truncatingIfNeeded: id)))
            }
            plug(place, device, into: bridgeName(on: place, network))
            capture(place, device)
        }
    }

    /// Each way of a cable is impaired where its frames are sent.
    mutating func impair(
        _ link: Link, near: (namespace: String, interface: String), far: (namespace: String, interface: String)
    ) {
        if !link.sending.isNone {
            add(near.namespace, .setImpairment(interface: near.interface, link.sending))
        }
        if !link.receiving.isNone {
            add(far.namespace, .setImpairment(interface: far.interface, link.receiving))
        }
    }
}
