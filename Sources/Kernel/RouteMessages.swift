internal import CNetlink
internal import Glibc
internal import Net

extension RouteRequest {
    /// The links whose indices the message carries: all but those that it names by IFLA_IFNAME.
    var references: [String] {
        switch self {
        case .addBridge, .addDummy, .addVeth, .deleteLink, .setUp, .setDown, .setMTU, .setMAC, .setGSOMaxSegments,
            .setARP, .setBridgePort, .setBridge, .addRule, .deleteRule:
            []
        case .addVLAN(_, let link, _): [link]
        case .addVXLAN(let vxlan): vxlan.link.map { [$0] } ?? []
        case .setMaster(_, let bridge): bridge.map { [$0] } ?? []
        case .rename(let name, _), .moveLink(let name, _, _): [name]
        case .addAddress(_, let link, _), .deleteAddress(_, let link), .addNeighbour(_, _, let link),
            .deleteNeighbour(_, let link), .setNetem(let link, _), .setTokenBucket(let link, _), .deleteQdisc(let link):
            [link]
        case .addRoute(let route), .replaceRoute(let route), .deleteRoute(let route): route.link.map { [$0] } ?? []
        case .addForwardingEntry(_, let port), .deleteForwardingEntry(_, let port): [port]
        }
    }

    /// The names that mean another link, or none, when the request has been carried out.
    var renames: [String] {
        switch self {
        case .addBridge(let name, _), .addDummy(let name, _), .addVLAN(let name, _, _), .deleteLink(let name),
            .moveLink(let name, _, _):
            [name]
        case .addVeth(let veth): [veth.name, veth.peer.name]
        case .addVXLAN(let vxlan): [vxlan.name]
        case .rename(let name, let new): [name, new]
        default: []
        }
    }

    /// The request's netlink message, with sequence number and port 0.
    ///
    /// Errors: EINVAL or ERANGE, with an explanation, for a value that no message can carry; ENODEV when `indices` has
    /// not all `references`.
    func message(indices: [String: Int32]) throws(KernelError) -> [UInt8] {
        do throws(KernelError) {
            switch self {
            case .addBridge, .addDummy, .addVeth, .addVLAN, .addVXLAN: return try linkCreation(indices)
            case .deleteLink, .setMaster, .setUp, .setDown, .setMTU, .setMAC, .setGSOMaxSegments, .setARP, .rename,
                .moveLink, .setBridgePort, .setBridge:
                return try linkChange(indices)
            case .addAddress, .deleteAddress, .addNeighbour, .deleteNeighbour, .addForwardingEntry,
                .deleteForwardingEntry:
                return try addressMessage(indices)
            case .addRoute, .replaceRoute, .deleteRoute, .addRule, .deleteRule: return try routeMessage(indices)
            case .setNetem, .setTokenBucket, .deleteQdisc: return try qdiscMessage(indices)
            }
        } catch {
            throw KernelError(description, code: error.code, explanation: error.explanation)
        }
    }

    /// The message does not belong to this family of requests: `message(indices:)` has it wrong.
    func misrouted() -> KernelError { KernelError(description, code: EOPNOTSUPP) }
}

extension [String: Int32] {
    func index(of link: String) throws(KernelError) -> Int32 {
        guard let index = self[link] else { throw KernelError("find link \(link)", code: ENODEV) }
        return index
    }
}

/// `value` in the kernel's width. Errors: ERANGE.
func kernelNumber<Number: FixedWidthInteger>(
    _ value: some BinaryInteger, _ what: String, as: Number.Type = Number.self
) throws(KernelError) -> Number {
    guard let number = Number(exactly: value) else {
        throw KernelError("encode \(what)", code: ERANGE, explanation: "\(what) \(value) is out of range")
    }
    return number
}

extension IPAddress {
    /// AF_INET or AF_INET6 in an octet, as rtnetlink's headers have it.
    var netlinkFamily: UInt8 { UInt8(family == .v4 ? AF_INET : AF_INET6) }
}

extension IPAddress.Family {
    init?(netlink family: some BinaryInteger) {
        switch Int32(family) {
        case AF_INET: self = .v4
        case AF_INET6: self = .v6
        default: return nil
        }
    }

    var netlinkFamily: UInt8 { UInt8(self == .v4 ? AF_INET : AF_INET6) }
}
