internal import Net

/// What the members of security groups may send and receive, as iptables matches: the server's
/// `security_group_info_for_ports` and the agent's `_convert_sgr_to_iptables_rules`.
struct UserRules {
    struct Match: Hashable {
        var text: String
        /// See `IptablesTable.Rule.spelling`.
        var spelling: String
    }

    let release: NeutronRelease
    let deployment: Neutron.Deployment
    let usesIPSet: Bool

    /// One rule, its remote group already replaced by an address or a set.
    private struct Flow {
        var `protocol`: String?
        var sourcePorts: Ports?
        var ports: Ports?
        var source: IPPrefix?
        var destination: IPPrefix?
        var set: String?
    }
    private struct Ports {
        var minimum: UInt16
        var maximum: UInt16?
    }

    /// The matches of the rules that let a port's packets RETURN, in order.
    func matches(
        of port: Neutron.Port, _ direction: Neutron.Direction, _ family: IPAddress.Family
    ) throws(NeutronError) -> [Match] {
        let provided = direction == .ingress ? try providerFlows(port, family) : []
        let written = try groupFlows(port, direction, family)
        let flows = release.dhcpServerRules == .fromServersAfterUserRules ? written + provided : provided + written
        let matches = flows.map { match($0, direction, family) }
        guard release.dropsRepeatedUserRules else { return matches }
        var seen: Set<Match> = []
        return matches.filter { seen.insert($0).inserted }
    }

    // MARK: Rules that Neutron adds

    private func providerFlows(_ port: Neutron.Port, _ family: IPAddress.Family) throws(NeutronError) -> [Flow] {
        guard let network = deployment.networks.first(where: { $0.id == port.networkID }) else {
            throw .unknownNetwork(port.networkID, port: port.id)
        }
        let dhcpPorts: (server: UInt16, client: UInt16) = family == .v4 ? (67, 68) : (547, 546)
        func dhcp(from source: IPPrefix? = nil, to destination: IPPrefix? = nil) -> Flow {
            Flow(
                protocol: "udp", sourcePorts: Ports(minimum: dhcpPorts.server, maximum: dhcpPorts.server),
                ports: Ports(minimum: dhcpPorts.client, maximum: dhcpPorts.client), source: source,
                destination: destination)
        }
        func routerAdvertisement(from source: IPPrefix? = nil) -> Flow {
            Flow(protocol: "ipv6-icmp", ports: Ports(minimum: 134, maximum: nil), source: source)
        }
        switch release.dhcpServerRules {
        case .fromServersAfterUserRules:
            // Both loops of 2014.1 return at the first address of the other family. Its IPv6 rule is for advertisements
            // from a dnsmasq that is also the router, and lets all its ICMP pass.
            let servers = network.dhcpServers.prefix { $0.family == family }.map { IPPrefix(host: $0) }
            return servers.map { family == .v4 ? dhcp(from: $0) : Flow(protocol: "ipv6-icmp", source: $0) }
        case .fromServersBeforeUserRules:
            let routers = network.routerAdvertisers.filter { $0.family == family }.map { IPPrefix(host: $0) }
            let servers = network.dhcpServers.filter { $0.family == family }.map { IPPrefix(host: $0) }
            return routers.map { routerAdvertisement(from: $0) } + servers.map { dhcp(from: $0) }
        case .toPortBeforeUserRules:
            let own = port.fixedIPs.filter { $0.family == family }.map { IPPrefix(host: $0) }
            let everyone = [family == .v4 ? "255.255.255.255/32" : "fe80::/64"].compactMap { IPPrefix($0) }
            let advertisements = family == .v6 && !own.isEmpty ? [routerAdvertisement()] : []
            return advertisements + (own + everyone).map { dhcp(to: $0) }
        }
    }

    // MARK: Rules of the port's groups

    private func groupFlows(
        _ port: Neutron.Port, _ direction: Neutron.Direction, _ family: IPAddress.Family
    ) throws(NeutronError) -> [Flow] {
        var flows: [Flow] = []
        for id in port.securityGroups {
            for rule in try group(id, user: "port \(port.id)").rules
            where rule.direction == direction && rule.ethertype == family {
                flows += try self.flows(of: rule, port, direction)
            }
        }
        return flows
    }

    private func flows(
        of rule: Neutron.SecurityGroupRule, _ port: Neutron.Port, _ direction: Neutron.Direction
    ) throws(NeutronError) -> [Flow] {
        func flow(_ remote: IPPrefix?) -> Flow {
            Flow(
                protocol: protocolName(rule),
                ports: rule.portRangeMin.map { Ports(minimum: $0, maximum: rule.portRangeMax) },
                source: direction == .ingress ? remote : nil, destination: direction == .egress ? remote : nil)
        }
        guard let id = rule.remoteGroupID else { return [flow(rule.remoteIPPrefix)] }
        let members = try members(of: group(id, user: "a rule").id, rule.ethertype)
        if usesIPSet, let ipset = release.ipset {
            guard ipset.emptySets || !members.isEmpty else { return [] }
            var matching = flow(nil)
            matching.set = ipset.name(group: id, rule.ethertype)
            return [matching]
        }
        // A port's own fixed IPs are left out, its own pairs are not.
        let own = Set(port.fixedIPs.map(\.description))
        return members.filter { !own.contains($0.text) }.map { flow($0.prefix.network) }
    }

    func group(_ id: String, user: String) throws(NeutronError) -> Neutron.SecurityGroup {
        guard let group = deployment.securityGroups.first(where: { $0.id == id }) else {
            throw .unknownSecurityGroup(id, user: user)
        }
        return group
    }

    struct Member {
        var text: String
        var prefix: IPPrefix
    }

    /// The addresses of a group's ports, fixed IPs and allowed pairs: `_select_ips_for_remote_group`.
    func members(of group: String, _ family: IPAddress.Family) throws(NeutronError) -> [Member] {
        var members: [Member] = []
        for port in deployment.ports where port.securityGroups.contains(group) {
            let pairs = try port.prefixesOfPairs().map { Member(text: $0.pair.ipAddress, prefix: $0.prefix) }
            for address in port.fixedIPs {
                members.append(Member(text: address.description, prefix: IPPrefix(host: address)))
                members += pairs
            }
        }
        members = members.filter { $0.prefix.family == family }
        guard release.remoteGroupMembers == .set else { return members }
        var seen: Set<String> = []
        return members.filter { seen.insert($0.text).inserted }
            .sorted { $0.text.utf8.lexicographicallyPrecedes($1.text.utf8) }
    }

    // MARK: iptables

    private func match(_ flow: Flow, _ direction: Neutron.Direction, _ family: IPAddress.Family) -> Match {
        var words: [String] = []
        var spelling = ""
        for (option, prefix) in [("-s", flow.source), ("-d", flow.destination)] {
            guard let prefix else { continue }
            // iptables prints no match for everybody; releases that do not normalise still tell the two rules apart.
            if prefix.length > 0 { words += [option, prefix.network.description] }
            if !release.normalizesAddresses { spelling += "\(option) \(prefix)" }
        }
        words += ProtocolWords(release: release, name: flow.protocol)
            .words(
                sourcePorts: flow.sourcePorts.map { ($0.minimum, $0.maximum) },
                ports: flow.ports.map { ($0.minimum, $0.maximum) })
        if let set = flow.set { words += ["-m", "set", "--match-set", set, direction == .ingress ? "src" : "dst"] }
        return Match(text: words.joined(separator: " "), spelling: spelling)
    }

    /// The API's `icmp` in an IPv6 rule means ICMPv6.
    private func protocolName(_ rule: Neutron.SecurityGroupRule) -> String? {
        switch rule.protocol {
        case nil, "any", "0": nil
        case "icmp" where rule.ethertype == .v6, "icmpv6": "ipv6-icmp"
        case let name: name
        }
    }
}

extension NeutronRelease.IPSet {
    /// ipset_manager.py, `get_name`.
    func name(group: String, _ family: IPAddress.Family) -> String {
        String("\(prefix)IPv\(family.rawValue)\(group)".prefix(maximumLength))
    }
}

extension Neutron.Port {
    /// The pairs with their addresses read, in order.
    func prefixesOfPairs() throws(NeutronError) -> [(pair: Neutron.AddressPair, prefix: IPPrefix)] {
        var result: [(pair: Neutron.AddressPair, prefix: IPPrefix)] = []
        for pair in allowedAddressPairs {
            guard let prefix = IPPrefix(pair.ipAddress) else { throw .notAnAddress(pair.ipAddress, port: id) }
            result.append((pair, prefix))
        }
        return result
    }
}
