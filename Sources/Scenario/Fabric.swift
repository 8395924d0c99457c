public import Net

/// How a network reaches the hypervisors and switches that have an uplink: Neutron's network types.
public enum Fabric: Sendable, Equatable {
    /// A cable for each network, into a bridge of its own on the switch.
    case flat
    /// One cable for all, a VLAN on it for each network.
    case vlan
    /// One cable for all, with an address of the underlay at its end; a VXLAN over it for each network.
    case vxlan(underlay: IPPrefix)
}

/// A cable: its MTU, and what happens to the frames on it, each way for itself.
///
/// As in netem(8), it happens where a frame is sent, before it is captured there: a frame that is lost was seen at neither
/// end, and a delayed one is seen late at both.
public struct Link: Sendable, Equatable {
    /// Of both ends, in octets; nil for 1500.
    public var mtu: Int?
    /// What the near end (the host's card, the hypervisor's uplink) sends.
    public var sending: Impairment
    /// What the near end receives: it happens to what the far end sends.
    public var receiving: Impairment

    public init(mtu: Int? = nil, sending: Impairment = Impairment(), receiving: Impairment = Impairment()) {
        self.mtu = mtu
        self.sending = sending
        self.receiving = receiving
    }
}

/// What netem(8) does to frames. All zero: nothing.
public struct Impairment: Sendable, Equatable, Codable {
    /// Nanoseconds.
    public var delay: Int64
    /// Nanoseconds by which the delay varies, up or down.
    public var jitter: Int64
    /// Percent.
    public var loss: Double
    /// Percent of frames that are sent twice.
    public var duplicate: Double
    /// Percent of frames that skip the delay.
    public var reorder: Double
    /// Bits per second; 0 for no limit.
    public var rate: Int64

    public init(
        delay: Int64 = 0, jitter: Int64 = 0, loss: Double = 0, duplicate: Double = 0, reorder: Double = 0,
        rate: Int64 = 0
    ) {
        self.delay = delay
        self.jitter = jitter
        self.loss = loss
        self.duplicate = duplicate
        self.reorder = reorder
        self.rate = rate
    }

    public var isNone: Bool { self == Impairment() }
}

/// The names that Nova and Neutron give to interfaces: 14 characters at most, three of them a prefix.
extension Port {
    /// The machine's end on a hypervisor (neutron.plugins.common.constants, TAP_DEVICE_PREFIX).
    public var tapName: String { "tap" + id.prefix(11) }
    /// The bridge of this port alone (nova/virt/libvirt/vif.py, get_br_name), with the driver `ovs_hybrid`.
    public var hybridBridgeName: String { "qbr" + id.prefix(11) }
    /// The end of its cable to br-int that is on the port's own bridge (the same file, get_veth_pair_names).
    public var hybridPortName: String { "qvb" + id.prefix(11) }
    /// The end that is on br-int.
    public var integrationPortName: String { "qvo" + id.prefix(11) }
}

extension Scenario {
    /// Whether each port has a bridge of its own on its hypervisor.
    public var hasHybridBridges: Bool { neutron?.driver == "ovs_hybrid" }

    /// The VLAN's or VXLAN's number of a network.
    public func segmentationID(of network: Network) -> Int {
        network.segmentationID ?? 101 + (networks.firstIndex { $0.name == network.name } ?? 0)
    }

    /// The device on a hypervisor, or on a switch with an uplink, by which the frames of a network leave it.
    public func uplinkName(of network: Network) -> String {
        switch fabric {
        case .flat: networks.count == 1 ? "uplink" : String("uplink-\(network.name)".prefix(15))
        case .vlan: "uplink.\(segmentationID(of: network))"
        case .vxlan: "vxlan-\(segmentationID(of: network))"
        }
    }

    /// The interfaces of a switch that a word names by what is plugged into them: `hv1`, `lb`, `gw:eth0`.
    public func switchPorts(_ word: String, on place: String) -> [String] {
        let parts = word.split(separator: ":", maxSplits: 1).map(String.init)
        guard let host = hosts.first(where: { $0.name == parts.first }) else {
            return fabric == .flat && networks.count > 1 ? networks.map { "\(word)-\($0.name)" } : [word]
        }
        let ports = host.ports.filter { port in
            port.peer == nil && (port.on ?? host.on) == place && (parts.count == 1 || port.name == parts[1])
        }
        return ports.map { host.ports.count == 1 ? host.name : "\(host.name)-\($0.name)" }
    }
}
