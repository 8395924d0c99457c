internal import CNetlink
internal import Glibc
internal import Net

extension RouteRequest {
    /// RTM_NEWLINK for a link that must not exist yet.
    func linkCreation(_ indices: [String: Int32]) throws(KernelError) -> [UInt8] {
        var message = NetlinkMessage(RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL)
        message.append(ifinfomsg())
        switch self {
        case .addBridge(let name, let mac):
            message.put(IFLA_IFNAME, string: name)
            if let mac { message.put(IFLA_ADDRESS, mac.octets) }
            message.putLinkInfo(kind: "bridge") { data in
                data.put(IFLA_BR_FORWARD_DELAY, value: UInt32(0))
                data.put(IFLA_BR_STP_STATE, value: UInt32(0))
                data.put(IFLA_BR_MCAST_SNOOPING, value: UInt8(0))
            }
        case .addDummy(let name, let mac):
            message.put(IFLA_IFNAME, string: name)
            if let mac { message.put(IFLA_ADDRESS, mac.octets) }
            message.putLinkInfo(kind: "dummy")
        case .addVeth(let veth):
            let mtu: UInt32? = try veth.mtu.map { value throws(KernelError) in try kernelNumber(value, "MTU") }
            let segments: UInt32? = try veth.gsoMaxSegments.map { value throws(KernelError) in
                try kernelNumber(value, "segment count")
            }
            message.putVethEnd(name: veth.name, mac: veth.mac, mtu: mtu, segments: segments)
            message.putLinkInfo(kind: "veth") { data in
                data.nest(VETH_INFO_PEER) { peer in
                    peer.append(ifinfomsg())
                    peer.putVethEnd(name: veth.peer.name, mac: veth.peer.mac, mtu: mtu, segments: segments)
                    if let namespace = veth.peer.namespace {
                        peer.put(IFLA_NET_NS_FD, value: namespace.fileDescriptor)
                    }
                }
            }
        case .addVLAN(let name, let link, let id):
            message.put(IFLA_IFNAME, string: name)
            message.put(IFLA_LINK, value: try indices.index(of: link))
            message.putLinkInfo(kind: "vlan") { data in data.put(IFLA_VLAN_ID, value: id) }
        case .addVXLAN(let vxlan):
            let lower = try vxlan.link.map { link throws(KernelError) in try indices.index(of: link) }
            message.put(IFLA_IFNAME, string: vxlan.name)
            message.putLinkInfo(kind: "vxlan") { data in
                data.put(IFLA_VXLAN_ID, value: vxlan.id)
                if let remote = vxlan.remote {
                    data.put(remote.family == .v4 ? IFLA_VXLAN_GROUP : IFLA_VXLAN_GROUP6, remote.octets)
                }
                if let lower { data.put(IFLA_VXLAN_LINK, value: lower) }
                if let local = vxlan.local {
                    data.put(local.family == .v4 ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6, local.octets)
                }
                data.put(IFLA_VXLAN_LEARNING, value: UInt8(vxlan.learning ? 1 : 0))
                // In network order, unlike most of rtnetlink.
                data.put(IFLA_VXLAN_PORT, value: vxlan.port.bigEndian)
            }
        default: throw misrouted()
        }
        return try message.bytes()
    }

    /// RTM_SETLINK, RTM_DELLINK, or RTM_NEWLINK for what only that can change.
    func linkChange(_ indices: [String: Int32]) throws(KernelError) -> [UInt8] {
        // Without an index the kernel finds the link by IFLA_IFNAME (rtnl_setlink, rtnl_dellink).
        func change(_ name: String, _ body: (inout NetlinkMessage) -> Void) throws(KernelError) -> [UInt8] {
            var message = NetlinkMessage(RTM_SETLINK)
            message.append(ifinfomsg())
            message.put(IFLA_IFNAME, string: name)
            body(&message)
            return try message.bytes()
        }
        func flag(_ name: String, _ flag: some BinaryInteger, _ on: Bool) throws(KernelError) -> [UInt8] {
            var header = ifinfomsg()
            header.ifi_change = UInt32(flag)
            header.ifi_flags = on ? UInt32(flag) : 0
            var message = NetlinkMessage(RTM_SETLINK)
            message.append(header)
            message.put(IFLA_IFNAME, string: name)
            return try message.bytes()
        }
        switch self {
        case .deleteLink(let name):
            var message = NetlinkMessage(RTM_DELLINK)
            message.append(ifinfomsg())
            message.put(IFLA_IFNAME, string: name)
            return try message.bytes()
        case .setMaster(let name, let bridge):
            let index = try bridge.map { bridge throws(KernelError) in try indices.index(of: bridge) }
            return try change(name) { $0.put(IFLA_MASTER, value: index ?? 0) }
        case .setUp(let name): return try flag(name, IFF_UP, true)
        case .setDown(let name): return try flag(name, IFF_UP, false)
        case .setARP(let name, let on): return try flag(name, IFF_NOARP, !on)
        case .setMTU(let name, let mtu):
            let mtu: UInt32 = try kernelNumber(mtu, "MTU")
            return try change(name) { $0.put(IFLA_MTU, value: mtu) }
        case .setMAC(let name, let mac): return try change(name) { $0.put(IFLA_ADDRESS, mac.octets) }
        case .setGSOMaxSegments(let name, let count):
            let count: UInt32 = try kernelNumber(count, "segment count")
            return try change(name) { $0.put(IFLA_GSO_MAX_SEGS, value: count) }
        case .rename(let name, let new): return try move(index: indices.index(of: name), to: nil, as: new)
        case .moveLink(let name, let namespace, let new):
            return try move(index: indices.index(of: name), to: namespace.fileDescriptor, as: new)
        case .setBridgePort(let port): return try bridgePort(port)
        case .setBridge(let bridge): return try self.bridge(bridge)
        default: throw misrouted()
        }
    }

    /// With an index, IFLA_IFNAME is the new name (do_setlink), in the new namespace if there is one.
    private func move(index: Int32, to namespace: Int32?, as name: String?) throws(KernelError) -> [UInt8] {
        var header = ifinfomsg()
        header.ifi_index = index
        var message = NetlinkMessage(RTM_SETLINK)
        message.append(header)
        if let name { message.put(IFLA_IFNAME, string: name) }
        if let namespace { message.put(IFLA_NET_NS_FD, value: namespace) }
        return try message.bytes()
    }

    /// `ip link set … type bridge`.
    private func bridge(_ bridge: Bridge) throws(KernelError) -> [UInt8] {
        var message = NetlinkMessage(RTM_NEWLINK)
        message.append(ifinfomsg())
        message.put(IFLA_IFNAME, string: bridge.name)
        message.putLinkInfo(kind: "bridge") { data in
            if let on = bridge.callsFilters {
                for option in [IFLA_BR_NF_CALL_IPTABLES, IFLA_BR_NF_CALL_IP6TABLES, IFLA_BR_NF_CALL_ARPTABLES] {
                    data.put(option, value: UInt8(on ? 1 : 0))
                }
            }
            // In clock_t's ticks, of which USER_HZ makes 100 a second.
            if let seconds = bridge.ageing { data.put(IFLA_BR_AGEING_TIME, value: seconds &* 100) }
        }
        return try message.bytes()
    }

    /// `ip link set … type bridge_slave`, which, unlike `bridge link set`, takes a name for the port.
    private func bridgePort(_ port: BridgePort) throws(KernelError) -> [UInt8] {
        var message = NetlinkMessage(RTM_NEWLINK)
        message.append(ifinfomsg())
        message.put(IFLA_IFNAME, string: port.link)
        message.nest(IFLA_LINKINFO) { info in
            info.put(IFLA_INFO_SLAVE_KIND, string: "bridge")
            info.nest(IFLA_INFO_SLAVE_DATA) { data in
                if let hairpin = port.hairpin { data.put(IFLA_BRPORT_MODE, value: UInt8(hairpin ? 1 : 0)) }
                if let learning = port.learning { data.put(IFLA_BRPORT_LEARNING, value: UInt8(learning ? 1 : 0)) }
                if let isolated = port.isolated { data.put(IFLA_BRPORT_ISOLATED, value: UInt8(isolated ? 1 : 0)) }
            }
        }
        return try message.bytes()
    }
}

extension NetlinkMessage {
    fileprivate mutating func putLinkInfo(kind: String, _ data: ((inout NetlinkMessage) -> Void)? = nil) {
        nest(IFLA_LINKINFO) { info in
            info.put(IFLA_INFO_KIND, string: kind)
            if let data { info.nest(IFLA_INFO_DATA, data) }
        }
    }

    fileprivate mutating func putVethEnd(name: String, mac: MACAddress?, mtu: UInt32?, segments: UInt32?) {
        put(IFLA_IFNAME, string: name)
        // What it has in the end. With as many as there are processors at first, as nobody asked for a number, taking the
        // others away makes the kernel wait for a grace period of RCU (veth_init_queues, netif_set_real_num_tx_queues).
        put(IFLA_NUM_TX_QUEUES, value: UInt32(1))
        put(IFLA_NUM_RX_QUEUES, value: UInt32(1))
        if let mac { put(IFLA_ADDRESS, mac.octets) }
        if let mtu { put(IFLA_MTU, value: mtu) }
        if let segments { put(IFLA_GSO_MAX_SEGS, value: segments) }
    }
}
