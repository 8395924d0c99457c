internal import CNetlink
internal import Glibc
internal import Net

extension RouteRequest {
    func routeMessage(_ indices: [String: Int32]) throws(KernelError) -> [UInt8] {
        switch self {
        case .addRoute(let route):
            try Self.route(RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_EXCL, route, indices)
        case .replaceRoute(let route):
            try Self.route(RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_REPLACE, route, indices)
        case .deleteRoute(let route): try Self.route(RTM_DELROUTE, flags: 0, route, indices)
        case .addRule(let rule): try Self.rule(RTM_NEWRULE, flags: NLM_F_CREATE | NLM_F_EXCL, rule)
        case .deleteRule(let rule): try Self.rule(RTM_DELRULE, flags: 0, rule)
        default: throw misrouted()
        }
    }

    private static func route(
        _ type: Int, flags: Int32, _ route: Route, _ indices: [String: Int32]
    ) throws(KernelError) -> [UInt8] {
        for address in [route.via, route.source].compactMap({ $0 }) where address.family != route.to.family {
            throw KernelError(
                "encode a route", code: EAFNOSUPPORT, explanation: "\(address) is not of the destination's family")
        }
        let deleting = type == RTM_DELROUTE
        let table = route.table ?? UInt32((route.kind == .local ? RT_TABLE_LOCAL : RT_TABLE_MAIN).rawValue)
        var header = rtmsg()
        header.rtm_family = route.to.family.netlinkFamily
        header.rtm_dst_len = UInt8(route.to.length)
        // Tables beyond an octet are in RTA_TABLE alone.
        header.rtm_table = UInt8(exactly: table) ?? UInt8(RT_TABLE_COMPAT.rawValue)
        header.rtm_flags = route.onlink ? UInt32(RTNH_F_ONLINK) : 0
        if deleting {
            // RT_SCOPE_NOWHERE and protocol 0 match any (fib_table_delete).
            header.rtm_scope = Scope.nowhere.number
            header.rtm_type = route.kind == .unicast ? 0 : route.kind.number
        } else {
            header.rtm_protocol = UInt8(RTPROT_BOOT)
            header.rtm_scope = route.scope.number
            header.rtm_type = route.kind.number
        }
        var message = NetlinkMessage(type, flags: flags)
        message.append(header)
        if route.to.length > 0 { message.put(RTA_DST.rawValue, route.to.network.address.octets) }
        if let via = route.via { message.put(RTA_GATEWAY.rawValue, via.octets) }
        if let link = route.link { message.put(RTA_OIF.rawValue, value: try indices.index(of: link)) }
        if let source = route.source { message.put(RTA_PREFSRC.rawValue, source.octets) }
        if let metric = route.metric { message.put(RTA_PRIORITY.rawValue, value: metric) }
        message.put(RTA_TABLE.rawValue, value: table)
        if let mtu = route.mtu {
            let mtu: UInt32 = try kernelNumber(mtu, "MTU")
            message.nest(RTA_METRICS.rawValue) { metrics in metrics.put(RTAX_MTU, value: mtu) }
        }
        return try message.bytes()
    }

    private static func rule(_ type: Int, flags: Int32, _ rule: Rule) throws(KernelError) -> [UInt8] {
        for prefix in [rule.from, rule.to].compactMap({ $0 }) where prefix.family != rule.family {
            throw KernelError("encode a rule", code: EAFNOSUPPORT, explanation: "\(prefix) is not of the rule's family")
        }
        var header = fib_rule_hdr()
        header.family = rule.family.netlinkFamily
        header.dst_len = UInt8(rule.to?.length ?? 0)
        header.src_len = UInt8(rule.from?.length ?? 0)
        header.table = UInt8(exactly: rule.table) ?? UInt8(RT_TABLE_COMPAT.rawValue)
        header.action = UInt8(FR_ACT_TO_TBL)
        var message = NetlinkMessage(type, flags: flags)
        message.append(header)
        if let from = rule.from { message.put(FRA_SRC, from.network.address.octets) }
        if let to = rule.to { message.put(FRA_DST, to.network.address.octets) }
        if let priority = rule.priority { message.put(FRA_PRIORITY, value: priority) }
        if let mark = rule.firewallMark { message.put(FRA_FWMARK, value: mark) }
        message.put(FRA_TABLE, value: rule.table)
        return try message.bytes()
    }
}

extension RouteRequest.Route {
    /// As `ip route` chooses it: what is ours has scope host, what needs no gateway has scope link. IPv6 has no scopes.
    fileprivate var scope: RouteRequest.Scope {
        if to.family == .v6 { return .global }
        switch kind {
        case .local: return .host
        case .unicast: return via == nil ? .link : .global
        case .blackhole, .unreachable, .prohibit: return .global
        }
    }
}

extension RouteRequest.Route.Kind {
    /// RTN_*.
    fileprivate var number: UInt8 {
        switch self {
        case .unicast: UInt8(RTN_UNICAST)
        case .local: UInt8(RTN_LOCAL)
        case .blackhole: UInt8(RTN_BLACKHOLE)
        case .unreachable: UInt8(RTN_UNREACHABLE)
        case .prohibit: UInt8(RTN_PROHIBIT)
        }
    }
}
