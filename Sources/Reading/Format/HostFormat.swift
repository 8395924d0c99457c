internal import Net
internal import Scenario

/// Hosts, their ports and what they run, in a file.
enum HostFormat {
    static let addressPair = Shape<AddressPair>.object(
        "allowedAddressPair", "an allowed address pair", "What a port may use beside its own addresses.",
        blank: AddressPair(ipAddress: ""),
        fields: [
            Field(
                "ip_address", \.ipAddress,
                .text(
                    "an address or a prefix such as 203.0.113.2 or 0.0.0.0/0",
                    pattern: "^[0-9a-fA-F:.]+(/[0-9]{1,3})?$", matches: { IPPrefix($0) != nil }),
                required: true, "The address or prefix, in quotes or not; kept as written."),
            Field("mac_address", \.macAddress, .mac, "The MAC; the port's own if left out."),
        ])

    static let port = Shape<Port>.object(
        "port", "a port", "A Neutron port and the host's network card behind it.",
        blank: Port(id: "", macAddress: MACAddress(bits: 0)),
        fields: [
            Field(
                "id", \.id, NetworkFormat.uuid,
                "Its UUID: the tap device is tap and the first 11 characters. Made of the host's and the card's name."),
            Field("network", \.network, .name(of: .network), "The network it is on."),
            Field("on", \.on, .name(of: .attachment), "The hypervisor or switch; the host's own if left out."),
            Field("peer", \.peer, Places.card, "Cabled straight to this port of another host instead of to a bridge."),
            Field("mac_address", \.macAddress, .mac, "The card's MAC; made of the host's and the card's name."),
            Field("fixed_ips", \.fixedIPs, .list(of: .address), "The addresses that Neutron gave the port."),
            Field("allowed_address_pairs", \.allowedAddressPairs, .list(of: addressPair), "What else it may use."),
            Field("port_security_enabled", \.portSecurityEnabled, .boolean, "Whether Neutron filters it; true."),
            Field("security_groups", \.securityGroups, .list(of: .name(of: .securityGroup)), "Its security groups."),
            Field(
                "addresses", \.addresses, .list(of: .prefix),
                "What the host configures on the card; the fixed IPs with the network's prefix length if left out."),
        ] + LinkFormat.fields(\.link, near: "the host"),
        check: { port, tree, reader in
            if port.peer != nil, let entry = tree.entry("on") {
                reader.error(at: entry.keyLocation, "a port has both 'peer' and 'on'", expected: "only one of them")
            }
            // neutron/extensions/portsecurity.py: PortSecurityAndIPRequiredForSecurityGroups and
            // AddressPairAndPortSecurityRequired.
            if !port.portSecurityEnabled {
                for key in ["security_groups", "allowed_address_pairs"] {
                    guard let value = tree[key], value.elements != [] else { continue }
                    reader.error(
                        at: tree.location(of: ["port_security_enabled"]), "a port without port security has '\(key)'",
                        expected: "\(key): []")
                }
            }
        })

    static let ports = Shape<[Port]>.keyed(
        by: .interface, "port", port, maximum: Limits.partsOfHost
    ) { port, name, entry, reader in
        port.name = name
        if name == "lo" {
            reader.error(at: entry.keyLocation, "'lo' is the loopback", expected: "its addresses in 'interfaces'")
        }
    }

    static let interfaces = Shape<[Interface]>.keyed(
        by: .interface, "interface",
        .object(
            "interface", "an interface", "An interface without a cable: lo is the loopback, any other name a dummy.",
            blank: Interface(name: "", kind: .dummy, addresses: []),
            fields: [Field("addresses", \.addresses, .list(of: .prefix), required: true, "Its addresses.")]),
        maximum: Limits.partsOfHost
    ) { interface, name, _, _ in
        interface.name = name
        interface.kind = name == "lo" ? .loopback : .dummy
    }

    static let servers = Shape<[Server]>.list(
        of: .object(
            "server", "a server", "What listens: it answers with its host's name and the client's endpoint.",
            blank: Server(kind: .http, port: 0),
            fields: Server.Kind.allCases.map { kind in
                Field(kind.rawValue, .port, "The port of a \(kind.rawValue) server.") {
                    $0 = Server(kind: kind, port: $1)
                }
            }, rules: [.exactlyOne(Server.Kind.allCases.map(\.rawValue), of: "port")]), maximum: Limits.partsOfHost
    ).checked { servers, tree, reader in
        for (index, server) in servers.enumerated() {
            // http and tcp servers take the same kind of socket, and one for loads takes both kinds.
            let clash = servers[..<index].contains {
                $0.port == server.port
                    && ($0.kind == .load || server.kind == .load || ($0.kind == .udp) == (server.kind == .udp))
            }
            if clash { reader.error(at: tree.location, "two servers on port \(server.port)") }
        }
    }

    static let host = Shape<Host>.object(
        "host", "a host", "A machine with its own network namespace: a VM, a router, a client.", blank: Host(name: ""),
        fields: [
            Field(
                "on", \.on, .name(of: .attachment), "The hypervisor or switch of its ports, unless they differ."),
            Field("ports", \.ports, ports, "Its ports by the names of its cards."),
            Field("interfaces", \.interfaces, interfaces, "Its interfaces without a cable, by name."),
            Field("routes", \.routes, .list(of: IPRouteWords.route), "Its routes, in ip-route(8)'s words."),
            Field("sysctls", \.sysctls, NetworkFormat.sysctls, "Settings of its kernel, by sysctl(8)'s names."),
            Field(
                "neighbours", \.neighbours, .list(of: IPRouteWords.neighbour),
                "Permanent neighbours, in ip-neighbour(8)'s words."),
            Field("arptables", \.arptables, NetworkFormat.rules, "Rules: arptables' arguments."),
            Field("iptables", \.iptables, NetworkFormat.rules, "Rules: iptables' arguments."),
            Field("ip6tables", \.ip6tables, NetworkFormat.rules, "Rules: ip6tables' arguments."),
            Field("servers", \.servers, servers, "What listens in it."),
            Field("programs", \.programs, ProgramFormat.programs, "Real programs that run in it, by name."),
        ])

    static let hosts = Shape<[Host]>.keyed(
        by: .namespace, "host", host, maximum: Limits.hosts
    ) { host, name, entry, reader in
        host.name = name
        for index in host.ports.indices {
            let card = host.ports[index].name
            if host.ports[index].id.isEmpty { host.ports[index].id = DefaultIdentity.id(name, card) }
            if entry.value["ports"]?[card]?["mac_address"] == nil {
                host.ports[index].macAddress = DefaultIdentity.mac(name, card)
            }
        }
        if Vocabulary.outcomes.contains(name) || name == Vocabulary.total {
            reader.error(at: entry.keyLocation, "'\(name)' cannot be a host's name: expectations use the word")
        }
    }
}
