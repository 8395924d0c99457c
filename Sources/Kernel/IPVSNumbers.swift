internal import CNetlink
internal import Glibc
internal import Net

/// The kernel's numbers for the words of IPVS.
extension IPVSAttributes {
    static func number(of family: IPAddress.Family) -> UInt16 { UInt16(family == .v6 ? AF_INET6 : AF_INET) }

    static func family(_ number: UInt16) -> IPAddress.Family? {
        switch Int32(number) {
        case AF_INET: .v4
        case AF_INET6: .v6
        default: nil
        }
    }

    static func number(of transport: IPVSVirtualService.Transport) -> UInt16 {
        switch transport {
        case .tcp: UInt16(IPPROTO_TCP)
        case .udp: UInt16(IPPROTO_UDP)
        case .sctp: UInt16(IPPROTO_SCTP)
        }
    }

    static func number(of forwarding: IPVSRealServer.Forwarding) -> UInt32 {
        switch forwarding {
        case .route: UInt32(IP_VS_CONN_F_DROUTE)
        case .masquerade: UInt32(IP_VS_CONN_F_MASQ)
        case .tunnel: UInt32(IP_VS_CONN_F_TUNNEL)
        case .local: UInt32(IP_VS_CONN_F_LOCALNODE)
        case .bypass: UInt32(IP_VS_CONN_F_BYPASS)
        }
    }

    static func number(of kind: IPVSRealServer.Tunnel.Kind) -> UInt8 {
        switch kind {
        case .ipip: UInt8(IP_VS_CONN_F_TUNNEL_TYPE_IPIP)
        case .gue: UInt8(IP_VS_CONN_F_TUNNEL_TYPE_GUE)
        case .gre: UInt8(IP_VS_CONN_F_TUNNEL_TYPE_GRE)
        }
    }

    static func number(of checksum: IPVSRealServer.Tunnel.Checksum) -> UInt16 {
        switch checksum {
        case .none: UInt16(IP_VS_TUNNEL_ENCAP_FLAG_NOCSUM)
        case .full: UInt16(IP_VS_TUNNEL_ENCAP_FLAG_CSUM)
        case .remote: UInt16(IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM)
        }
    }

    static func flags(of service: IPVSVirtualService) -> UInt32 {
        var flags: Int32 = 0
        if service.persistence != nil { flags |= IP_VS_SVC_F_PERSISTENT }
        if service.onePacket { flags |= IP_VS_SVC_F_ONEPACKET }
        if service.schedulerFlags.contains(.fallback) { flags |= IP_VS_SVC_F_SCHED1 }
        if service.schedulerFlags.contains(.port) { flags |= IP_VS_SVC_F_SCHED2 }
        if service.schedulerFlags.contains(.third) { flags |= IP_VS_SVC_F_SCHED3 }
        return UInt32(flags)
    }

    static func setFlags(_ flags: UInt32, of service: inout IPVSVirtualService) {
        service.onePacket = flags & UInt32(IP_VS_SVC_F_ONEPACKET) != 0
        if flags & UInt32(IP_VS_SVC_F_SCHED1) != 0 { service.schedulerFlags.insert(.fallback) }
        if flags & UInt32(IP_VS_SVC_F_SCHED2) != 0 { service.schedulerFlags.insert(.port) }
        if flags & UInt32(IP_VS_SVC_F_SCHED3) != 0 { service.schedulerFlags.insert(.third) }
    }
}
