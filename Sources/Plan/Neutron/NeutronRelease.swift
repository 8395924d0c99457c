internal import Net

/// A Neutron release, as far as it shows in the rules on a hypervisor: each way in which releases differ is a value here, so
/// that a further change is a further value in `NeutronChanges.swift`, not further code.
///
/// Dumps of their own drivers prove four releases byte for byte (Tests/PlanTests/Golden/neutron); between these, the source
/// of every tagged version was compared.
public struct NeutronRelease: Sendable, Equatable, CustomStringConvertible {
    /// `2014.1.5`.
    public internal(set) var version: String
    /// `icehouse`.
    public internal(set) var codeName: String

    public var description: String { "\(version) (\(codeName))" }

    // MARK: The filter table

    /// Where a port's chains drop packets in state INVALID. Commit 0a258afc7e (LP#1460741) moved it behind the user's rules
    /// in 2014.2.4, 2015.1.2 and 7.0.0.
    var invalidDrop: InvalidDrop
    enum InvalidDrop { case beforeUserRules, afterUserRules }

    /// Whether rules carry comments: 2015.1.0 and later.
    var comments: Bool

    /// Whether ports can be exempt (`port_security_enabled=False`): 2015.1.0 and later.
    var portSecurityExtension: Bool

    /// Whether `sg-chain` ends with ACCEPT even if no port jumps to it.
    var acceptsInEmptyGroupChain: Bool

    /// In which order the agent learns of its ports.
    var arrival: Order
    /// In which order it writes the ports with port security.
    var filteredOrder: Order
    /// And those without.
    var unfilteredOrder: Order
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
    var dhcpServerRules: DHCPServerRules
    enum DHCPServerRules {
        /// One rule per server address, with and after the user's rules: the server appended them to the user's.
        case fromServersAfterUserRules
        /// The same before the user's rules, which the agent now adds itself (`security_group_info_for_devices`).
        case fromServersBeforeUserRules
        /// From anywhere, but only to the port's own addresses and broadcast: 10.0.2 and later (commit ae9d1160bd).
        case toPortBeforeUserRules
    }

    /// ICMPv6 types that every port may receive.
    var ingressICMPv6Types: [Int]

    /// What an instance may send whatever its groups say, IPv4 and IPv6.
    var fixedEgress: [IPAddress.Family: FixedEgress]
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
    var linkLocalPairs: Bool
    /// Whether `203.0.113.2` and `203.0.113.2/32` are the same to the driver; otherwise it writes both rules.
    var normalizesAddresses: Bool

    // MARK: The user's rules

    /// How a rule names the protocol's match.
    var protocolMatch: ProtocolMatch
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
    var portProtocols: Set<String>
    /// Whether port (or ICMP type) 0 counts as absent: `if not port_range_min`. A rule for echo replies (type 0) then lets
    /// all ICMP pass.
    var zeroPortIsNone: Bool

    /// In which order, and how often, a remote group's addresses come.
    var remoteGroupMembers: RemoteGroupMembers
    enum RemoteGroupMembers {
        /// One per row of the database's join: each fixed IP followed by all pairs of its port. Duplicates go when the table
        /// is written, which keeps the last.
        case perAllocation
        /// A set; Python does not define its order, the reference dumps have it sorted as text.
        case set
    }
    /// Whether the driver leaves out a user's rule that it has already written. Otherwise duplicates go when the table is
    /// written, which keeps the last.
    var dropsRepeatedUserRules: Bool
    var ipset: IPSet?
    struct IPSet: Equatable {
        /// `hash:ip` or `hash:net`.
        var type: String
        var prefix: String
        var maximumLength: Int
        /// Whether a group without addresses has a set, and rules that name it.
        var emptySets: Bool
        /// Whether a /0, which no set can hold, is written as its two halves (`_sanitize_addresses`); otherwise the agent
        /// stumbles over it.
        var halvesZeroPrefix: Bool
    }

    // MARK: Other tables

    /// Tables with chains of Neutron's, in iptables-save's order. (Empty tables are not in the output.)
    var tables: [IPAddress.Family: [Table]]
    enum Table {
        case mangleWithMark
        /// IPv6's, in Mitaka and early Newton.
        case mangle
        /// The chains that routers need, also on hypervisors: up to 9.1.1 (`state_less` from 9.2.0).
        case natForRouters
        /// Filtered and unfiltered ports accepted in PREROUTING before any other NAT rule sees them (commit 08032e9cc6,
        /// LP#1908957).
        case natShortCircuit
        case filter
        case raw
    }

    var zones: [Neutron.Driver: Zones]
    enum Zones: Equatable {
        /// Conntrack knows one zone: an entry is the same whichever bridge it passes.
        case none
        case perNetwork(from: Int)
        /// `keptAtRestart`: whether an agent that starts anew recognises the zones that it finds.
        case perPort(from: Int, keptAtRestart: Bool)
    }
    /// What puts a packet into its zone. Not all of the three can match: the linuxbridge driver's bridge is never a port of a
    /// bridge, the hybrid driver's `qvb…` is nothing else.
    var zoneMatches: [ZoneMatch]
    enum ZoneMatch { case bridgeAsPort, bridgeAsInput, port }
    /// How a zone rule's comment names the port.
    var zoneComment: ZoneComment
    enum ZoneComment {
        /// No comment: before linuxbridge had zones.
        case none
        /// `port['device'][4:]`: meant for interface names, it also cuts the openvswitch agent's UUIDs.
        case withoutFourCharacters
        /// The same for interface names only.
        case withoutTap
    }
    /// Whether groups can be stateless: 16.0.0 and later (commit cbc473e066).
    var statelessGroups: Bool

    // MARK: ebtables

    /// The linuxbridge agent's protection from spoofed MACs and ARP; nil for none.
    var arpProtection: ARPProtection?
    struct ARPProtection: Equatable {
        var table: String
        var chain: String
        /// 7.1 and later, but not 8.0.0 and 8.1.0.
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
