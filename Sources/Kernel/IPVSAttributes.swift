internal import CNetlink
internal import Evidence
internal import Glibc
internal import Net

/// The attributes of the IPVS family (linux/ip_vs.h; ip_vs_genl_fill_service and its neighbours in ip_vs_ctl.c).
enum IPVSAttributes {
    typealias Attributes = [UnsafeMutablePointer<nlattr>?]

    static func v4Mask(_ prefix: Int) -> IPAddress {
        IPAddress(v4: prefix <= 0 ? 0 : UInt32.max << UInt32(32 - min(prefix, 32)))
    }

    // MARK: Writing

    /// The service: what identifies it, and with `full` the rest of it, which adding and editing need.
    static func put(_ service: IPVSVirtualService, full: Bool, into message: OpaquePointer) {
        guard let nest = nla_nest_start(message, Int32(IPVS_CMD_ATTR_SERVICE)) else { return }
        nla_put_u16(message, Int32(IPVS_SVC_ATTR_AF), number(of: service.family))
        switch service.key {
        case .endpoint(let transport, let endpoint):
            nla_put_u16(message, Int32(IPVS_SVC_ATTR_PROTOCOL), number(of: transport))
            put(endpoint.address, Int32(IPVS_SVC_ATTR_ADDR), into: message)
            nla_put_u16(message, Int32(IPVS_SVC_ATTR_PORT), endpoint.port.bigEndian)
        case .firewallMark(let mark, _):
            nla_put_u32(message, Int32(IPVS_SVC_ATTR_FWMARK), mark)
        }
        if full {
            nla_put_string(message, Int32(IPVS_SVC_ATTR_SCHED_NAME), service.scheduler)
            // The kernel changes the flags in the mask and leaves the others: it keeps IP_VS_SVC_F_HASHED to itself.
            let all = UInt32(
                IP_VS_SVC_F_PERSISTENT | IP_VS_SVC_F_ONEPACKET | IP_VS_SVC_F_SCHED1 | IP_VS_SVC_F_SCHED2
                    | IP_VS_SVC_F_SCHED3)
            var flags = ip_vs_flags(flags: flags(of: service), mask: all)
            nla_put(
                message, Int32(IPVS_SVC_ATTR_FLAGS), Int32(MemoryLayout<ip_vs_flags>.size), &flags)
            nla_put_u32(message, Int32(IPVS_SVC_ATTR_TIMEOUT), service.persistence ?? 0)
            let prefix = service.persistencePrefix ?? service.family.bitWidth
            let mask = service.family == .v6 ? UInt32(clamping: prefix) : UInt32(v4Mask(prefix).value).bigEndian
            nla_put_u32(message, Int32(IPVS_SVC_ATTR_NETMASK), mask)
        }
        nla_nest_end(message, nest)
    }

    static func put(_ server: IPVSRealServer, full: Bool, into message: OpaquePointer) {
        guard let nest = nla_nest_start(message, Int32(IPVS_CMD_ATTR_DEST)) else { return }
        put(server.address, Int32(IPVS_DEST_ATTR_ADDR), into: message)
        nla_put_u16(message, Int32(IPVS_DEST_ATTR_PORT), server.port.bigEndian)
        nla_put_u16(message, Int32(IPVS_DEST_ATTR_ADDR_FAMILY), number(of: server.address.family))
        if full {
            nla_put_u32(message, Int32(IPVS_DEST_ATTR_FWD_METHOD), number(of: server.forwarding))
            nla_put_u32(message, Int32(IPVS_DEST_ATTR_WEIGHT), server.weight)
            nla_put_u32(message, Int32(IPVS_DEST_ATTR_U_THRESH), server.upperThreshold)
            nla_put_u32(message, Int32(IPVS_DEST_ATTR_L_THRESH), server.lowerThreshold)
            // Attributes of Linux 5.3 and later; without them a tunnel is IP in IP as ever.
            if let tunnel = server.tunnel {
                nla_put_u8(message, Int32(IPVS_DEST_ATTR_TUN_TYPE), number(of: tunnel.kind))
                nla_put_u16(message, Int32(IPVS_DEST_ATTR_TUN_PORT), tunnel.port.bigEndian)
                nla_put_u16(message, Int32(IPVS_DEST_ATTR_TUN_FLAGS), number(of: tunnel.checksum))
            }
        }
        nla_nest_end(message, nest)
    }

    /// An address as union nf_inet_addr: 16 octets, an IPv4 address in the first four.
    private static func put(_ address: IPAddress, _ attribute: Int32, into message: OpaquePointer) {
        var octets = address.octets
        octets += Array(repeating: 0, count: 16 - octets.count)
        nla_put(message, attribute, Int32(octets.count), octets)
    }

    // MARK: Reading

    /// The attributes nested in the message's attribute `nest`, by number.
    static func nested(_ nest: Int, last: Int, in header: UnsafeMutablePointer<nlmsghdr>) -> Attributes? {
        guard let generic = genlmsg_hdr(header),
            let attribute = nla_find(genlmsg_attrdata(generic, 0), genlmsg_attrlen(generic, 0), Int32(nest))
        else { return nil }
        return nested(in: attribute, last: last)
    }

    static func nested(in attribute: UnsafeMutablePointer<nlattr>, last: Int) -> Attributes? {
        var attributes = Attributes(repeating: nil, count: last + 1)
        return nla_parse_nested(&attributes, Int32(last), attribute, nil) < 0 ? nil : attributes
    }

    static func service(_ attributes: Attributes) -> IPVSVirtualService? {
        guard let family = family(u16(attributes[Int(IPVS_SVC_ATTR_AF)])) else { return nil }
        let key: IPVSVirtualService.Key
        if let mark = attributes[Int(IPVS_SVC_ATTR_FWMARK)].map({ nla_get_u32($0) }), mark != 0 {
            key = .firewallMark(mark, family)
        } else {
            let number = u16(attributes[Int(IPVS_SVC_ATTR_PROTOCOL)])
            guard let transport = IPVSVirtualService.Transport.allCases.first(where: { self.number(of: $0) == number }),
                let address = address(attributes[Int(IPVS_SVC_ATTR_ADDR)], family)
            else { return nil }
            let port = UInt16(bigEndian: u16(attributes[Int(IPVS_SVC_ATTR_PORT)]))
            key = .endpoint(transport, Endpoint(address, port: port))
        }
        var service = IPVSVirtualService(
            key, scheduler: attributes[Int(IPVS_SVC_ATTR_SCHED_NAME)].map { String(cString: nla_get_string($0)) } ?? "")
        let flags = attributes[Int(IPVS_SVC_ATTR_FLAGS)].flatMap { nla_data($0) }.map {
            $0.loadUnaligned(as: ip_vs_flags.self).flags
        }
        setFlags(flags ?? 0, of: &service)
        if (flags ?? 0) & UInt32(IP_VS_SVC_F_PERSISTENT) != 0 {
            service.persistence = u32(attributes[Int(IPVS_SVC_ATTR_TIMEOUT)])
            let mask = u32(attributes[Int(IPVS_SVC_ATTR_NETMASK)])
            let prefix = family == .v6 ? Int(mask) : mask.nonzeroBitCount
            service.persistencePrefix = prefix == family.bitWidth ? nil : prefix
        }
        return service
    }

    static func realServer(_ attributes: Attributes, of service: IPVSVirtualService) -> IPVSRealServer? {
        // Kernels before 3.18 do not say the family: it is the service's.
        let family = attributes[Int(IPVS_DEST_ATTR_ADDR_FAMILY)].map { self.family(nla_get_u16($0)) } ?? service.family
        let forwarding = u32(attributes[Int(IPVS_DEST_ATTR_FWD_METHOD)]) & UInt32(IP_VS_CONN_F_FWD_MASK)
        guard let family, let address = address(attributes[Int(IPVS_DEST_ATTR_ADDR)], family),
            let method = IPVSRealServer.Forwarding.allCases.first(where: { number(of: $0) == forwarding })
        else { return nil }
        var server = IPVSRealServer(
            address, port: UInt16(bigEndian: u16(attributes[Int(IPVS_DEST_ATTR_PORT)])), forwarding: method,
            weight: u32(attributes[Int(IPVS_DEST_ATTR_WEIGHT)]),
            upperThreshold: u32(attributes[Int(IPVS_DEST_ATTR_U_THRESH)]),
            lowerThreshold: u32(attributes[Int(IPVS_DEST_ATTR_L_THRESH)]))
        if method == .tunnel, let type = attributes[Int(IPVS_DEST_ATTR_TUN_TYPE)].map({ nla_get_u8($0) }) {
            let flags = u16(attributes[Int(IPVS_DEST_ATTR_TUN_FLAGS)])
            server.tunnel = .init(
                kind: IPVSRealServer.Tunnel.Kind.allCases.first { number(of: $0) == type } ?? .ipip,
                port: UInt16(bigEndian: u16(attributes[Int(IPVS_DEST_ATTR_TUN_PORT)])),
                checksum: IPVSRealServer.Tunnel.Checksum.allCases.first { number(of: $0) == flags } ?? .none)
        }
        return server
    }

    /// The 64-bit statistics of Linux 4.1 and later, the 32-bit ones of earlier kernels.
    static func statistics(
        _ wide: UnsafeMutablePointer<nlattr>?, _ narrow: UnsafeMutablePointer<nlattr>?
    ) -> IPVSStatistics {
        guard let nest = wide ?? narrow, let attributes = nested(in: nest, last: Int(IPVS_STATS_ATTR_PAD)) else {
            return IPVSStatistics()
        }
        // Counts of connections and packets are 32 bits wide in the old attribute, octets always 64.
        func count(_ attribute: Int) -> UInt64 {
            guard let attribute = attributes[attribute] else { return 0 }
            return nla_len(attribute) >= 8 ? nla_get_u64(attribute) : UInt64(nla_get_u32(attribute))
        }
        return IPVSStatistics(
            connections: count(Int(IPVS_STATS_ATTR_CONNS)), inPackets: count(Int(IPVS_STATS_ATTR_INPKTS)),
            outPackets: count(Int(IPVS_STATS_ATTR_OUTPKTS)), inBytes: count(Int(IPVS_STATS_ATTR_INBYTES)),
            outBytes: count(Int(IPVS_STATS_ATTR_OUTBYTES)))
    }

    static func u16(_ attribute: UnsafeMutablePointer<nlattr>?) -> UInt16 { attribute.map { nla_get_u16($0) } ?? 0 }
    static func u32(_ attribute: UnsafeMutablePointer<nlattr>?) -> UInt32 { attribute.map { nla_get_u32($0) } ?? 0 }

    private static func address(_ attribute: UnsafeMutablePointer<nlattr>?, _ family: IPAddress.Family) -> IPAddress? {
        guard let attribute, let data = nla_data(attribute) else { return nil }
        let octets = UnsafeRawBufferPointer(start: data, count: Int(nla_len(attribute)))
        return IPAddress(octets: octets.prefix(family.bitWidth / 8))
    }
}
