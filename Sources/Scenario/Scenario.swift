public import Net

/// What a user wrote: a network, what happens in it, and what must be seen. Decoded and validated, its topology and its
/// variant merged in; everything is in the order of the files.
public struct Scenario: Sendable, Equatable {
    /// The file's name without `.yaml`: `cross-hv-p-old`.
    public var name: String
    /// The variant's name; nil for the scenario itself.
    public var variant: String?
    /// Which cell of its file's matrix it is: the value of each axis; empty without a matrix.
    public var cell: [String: String] = [:]
    /// One line for `drbench list`.
    public var title: String
    public var tags: [String]
    /// Where the behaviour is known from.
    public var source: String?
    /// What an engine must have to run this: `ipvs`, `dummy`, `zones`, …
    public var needs: [String]
    /// The topology file's name in `netns/`, without `.yaml`.
    public var topology: String
    /// The Neutron release and driver whose port security the hypervisors enforce; nil for none.
    public var neutron: NeutronDeployment?
    public var securityGroups: [SecurityGroup]
    public var networks: [Network]
    /// How networks cross from one hypervisor to another.
    public var fabric: Fabric
    public var switches: [Switch]
    public var hypervisors: [Hypervisor]
    public var hosts: [Host]
    public var services: [Service]
    public var timeline: [Step]
    /// What must hold at the end, over the whole run.
    public var expectations: [Expectation]
    /// How long to watch after the last step, in nanoseconds: an absence is only shown by waiting longer than TCP's
    /// first retransmission takes.
    public var settle: Int64
    public var capture: CaptureOptions
    /// Where it stands: the file's beginning, a variant's name or the matrix; nil for one that was read from no file.
    public var location: SourceLocation?

    public var fullName: String { variant.map { "\(name)/\($0)" } ?? name }

    public init(
        name: String, variant: String? = nil, title: String, tags: [String] = [], source: String? = nil,
        needs: [String] = [], topology: String, neutron: NeutronDeployment? = nil,
        securityGroups: [SecurityGroup] = [], networks: [Network] = [], fabric: Fabric = .flat, switches: [Switch] = [],
        hypervisors: [Hypervisor] = [], hosts: [Host] = [], services: [Service] = [], timeline: [Step] = [],
        expectations: [Expectation] = [], settle: Int64 = 1_500_000_000, capture: CaptureOptions = .init()
    ) {
        self.name = name
        self.variant = variant
        self.title = title
        self.tags = tags
        self.source = source
        self.needs = needs
        self.topology = topology
        self.neutron = neutron
        self.securityGroups = securityGroups
        self.networks = networks
        self.fabric = fabric
        self.switches = switches
        self.hypervisors = hypervisors
        self.hosts = hosts
        self.services = services
        self.timeline = timeline
        self.expectations = expectations
        self.settle = settle
        self.capture = capture
    }
}

extension Scenario {
    /// Whether there is nothing to judge: nothing expected must not count as something proved.
    public var expectsNothing: Bool { expectations.isEmpty && timeline.allSatisfy(\.expectations.isEmpty) }
}

/// Where something stands in a file; lines and columns count from 1.
public struct SourceLocation: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    public var file: String
    public var line: Int
    public var column: Int

    public init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    public var description: String { "\(file):\(line):\(column)" }

    public static func < (a: SourceLocation, b: SourceLocation) -> Bool {
        (a.file, a.line, a.column) < (b.file, b.line, b.column)
    }
}

public struct NeutronDeployment: Sendable, Equatable {
    /// A Neutron version, `2014.1.5`, or a series, `newton`, for its last version; nil if it need not be known: every
    /// hypervisor has its rules from files.
    public var release: String?
    /// `linuxbridge` or `ovs_hybrid`.
    public var driver: String
    /// `enable_ipset` in the agents' configuration: remote groups are sets. Neutron's own default is true.
    public var ipset: Bool

    public init(release: String?, driver: String = "linuxbridge", ipset: Bool = false) {
        self.release = release
        self.driver = driver
        self.ipset = ipset
    }
}

public struct SecurityGroup: Sendable, Equatable {
    public var name: String
    public var rules: [SecurityGroupRule]
    /// false: conntrack does not see the packets of the group's ports (`openstack security group create --stateless`).
    public var stateful: Bool

    public init(name: String, rules: [SecurityGroupRule], stateful: Bool = true) {
        self.name = name
        self.rules = rules
        self.stateful = stateful
    }
}

/// A security group rule in the words of the Neutron API.
public struct SecurityGroupRule: Sendable, Equatable {
    public enum Direction: String, Sendable, CaseIterable { case ingress, egress }

    public var direction: Direction
    public var ethertype: IPAddress.Family
    /// `tcp`, `udp`, `icmp`, …; nil for any.
    public var `protocol`: String?
    public var portRangeMin: UInt16?
    public var portRangeMax: UInt16?
    public var remoteIPPrefix: IPPrefix?
    public var remoteGroup: String?

    public init(
        direction: Direction, ethertype: IPAddress.Family = .v4, protocol: String? = nil, portRangeMin: UInt16? = nil,
        portRangeMax: UInt16? = nil, remoteIPPrefix: IPPrefix? = nil, remoteGroup: String? = nil
    ) {
        self.direction = direction
        self.ethertype = ethertype
        self.protocol = `protocol`
        self.portRangeMin = portRangeMin
        self.portRangeMax = portRangeMax
        self.remoteIPPrefix = remoteIPPrefix
        self.remoteGroup = remoteGroup
    }
}

/// A Neutron network with its subnet.
public struct Network: Sendable, Equatable {
    public var name: String
    /// The network's UUID; the bridge on a hypervisor is `brq` and its first 11 characters.
    public var id: String
    public var cidr: IPPrefix
    public var gateway: IPAddress?
    /// The subnet's DHCP server, if it has one: security groups let its answers pass.
    public var dhcpServer: IPAddress?
    /// The link-local addresses of the routers that send IPv6 router advertisements: up to 10.0.1, security groups let only
    /// theirs pass.
    public var routerAdvertisers: [IPAddress]
    /// Its VLAN's or VXLAN's number on a fabric that has such; nil for one from 101 up, in the order of the networks.
    public var segmentationID: Int?

    public init(
        name: String, id: String, cidr: IPPrefix, gateway: IPAddress? = nil, dhcpServer: IPAddress? = nil,
        routerAdvertisers: [IPAddress] = [], segmentationID: Int? = nil
    ) {
        self.name = name
        self.id = id
        self.cidr = cidr
        self.gateway = gateway
        self.dhcpServer = dhcpServer
        self.routerAdvertisers = routerAdvertisers
        self.segmentationID = segmentationID
    }
}

/// A network namespace with a bridge that only forwards: fabric, no filtering, no conntrack.
public struct Switch: Sendable, Equatable {
    public var name: String
    /// The switch that its uplink goes to; nil for none.
    public var uplink: String?
    public var link: Link
    /// It learns no MAC addresses: every frame leaves by every other port.
    public var isHub: Bool

    public init(name: String, uplink: String? = nil, link: Link = Link(), isHub: Bool = false) {
        self.name = name
        self.uplink = uplink
        self.link = link
        self.isHub = isHub
    }
}

/// A network namespace with a bridge, its own conntrack table and br_netfilter, where port security is enforced.
public struct Hypervisor: Sendable, Equatable {
    public var name: String
    /// The switch that its uplink goes to; nil for none.
    public var uplink: String?
    /// The uplink's cable.
    public var link: Link
    public var sysctls: [Sysctl]
    /// Rules beside Neutron's, each as an argument list of the tool with `-t table`: `-t raw -I PREROUTING …`.
    /// Loaded after Neutron's own.
    public var iptables: [String]
    /// The same for IPv6.
    public var ip6tables: [String]
    /// A compute node's own rules, which take the place of Neutron's; nil for those that Neutron would install.
    public var rules: RuleDumps?

    public init(
        name: String, uplink: String? = nil, link: Link = Link(), sysctls: [Sysctl] = [], iptables: [String] = [],
        ip6tables: [String] = [], rules: RuleDumps? = nil
    ) {
        self.name = name
        self.uplink = uplink
        self.link = link
        self.sysctls = sysctls
        self.iptables = iptables
        self.ip6tables = ip6tables
        self.rules = rules
    }
}

/// What a compute node's tools print of its rules: the files' texts.
public struct RuleDumps: Sendable, Equatable {
    public var iptables: String?
    public var ip6tables: String?
    public var ebtables: String?
    public var ipset: String?

    public init(iptables: String? = nil, ip6tables: String? = nil, ebtables: String? = nil, ipset: String? = nil) {
        self.iptables = iptables
        self.ip6tables = ip6tables
        self.ebtables = ebtables
        self.ipset = ipset
    }
}

public struct Sysctl: Sendable, Equatable, Codable {
    /// As sysctl(8) writes it: `net.ipv4.ip_forward`; a `/` stands for a dot in an interface's name.
    public var key: String
    public var value: String

    public init(_ key: String, _ value: String) {
        self.key = key
        self.value = value
    }
}

/// A machine with its own network namespace: a VM, a router, a client.
public struct Host: Sendable, Equatable {
    public var name: String
    /// The hypervisor or switch that its ports are on unless they say otherwise.
    public var on: String?
    public var ports: [Port]
    /// Interfaces without a cable: dummies and addresses on `lo`.
    public var interfaces: [Interface]
    public var routes: [Route]
    public var sysctls: [Sysctl]
    public var neighbours: [StaticNeighbour]
    /// Rules as argument lists of `arptables`: `-A INPUT -d 203.0.113.2 -j DROP`.
    public var arptables: [String]
    /// Rules as argument lists of `iptables`: `-t nat -A PREROUTING …`.
    public var iptables: [String]
    /// Rules as argument lists of `ip6tables`.
    public var ip6tables: [String]
    public var servers: [Server]
    public var programs: [Program] = []

    public init(
        name: String, on: String? = nil, ports: [Port] = [], interfaces: [Interface] = [], routes: [Route] = [],
        sysctls: [Sysctl] = [], neighbours: [StaticNeighbour] = [], arptables: [String] = [],
        iptables: [String] = [], ip6tables: [String] = [], servers: [Server] = []
    ) {
        self.name = name
        self.on = on
        self.ports = ports
        self.interfaces = interfaces
        self.routes = routes
        self.sysctls = sysctls
        self.neighbours = neighbours
        self.arptables = arptables
        self.iptables = iptables
        self.ip6tables = ip6tables
        self.servers = servers
    }
}

/// A Neutron port and the host's network card behind it.
public struct Port: Sendable, Equatable {
    /// The card's name in the host: `eth0`.
    public var name: String
    /// The port's UUID; its tap device is `tap` and the first 11 characters.
    public var id: String
    public var network: String?
    /// The hypervisor or switch that it is plugged into; nil for the host's own `on`.
    public var on: String?
    /// Cabled straight to another host's port, `gw:eth1`, instead of to a bridge. Both ends say so.
    public var peer: String?
    public var macAddress: MACAddress
    public var fixedIPs: [IPAddress]
    public var allowedAddressPairs: [AddressPair]
    public var portSecurityEnabled: Bool
    public var securityGroups: [String]
    /// What the host configures on its card; nil for the fixed IPs with the network's prefix length.
    public var addresses: [IPPrefix]?
    /// The cable between the card and what it is plugged into.
    public var link: Link

    public init(
        name: String = "eth0", id: String, network: String? = nil, on: String? = nil, peer: String? = nil,
        macAddress: MACAddress, fixedIPs: [IPAddress] = [], allowedAddressPairs: [AddressPair] = [],
        portSecurityEnabled: Bool = true, securityGroups: [String] = [], addresses: [IPPrefix]? = nil,
        link: Link = Link()
    ) {
        self.name = name
        self.id = id
        self.network = network
        self.on = on
        self.peer = peer
        self.macAddress = macAddress
        self.fixedIPs = fixedIPs
        self.allowedAddressPairs = allowedAddressPairs
        self.portSecurityEnabled = portSecurityEnabled
        self.securityGroups = securityGroups
        self.addresses = addresses
        self.link = link
    }
}

/// An allowed address pair; without a MAC the port's own is meant.
public struct AddressPair: Sendable, Equatable {
    /// As written: `203.0.113.2` and `203.0.113.2/32` are both allowed by the API.
    public var ipAddress: String
    public var macAddress: MACAddress?

    public init(ipAddress: String, macAddress: MACAddress? = nil) {
        self.ipAddress = ipAddress
        self.macAddress = macAddress
    }
}

public struct Interface: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable { case dummy, loopback }

    /// `lo` is the loopback; any other name makes a dummy of that name.
    public var name: String
    public var kind: Kind
    public var addresses: [IPPrefix]

    public init(name: String, kind: Kind, addresses: [IPPrefix]) {
        self.name = name
        self.kind = kind
        self.addresses = addresses
    }
}

public struct Route: Sendable, Equatable {
    /// nil for the default route.
    public var to: IPPrefix?
    public var via: IPAddress?
    public var interface: String?

    public init(to: IPPrefix?, via: IPAddress?, interface: String? = nil) {
        self.to = to
        self.via = via
        self.interface = interface
    }
}

public struct StaticNeighbour: Sendable, Equatable {
    public var address: IPAddress
    public var mac: MACAddress
    public var interface: String

    public init(address: IPAddress, mac: MACAddress, interface: String) {
        self.address = address
        self.mac = mac
        self.interface = interface
    }
}

/// What listens in a host: drbench's own servers, which answer with their host's name and the client's endpoint.
public struct Server: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        case http, tcp, udp
        /// For loads: HTTP, which says only who answers, and UDP on one port.
        case load
    }

    public var kind: Kind
    public var port: UInt16

    public init(kind: Kind, port: UInt16) {
        self.kind = kind
        self.port = port
    }
}

public struct CaptureOptions: Sendable, Equatable {
    /// Octets kept of each frame.
    public var snapshotLength: Int
    /// Whether frames are captured at all, and connections listed: a load has too many of both.
    public var isOn: Bool

    public init(snapshotLength: Int = 1600, isOn: Bool = true) {
        self.snapshotLength = snapshotLength
        self.isOn = isOn
    }
}
