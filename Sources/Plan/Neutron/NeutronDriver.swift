/// Which of a port's three chains.
extension Neutron {
    public enum Chain: String, Sendable, CaseIterable {
        /// What the instance may receive.
        case ingress = "i"
        /// What it may send.
        case egress = "o"
        /// Which addresses it may send from; entered from the egress chain.
        case spoof = "s"
    }
}

/// The names that a driver gives to things.
extension Neutron.Driver {
    /// `binary_name[:16]` in iptables_manager.py: the agent's program name, `neutron-linuxbridge-agent` or
    /// `neutron-openvswitch-agent`, cut off.
    public var chainPrefix: String {
        switch self {
        case .linuxbridge: "neutron-linuxbri"
        case .ovsHybrid: "neutron-openvswi"
        }
    }

    /// The name of a port's chain: `neutron-linuxbri-i1b000010-0`. A port without port security has none.
    public func chain(_ kind: Neutron.Chain, of port: Neutron.Port) -> String {
        switch self {
        case .linuxbridge: wrapped(kind.rawValue + port.device.dropFirst(Self.prefixLength))
        case .ovsHybrid: chain(kind, ofPort: port.id)
        }
    }

    /// The same by the port's UUID, for ports whose interface has Nova's name.
    public func chain(_ kind: Neutron.Chain, ofPort id: String) -> String { wrapped(kind.rawValue + id) }

    /// The name of one of the agent's own chains: `sg-chain` is `neutron-linuxbri-sg-chain`.
    ///
    /// iptables' names have at most 28 characters; 11 are left after the prefix (MAX_CHAIN_LEN_WRAP).
    public func wrapped(_ chain: some StringProtocol) -> String { "\(chainPrefix)-\(chain.prefix(11))" }

    /// The port's interface on its bridge.
    public func interface(of port: Neutron.Port) -> String {
        switch self {
        case .linuxbridge: port.device
        case .ovsHybrid: String(("tap" + port.id).prefix(Self.interfaceLength))
        }
    }

    /// What the bridge looks like to the zone rules: the network's bridge, or the hybrid bridge's end of the veth pair to
    /// br-int.
    public func bridgeInterface(of port: Neutron.Port) -> String {
        switch self {
        case .linuxbridge: String(("brq" + port.networkID).prefix(Self.interfaceLength))
        case .ovsHybrid: String(("qvb" + port.id).prefix(Self.interfaceLength))
        }
    }

    /// `port['device']`: what the agent calls the port. The openvswitch agent knows the whole UUID from the OVS database,
    /// the linuxbridge agent only the interface's name.
    func key(of port: Neutron.Port) -> String {
        switch self {
        case .linuxbridge: port.device
        case .ovsHybrid: port.id
        }
    }

    /// LINUX_DEV_LEN: IFNAMSIZ without the terminating zero and one more.
    static let interfaceLength = 14
    /// LINUX_DEV_PREFIX_LEN: `tap`, `qvb`, `brq`.
    static let prefixLength = 3
}
