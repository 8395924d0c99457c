internal import Evidence
internal import Net
internal import Scenario

/// A hypervisor that saw a connection's SYN but never its SYN/ACK calls all that follows INVALID.
struct CrossHypervisorInvalid: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .droppedByConntrackRule, failure.isHypervisor,
            failure.rule?.rule.contains("INVALID") ?? false, failure.journey.protocol == "tcp",
            failure.journey.lastHop?.conntrack?.contains("SYN_SENT") ?? false
        else { return nil }
        let place = failure.place
        let answers = failure.replies.filter { !$0.hops.isEmpty }
        guard !answers.contains(where: { failure.passes($0, place) }) else { return nil }
        let path = answers.first.map { answer in
            let server = answer.hops.first?.namespace ?? "the real server"
            let way = answer.hops.first { hop in failure.scenario.hypervisors.contains { $0.name == hop.namespace } }
            return ", which \(server) sent " + (way.map { "by \($0.namespace)" } ?? "past it")
        }
        return Diagnosis(
            name: "cross-hypervisor INVALID",
            because:
                "\(place) saw the SYN but not the SYN-ACK\(path ?? ""), so its conntrack entry stays SYN_SENT and the "
                + "packet is INVALID there\(failure.conntracksWord).",
            remedies: [
                .init("Neutron from Newton on asks its own rules before INVALID", "release-matters/newton"),
                .init("put the real server on the director's hypervisor", "release-matters/icehouse-together"),
                .init("switch port security off on the director's port", "lb-portsec-off"),
                .init("do not track the VIP's packets (raw table, CT --notrack)", "fix-notrack-vip"),
                .init("a stateless security group", "fix-stateless-sg"),
            ])
    }
}

/// With a conntrack zone for each port, one hypervisor is as many as it has ports.
struct ZonePerPort: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .droppedByConntrackRule, failure.isHypervisor,
            let states = failure.journey.lastHop?.conntrack, states.contains("SYN_SENT"), states.contains("zone"),
            failure.replies.contains(where: { failure.passes($0, failure.place) })
        else { return nil }
        return Diagnosis(
            name: "a conntrack zone for each port",
            because:
                "\(failure.place) has a conntrack zone for each port: the SYN-ACK passed in the real server's zone, not in "
                + "the director's, where the entry stays SYN_SENT and the packet is INVALID\(failure.conntracksWord).",
            remedies: [
                .init("one zone for the network's ports", "zones-hybrid-same/one-zone"),
                .init("do not track the VIP's packets (raw table, CT --notrack)", "fix-notrack-vip"),
            ])
    }
}

/// A machine's own firewall that asks for INVALID, where only half of each connection passes: a director's.
struct GuestInvalid: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .droppedByConntrackRule, let host = failure.host(failure.place) else { return nil }
        return Diagnosis(
            name: "a machine's own rule about conntrack states",
            because:
                "\(host.name)'s own firewall asks for the conntrack state, and \(host.name) sees only one way of the "
                + "connection: the answers do not come back through it\(failure.conntracksWord).",
            remedies: [.init("do not track the service's packets in the machine", "lb-guest-invalid-drop/notrack")])
    }
}

/// Any other rule about a state.
struct AnyInvalid: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .droppedByConntrackRule else { return nil }
        let state = failure.journey.lastHop?.conntrack ?? "no entry"
        return Diagnosis(
            name: "dropped for its conntrack state",
            because: "For \(failure.place)'s conntrack (\(state)) the packet fits no connection that it saw begin"
                + "\(failure.conntracksWord).",
            remedies: [.init("do not track the VIP's packets (raw table, CT --notrack)", "fix-notrack-vip")])
    }
}

/// The source address is none that the port may send from.
struct MissingAddressPair: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .droppedBySpoofFilter, let sender = failure.sender,
            let hop = failure.journey.lastHop, let host = failure.host(sender),
            let port = host.ports.first(where: { $0.macAddress == hop.sourceMAC })
        else { return nil }
        let address = failure.journey.source?.address.description ?? failure.announced
        guard let address else { return nil }
        let own = port.fixedIPs.map(\.description) + port.allowedAddressPairs.map(\.ipAddress)
        guard !own.contains(address) else { return nil }
        guard failure.isDirector(sender) || failure.isRealServer(sender) else {
            return Diagnosis(
                name: "an address of somebody else",
                because:
                    "\(sender)'s port may send from \(own.joined(separator: ", ")) only, and the packet comes from "
                    + "\(address): port security keeps it from speaking for others.",
                remedies: [])
        }
        return Diagnosis(
            name: "missing allowed address pair",
            because: "\(sender)'s port may send from \(own.joined(separator: ", ")) only, and the packet comes from "
                + "\(address), which is no allowed address pair of it.",
            remedies: [remedy(sender, address, failure)])
    }

    private func remedy(_ sender: String, _ address: String, _ failure: Case) -> Diagnosis.Remedy {
        if !failure.isDirector(sender) {
            return .init("add the allowed address pair \(address) to \(sender)'s port", "pair-missing-on-rs/with-pair")
        }
        if failure.journey.protocol == "arp" {
            return .init("add the allowed address pair \(address) to \(sender)'s port", "vrrp-failover-garp/with-pair")
        }
        // A director sends on what clients sent.
        return .init(
            "add an allowed address pair for all clients (0.0.0.0/0) to \(sender)'s port",
            "pair-missing-on-lb/pair-for-all")
    }
}

/// The source MAC is not the port's.
struct ForeignMAC: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .droppedBySpoofFilter, let hop = failure.journey.lastHop,
            let sender = failure.sender
        else { return nil }
        return Diagnosis(
            name: "a foreign MAC or IP address",
            because: "\(sender)'s port sends what port security does not let it: from \(hop.sourceMAC)"
                + (failure.journey.source.map { " and \($0.address)" } ?? "") + ".",
            remedies: [.init("switch port security off on this port", "ip-and-mac-spoof/portsec-off")])
    }
}

/// No rule of a security group lets the packet through.
struct SecurityGroupMissing: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .droppedByRule, failure.isHypervisor,
            failure.journey.blame?.rules.contains(where: { $0.chain.hasSuffix("sg-fallback") }) ?? false,
            let chain = failure.journey.blame?.rules.last(where: { $0.rule.contains("sg-fallback") })?.chain
        else { return nil }
        let letter = chain.split(separator: "-").dropFirst(2).first?.first
        let isEgress = letter == "o"
        let owner = failure.scenario.hosts.first { host in
            host.ports.contains { chain.hasSuffix(String($0.id.prefix(10))) }
        }?.name
        let from = failure.journey.source.map { $0.port == 0 ? "\($0.address)" : "\($0)" } ?? "there"
        let to = failure.journey.destination.map { $0.port == 0 ? "\($0.address)" : "\($0)" } ?? "there"
        let direction = isEgress ? "egress" : "ingress"
        return Diagnosis(
            name: "security group missing",
            because:
                "No security group of \(owner ?? "the machine")'s port allows \(direction) \(failure.journey.protocol) "
                + "from \(from) to \(to), and conntrack has no connection that it would belong to.",
            remedies: [
                .init(
                    "a security group rule for \(direction) \(failure.journey.protocol)"
                        + (failure.journey.destination.map { $0.port == 0 || isEgress ? "" : " to port \($0.port)" }
                            ?? "")
                        + (owner.map { " on \($0)'s port" } ?? ""),
                    failure.journey.destination?.port == Case.syncPort
                        ? "sync-blocked-by-sg/allowed"
                        : failure.journey.protocol == "udp" ? "udp-cross-ok" : "sg-ingress-missing/everywhere")
            ])
    }
}

/// Port security keeps machines from being DHCP servers.
struct DHCPServerSpoof: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard let rule = failure.rule?.rule, rule.contains("--sport 67"), rule.contains("--dport 68") else {
            return nil
        }
        return Diagnosis(
            name: "no DHCP servers behind ports",
            because:
                "Port security lets no machine answer DHCP clients, and \(failure.sender ?? "it") sends from port 67.",
            remedies: [])
    }
}

/// A rule that somebody wrote.
struct HostRule: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .droppedByRule, let rule = failure.rule else { return nil }
        return Diagnosis(
            name: "a rule says so",
            because:
                "\(failure.place)'s rule \(rule.number) in \(rule.table) \(rule.chain) drops such packets: \(rule.rule).",
            remedies: [])
    }
}

extension Case {
    /// The address that an ARP message speaks for.
    var announced: String? {
        let words = journey.packet.split(separator: " ").map(String.init)
        if let index = words.firstIndex(of: "is-at"), index > 0 { return words[index - 1] }
        if let index = words.firstIndex(of: "tell"), index + 1 < words.count { return words[index + 1] }
        return nil
    }

    func isRealServer(_ name: String) -> Bool {
        let addresses = Set(scenario.services.flatMap(\.realServers).map(\.address))
        return host(name)?.ports.contains { !addresses.isDisjoint(with: $0.fixedIPs) } ?? false
    }

    func isDirector(_ name: String) -> Bool { scenario.services.contains { $0.director == name } }
}
