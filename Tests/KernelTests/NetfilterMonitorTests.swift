import Evidence
import Glibc
import Net
import Testing

@testable import Kernel

/// Octets on a little-endian machine; what stands in nfnetlink's attributes is in network byte order.
@Suite("nfnetlink_log messages")
struct PacketLogMessageTests {
    @Test("the namespace's log for both families, and group 0 with the start of packets and their conntrack entries")
    func configuration() throws {
        let requests = try PacketLogMessage.configuration(packetLength: 256, withEntries: true)
        #expect(
            requests == [
                [
                    0x1C, 0x00, 0x00, 0x00,  // nlmsg_len 28
                    0x01, 0x04, 0x05, 0x00,  // NFNL_SUBSYS_ULOG, NFULNL_MSG_CONFIG; NLM_F_REQUEST | NLM_F_ACK
                    0x00, 0x00, 0x00, 0x00,  // nlmsg_seq
                    0x00, 0x00, 0x00, 0x00,  // nlmsg_pid
                    0x02, 0x00, 0x00, 0x00,  // AF_INET, NFNETLINK_V0, res_id
                    0x05, 0x00, 0x01, 0x00,  // NFULA_CFG_CMD
                    0x03, 0x00, 0x00, 0x00,  // NFULNL_CFG_CMD_PF_BIND, padding
                ],
                [
                    0x1C, 0x00, 0x00, 0x00, 0x01, 0x04, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                    0x0A, 0x00, 0x00, 0x00,  // AF_INET6
                    0x05, 0x00, 0x01, 0x00, 0x03, 0x00, 0x00, 0x00,
                ],
                [
                    0x38, 0x00, 0x00, 0x00,  // nlmsg_len 56
                    0x01, 0x04, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                    0x00, 0x00, 0x00, 0x00,  // AF_UNSPEC, group 0
                    0x05, 0x00, 0x01, 0x00,  // NFULA_CFG_CMD
                    0x01, 0x00, 0x00, 0x00,  // NFULNL_CFG_CMD_BIND
                    0x0A, 0x00, 0x02, 0x00,  // NFULA_CFG_MODE
                    0x00, 0x00, 0x01, 0x00,  // 256 octets
                    0x02, 0x00, 0x00, 0x00,  // NFULNL_COPY_PACKET, reserved, padding
                    0x08, 0x00, 0x05, 0x00,  // NFULA_CFG_QTHRESH
                    0x00, 0x00, 0x00, 0x01,
                    0x06, 0x00, 0x06, 0x00,  // NFULA_CFG_FLAGS
                    0x00, 0x04, 0x00, 0x00,  // NFULNL_CFG_F_CONNTRACK, padding
                ],
            ])
    }

    /// A SYN/ACK's ACK that conntrack takes for INVALID, as a bridge's port saw it.
    private static let invalid: [UInt8] = [
        0x02, 0x00, 0x00, 0x00,  // AF_INET, NFNETLINK_V0, group 0
        0x08, 0x00, 0x01, 0x00,  // NFULA_PACKET_HDR
        0x08, 0x00, 0x00, 0x00,  // ETH_P_IP, hook 0
        0x0F, 0x00, 0x0A, 0x00,  // NFULA_PREFIX, 15 octets
        0x6E, 0x66, 0x5F, 0x63, 0x74, 0x3A, 0x20, 0x62, 0x61, 0x64, 0x00, 0x00,  // "nf_ct: bad", zero, padding
        0x08, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x07,  // NFULA_IFINDEX_INDEV: the bridge
        0x08, 0x00, 0x06, 0x00, 0x00, 0x00, 0x00, 0x09,  // NFULA_IFINDEX_PHYSINDEV: its port
        0x08, 0x00, 0x09, 0x00, 0x45, 0x00, 0x00, 0x28,  // NFULA_PAYLOAD
        0x84, 0x00, 0x12, 0x80,  // NFULA_CT
        0x34, 0x00, 0x01, 0x80,  // CTA_TUPLE_ORIG
        0x14, 0x00, 0x01, 0x80,  // CTA_TUPLE_IP
        0x08, 0x00, 0x01, 0x00, 0xC6, 0x33, 0x64, 0x0A,  // CTA_IP_V4_SRC 198.51.100.10
        0x08, 0x00, 0x02, 0x00, 0xCB, 0x00, 0x71, 0x02,  // CTA_IP_V4_DST 203.0.113.2
        0x1C, 0x00, 0x02, 0x80,  // CTA_TUPLE_PROTO
        0x05, 0x00, 0x01, 0x00, 0x06, 0x00, 0x00, 0x00,  // CTA_PROTO_NUM 6
        0x06, 0x00, 0x02, 0x00, 0x9D, 0x80, 0x00, 0x00,  // CTA_PROTO_SRC_PORT 40320
        0x06, 0x00, 0x03, 0x00, 0x00, 0x50, 0x00, 0x00,  // CTA_PROTO_DST_PORT 80
        0x34, 0x00, 0x02, 0x80,  // CTA_TUPLE_REPLY
        0x14, 0x00, 0x01, 0x80,
        0x08, 0x00, 0x01, 0x00, 0xCB, 0x00, 0x71, 0x02,
        0x08, 0x00, 0x02, 0x00, 0xC6, 0x33, 0x64, 0x0A,
        0x1C, 0x00, 0x02, 0x80,
        0x05, 0x00, 0x01, 0x00, 0x06, 0x00, 0x00, 0x00,
        0x06, 0x00, 0x02, 0x00, 0x00, 0x50, 0x00, 0x00,
        0x06, 0x00, 0x03, 0x00, 0x9D, 0x80, 0x00, 0x00,
        0x08, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x08,  // CTA_STATUS: IPS_CONFIRMED
        0x10, 0x00, 0x04, 0x80,  // CTA_PROTOINFO
        0x0C, 0x00, 0x01, 0x80,  // CTA_PROTOINFO_TCP
        0x05, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00,  // CTA_PROTOINFO_TCP_STATE: SYN_SENT
        0x08, 0x00, 0x13, 0x00, 0x00, 0x00, 0x00, 0x00,  // NFULA_CT_INFO: IP_CT_ESTABLISHED
    ]

    @Test("a logged packet has the port that it came by, its conntrack entry and state")
    func packet() throws {
        let reply = NetlinkReply(type: 0x0400, flags: 0, sequence: 0, payload: Self.invalid[...])
        let packet = try #require(PacketLogMessage.packet(reply))
        #expect(packet.prefix == "nf_ct: bad")
        #expect(packet.octets == [0x45, 0x00, 0x00, 0x28])
        #expect(packet.inInterface == 9)
        #expect(packet.outInterface == nil)
        #expect(packet.state == .established)
        let entry = try #require(packet.entry)
        #expect(entry.protocol == "tcp")
        #expect(entry.original.source == IPAddress("198.51.100.10"))
        #expect(entry.original.sourcePort == 40320)
        #expect(entry.reply.source == IPAddress("203.0.113.2"))
        #expect(entry.reply.destinationPort == 40320)
        #expect(entry.state == "SYN_SENT")
        #expect(entry.flags == ["UNREPLIED"])
    }

    @Test("what is no logged packet is none, and one cut off has no entry")
    func others() {
        #expect(
            PacketLogMessage.packet(NetlinkReply(type: 0x0100, flags: 0, sequence: 0, payload: Self.invalid[...]))
                == nil)
        let cut = NetlinkReply(type: 0x0400, flags: 0, sequence: 0, payload: Self.invalid.prefix(120))
        #expect(PacketLogMessage.packet(cut)?.entry == nil)
        #expect(PacketLogMessage.packet(cut)?.state == nil)
        #expect(PacketLogMessage.packet(NetlinkReply(type: 0x0400, flags: 0, sequence: 0, payload: [])) == nil)
    }
}

@Suite("The kernel's own word", .enabled(if: PrivateNetwork.isAllowed, "needs root"))
struct NetfilterMonitorTests {
    private static let rules = """
        *filter
        :INPUT ACCEPT [0:0]
        :FORWARD ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        -A INPUT -m conntrack --ctstate INVALID -j DROP
        COMMIT

        """
    private static let tracing = """
        *raw
        :PREROUTING ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        -A PREROUTING -j TRACE
        COMMIT

        """

    private static func monitor() throws -> NetfilterMonitor? {
        do {
            return try NetfilterMonitor(logsPackets: true)
        } catch let error as KernelError where error.code == ENOENT {
            return nil
        }
    }

    @Test("conntrack says why a packet is INVALID, and rules that a traced packet meets come in their order")
    func log() async throws {
        try await PrivateNetwork.run {
            try RuleTables.load(Self.rules, family: .ipv4) { try Program.run($0, $1) }
            // A host's kernel may lack nfnetlink_log; the lab kernel has it, and the suite sees it there.
            guard let monitor = try Self.monitor() else { return }
            try Program.check(["sysctl", "-q", "-w", "net.netfilter.nf_conntrack_log_invalid=255"])
            try Program.check(["sysctl", "-q", "-w", "net.netfilter.nf_conntrack_tcp_loose=0"])
            let listener = try Loopback.listener(7001)
            defer { close(listener) }
            let open = try #require(Loopback.connection(to: 7001, from: 46001))
            defer { close(open) }
            try RuleTables.load(Self.tracing, family: .ipv4) { try Program.run($0, $1) }
            _ = try monitor.drainEvents()
            Loopback.datagram(to: 7005, from: 46002)
            let events = try monitor.drainEvents()
            let steps = events.compactMap { event -> String? in
                guard case .logged(let packet) = event, packet.prefix.hasPrefix("TRACE: ") else { return nil }
                return packet.prefix + (packet.state?.rawValue ?? "-")
            }
            #expect(
                steps.prefix(2) == [
                    "TRACE: raw:PREROUTING:policy:2 -",
                    "TRACE: filter:INPUT:policy:2 \(monitor.logsEntries ? "NEW" : "-")",
                ])
            #expect(
                events.contains { if case .new(let entry) = $0 { entry.original.sourcePort == 46002 } else { false } })
        }
    }

    @Test("a second log of one namespace is refused; it is free again when the first is gone")
    func exclusive() async throws {
        try await PrivateNetwork.run {
            guard let first = try Self.monitor() else { return }
            #expect(throws: KernelError.self) { try NetfilterMonitor(logsPackets: true) }
            #expect(try first.drainEvents() == [])
        }
    }
}

@Suite("Rule tracing")
struct RuleTracingTests {
    @Test("one batch makes a table with a rule at each of the two hooks: log, and set nftrace")
    func requests() throws {
        let requests = try RuleTracing.requests()
        #expect(
            requests.map { Array($0[4..<6]) } == [
                [0x10, 0x00],  // NFNL_MSG_BATCH_BEGIN
                [0x00, 0x0A],  // NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWTABLE
                [0x03, 0x0A], [0x06, 0x0A],  // NFT_MSG_NEWCHAIN, NFT_MSG_NEWRULE
                [0x03, 0x0A], [0x06, 0x0A],
                [0x11, 0x00],  // NFNL_MSG_BATCH_END
            ])
        #expect(
            requests[2] == [
                0x50, 0x00, 0x00, 0x00,  // nlmsg_len 80
                0x03, 0x0A, 0x01, 0x04,  // NFT_MSG_NEWCHAIN, NLM_F_REQUEST | NLM_F_CREATE
                0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                0x01, 0x00, 0x00, 0x00,  // NFPROTO_INET
                0x0C, 0x00, 0x01, 0x00,  // NFTA_CHAIN_TABLE
                0x64, 0x72, 0x62, 0x65, 0x6E, 0x63, 0x68, 0x00,  // "drbench"
                0x0F, 0x00, 0x03, 0x00,  // NFTA_CHAIN_NAME
                0x70, 0x72, 0x65, 0x72, 0x6F, 0x75, 0x74, 0x69, 0x6E, 0x67, 0x00, 0x00,  // "prerouting", padding
                0x14, 0x00, 0x04, 0x00,  // NFTA_CHAIN_HOOK
                0x08, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,  // NF_INET_PRE_ROUTING
                0x08, 0x00, 0x02, 0x00, 0xFF, 0xFF, 0xFE, 0x3E,  // priority -450
                0x0B, 0x00, 0x07, 0x00,  // NFTA_CHAIN_TYPE
                0x66, 0x69, 0x6C, 0x74, 0x65, 0x72, 0x00, 0x00,  // "filter"
            ])
    }
}
