public import Net

/// One change to a namespace's links, addresses, routes, neighbours or qdiscs, as `ip`, `bridge` and `tc` make it.
///
/// A plain value: what it becomes in octets is tested without a kernel. `RouteNetlink` carries it out. Its description
/// is what an error says was being done: `add address 203.0.113.3/27 to eth0`.
public enum RouteRequest: Sendable, Equatable {
    // MARK: Links (ip link)

    /// A bridge that only bridges: STP off, forward delay 0, so that ports forward at once; no multicast snooping, whose
    /// queries would appear in captures. Its ageing time is the kernel's default, 300 s. Without a MAC it takes the
    /// lowest of its ports'.
    case addBridge(name: String, mac: MACAddress? = nil)
    /// Without a MAC it gets a random one.
    case addDummy(name: String, mac: MACAddress? = nil)
    case addVeth(Veth)
    /// An 802.1Q interface over `link`; `id` from 1 to 4094.
    case addVLAN(name: String, link: String, id: UInt16)
    case addVXLAN(VXLAN)
    /// Deletes a link; a veth's peer goes with it.
    case deleteLink(String)
    /// Plugs a link into a bridge; nil unplugs it.
    case setMaster(String, bridge: String?)
    case setUp(String)
    case setDown(String)
    case setMTU(String, Int)
    case setMAC(String, MACAddress)
    /// At most this many segments in one GSO frame (IFLA_GSO_MAX_SEGS): 1 makes captures count real frames.
    case setGSOMaxSegments(String, Int)
    /// Clears or sets IFF_NOARP.
    case setARP(String, Bool)
    case rename(String, to: String)
    /// Moves a link to another namespace, where it is down and without addresses, under its own name or `as`.
    case moveLink(String, to: NamespaceDescriptor, as: String? = nil)
    case setBridgePort(BridgePort)
    case setBridge(Bridge)

    // MARK: Addresses (ip address)

    case addAddress(IPPrefix, link: String, AddressOptions = AddressOptions())
    case deleteAddress(IPPrefix, link: String)

    // MARK: Routes and policy rules (ip route, ip rule)

    /// EEXIST if there is one for the same destination, metric and table.
    case addRoute(Route)
    case replaceRoute(Route)
    /// Deletes the route that matches in all that is given.
    case deleteRoute(Route)
    case addRule(Rule)
    case deleteRule(Rule)

    // MARK: Neighbours and forwarding databases (ip neigh, bridge fdb)

    /// A permanent entry, in place of what there may be for the address (`ip neigh replace … nud permanent`).
    case addNeighbour(IPAddress, MACAddress, link: String)
    case deleteNeighbour(IPAddress, link: String)
    /// A static entry of the bridge that `port` is on (`bridge fdb add … master static`).
    case addForwardingEntry(MACAddress, port: String)
    case deleteForwardingEntry(MACAddress, port: String)

    // MARK: Root qdiscs (tc qdisc)

    /// Takes the place of the root qdisc.
    case setNetem(link: String, Netem)
    /// Takes the place of the root qdisc.
    case setTokenBucket(link: String, TokenBucket)
    /// Takes the root qdisc away, so that the kernel's default returns. ENOENT if only that was there.
    case deleteQdisc(link: String)
}

/// A namespace as IFLA_NET_NS_FD wants it.
public struct NamespaceDescriptor: Sendable, Equatable {
    /// For error messages.
    public var name: String
    public var fileDescriptor: Int32

    public init(name: String, fileDescriptor: Int32) {
        self.name = name
        self.fileDescriptor = fileDescriptor
    }
}

extension NetworkNamespace {
    /// Valid until `close()`.
    public var descriptor: NamespaceDescriptor { NamespaceDescriptor(name: name, fileDescriptor: fileDescriptor) }
}

extension RouteRequest {
    /// A veth pair. An end without a MAC gets a random one.
    public struct Veth: Sendable, Equatable {
        public struct End: Sendable, Equatable {
            public var name: String
            public var mac: MACAddress?
            /// Where the end is created; nil for the namespace of the request.
            public var namespace: NamespaceDescriptor?

            public init(name: String, mac: MACAddress? = nil, namespace: NamespaceDescriptor? = nil) {
                self.name = name
                self.mac = mac
                self.namespace = namespace
            }
        }

        public var name: String
        public var mac: MACAddress?
        /// Of both ends, in octets; nil for 1500.
        public var mtu: Int?
        /// Of both ends, as in `setGSOMaxSegments`; nil for the kernel's default.
        public var gsoMaxSegments: Int?
        public var peer: End

        public init(name: String, mac: MACAddress? = nil, mtu: Int? = nil, gsoMaxSegments: Int? = nil, peer: End) {
            self.name = name
            self.mac = mac
            self.mtu = mtu
            self.gsoMaxSegments = gsoMaxSegments
            self.peer = peer
        }
    }

    public struct VXLAN: Sendable, Equatable {
        public var name: String
        /// The VXLAN network identifier, 24 bits.
        public var id: UInt32
        public var local: IPAddress?
        /// The default destination: a VTEP or a multicast group.
        public var remote: IPAddress?
        /// The UDP port: 4789 by IANA, while the kernel's default is 8472.
        public var port: UInt16
        /// The link that multicast goes out of.
        public var link: String?
        public var learning: Bool

        public init(
            name: String, id: UInt32, local: IPAddress? = nil, remote: IPAddress? = nil, port: UInt16 = 4789,
            link: String? = nil, learning: Bool = true
        ) {
            self.name = name
            self.id = id
            self.local = local
            self.remote = remote
            self.port = port
            self.link = link
            self.learning = learning
        }
    }

    /// Flags of a bridge port; nil leaves one as it is.
    public struct BridgePort: Sendable, Equatable {
        public var link: String
        /// May send a frame back out of the port that it came in by.
        public var hairpin: Bool?
        public var learning: Bool?
        /// Isolated ports exchange nothing with each other.
        public var isolated: Bool?

        public init(link: String, hairpin: Bool? = nil, learning: Bool? = nil, isolated: Bool? = nil) {
            self.link = link
            self.hairpin = hairpin
            self.learning = learning
            self.isolated = isolated
        }
    }

    /// A bridge's own settings; nil leaves one as it is.
    public struct Bridge: Sendable, Equatable {
        public var name: String
        /// Whether br_netfilter shows its frames to iptables, ip6tables and arptables though the namespace's
        /// `bridge-nf-call-*` are 0. (There is no way to except one bridge when they are 1.)
        public var callsFilters: Bool?
        /// Seconds until it forgets a machine; with 0 it learns none: a hub.
        public var ageing: UInt32?

        public init(name: String, callsFilters: Bool? = nil, ageing: UInt32? = nil) {
            self.name = name
            self.callsFilters = callsFilters
            self.ageing = ageing
        }
    }

    public enum Scope: String, Sendable, CaseIterable { case global, site, link, host, nowhere }

    public struct AddressOptions: Sendable, Equatable {
        /// nil for what `ip` chooses: host for 127.0.0.0/8, else global. IPv6 takes its scope from the address.
        public var scope: Scope?
        /// Without duplicate address detection the address can be used at once, and no probe is sent. IPv6 only.
        public var skipDuplicateAddressDetection: Bool

        public init(scope: Scope? = nil, skipDuplicateAddressDetection: Bool = true) {
            self.scope = scope
            self.skipDuplicateAddressDetection = skipDuplicateAddressDetection
        }
    }

    public struct Route: Sendable, Equatable {
        public enum Kind: String, Sendable, CaseIterable { case unicast, local, blackhole, unreachable, prohibit }

        /// The destination; `0.0.0.0/0` or `::/0` for the default route.
        public var to: IPPrefix
        public var via: IPAddress?
        public var link: String?
        public var kind: Kind
        /// The gateway is on the link, whatever the addresses say.
        public var onlink: Bool
        /// The path MTU to assume, in octets.
        public var mtu: Int?
        /// The priority; the lowest wins.
        public var metric: UInt32?
        /// nil for `main`, or for `local` with that kind.
        public var table: UInt32?
        /// The preferred source address.
        public var source: IPAddress?

        public init(
            to: IPPrefix, via: IPAddress? = nil, link: String? = nil, kind: Kind = .unicast, onlink: Bool = false,
            mtu: Int? = nil, metric: UInt32? = nil, table: UInt32? = nil, source: IPAddress? = nil
        ) {
            self.to = to
            self.via = via
            self.link = link
            self.kind = kind
            self.onlink = onlink
            self.mtu = mtu
            self.metric = metric
            self.table = table
            self.source = source
        }
    }

    /// A policy rule: packets that match are looked up in a table.
    public struct Rule: Sendable, Equatable {
        public var family: IPAddress.Family
        public var firewallMark: UInt32?
        public var from: IPPrefix?
        public var to: IPPrefix?
        public var table: UInt32
        /// The lowest is looked at first; nil lets the kernel choose one before all but `local`.
        public var priority: UInt32?

        public init(
            family: IPAddress.Family = .v4, firewallMark: UInt32? = nil, from: IPPrefix? = nil, to: IPPrefix? = nil,
            table: UInt32, priority: UInt32? = nil
        ) {
            self.family = family
            self.firewallMark = firewallMark
            self.from = from
            self.to = to
            self.table = table
            self.priority = priority
        }
    }
}
