internal import CLinux
internal import CNetlink
internal import Evidence
internal import Glibc
internal import Net

extension ConntrackEntry {
    /// Reads an entry as libnetfilter_conntrack has parsed it out of `message`; nil if it is neither IPv4 nor IPv6.
    init?(_ conntrack: OpaquePointer, message: UnsafePointer<nlmsghdr>) {
        let family = Int32(nfct_get_attr_u8(conntrack, ATTR_ORIG_L3PROTO))
        guard family == AF_INET || family == AF_INET6,
            let source = Self.address(conntrack, family, ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV6_SRC),
            let destination = Self.address(conntrack, family, ATTR_ORIG_IPV4_DST, ATTR_ORIG_IPV6_DST),
            let replySource = Self.address(conntrack, family, ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV6_SRC),
            let replyDestination = Self.address(conntrack, family, ATTR_REPL_IPV4_DST, ATTR_REPL_IPV6_DST)
        else { return nil }
        let transport = Int32(nfct_get_attr_u8(conntrack, ATTR_ORIG_L4PROTO))

        var original = ConntrackTuple(source: source, destination: destination, sourcePort: 0, destinationPort: 0)
        var reply = ConntrackTuple(
            source: replySource, destination: replyDestination, sourcePort: 0, destinationPort: 0)
        if transport == Int32(IPPROTO_ICMP) || transport == Int32(IPPROTO_ICMPV6) {
            original.setICMP(drb_conntrack_icmp(message, 0))
            reply.setICMP(drb_conntrack_icmp(message, 1))
        } else {
            original.sourcePort = Self.port(conntrack, ATTR_ORIG_PORT_SRC)
            original.destinationPort = Self.port(conntrack, ATTR_ORIG_PORT_DST)
            reply.sourcePort = Self.port(conntrack, ATTR_REPL_PORT_SRC)
            reply.destinationPort = Self.port(conntrack, ATTR_REPL_PORT_DST)
        }

        // `-j CT --zone-orig` gives the two directions zones of their own.
        let zone = [ATTR_ZONE, ATTR_ORIG_ZONE, ATTR_REPL_ZONE].first { nfct_attr_is_set(conntrack, $0) > 0 }
        self.init(
            protocol: Self.protocolName(transport), original: original, reply: reply,
            state: Self.state(conntrack, transport), flags: Self.flags(conntrack),
            zone: zone.map { nfct_get_attr_u16(conntrack, $0) } ?? 0, mark: nfct_get_attr_u32(conntrack, ATTR_MARK),
            timeout: nfct_get_attr_u32(conntrack, ATTR_TIMEOUT))
    }

    /// By protocol, original tuple, zone and reply tuple: no two entries are equal in these.
    static func inOrder(_ a: ConntrackEntry, _ b: ConntrackEntry) -> Bool {
        if a.protocol != b.protocol { return a.protocol < b.protocol }
        if a.original != b.original { return a.original.precedes(b.original) }
        if a.zone != b.zone { return a.zone < b.zone }
        return a.reply.precedes(b.reply)
    }

    private static func address(
        _ conntrack: OpaquePointer, _ family: Int32, _ v4: nf_conntrack_attr, _ v6: nf_conntrack_attr
    ) -> IPAddress? {
        if family == AF_INET { return IPAddress(v4: UInt32(bigEndian: nfct_get_attr_u32(conntrack, v4))) }
        guard let octets = nfct_get_attr(conntrack, v6) else { return nil }
        return IPAddress(octets: UnsafeRawBufferPointer(start: octets, count: 16))
    }

    private static func port(_ conntrack: OpaquePointer, _ attribute: nf_conntrack_attr) -> UInt16 {
        UInt16(bigEndian: nfct_get_attr_u16(conntrack, attribute))
    }

    /// The words of `conntrack -L`; where it says `unknown`, the number.
    private static func protocolName(_ number: Int32) -> String {
        switch number {
        case Int32(IPPROTO_ICMP): "icmp"
        case Int32(IPPROTO_TCP): "tcp"
        case Int32(IPPROTO_UDP): "udp"
        case Int32(IPPROTO_DCCP): "dccp"
        case Int32(IPPROTO_GRE): "gre"
        case Int32(IPPROTO_ICMPV6): "icmpv6"
        case Int32(IPPROTO_SCTP): "sctp"
        case Int32(IPPROTO_UDPLITE): "udplite"
        default: "\(number)"
        }
    }

    private static func flags(_ conntrack: OpaquePointer) -> [String] {
        // A DESTROY event has the status of the entry, too, but a partial message may not.
        guard nfct_attr_is_set(conntrack, ATTR_STATUS) > 0 else { return [] }
        let status = nfct_get_attr_u32(conntrack, ATTR_STATUS)
        var flags: [String] = []
        if status & UInt32(IPS_SEEN_REPLY.rawValue) == 0 { flags.append("UNREPLIED") }
        if status & UInt32(IPS_ASSURED.rawValue) != 0 { flags.append("ASSURED") }
        return flags
    }

    // MARK: States, as libnetfilter_conntrack prints them; the numbers are the kernel's (enum tcp_conntrack, …).

    private static func state(_ conntrack: OpaquePointer, _ transport: Int32) -> String? {
        switch transport {
        case Int32(IPPROTO_TCP): name(conntrack, ATTR_TCP_STATE, tcpStates)
        case Int32(IPPROTO_SCTP): name(conntrack, ATTR_SCTP_STATE, sctpStates)
        case Int32(IPPROTO_DCCP): name(conntrack, ATTR_DCCP_STATE, dccpStates)
        default: nil
        }
    }

    private static func name(
        _ conntrack: OpaquePointer, _ attribute: nf_conntrack_attr, _ names: [String]
    ) -> String? {
        guard nfct_attr_is_set(conntrack, attribute) > 0 else { return nil }
        let number = Int(nfct_get_attr_u8(conntrack, attribute))
        return names.indices.contains(number) ? names[number] : "\(number)"
    }

    private static let tcpStates = [
        "NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",
        "SYN_SENT2",
    ]
    private static let sctpStates = [
        "NONE", "CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED", "ESTABLISHED", "SHUTDOWN_SENT", "SHUTDOWN_RECD",
        "SHUTDOWN_ACK_SENT", "HEARTBEAT_SENT", "HEARTBEAT_ACKED",
    ]
    private static let dccpStates = [
        "NONE", "REQUEST", "RESPOND", "PARTOPEN", "OPEN", "CLOSEREQ", "CLOSING", "TIMEWAIT", "IGNORE", "INVALID",
    ]
}

extension ConntrackTuple {
    fileprivate mutating func setICMP(_ icmp: drb_icmp) {
        sourcePort = icmp.id
        destinationPort = UInt16(icmp.type) << 8 | UInt16(icmp.code)
    }

    fileprivate func precedes(_ other: ConntrackTuple) -> Bool {
        (source, destination, sourcePort, destinationPort)
            < (other.source, other.destination, other.sourcePort, other.destinationPort)
    }
}
