public import Net

/// What Neutron's API and database know of a deployment: the input of `NeutronRules`, in the API's own words.
///
/// Independent of scenarios, so that rules can be generated (and compared with a real cloud's) from anything that can
/// list ports and security groups. `NeutronAdapter.swift` makes these values from a scenario.
public enum Neutron {
    /// The two iptables firewall drivers. OVS-hybrid plugs a bridge of its own, `qbr…`, between each port and br-int.
    public enum Driver: String, Sendable, CaseIterable {
        /// `IptablesFirewallDriver` in the linuxbridge agent.
        case linuxbridge
        /// `OVSHybridIptablesFirewallDriver` in the openvswitch agent.
        case ovsHybrid = "ovs_hybrid"
    }

    public enum Direction: String, Sendable, CaseIterable {
        /// To the instance.
        case ingress
        /// From the instance.
        case egress
    }

    /// A port of an instance. Ports that Neutron itself owns (`network:…`: DHCP, routers) are trusted, never filtered, and
    /// do not belong here.
    public struct Port: Sendable, Equatable {
        /// The port's UUID.
        public var id: String
        /// The interface on the hypervisor: `tap` and the first 11 characters of the id, as Nova names it.
        public var device: String
        /// The network's UUID.
        public var networkID: String
        public var macAddress: MACAddress
        public var fixedIPs: [IPAddress]
        public var allowedAddressPairs: [AddressPair]
        public var portSecurityEnabled: Bool
        /// Ids of security groups, in the order of their binding.
        public var securityGroups: [String]

        /// - Parameter device: nil for Nova's name, `tap` and the first 11 characters of the id.
        public init(
            id: String, device: String? = nil, networkID: String, macAddress: MACAddress, fixedIPs: [IPAddress] = [],
            allowedAddressPairs: [AddressPair] = [], portSecurityEnabled: Bool = true, securityGroups: [String] = []
        ) {
            self.id = id
            self.device = device ?? "tap" + id.prefix(11)
            self.networkID = networkID
            self.macAddress = macAddress
            self.fixedIPs = fixedIPs
            self.allowedAddressPairs = allowedAddressPairs
            self.portSecurityEnabled = portSecurityEnabled
            self.securityGroups = securityGroups
        }
    }

    /// An allowed address pair.
    public struct AddressPair: Sendable, Equatable {
        /// As written: Neutron stores `203.0.113.2` and `203.0.113.2/32` as they come, and some releases tell them apart.
        public var ipAddress: String
        /// nil for the port's own.
        public var macAddress: MACAddress?

        public init(ipAddress: String, macAddress: MACAddress? = nil) {
            self.ipAddress = ipAddress
            self.macAddress = macAddress
        }
    }

    public struct SecurityGroup: Sendable, Equatable {
        public var id: String
        /// In the order in which the database returns them.
        public var rules: [SecurityGroupRule]
        /// false: the group's ports are not tracked (`openstack security group create --stateless`, 16.0.0 and later).
        public var stateful: Bool

        public init(id: String, rules: [SecurityGroupRule], stateful: Bool = true) {
            self.id = id
            self.rules = rules
            self.stateful = stateful
        }
    }

    public struct SecurityGroupRule: Sendable, Equatable {
        public var direction: Direction
        public var ethertype: IPAddress.Family
        /// A name or number as the API takes it; nil for any.
        public var `protocol`: String?
        /// A port; for ICMP the type.
        public var portRangeMin: UInt16?
        /// A port; for ICMP the code.
        public var portRangeMax: UInt16?
        public var remoteIPPrefix: IPPrefix?
        /// The id of the group whose members' addresses may talk.
        public var remoteGroupID: String?

        public init(
            direction: Direction, ethertype: IPAddress.Family = .v4, protocol: String? = nil,
            portRangeMin: UInt16? = nil, portRangeMax: UInt16? = nil, remoteIPPrefix: IPPrefix? = nil,
            remoteGroupID: String? = nil
        ) {
            self.direction = direction
            self.ethertype = ethertype
            self.protocol = `protocol`
            self.portRangeMin = portRangeMin
            self.portRangeMax = portRangeMax
            self.remoteIPPrefix = remoteIPPrefix
            self.remoteGroupID = remoteGroupID
        }
    }

    public struct Network: Sendable, Equatable {
        public var id: String
        /// The addresses of the network's DHCP ports. Of an IPv6 server the link-local one, from which it answers.
        public var dhcpServers: [IPAddress]
        /// The link-local addresses of its IPv6 gateways, from which router advertisements come.
        public var routerAdvertisers: [IPAddress]

        public init(id: String, dhcpServers: [IPAddress] = [], routerAdvertisers: [IPAddress] = []) {
            self.id = id
            self.dhcpServers = dhcpServers
            self.routerAdvertisers = routerAdvertisers
        }
    }

    /// What the server knows.
    public struct Deployment: Sendable, Equatable {
        public var networks: [Network]
        public var securityGroups: [SecurityGroup]
        /// All instance ports, wherever they are: their addresses make the remote groups.
        public var ports: [Port]

        public init(networks: [Network], securityGroups: [SecurityGroup], ports: [Port]) {
            self.networks = networks
            self.securityGroups = securityGroups
            self.ports = ports
        }
    }

    /// What one agent is responsible for.
    public struct Hypervisor: Sendable, Equatable {
        /// The ports plugged in here, in the order in which the server lists them.
        public var ports: [Port]
        public var deployment: Deployment

        public init(ports: [Port], deployment: Deployment) {
            self.ports = ports
            self.deployment = deployment
        }
    }
}
