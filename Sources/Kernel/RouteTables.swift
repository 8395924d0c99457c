internal import CNetlink
public import Evidence
internal import Glibc
public import Net

/// A link as the kernel has it (`ip -d -s link`).
public struct Link: Sendable, Equatable {
    public var index: Int32
    public var name: String
    /// nil for the loopback and for tunnels.
    public var mac: MACAddress?
    /// Octets.
    public var mtu: UInt32
    /// Whether it is set up (IFF_UP), be there a carrier or not.
    public var isUp: Bool
    /// For a veth: whether both ends are up.
    public var hasCarrier: Bool
    /// The operational state by its name in RFC 2863: `up`, `down`, `lowerlayerdown`, `unknown`, … It follows `isUp` and
    /// `hasCarrier` a moment later, from a work queue (net/core/link_watch.c).
    public var operationalState: String
    /// The bridge that it is plugged into.
    public var master: String?
    /// `veth`, `bridge`, `dummy`, …; nil for one without, such as `lo`.
    public var kind: String?
    public var gsoMaxSegments: UInt32?
    public var receivedPackets: UInt64
    public var sentPackets: UInt64
    public var receivedBytes: UInt64
    public var sentBytes: UInt64
}

/// An entry of a bridge's forwarding database, or of a link's own filter (`bridge fdb`).
public struct ForwardingEntry: Sendable, Equatable {
    public enum State: String, Sendable {
        /// Learned from a frame's source address.
        case learned
        case `static`
        /// An address of the bridge or of a port itself.
        case permanent
    }

    public var mac: MACAddress
    public var port: String
    /// The bridge; nil for a link's own entry (`self`).
    public var bridge: String?
    public var vlan: UInt16?
    public var state: State
    /// Where a VXLAN sends frames for the address.
    public var destination: IPAddress?
}

extension RouteNetlink {
    /// All links, by index.
    public func links() throws(KernelError) -> [Link] {
        var message = NetlinkMessage(RTM_GETLINK)
        message.append(ifinfomsg())
        let replies = try conversation.dump(message.bytes(), operation: "list links")
        var links: [Link] = []
        var masters: [Int32: Int32] = [:]
        for reply in replies {
            guard Int(reply.type) == RTM_NEWLINK, let header = reply.payload.load(ifinfomsg.self) else { continue }
            let attributes = NetlinkAttributes(reply.payload.dropFirst(MemoryLayout<ifinfomsg>.size))
            links.append(Link(header, attributes))
            masters[header.ifi_index] = attributes.number(IFLA_MASTER)
        }
        let names = links.reduce(into: [Int32: String]()) { $0[$1.index] = $1.name }
        for position in links.indices {
            links[position].master = masters[links[position].index].flatMap { names[$0] }
        }
        return links.sorted { $0.index < $1.index }
    }

    /// The ARP and NDP tables as `ip neigh` shows them, without NUD_NOARP entries, by interface and address.
    public func neighbours() throws(KernelError) -> [Neighbour] {
        let entries = try neighbourEntries().filter {
            $0.state & UInt16(NUD_NOARP) == 0 && $0.state != UInt16(NUD_NONE)
        }
        let names = try names(of: entries.map(\.index))
        return entries.map { entry in
            Neighbour(
                address: entry.address, interface: names[entry.index] ?? "if\(entry.index)", mac: entry.mac,
                state: neighbourStateName(entry.state))
        }.sorted { ($0.interface, $0.address) < ($1.interface, $1.address) }
    }

    /// Empties the neighbour tables but for entries that are PERMANENT or NOARP (`ip neigh flush all`).
    ///
    /// Errors: the kernel's, about the first entry that it kept; not for one that was gone before its turn came.
    public func flushNeighbours() throws(KernelError) {
        let kept = UInt16(NUD_PERMANENT | NUD_NOARP)
        let entries = try neighbourEntries().filter { $0.state & kept == 0 }
        var messages: [[UInt8]] = []
        for entry in entries {
            messages.append(
                try RouteRequest.neighbour(RTM_DELNEIGH, flags: 0, entry.address, nil, index: entry.index))
        }
        let answers = try conversation.exchange(messages)
        for (entry, answer) in zip(entries, answers) where answer.code != 0 && answer.code != ENOENT {
            throw KernelError(
                "flush neighbour \(entry.address)", code: answer.code, explanation: answer.explanation,
                namespace: conversation.namespace)
        }
    }

    /// The forwarding databases of all bridges, and links' own entries, by bridge, port and address.
    public func forwardingEntries() throws(KernelError) -> [ForwardingEntry] {
        var header = ndmsg()
        header.ndm_family = UInt8(AF_BRIDGE)
        var message = NetlinkMessage(RTM_GETNEIGH)
        message.append(header)
        let replies = try conversation.dump(message.bytes(), operation: "list forwarding entries")
        let entries = replies.compactMap { reply in
            NeighbourMessage(reply).flatMap { message in message.attributes[NDA_LLADDR].map { (message, $0) } }
        }
        let names = try names(
            of: entries.flatMap { message, _ in
                [message.header.ndm_ifindex] + (message.attributes.number(NDA_MASTER).map { [$0] } ?? [])
            })
        return entries.compactMap { message, octets -> ForwardingEntry? in
            guard let mac = MACAddress(octets: octets) else { return nil }
            let index = message.header.ndm_ifindex
            let state = Int32(message.header.ndm_state)
            return ForwardingEntry(
                mac: mac, port: names[index] ?? "if\(index)",
                bridge: message.attributes.number(NDA_MASTER, as: Int32.self).flatMap { names[$0] },
                vlan: message.attributes.number(NDA_VLAN),
                state: state & NUD_PERMANENT != 0 ? .permanent : state & NUD_NOARP != 0 ? .static : .learned,
                destination: message.attributes[NDA_DST].flatMap { IPAddress(octets: $0) })
        }.sorted {
            ($0.bridge ?? "", $0.port, $0.mac, $0.vlan ?? 0) < ($1.bridge ?? "", $1.port, $1.mac, $1.vlan ?? 0)
        }
    }

    private func neighbourEntries() throws(KernelError) -> [NeighbourEntry] {
        var message = NetlinkMessage(RTM_GETNEIGH)
        message.append(ndmsg())
        let replies = try conversation.dump(message.bytes(), operation: "list neighbours")
        return replies.compactMap { NeighbourMessage($0).flatMap(NeighbourEntry.init) }
    }
}

extension Link {
    fileprivate init(_ header: ifinfomsg, _ attributes: NetlinkAttributes) {
        index = header.ifi_index
        name = attributes.string(IFLA_IFNAME) ?? ""
        // A tunnel's link layer address is an IP address, and the loopback's is nobody's.
        let octets = header.ifi_flags & UInt32(IFF_LOOPBACK) == 0 ? attributes[IFLA_ADDRESS] : nil
        mac = octets?.count == 6 ? octets.flatMap(MACAddress.init(octets:)) : nil
        mtu = attributes.number(IFLA_MTU) ?? 0
        isUp = header.ifi_flags & UInt32(IFF_UP) != 0
        hasCarrier = attributes.number(IFLA_CARRIER, as: UInt8.self) == 1
        operationalState = operationalStateName(attributes.number(IFLA_OPERSTATE) ?? 0)
        kind = attributes.nest(IFLA_LINKINFO)?.string(IFLA_INFO_KIND)
        gsoMaxSegments = attributes.number(IFLA_GSO_MAX_SEGS)
        // The kernel adds counters at the end of rtnl_link_stats64 and an older one sends fewer: read the first four.
        let counters = attributes[IFLA_STATS64] ?? []
        func counter(_ position: Int) -> UInt64 { counters.dropFirst(8 * position).load(UInt64.self) ?? 0 }
        (receivedPackets, sentPackets, receivedBytes, sentBytes) = (counter(0), counter(1), counter(2), counter(3))
    }
}

private func operationalStateName(_ state: UInt8) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { buffer in
        guard let base = buffer.baseAddress, let name = rtnl_link_operstate2str(state, base, buffer.count) else {
            return "unknown"
        }
        return String(cString: name)
    }
}

private struct NeighbourMessage {
    var header: ndmsg
    var attributes: NetlinkAttributes

    init?(_ reply: NetlinkReply) {
        guard Int(reply.type) == RTM_NEWNEIGH, let header = reply.payload.load(ndmsg.self) else { return nil }
        self.header = header
        attributes = NetlinkAttributes(reply.payload.dropFirst(MemoryLayout<ndmsg>.size))
    }
}

private struct NeighbourEntry {
    var address: IPAddress
    var index: Int32
    var mac: MACAddress?
    /// NUD_*.
    var state: UInt16

    init?(_ message: NeighbourMessage) {
        // A dump of all families may bring a bridge's entries along.
        guard IPAddress.Family(netlink: message.header.ndm_family) != nil,
            let address = message.attributes[NDA_DST].flatMap({ IPAddress(octets: $0) })
        else { return nil }
        self.address = address
        index = message.header.ndm_ifindex
        mac = message.attributes[NDA_LLADDR].flatMap(MACAddress.init(octets:))
        state = message.header.ndm_state
    }
}

/// The name that `ip neigh` prints for a NUD_* state.
func neighbourStateName(_ state: UInt16) -> String {
    let names: [(Int32, String)] = [
        (NUD_INCOMPLETE, "INCOMPLETE"), (NUD_REACHABLE, "REACHABLE"), (NUD_STALE, "STALE"), (NUD_DELAY, "DELAY"),
        (NUD_PROBE, "PROBE"), (NUD_FAILED, "FAILED"), (NUD_NOARP, "NOARP"), (NUD_PERMANENT, "PERMANENT"),
    ]
    return names.first { Int32(state) & $0.0 != 0 }?.1 ?? "NONE"
}
