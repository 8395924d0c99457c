internal import CNetlink
internal import Glibc

/// Has the kernel tell which rules of iptables every packet meets in a network namespace.
///
/// What `-j TRACE` does at the start of `raw`, done by nftables: it sets the same mark of the packet (`meta nftrace`,
/// skb->nf_trace), which iptables heeds (ipt_do_table in net/ipv4/netfilter/ip_tables.c). So no rule of iptables gets
/// another number, tables that are loaded anew are traced as before, and no program is run, whose start would make the
/// kernel's random numbers other ones. What is told comes to the namespace's `NetfilterMonitor`: for each packet that comes
/// in or begins here a message with the prefix `startPrefix`, and behind it one for each rule.
public enum RuleTracing {
    /// What stands in front of a packet's first message.
    public static let startPrefix = "TRACE: packet"

    /// Traces all IPv4 and IPv6 packets from now on, until the namespace ends.
    ///
    /// Privileges: CAP_NET_ADMIN over the namespace. Errors: EOPNOTSUPP in a kernel without nf_tables, ENOENT in one without
    /// its log expression.
    public static func begin(in namespace: NetworkNamespace) throws(KernelError) {
        let socket = try NetlinkSocket(protocol: NETLINK_NETFILTER, in: namespace)
        var messages = try requests()
        // The batch's end needs no answer, and older kernels give none; the last rule's comes behind all others' errors.
        let last = messages.count - 2
        var datagram: [UInt8] = []
        for index in messages.indices {
            messages[index].withUnsafeMutableBytes { octets in
                octets.storeBytes(of: UInt32(index + 1), toByteOffset: 8, as: UInt32.self)
                if index == last {
                    let flags = octets.loadUnaligned(fromByteOffset: 6, as: UInt16.self)
                    octets.storeBytes(of: flags | UInt16(NLM_F_ACK), toByteOffset: 6, as: UInt16.self)
                }
            }
            datagram += messages[index] + [UInt8](repeating: 0, count: -messages[index].count & 3)
        }
        try socket.send(datagram)
        while true {
            for reply in try socket.receive().flatMap(NetlinkReply.all) where Int32(reply.type) == NLMSG_ERROR {
                let code = -(reply.payload.load(Int32.self) ?? 0)
                guard code == 0 else {
                    throw KernelError("trace rules", code: code, namespace: namespace.name)
                }
                if reply.sequence == UInt32(last + 1) { return }
            }
        }
    }

    /// A table with a chain at each of the two hooks at which packets come to netfilter, before all else there, even
    /// conntrack (NF_IP_PRI_RAW_BEFORE_DEFRAG); as one batch.
    static func requests() throws(KernelError) -> [[UInt8]] {
        let table = "drbench"
        var messages = [try batch(NFNL_MSG_BATCH_BEGIN)]
        var create = request(NFT_MSG_NEWTABLE, NLM_F_CREATE)
        create.put(NFTA_TABLE_NAME.rawValue, string: table)
        messages.append(try create.bytes())
        for (name, hook) in [("prerouting", NF_INET_PRE_ROUTING), ("output", NF_INET_LOCAL_OUT)] {
            var chain = request(NFT_MSG_NEWCHAIN, NLM_F_CREATE)
            chain.put(NFTA_CHAIN_TABLE.rawValue, string: table)
            chain.put(NFTA_CHAIN_NAME.rawValue, string: name)
            chain.nest(NFTA_CHAIN_HOOK.rawValue) {
                $0.put(NFTA_HOOK_HOOKNUM.rawValue, value: UInt32(hook.rawValue).bigEndian)
                $0.put(NFTA_HOOK_PRIORITY.rawValue, value: Int32(-450).bigEndian)
            }
            chain.put(NFTA_CHAIN_TYPE.rawValue, string: "filter")
            messages.append(try chain.bytes())
            var rule = request(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND)
            rule.put(NFTA_RULE_TABLE.rawValue, string: table)
            rule.put(NFTA_RULE_CHAIN.rawValue, string: name)
            rule.nest(NFTA_RULE_EXPRESSIONS.rawValue) { list in
                list.expression("log") {
                    $0.put(NFTA_LOG_GROUP.rawValue, value: UInt16(0).bigEndian)
                    $0.put(NFTA_LOG_PREFIX.rawValue, string: startPrefix)
                }
                list.expression("immediate") {
                    $0.put(NFTA_IMMEDIATE_DREG.rawValue, value: UInt32(NFT_REG32_00.rawValue).bigEndian)
                    $0.nest(NFTA_IMMEDIATE_DATA.rawValue) { $0.put(NFTA_DATA_VALUE.rawValue, [1]) }
                }
                list.expression("meta") {
                    $0.put(NFTA_META_KEY.rawValue, value: UInt32(NFT_META_NFTRACE.rawValue).bigEndian)
                    $0.put(NFTA_META_SREG.rawValue, value: UInt32(NFT_REG32_00.rawValue).bigEndian)
                }
            }
            messages.append(try rule.bytes())
        }
        messages.append(try batch(NFNL_MSG_BATCH_END))
        return messages
    }

    private static func batch(_ type: Int32) throws(KernelError) -> [UInt8] {
        var message = NetlinkMessage(type)
        message.append(
            nfgenmsg(
                nfgen_family: UInt8(AF_UNSPEC), version: UInt8(NFNETLINK_V0),
                res_id: UInt16(NFNL_SUBSYS_NFTABLES).bigEndian))
        return try message.bytes()
    }

    private static func request(_ type: nf_tables_msg_types, _ flags: Int32) -> NetlinkMessage {
        var message = NetlinkMessage(Int32(NFNL_SUBSYS_NFTABLES) << 8 | Int32(type.rawValue), flags: flags)
        message.append(
            nfgenmsg(nfgen_family: UInt8(NFPROTO_INET), version: UInt8(NFNETLINK_V0), res_id: 0))
        return message
    }
}

extension NetlinkMessage {
    fileprivate mutating func expression(_ name: String, _ data: (inout NetlinkMessage) -> Void) {
        nest(NFTA_LIST_ELEM.rawValue) { element in
            element.put(NFTA_EXPR_NAME.rawValue, string: name)
            element.nest(NFTA_EXPR_DATA.rawValue, data)
        }
    }
}
