internal import Net

/// A Neutron release, as far as it shows in the rules on a hypervisor: each way in which releases differ is a value here, so
/// that a further release is a further value in `NeutronReleases.swift`, not further code.
///
/// A release is only there if dumps of its own drivers prove it, byte for byte: see Tests/PlanTests/Golden/neutron.
public struct NeutronRelease: Sendable, Equatable, CustomStringConvertible {
    /// `2014.1.5`.
    public let version: String
    /// `icehouse`.
    public let codeName: String

    public var description: String { "\(version) (\(codeName))" }

    // MARK: The filter table

    /// Where a port's chains drop packets in state INVALID. Commit 0a258afc7e (LP#1460741) moved it behind the user's rules
    /// in 2014.2.4, 2015.1.2 and 7.0.0.
    let invalidDrop: InvalidDrop
    enum InvalidDrop { case beforeUserRules, afterUserRules }

    /// Whether rules carry comments: 2015.1.0 and later.
    let comments: Bool

    /// Whether ports can be exempt (`port_security_enabled=False`): 2015.1.0 and later.
    let portSecurityExtension: Bool

    /// Whether `sg-chain` ends with ACCEPT even if no port jumps to it.
    let acceptsInEmptyGroupChain: Bool

    /// In which order the agent learns of its ports.
    let arrival: Order
    /// In which order it writes the ports with port security.
    let filteredOrder: Order
    /// And those without.
    let unfilteredOrder: Order
    enum Order {
        /// As the server lists them.
        case listed
        /// `sorted(ports)`: by what the agent calls them.
        case sorted
        /// A Python 2 dictionary's. Of arrivals, one keyed by port ids; in the firewall, one keyed by what the agent calls
        /// the ports.
        case dictionary
    }

    // MARK: Rules for every port

    /// How the network's DHCP server reaches its clients.
    let dhcpServerRules: DHCPServerRules
    enum DHCPServerRules {
        /// One rule per server address, with and after the user's rules: the server appended them to the user's.
        case fromServersAfterUserRules
        /// The same before the user's rules, which the agent now adds itself (`security_group_info_for_devices`).
        case fromServersBeforeUserRules
        /// From anywhere, but only to the port's own addresses and broadcast: 11.0.0 and later (commit ae9d1160bd).
        case toPortBeforeUserRules
    }

    /// ICMPv6 types that every port may receive.
    let ingressICMPv6Types: [Int]

    /// What an instance may send whatever its groups say, IPv4 and IPv6.
    let fixedEgress: [IPAddress.Family: FixedEgress]
    struct FixedEgress: Equatable {
        var beforeSpoofChain: [FixedRule]
        var afterSpoofChain: [FixedRule]
    }
    struct FixedRule: Equatable {
        var match: String
        var target: String
        var comment: Comment?
    }

    /// Whether an IPv6 pair also allows the link-local address made of the same MAC.
    let linkLocalPairs: Bool
    /// Whether `203.0.113.2` and `203.0.113.2/32` are the same to the driver; otherwise it writes both rules.
    let normalizesAddresses: Bool

    // MARK: The user's rules

    /// How a rule names the protocol's match.
    let protocolMatch: ProtocolMatch
    enum ProtocolMatch {
        /// With TCP and UDP, always: `-p tcp -m tcp`.
        case always
        /// With each port argument, so that source and destination port make two matches: `-m udp --sport 67 -m udp --dport
        /// 68`.
        case perPortArgument
        /// Once, if there are ports.
        case once
    }
    /// The protocols of which the driver filters ports.
    let portProtocols: Set<String>
    /// Whether port (or ICMP type) 0 counts as absent: `if not port_range_min`. A rule for echo replies (type 0) then lets
    /// all ICMP pass.
    let zeroPortIsNone: Bool

    /// In which order, and how often, a remote group's addresses come.
    let remoteGroupMembers: RemoteGroupMembers
    enum RemoteGroupMembers {
        /// One per row of the database's join: each fixed IP followed by all pairs of its port. Duplicates go when the table
        /// is written, which keeps the last.
        case perAllocation
        /// A set; Python does not define its order, the reference dumps have it sorted as text.
        case set
    }
    /// Whether the driver leaves out a user's rule that it has already written. Otherwise duplicates go when the table is
    /// written, which keeps the last.
    let dropsRepeatedUserRules: Bool
    let ipset: IPSet?
    struct IPSet: Equatable {
        var prefix: String
        var maximumLength: Int
        /// Whether a group without addresses has a set, and rules that name it.
        var emptySets: Bool
    }

    // MARK: Other tables

    /// Tables with chains of Neutron's, in iptables-save's order. (Empty tables are not in the output.)
    let tables: [IPAddress.Family: [Table]]
    enum Table {
        case mangleWithMark
        /// The chains that routers need, also on hypervisors: 2015.1 and before.
        case natForRouters
        /// Filtered and unfiltered ports accepted in PREROUTING before any other NAT rule sees them (commit 08032e9cc6,
        /// LP#1908957).
        case natShortCircuit
        case filter
        case raw
    }

    let zones: [Neutron.Driver: Zones]
    enum Zones: Equatable {
        /// Conntrack knows one zone: an entry is the same whichever bridge it passes.
        case none
        case perNetwork(from: Int)
        case perPort(from: Int)
    }
    /// What puts a packet into its zone. Not all of the three can match: the linuxbridge driver's bridge is never a port of a
    /// bridge, the hybrid driver's `qvb…` is nothing else.
    let zoneMatches: [ZoneMatch]
    enum ZoneMatch { case bridgeAsPort, bridgeAsInput, port }
    /// How a zone rule's comment names the port.
    let zoneComment: ZoneComment
    enum ZoneComment {
        /// `port['device'][4:]`: meant for interface names, it also cuts the openvswitch agent's UUIDs.
        case withoutFourCharacters
        /// The same for interface names only.
        case withoutTap
    }
    /// Whether groups can be stateless: 16.0.0 and later (commit cbc473e066).
    let statelessGroups: Bool

    // MARK: ebtables

    /// The linuxbridge agent's protection from spoofed MACs and ARP; nil for none.
    let arpProtection: ARPProtection?
    struct ARPProtection: Equatable {
        var table: String
        var chain: String
        /// 7.1 and later.
        var checksMAC: Bool
        /// Chains end in a rule `-j DROP` beside their policy, and MAC rules are inserted on top: 16.4.1, 17.2.1, 18.1.
        var explicitDrop: Bool
        /// Otherwise in the order of a Python 2 set.
        var sortsAddresses: Bool
    }
}

/// What rules say about themselves: iptables_comments.py.
enum Comment: String {
    case unmatchedDrop = "Default drop rule for unmatched traffic."
    case interfaceToGroupChain = "Direct traffic from the VM interface to the security group chain."
    case groupChainToPort = "Jump to the VM specific chain."
    case inputToPort = "Direct incoming traffic from VM to the security group chain."
    case pairAllowed = "Allow traffic from defined IP/MAC pairs."
    case pairDrop = "Drop traffic without an IP/MAC allow rule."
    case dhcpClient = "Allow DHCP client traffic."
    case dhcpSpoof = "Prevent DHCP Spoofing by VM."
    case unmatched = "Send unmatched traffic to the fallback chain."
    case established = "Direct packets associated with a known session to the RETURN chain."
    case routerAdvertisements = "Allow IPv6 ICMP traffic to allow RA packets."
    case icmpv6 = "Allow IPv6 ICMP traffic."
    case routerAdvertisementDrop = "Drop IPv6 Router Advts from VM Instance."
    case invalidDrop =
        "Drop packets that appear related to an existing connection (e.g. TCP ACK/FIN) but do not have an entry in conntrack."
    case portSecurityDisabled = "Accept all packets when port security is disabled."
    case trusted = "Accept all packets when port is trusted."
    case sourceNAT = "Perform source NAT on outgoing traffic."
}
