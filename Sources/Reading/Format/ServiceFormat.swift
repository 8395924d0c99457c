internal import Net
internal import Scenario

/// IPVS services in a file.
enum ServiceFormat {
    /// As written; the service's port, forwarding and the host's address come in when all of the service is known.
    private struct Target: Sendable {
        var host: String?
        var address: IPAddress?
        var port: UInt16?
        var forwarding: Service.Forwarding?
        var weight = 1
        var upperThreshold: Int?
        var lowerThreshold: Int?
        var tunnel: Service.Tunnel?
        var location: SourceLocation?
    }

    private struct Draft: Sendable {
        var director = ""
        var transport = Service.Transport.tcp
        var endpoint: Endpoint?
        var firewallMark: Int?
        var scheduler = "rr"
        var schedulerFlags: [Service.SchedulerFlag] = []
        var persistence: Int?
        var persistencePrefix: Int?
        var onePacket = false
        var forwarding = Service.Forwarding.directRouting
        var tunnel: Service.Tunnel?
        var targets: [Target] = []
    }

    private static let expectedTarget = "a host's name, or an address and port such as 203.0.113.4:80"

    private static let short = Shape<Target>(schema: .text(pattern: nil), expected: expectedTarget) { tree, reader in
        guard let text = tree.text, !text.isEmpty else {
            reader.error(at: tree.location, "found \(tree.found)", expected: expectedTarget)
            return nil
        }
        if let endpoint = Endpoint(text) { return Target(address: endpoint.address, port: endpoint.port) }
        if let address = IPAddress(text) { return Target(address: address) }
        if let names = reader.names, names.host(text) == nil {
            if text.contains(where: { ".:".contains($0) }) {
                reader.error(at: tree.location, "found \(tree.found)", expected: expectedTarget)
            } else {
                reader.unknown("host", text, at: tree.location, known: names.known(.host))
            }
            return nil
        }
        return Target(host: text)
    }

    private static let tunnel = Shape<Service.Tunnel>.object(
        "tunnel", "a tunnel", "What packets to a real server are wrapped in.", blank: Service.Tunnel(),
        fields: [
            Field("kind", \.kind, .word(), "ipvsadm's --tun-type; ipip."),
            Field("port", \.port, .port, "GUE's UDP port."),
            Field("checksum", \.checksum, .word(), "The outer header's, of gue and gre; none."),
        ],
        check: { tunnel, tree, reader in
            if tunnel.kind == .gue, tunnel.port == nil {
                reader.error(at: tree.location, "gue without 'port'", expected: "its UDP port")
            }
        })

    private static let long = Shape<Target>.object(
        "realServer", "a real server", "A real server of a service.", blank: Target(),
        fields: [
            Field("host", \.host, .name(of: .host), "The host: its first fixed IP is meant."),
            Field("address", \.address, .address, "The address, where it is no host's first."),
            Field("port", \.port, .port, "The port; the service's if left out."),
            Field("weight", \.weight, .integer(0...65535), "ipvsadm's -w; 1."),
            Field("forwarding", \.forwarding, .word(), "How packets reach it; the service's if left out."),
            Field(
                "upper_threshold", \.upperThreshold, .integer(1...Int(UInt32.max)),
                "ipvsadm's -x: with so many connections it gets no new ones."),
            Field(
                "lower_threshold", \.lowerThreshold, .integer(0...Int(UInt32.max)),
                "ipvsadm's -y: until it has fewer than these again."),
            Field("tunnel", \.tunnel, tunnel, "What packets are wrapped in; the service's if left out."),
        ], rules: [.exactlyOne(["host", "address"], of: "address")])

    private static let target = Shape<Target>(
        schema: .any([short.schema, long.schema]), expected: "\(expectedTarget), or a mapping with host and weight"
    ) { tree, reader in
        var target = (tree.entries == nil ? short : long).read(tree, reader)
        target?.location = tree["host"]?.location ?? tree["address"]?.location ?? tree.location
        return target
    }

    private static let draft = Shape<Draft>.object(
        "service", "a service", "An IPVS virtual service.", blank: Draft(),
        fields: [Field("on", \.director, .name(of: .host), required: true, "The director.")]
            + Service.Transport.allCases.map { transport in
                Field(transport.rawValue, .endpoint, "The service's address and port, for \(transport.rawValue).") {
                    $0.transport = transport
                    $0.endpoint = $1
                }
            } + [
                Field(
                    "firewall_mark", \.firewallMark, .integer(1...Int(UInt32.max)),
                    "ipvsadm's -f: what bears this mark, instead of an address and port."),
                Field("scheduler", \.scheduler, .word(Vocabulary.schedulers), "ipvsadm's -s; rr."),
                Field(
                    "scheduler_flags", \.schedulerFlags, .list(of: .word()),
                    "ipvsadm's -b for sh and mh: fallback (another real server instead of one with weight 0), port."),
                Field(
                    "persistence_prefix", \.persistencePrefix, .integer(1...128),
                    "Clients with so many leading address bits in common are one: ipvsadm's -M. All bits if left out."),
                Field(
                    "one_packet", \.onePacket, .boolean, "ipvsadm's -o: every datagram is scheduled by itself; false."),
                Field("tunnel", \.tunnel, tunnel, "What packets are wrapped in, with tunneling; IPIP."),
                Field(
                    "persistence", \.persistence, .integer(1...31 * 86400), "Seconds: ipvsadm's -p. None if left out."),
                Field("forwarding", \.forwarding, .word(), "How packets reach the real servers; direct-routing."),
                Field("real_servers", \.targets, .list(of: target), required: true, "Its real servers, in order."),
            ],
        rules: [.exactlyOne(Service.Transport.allCases.map(\.rawValue) + ["firewall_mark"], of: "address")],
        check: { draft, tree, reader in
            if draft.onePacket, draft.firewallMark == nil, draft.transport != .udp {
                reader.error(
                    at: tree.location(of: ["one_packet"]), "'one_packet' is for UDP", expected: "a udp service")
            }
            if draft.persistencePrefix != nil, draft.persistence == nil {
                reader.error(
                    at: tree.location(of: ["persistence_prefix"]), "'persistence_prefix' without 'persistence'")
            }
        })

    private static let service = Shape<Service?>(schema: draft.schema, expected: draft.expected) { tree, reader in
        guard let draft = draft.read(tree, reader) else { return nil }
        let marked = draft.firewallMark.map { _ in Endpoint(IPAddress(v4: 0), port: 0) }
        guard let endpoint = draft.endpoint ?? marked else { return nil }
        let realServers = draft.targets.compactMap { realServer($0, of: draft, at: endpoint, reader) }
        var service = Service(
            director: draft.director, transport: draft.transport, address: endpoint.address, port: endpoint.port,
            scheduler: draft.scheduler, persistence: draft.persistence, realServers: realServers)
        service.firewallMark = draft.firewallMark.map { UInt32(truncatingIfNeeded: $0) }
        service.schedulerFlags = draft.schedulerFlags
        service.persistencePrefix = draft.persistencePrefix
        service.onePacket = draft.onePacket
        return service
    }

    static let services = Shape<[Service?]>.keyed(
        by: .word, "service", service, maximum: Limits.services
    ) { _, _, _, _ in }
    .map { $0.compactMap { $0 } }

    private static func realServer(
        _ target: Target, of service: Draft, at endpoint: Endpoint, _ reader: Reader
    ) -> Service.RealServer? {
        var address = target.address
        if let name = target.host {
            guard let host = reader.names?.host(name) else { return nil }
            address = host.cards.lazy.flatMap(\.fixedIPs).first { $0.family == endpoint.address.family }
            if address == nil, let location = target.location {
                reader.error(
                    at: location, "\(name) has no fixed IP of the service's family", expected: "an address and port")
            }
        }
        guard let address else { return nil }
        let forwarding = target.forwarding ?? service.forwarding
        // Only IPIP crosses the families (ip_vs_ctl.c, ip_vs_add_dest: -EINVAL unless IP_VS_CONN_F_TUNNEL).
        if address.family != endpoint.address.family, forwarding != .tunneling, let location = target.location {
            reader.error(at: location, "\(address) is not of the service's family, which only tunneling bridges")
        }
        return Service.RealServer(
            address: address, port: target.port ?? endpoint.port, forwarding: forwarding, weight: target.weight,
            upperThreshold: target.upperThreshold, lowerThreshold: target.lowerThreshold,
            tunnel: forwarding == .tunneling ? target.tunnel ?? service.tunnel : nil)
    }
}
