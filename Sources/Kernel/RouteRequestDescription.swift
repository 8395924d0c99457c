internal import Net

extension RouteRequest: CustomStringConvertible {
    public var description: String {
        switch self {
        case .addBridge(let name, _): "add bridge \(name)"
        case .addDummy(let name, _): "add dummy \(name)"
        case .addVeth(let veth): "add veth \(veth.name) with peer \(veth.peer)"
        case .addVLAN(let name, let link, let id): "add VLAN \(id) on \(link) as \(name)"
        case .addVXLAN(let vxlan): "add VXLAN \(vxlan.id) as \(vxlan.name)"
        case .deleteLink(let name): "delete link \(name)"
        case .setMaster(let name, let bridge?): "plug \(name) into bridge \(bridge)"
        case .setMaster(let name, nil): "unplug \(name) from its bridge"
        case .setUp(let name): "set \(name) up"
        case .setDown(let name): "set \(name) down"
        case .setMTU(let name, let mtu): "set the MTU of \(name) to \(mtu)"
        case .setMAC(let name, let mac): "set the MAC address of \(name) to \(mac)"
        case .setGSOMaxSegments(let name, let count): "limit GSO frames of \(name) to \(count) segments"
        case .setARP(let name, let on): "turn ARP \(on ? "on" : "off") on \(name)"
        case .rename(let name, let new): "rename \(name) to \(new)"
        case .moveLink(let name, let namespace, let new?): "move \(name) to \(namespace.name) as \(new)"
        case .moveLink(let name, let namespace, nil): "move \(name) to \(namespace.name)"
        case .setBridgePort(let port): "set \(port)"
        case .setBridge(let bridge): "set bridge \(bridge.name)"
        case .addAddress(let prefix, let link, _): "add address \(prefix) to \(link)"
        case .deleteAddress(let prefix, let link): "delete address \(prefix) from \(link)"
        case .addRoute(let route): "add route \(route)"
        case .replaceRoute(let route): "replace route \(route)"
        case .deleteRoute(let route): "delete route \(route)"
        case .addRule(let rule): "add rule \(rule)"
        case .deleteRule(let rule): "delete rule \(rule)"
        case .addNeighbour(let address, let mac, let link): "add neighbour \(address) at \(mac) on \(link)"
        case .deleteNeighbour(let address, let link): "delete neighbour \(address) on \(link)"
        case .addForwardingEntry(let mac, let port): "add forwarding entry \(mac) on port \(port)"
        case .deleteForwardingEntry(let mac, let port): "delete forwarding entry \(mac) on port \(port)"
        case .setNetem(let link, let netem): "set netem\(netem) on \(link)"
        case .setTokenBucket(let link, let bucket): "set tbf \(bucket) on \(link)"
        case .deleteQdisc(let link): "delete the root qdisc of \(link)"
        }
    }
}

extension RouteRequest.Veth.End: CustomStringConvertible {
    public var description: String { namespace.map { "\(name) in \($0.name)" } ?? name }
}

extension RouteRequest.BridgePort: CustomStringConvertible {
    /// As `bridge link set` has it: `hairpin on, learning off on bridge port tap-lb`.
    public var description: String {
        let flags: [(String, Bool?)] = [("hairpin", hairpin), ("learning", learning), ("isolated", isolated)]
        let given = flags.compactMap { name, value in value.map { "\(name) \($0 ? "on" : "off")" } }
        return "\(given.joined(separator: ", ")) on bridge port \(link)"
    }
}

extension RouteRequest.Route: CustomStringConvertible {
    /// As `ip route` has it: `default via 203.0.113.1 dev eth0`.
    public var description: String {
        var words = kind == .unicast ? [] : [kind.rawValue]
        words.append(to.length == 0 ? "default" : to.description)
        if let via { words += ["via", via.description] }
        if let link { words += ["dev", link] }
        if let source { words += ["src", source.description] }
        if let metric { words += ["metric", "\(metric)"] }
        if let mtu { words += ["mtu", "\(mtu)"] }
        if let table { words += ["table", "\(table)"] }
        if onlink { words.append("onlink") }
        return words.joined(separator: " ")
    }
}

extension RouteRequest.Rule: CustomStringConvertible {
    /// As `ip rule` has it: `from all fwmark 0x1 lookup 100`.
    public var description: String {
        var words = ["from", from?.description ?? "all"]
        if let to { words += ["to", to.description] }
        if let firewallMark { words += ["fwmark", "0x" + String(firewallMark, radix: 16)] }
        words += ["lookup", "\(table)"]
        if let priority { words += ["priority", "\(priority)"] }
        return words.joined(separator: " ")
    }
}

extension Netem: CustomStringConvertible {
    public var description: String {
        var text = ""
        if delay != 0 || jitter != 0 { text += " delay \(delay) ns" }
        if jitter != 0 { text += " jitter \(jitter) ns" }
        if loss != 0 { text += " loss \(loss) %" }
        if duplicate != 0 { text += " duplicate \(duplicate) %" }
        if reorder != 0 { text += " reorder \(reorder) %" }
        if rate != 0 { text += " rate \(rate) bit/s" }
        return text
    }
}

extension TokenBucket: CustomStringConvertible {
    public var description: String { "rate \(rate) bit/s burst \(burst) latency \(latency) ns" }
}
