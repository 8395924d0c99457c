internal import CNetlink
internal import Glibc
internal import Net

extension RouteRequest {
    /// Addresses, neighbours and forwarding entries: what stands on one link.
    func addressMessage(_ indices: [String: Int32]) throws(KernelError) -> [UInt8] {
        switch self {
        case .addAddress(let prefix, let link, let options):
            return try Self.address(
                RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_EXCL, prefix, index: indices.index(of: link), options)
        case .deleteAddress(let prefix, let link):
            return try Self.address(
                RTM_DELADDR, flags: 0, prefix, index: indices.index(of: link),
                AddressOptions(skipDuplicateAddressDetection: false))
        case .addNeighbour(let address, let mac, let link):
            return try Self.neighbour(
                RTM_NEWNEIGH, flags: NLM_F_CREATE | NLM_F_REPLACE, address, mac, index: indices.index(of: link))
        case .deleteNeighbour(let address, let link):
            return try Self.neighbour(RTM_DELNEIGH, flags: 0, address, nil, index: indices.index(of: link))
        case .addForwardingEntry(let mac, let port):
            return try Self.forwardingEntry(
                RTM_NEWNEIGH, flags: NLM_F_CREATE | NLM_F_EXCL, mac, index: indices.index(of: port))
        case .deleteForwardingEntry(let mac, let port):
            return try Self.forwardingEntry(RTM_DELNEIGH, flags: 0, mac, index: indices.index(of: port))
        default: throw misrouted()
        }
    }

    private static func address(
        _ type: Int, flags: Int32, _ prefix: IPPrefix, index: Int32, _ options: AddressOptions
    ) throws(KernelError) -> [UInt8] {
        // `ip` gives loopback addresses scope host: with scope global the kernel might choose one as a source.
        let isLoopback = prefix.family == .v4 && prefix.address.octets.first == 127
        var header = ifaddrmsg()
        header.ifa_family = prefix.family.netlinkFamily
        header.ifa_prefixlen = UInt8(prefix.length)
        header.ifa_scope = (options.scope ?? (isLoopback ? .host : .global)).number
        header.ifa_index = UInt32(index)
        if prefix.family == .v6, options.skipDuplicateAddressDetection { header.ifa_flags = UInt8(IFA_F_NODAD) }
        var message = NetlinkMessage(type, flags: flags)
        message.append(header)
        message.put(IFA_LOCAL, prefix.address.octets)
        message.put(IFA_ADDRESS, prefix.address.octets)
        return try message.bytes()
    }

    /// Also what `flushNeighbours` deletes with, hence the static form.
    static func neighbour(
        _ type: Int, flags: Int32, _ address: IPAddress, _ mac: MACAddress?, index: Int32
    ) throws(KernelError) -> [UInt8] {
        var header = ndmsg()
        header.ndm_family = address.netlinkFamily
        header.ndm_ifindex = index
        if mac != nil { header.ndm_state = UInt16(NUD_PERMANENT) }
        var message = NetlinkMessage(type, flags: flags)
        message.append(header)
        message.put(NDA_DST, address.octets)
        if let mac { message.put(NDA_LLADDR, mac.octets) }
        return try message.bytes()
    }

    private static func forwardingEntry(
        _ type: Int, flags: Int32, _ mac: MACAddress, index: Int32
    ) throws(KernelError) -> [UInt8] {
        var header = ndmsg()
        header.ndm_family = UInt8(AF_BRIDGE)
        header.ndm_ifindex = index
        // `bridge fdb … static`: NUD_PERMANENT would mean an address of the bridge itself.
        header.ndm_state = UInt16(NUD_NOARP)
        header.ndm_flags = UInt8(NTF_MASTER)
        var message = NetlinkMessage(type, flags: flags)
        message.append(header)
        message.put(NDA_LLADDR, mac.octets)
        return try message.bytes()
    }
}

extension RouteRequest.Scope {
    /// RT_SCOPE_*.
    var number: UInt8 {
        switch self {
        case .global: UInt8(RT_SCOPE_UNIVERSE.rawValue)
        case .site: UInt8(RT_SCOPE_SITE.rawValue)
        case .link: UInt8(RT_SCOPE_LINK.rawValue)
        case .host: UInt8(RT_SCOPE_HOST.rawValue)
        case .nowhere: UInt8(RT_SCOPE_NOWHERE.rawValue)
        }
    }
}
