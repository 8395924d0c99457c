import Net
import Testing

@testable import Kernel

/// What requests become in octets, on a little-endian machine, as all that the lab kernel runs on are. Sequence number
/// and port are 0 here: the conversation stamps the one, the kernel fills in the other.
@Suite("rtnetlink messages")
struct RouteMessageTests {
    private func octets(_ request: RouteRequest) throws -> [UInt8] {
        try request.message(indices: ["eth0": 7, "br": 9])
    }

    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
    private func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text)) }
    private func mac(_ text: String) throws -> MACAddress { try #require(MACAddress(text)) }

    @Test("a veth pair carries its peer's header, attributes and namespace inside VETH_INFO_PEER")
    func veth() throws {
        let peer = RouteRequest.Veth.End(
            name: "eth0", mac: try mac("fa:16:3e:00:00:03"), namespace: .init(name: "lb", fileDescriptor: 5))
        let veth = RouteRequest.Veth(
            name: "tap-lb", mac: try mac("fe:16:3e:00:00:03"), mtu: 1450, gsoMaxSegments: 1, peer: peer)
        #expect(
            try octets(.addVeth(veth)) == [
                0xC0, 0x00, 0x00, 0x00,  // nlmsg_len 192
                0x10, 0x00, 0x01, 0x06,  // RTM_NEWLINK, NLM_F_REQUEST | NLM_F_EXCL | NLM_F_CREATE
                0x00, 0x00, 0x00, 0x00,  // nlmsg_seq
                0x00, 0x00, 0x00, 0x00,  // nlmsg_pid
                0x00, 0x00, 0x00, 0x00,  // ifi_family, padding, ifi_type
                0x00, 0x00, 0x00, 0x00,  // ifi_index
                0x00, 0x00, 0x00, 0x00,  // ifi_flags
                0x00, 0x00, 0x00, 0x00,  // ifi_change
                0x0B, 0x00, 0x03, 0x00,  // 11 octets, IFLA_IFNAME
                0x74, 0x61, 0x70, 0x2D, 0x6C, 0x62, 0x00, 0x00,  // "tap-lb", zero, padding
                0x08, 0x00, 0x1F, 0x00,  // IFLA_NUM_TX_QUEUES
                0x01, 0x00, 0x00, 0x00,
                0x08, 0x00, 0x20, 0x00,  // IFLA_NUM_RX_QUEUES
                0x01, 0x00, 0x00, 0x00,
                0x0A, 0x00, 0x01, 0x00,  // 10 octets, IFLA_ADDRESS
                0xFE, 0x16, 0x3E, 0x00, 0x00, 0x03, 0x00, 0x00,  // MAC, padding
                0x08, 0x00, 0x04, 0x00,  // IFLA_MTU
                0xAA, 0x05, 0x00, 0x00,  // 1450
                0x08, 0x00, 0x28, 0x00,  // IFLA_GSO_MAX_SEGS
                0x01, 0x00, 0x00, 0x00,
                0x68, 0x00, 0x12, 0x00,  // 104 octets, IFLA_LINKINFO
                0x09, 0x00, 0x01, 0x00,  // IFLA_INFO_KIND
                0x76, 0x65, 0x74, 0x68, 0x00, 0x00, 0x00, 0x00,  // "veth", zero, padding
                0x58, 0x00, 0x02, 0x00,  // 88 octets, IFLA_INFO_DATA
                0x54, 0x00, 0x01, 0x00,  // 84 octets, VETH_INFO_PEER
                0x00, 0x00, 0x00, 0x00,  // the peer's ifinfomsg: ifi_family, padding, ifi_type
                0x00, 0x00, 0x00, 0x00,  // ifi_index
                0x00, 0x00, 0x00, 0x00,  // ifi_flags
                0x00, 0x00, 0x00, 0x00,  // ifi_change
                0x09, 0x00, 0x03, 0x00,  // IFLA_IFNAME
                0x65, 0x74, 0x68, 0x30, 0x00, 0x00, 0x00, 0x00,  // "eth0", zero, padding
                0x08, 0x00, 0x1F, 0x00,  // IFLA_NUM_TX_QUEUES
                0x01, 0x00, 0x00, 0x00,
                0x08, 0x00, 0x20, 0x00,  // IFLA_NUM_RX_QUEUES
                0x01, 0x00, 0x00, 0x00,
                0x0A, 0x00, 0x01, 0x00,  // IFLA_ADDRESS
                0xFA, 0x16, 0x3E, 0x00, 0x00, 0x03, 0x00, 0x00,  // MAC, padding
                0x08, 0x00, 0x04, 0x00,  // IFLA_MTU
                0xAA, 0x05, 0x00, 0x00,
                0x08, 0x00, 0x28, 0x00,  // IFLA_GSO_MAX_SEGS
                0x01, 0x00, 0x00, 0x00,
                0x08, 0x00, 0x1C, 0x00,  // IFLA_NET_NS_FD
                0x05, 0x00, 0x00, 0x00,  // descriptor 5
            ])
    }

    @Test("a bridge is created with forward delay 0, and without STP and multicast snooping")
    func bridge() throws {
        #expect(
            try octets(.addBridge(name: "br")).dropFirst(32) == [
                0x07, 0x00, 0x03, 0x00,  // IFLA_IFNAME
                0x62, 0x72, 0x00, 0x00,  // "br", zero, padding
                0x2C, 0x00, 0x12, 0x00,  // 44 octets, IFLA_LINKINFO
                0x0B, 0x00, 0x01, 0x00,  // IFLA_INFO_KIND
                0x62, 0x72, 0x69, 0x64, 0x67, 0x65, 0x00, 0x00,  // "bridge", zero, padding
                0x1C, 0x00, 0x02, 0x00,  // 28 octets, IFLA_INFO_DATA
                0x08, 0x00, 0x01, 0x00,  // IFLA_BR_FORWARD_DELAY
                0x00, 0x00, 0x00, 0x00,
                0x08, 0x00, 0x05, 0x00,  // IFLA_BR_STP_STATE
                0x00, 0x00, 0x00, 0x00,
                0x05, 0x00, 0x17, 0x00,  // 5 octets, IFLA_BR_MCAST_SNOOPING
                0x00, 0x00, 0x00, 0x00,  // 0, padding
            ])
    }

    @Test("a link is set up by its name, and plugged into a bridge by the bridge's index")
    func changes() throws {
        #expect(
            try octets(.setUp("eth0")).dropFirst(4) == [
                0x13, 0x00, 0x01, 0x00,  // RTM_SETLINK, NLM_F_REQUEST
                0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // nlmsg_seq, nlmsg_pid
                0x00, 0x00, 0x00, 0x00,  // ifi_family, padding, ifi_type
                0x00, 0x00, 0x00, 0x00,  // ifi_index: by name
                0x01, 0x00, 0x00, 0x00,  // ifi_flags: IFF_UP
                0x01, 0x00, 0x00, 0x00,  // ifi_change: IFF_UP
                0x09, 0x00, 0x03, 0x00,  // IFLA_IFNAME
                0x65, 0x74, 0x68, 0x30, 0x00, 0x00, 0x00, 0x00,  // "eth0", zero, padding
            ])
        #expect(
            try octets(.setMaster("eth0", bridge: "br")).suffix(8) == [
                0x08, 0x00, 0x0A, 0x00,  // IFLA_MASTER
                0x09, 0x00, 0x00, 0x00,  // index 9
            ])
        #expect(try octets(.setMaster("eth0", bridge: nil)).suffix(8) == [0x08, 0, 0x0A, 0, 0, 0, 0, 0])
    }

    @Test("an IPv4 address is IFA_LOCAL and IFA_ADDRESS")
    func address4() throws {
        #expect(
            try octets(.addAddress(prefix("203.0.113.3/27"), link: "eth0")) == [
                0x28, 0x00, 0x00, 0x00,  // nlmsg_len 40
                0x14, 0x00, 0x01, 0x06,  // RTM_NEWADDR, NLM_F_REQUEST | NLM_F_EXCL | NLM_F_CREATE
                0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // nlmsg_seq, nlmsg_pid
                0x02, 0x1B, 0x00, 0x00,  // AF_INET, /27, ifa_flags, RT_SCOPE_UNIVERSE
                0x07, 0x00, 0x00, 0x00,  // ifa_index
                0x08, 0x00, 0x02, 0x00,  // IFA_LOCAL
                0xCB, 0x00, 0x71, 0x03,  // 203.0.113.3
                0x08, 0x00, 0x01, 0x00,  // IFA_ADDRESS
                0xCB, 0x00, 0x71, 0x03,
            ])
    }

    @Test("an IPv6 address skips duplicate address detection unless it shall not")
    func address6() throws {
        let header: [UInt8] = [0x0A, 0x40, 0x02, 0x00]  // AF_INET6, /64, IFA_F_NODAD, scope
        #expect(try octets(.addAddress(prefix("2001:db8::3/64"), link: "eth0")).dropFirst(16).prefix(4) == header[...])
        let probing = RouteRequest.AddressOptions(skipDuplicateAddressDetection: false)
        #expect(try octets(.addAddress(prefix("2001:db8::3/64"), link: "eth0", probing))[18] == 0)
    }

    @Test("a default route has no RTA_DST, and a table beyond 255 stands in RTA_TABLE alone")
    func route() throws {
        let route = RouteRequest.Route(
            to: try prefix("0.0.0.0/0"), via: try address("203.0.113.1"), link: "eth0", onlink: true, mtu: 1400,
            metric: 5, table: 1000)
        #expect(
            try octets(.addRoute(route)).dropFirst(16) == [
                0x02, 0x00, 0x00, 0x00,  // AF_INET, /0, rtm_src_len, rtm_tos
                0xFC, 0x03, 0x00, 0x01,  // RT_TABLE_COMPAT, RTPROT_BOOT, RT_SCOPE_UNIVERSE, RTN_UNICAST
                0x04, 0x00, 0x00, 0x00,  // RTNH_F_ONLINK
                0x08, 0x00, 0x05, 0x00,  // RTA_GATEWAY
                0xCB, 0x00, 0x71, 0x01,  // 203.0.113.1
                0x08, 0x00, 0x04, 0x00,  // RTA_OIF
                0x07, 0x00, 0x00, 0x00,  // index 7
                0x08, 0x00, 0x06, 0x00,  // RTA_PRIORITY
                0x05, 0x00, 0x00, 0x00,
                0x08, 0x00, 0x0F, 0x00,  // RTA_TABLE
                0xE8, 0x03, 0x00, 0x00,  // 1000
                0x0C, 0x00, 0x08, 0x00,  // RTA_METRICS
                0x08, 0x00, 0x02, 0x00,  // RTAX_MTU
                0x78, 0x05, 0x00, 0x00,  // 1400
            ])
    }

    @Test("a policy rule looks up a table")
    func rule() throws {
        let rule = RouteRequest.Rule(firewallMark: 1, from: try prefix("10.0.0.0/8"), table: 100, priority: 50)
        #expect(
            try octets(.addRule(rule)).dropFirst(4) == [
                0x20, 0x00, 0x01, 0x06,  // RTM_NEWRULE
                0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // nlmsg_seq, nlmsg_pid
                0x02, 0x00, 0x08, 0x00,  // AF_INET, dst_len, src_len 8, tos
                0x64, 0x00, 0x00, 0x01,  // table 100, reserved, FR_ACT_TO_TBL
                0x00, 0x00, 0x00, 0x00,  // flags
                0x08, 0x00, 0x02, 0x00,  // FRA_SRC
                0x0A, 0x00, 0x00, 0x00,  // 10.0.0.0
                0x08, 0x00, 0x06, 0x00,  // FRA_PRIORITY
                0x32, 0x00, 0x00, 0x00,  // 50
                0x08, 0x00, 0x0A, 0x00,  // FRA_FWMARK
                0x01, 0x00, 0x00, 0x00,
                0x08, 0x00, 0x0F, 0x00,  // FRA_TABLE
                0x64, 0x00, 0x00, 0x00,  // 100
            ])
    }

    @Test("neighbours are permanent, and forwarding entries static in the bridge")
    func neighbours() throws {
        #expect(
            try octets(.addNeighbour(address("203.0.113.1"), mac("fa:16:3e:00:00:01"), link: "eth0")).dropFirst(4) == [
                0x1C, 0x00, 0x01, 0x05,  // RTM_NEWNEIGH, NLM_F_REQUEST | NLM_F_REPLACE | NLM_F_CREATE
                0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // nlmsg_seq, nlmsg_pid
                0x02, 0x00, 0x00, 0x00,  // AF_INET, padding
                0x07, 0x00, 0x00, 0x00,  // ndm_ifindex
                0x80, 0x00, 0x00, 0x00,  // NUD_PERMANENT, ndm_flags, ndm_type
                0x08, 0x00, 0x01, 0x00,  // NDA_DST
                0xCB, 0x00, 0x71, 0x01,  // 203.0.113.1
                0x0A, 0x00, 0x02, 0x00,  // NDA_LLADDR
                0xFA, 0x16, 0x3E, 0x00, 0x00, 0x01, 0x00, 0x00,  // MAC, padding
            ])
        #expect(
            try octets(.addForwardingEntry(mac("fa:16:3e:00:00:01"), port: "eth0")).dropFirst(16) == [
                0x07, 0x00, 0x00, 0x00,  // AF_BRIDGE, padding
                0x07, 0x00, 0x00, 0x00,  // ndm_ifindex
                0x40, 0x00, 0x04, 0x00,  // NUD_NOARP, NTF_MASTER, ndm_type
                0x0A, 0x00, 0x02, 0x00,  // NDA_LLADDR
                0xFA, 0x16, 0x3E, 0x00, 0x00, 0x01, 0x00, 0x00,  // MAC, padding
            ])
    }

    @Test("netem's options are a structure with attributes behind it, times in nanoseconds")
    func netem() throws {
        let netem = Netem(delay: 10_000_000, jitter: 1_000_000, loss: 50, reorder: 25, rate: 8_000_000)
        #expect(
            try octets(.setNetem(link: "eth0", netem)).dropFirst(4) == [
                0x24, 0x00, 0x01, 0x05,  // RTM_NEWQDISC, NLM_F_REQUEST | NLM_F_REPLACE | NLM_F_CREATE
                0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // nlmsg_seq, nlmsg_pid
                0x00, 0x00, 0x00, 0x00,  // tcm_family, padding
                0x07, 0x00, 0x00, 0x00,  // tcm_ifindex
                0x00, 0x00, 0x00, 0x00,  // tcm_handle
                0xFF, 0xFF, 0xFF, 0xFF,  // TC_H_ROOT
                0x00, 0x00, 0x00, 0x00,  // tcm_info
                0x0A, 0x00, 0x01, 0x00,  // TCA_KIND
                0x6E, 0x65, 0x74, 0x65, 0x6D, 0x00, 0x00, 0x00,  // "netem", zero, padding
                0x54, 0x00, 0x02, 0x00,  // 84 octets, TCA_OPTIONS
                0x00, 0x00, 0x00, 0x00,  // latency in ticks: in TCA_NETEM_LATENCY64
                0xE8, 0x03, 0x00, 0x00,  // limit 1000
                0x00, 0x00, 0x00, 0x80,  // loss: half of 2³² - 1
                0x01, 0x00, 0x00, 0x00,  // gap
                0x00, 0x00, 0x00, 0x00,  // duplicate
                0x00, 0x00, 0x00, 0x00,  // jitter in ticks: in TCA_NETEM_JITTER64
                0x0C, 0x00, 0x03, 0x00,  // TCA_NETEM_REORDER
                0x00, 0x00, 0x00, 0x40,  // a quarter
                0x00, 0x00, 0x00, 0x00,  // correlation
                0x14, 0x00, 0x06, 0x00,  // TCA_NETEM_RATE
                0x40, 0x42, 0x0F, 0x00,  // 1 000 000 octets per second
                0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // overheads and cells
                0x0C, 0x00, 0x0A, 0x00,  // TCA_NETEM_LATENCY64
                0x80, 0x96, 0x98, 0x00, 0x00, 0x00, 0x00, 0x00,  // 10 000 000 ns
                0x0C, 0x00, 0x0B, 0x00,  // TCA_NETEM_JITTER64
                0x40, 0x42, 0x0F, 0x00, 0x00, 0x00, 0x00, 0x00,  // 1 000 000 ns
            ])
    }

    @Test("a token bucket's queue follows from rate, latency and burst")
    func tokenBucket() throws {
        let bucket = TokenBucket(rate: 8_000_000, burst: 10_000, latency: 50_000_000)
        #expect(
            try octets(.setTokenBucket(link: "eth0", bucket)).dropFirst(36) == [
                0x08, 0x00, 0x01, 0x00,  // TCA_KIND
                0x74, 0x62, 0x66, 0x00,  // "tbf", zero
                0x34, 0x00, 0x02, 0x00,  // 52 octets, TCA_OPTIONS
                0x28, 0x00, 0x01, 0x00,  // TCA_TBF_PARMS
                0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // cell_log, TC_LINKLAYER_ETHERNET, overhead, …
                0x40, 0x42, 0x0F, 0x00,  // 1 000 000 octets per second
                0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // no peak rate
                0x60, 0xEA, 0x00, 0x00,  // limit 60 000: 50 000 in 50 ms and the burst
                0x00, 0x00, 0x00, 0x00,  // buffer in ticks: in TCA_TBF_BURST
                0x00, 0x00, 0x00, 0x00,  // mtu
                0x08, 0x00, 0x06, 0x00,  // TCA_TBF_BURST
                0x10, 0x27, 0x00, 0x00,  // 10 000
            ])
    }

    @Test("a value that no message can carry is refused before anything is sent")
    func unencodable() throws {
        func failure(_ request: RouteRequest) -> String? {
            #expect(throws: KernelError.self) { try octets(request) }?.description
        }
        #expect(
            failure(.setMTU("eth0", -1))
                == "set the MTU of eth0 to -1: ERANGE (Numerical result out of range): MTU -1 is out of range")
        #expect(
            failure(.setNetem(link: "eth0", Netem(loss: 101)))?
                .hasSuffix("EINVAL (Invalid argument): loss is 0 to 100 percent, not 101.0") == true)
        #expect(failure(.setNetem(link: "eth0", Netem(reorder: 10)))?.hasSuffix("reordering needs a delay") == true)
        #expect(failure(.setNetem(link: "eth0", Netem(delay: -1)))?.contains("EINVAL") == true)
        #expect(
            failure(.setTokenBucket(link: "eth0", .init(rate: 0, burst: 1, latency: 1)))?.contains("EINVAL") == true)
        let long = TokenBucket(rate: .max, burst: 1, latency: .max)
        #expect(failure(.setTokenBucket(link: "eth0", long))?.hasSuffix("the queue exceeds 4 GiB") == true)
        let mixed = RouteRequest.Route(to: try prefix("10.0.0.0/8"), via: try address("2001:db8::1"))
        #expect(failure(.addRoute(mixed))?.contains("EAFNOSUPPORT") == true)
        #expect(failure(.setMaster("eth0", bridge: "br9")) == "plug eth0 into bridge br9: ENODEV (No such device)")
    }
}
