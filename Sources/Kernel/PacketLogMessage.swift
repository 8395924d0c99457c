internal import CLinux
internal import CNetlink
public import Evidence
internal import Glibc

/// A packet that the kernel logged.
public struct LoggedPacket: Sendable, Equatable {
    /// What conntrack takes a packet for (`enum ip_conntrack_info`), in the words of iptables' `--ctstate`.
    public enum ConntrackState: String, Sendable, Codable {
        case new = "NEW"
        case established = "ESTABLISHED"
        case related = "RELATED"
        /// By a rule: `-j CT --notrack`.
        case untracked = "UNTRACKED"
    }

    /// What stands in front of it: `TRACE: filter:INPUT:rule:1 `, `nf_ct_proto_6: invalid rst `.
    public var prefix: String
    /// The first octets of the packet, from its IP header on, as they were when it was logged.
    public var octets: [UInt8]
    /// Its hook (NF_INET_PRE_ROUTING, …); conntrack says 0 of all that it logs.
    public var hook: UInt8
    /// Indices of the interfaces by which it came and is to leave, nil where there is none.
    public var inInterface: UInt32?
    public var outInterface: UInt32?
    /// The entry that it belongs to, with its state at this moment.
    public var entry: ConntrackEntry?
    /// nil if conntrack has given it none: not yet, or it is INVALID.
    public var state: ConntrackState?
}

/// Messages of nfnetlink_log (net/netfilter/nfnetlink_log.c).
enum PacketLogMessage {
    /// The requests that make a socket its namespace's packet log for IPv4 and IPv6, group 0, and have each message sent
    /// at once, with the start of the packet and, if asked for, its conntrack entry. Each asks for an acknowledgement.
    static func configuration(packetLength: Int, withEntries: Bool) throws(KernelError) -> [[UInt8]] {
        var requests: [[UInt8]] = []
        for family in [AF_INET, AF_INET6] {
            var bind = request(family: UInt8(family))
            bind.put(NFULA_CFG_CMD.rawValue, [UInt8(NFULNL_CFG_CMD_PF_BIND.rawValue)])
            requests.append(try bind.bytes())
        }
        var group = request(family: UInt8(AF_UNSPEC))
        group.put(NFULA_CFG_CMD.rawValue, [UInt8(NFULNL_CFG_CMD_BIND.rawValue)])
        // nfulnl_msg_config_mode: packed in C, and so unknown to Swift.
        group.put(
            NFULA_CFG_MODE.rawValue,
            withUnsafeBytes(of: UInt32(packetLength).bigEndian) { Array($0) } + [UInt8(NFULNL_COPY_PACKET), 0])
        group.put(NFULA_CFG_QTHRESH.rawValue, value: UInt32(1).bigEndian)
        if withEntries { group.put(NFULA_CFG_FLAGS.rawValue, value: UInt16(NFULNL_CFG_F_CONNTRACK).bigEndian) }
        requests.append(try group.bytes())
        return requests
    }

    private static func request(family: UInt8) -> NetlinkMessage {
        var message = NetlinkMessage(
            Int32(NFNL_SUBSYS_ULOG) << 8 | Int32(NFULNL_MSG_CONFIG.rawValue), flags: NLM_F_ACK)
        // res_id: the group.
        message.append(nfgenmsg(nfgen_family: family, version: UInt8(NFNETLINK_V0), res_id: 0))
        return message
    }

    /// Reads a message; nil if it is of another kind.
    static func packet(_ reply: NetlinkReply) -> LoggedPacket? {
        guard Int32(reply.type) == Int32(NFNL_SUBSYS_ULOG) << 8 | Int32(NFULNL_MSG_PACKET.rawValue),
            let header = reply.payload.load(nfgenmsg.self)
        else { return nil }
        let attributes = NetlinkAttributes(reply.payload.dropFirst(MemoryLayout<nfgenmsg>.size))
        let packet = attributes[NFULA_PACKET_HDR.rawValue]?.load(nfulnl_msg_packet_hdr.self)
        func index(_ physical: UInt32, _ other: UInt32) -> UInt32? {
            // A bridge's port, if it came by one, says more than the bridge.
            (attributes.number(physical, as: UInt32.self) ?? attributes.number(other)).map(UInt32.init(bigEndian:))
        }
        return LoggedPacket(
            prefix: attributes.string(NFULA_PREFIX.rawValue) ?? "",
            octets: attributes[NFULA_PAYLOAD.rawValue].map(Array.init) ?? [], hook: packet?.hook ?? 0,
            inInterface: index(NFULA_IFINDEX_PHYSINDEV.rawValue, NFULA_IFINDEX_INDEV.rawValue),
            outInterface: index(NFULA_IFINDEX_PHYSOUTDEV.rawValue, NFULA_IFINDEX_OUTDEV.rawValue),
            entry: attributes[NFULA_CT.rawValue].flatMap {
                ConntrackEntry(attributes: Array($0), family: header.nfgen_family)
            },
            state: attributes.number(NFULA_CT_INFO.rawValue, as: UInt32.self).flatMap {
                state(UInt32(bigEndian: $0))
            })
    }

    /// `enum ip_conntrack_info` of <linux/netfilter/nf_conntrack_common.h>; the replies' numbers are those of the other
    /// way plus IP_CT_IS_REPLY.
    private static func state(_ info: UInt32) -> LoggedPacket.ConntrackState? {
        switch info {
        case 0, 3: .established
        case 1, 4: .related
        case 2: .new
        case 7: .untracked
        default: nil
        }
    }
}

extension ConntrackEntry {
    /// Reads an entry from the attributes of ctnetlink alone, as other messages of nfnetlink carry them.
    init?(attributes: [UInt8], family: UInt8) {
        // For those who read whole messages: with the header of one that tells of an entry.
        let head = MemoryLayout<nlmsghdr>.size + MemoryLayout<nfgenmsg>.size
        let header = nlmsghdr(
            nlmsg_len: UInt32(head + attributes.count),
            nlmsg_type: UInt16(NFNL_SUBSYS_CTNETLINK) << 8 | UInt16(IPCTNL_MSG_CT_NEW.rawValue), nlmsg_flags: 0,
            nlmsg_seq: 0, nlmsg_pid: 0)
        let general = nfgenmsg(nfgen_family: family, version: UInt8(NFNETLINK_V0), res_id: 0)
        let message =
            withUnsafeBytes(of: header) { Array($0) } + withUnsafeBytes(of: general) { Array($0) } + attributes
        guard let conntrack = nfct_new() else { return nil }
        defer { nfct_destroy(conntrack) }
        let entry = message.withUnsafeBytes { octets -> ConntrackEntry? in
            guard let start = octets.baseAddress else { return nil }
            let message = start.assumingMemoryBound(to: nlmsghdr.self)
            guard nfct_nlmsg_parse(message, conntrack) == 0 else { return nil }
            return ConntrackEntry(conntrack, message: message)
        }
        guard let entry else { return nil }
        self = entry
    }
}
