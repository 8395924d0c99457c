internal import Net
internal import Scenario

/// The wiring of Neutron's driver `ovs_hybrid`: since iptables cannot see ports of an Open vSwitch, Nova gives each port a
/// Linux bridge of its own in between (nova/virt/libvirt/vif.py, plug_ovs_hybrid):
///
///     eth0 ─ tapX ─ qbrX ─ qvbX ═ qvoX ─ br-int ─ uplink
///
/// So a packet from one machine to another on the same hypervisor passes two filtered bridges, and meets iptables and
/// conntrack twice. br-int is a Linux bridge here, not an Open vSwitch. As an Open vSwitch, it shows its frames to no
/// iptables and no conntrack: `bridge-nf-call-*` are 0 in such a hypervisor, and each qbrX asks for them for itself
/// (`ip link set … type bridge nf_call_iptables 1`). Real agents set the sysctls to 1, which no Open vSwitch looks at; a
/// Linux bridge would, and cannot be excepted. With several networks each has its own br-int, where the real one has
/// VLANs.
extension Planner {
    /// The bridge that a port's tap is on.
    func tapBridge(of port: Port, on hypervisor: String, _ network: Network) -> String {
        scenario.hasHybridBridges ? port.hybridBridgeName : bridgeName(on: hypervisor, network)
    }

    /// The port's own bridge, joined to br-int.
    mutating func addHybridBridge(of port: Port, on place: String, _ network: Network) {
        let bridge = port.hybridBridgeName
        guard hybridBridges.insert([place, bridge]).inserted else { return }
        add(place, .addBridge(name: bridge, mac: nextFabricMAC()))
        let switchedOff = scenario.hypervisors.contains { hypervisor in
            hypervisor.name == place && hypervisor.sysctls.contains(Sysctl(bridgeFilter: "iptables", on: false))
        }
        if !switchedOff { add(place, .setCallsFilters(bridge: bridge)) }
        add(place, .setUp(interface: bridge))
        add(
            place,
            .addVeth(
                name: port.hybridPortName, mac: nextFabricMAC(), mtu: port.link.mtu,
                peer: .init(namespace: place, name: port.integrationPortName, mac: nextFabricMAC())))
        plug(place, port.hybridPortName, into: bridge)
        plug(place, port.integrationPortName, into: bridgeName(on: place, network))
        capture(place, port.hybridPortName)
    }

    /// Where a host will move to, its ports' bridges wait for it: Nova makes them before a live migration
    /// (pre_live_migration), though here also long before.
    mutating func addBridgesForMoves() throws {
        guard scenario.hasHybridBridges else { return }
        for action in scenario.timeline.flatMap(\.actions) {
            guard case .move(let name, let target) = action, let host = scenario.host(name) else { continue }
            for port in host.ports {
                guard port.peer == nil, let start = port.on ?? host.on, scenario.isHypervisor(start),
                    let network = network(of: port)
                else { continue }
                addHybridBridge(of: port, on: target, network)
            }
        }
    }
}
