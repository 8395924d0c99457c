internal import Evidence
internal import Net
internal import Scenario

/// The source address is none that the port may send from.
struct MissingAddressPair: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .droppedBySpoofFilter, let sender = failure.sender,
            let hop = failure.journey.lastHop, let host = failure.host(sender),
            let port = host.ports.first(where: { $0.macAddress == hop.sourceMAC })
        else { return nil }
        let source = failure.journey.source?.address ?? failure.announced.flatMap { IPAddress($0) }
        guard let address = source?.description else { return nil }
        let own = port.fixedIPs.map(\.description) + port.allowedAddressPairs.map(\.ipAddress)
        guard !own.contains(address) else { return nil }
        if let owner = source.flatMap({ self.owner(of: $0, not: sender, failure) }) {
            return Diagnosis(
                name: "an address of somebody else",
                because:
                    "\(sender)'s port may send from \(own.joined(separator: ", ")) only, and the packet comes from "
                    + "\(address), \(owner): port security keeps it from speaking for others.",
                remedies: [])
        }
        return Diagnosis(
            name: "missing allowed address pair",
            because: "\(sender)'s port may send from \(own.joined(separator: ", ")) only, and the packet comes from "
                + "\(address), which is no allowed address pair of it.",
            remedies: [remedy(sender, address, failure)])
    }

    /// Whose address it is, if it is not the sender's to speak for; nil if it is, or nobody's.
    private func owner(of address: IPAddress, not sender: String, _ failure: Case) -> String? {
        // What it sends on, as directors and routers do, bears the addresses of others.
        if failure.journey.hops.contains(where: { $0.namespace == sender && $0.direction == .into }) { return nil }
        let services = failure.scenario.services.filter { $0.address == address }
        if let service = services.first {
            let serves = services.contains { service in
                service.director == sender
                    || service.realServers.contains { failure.host(sender)?.has($0.address) ?? false }
            }
            return serves ? nil : "the VIP of \(service.director)"
        }
        return failure.scenario.hosts.first { $0.name != sender && $0.has(address) }.map { "\($0.name)'s" }
    }

    private func remedy(_ sender: String, _ address: String, _ failure: Case) -> Diagnosis.Remedy {
        if failure.isRealServer(sender), failure.isVIP(address) {
            return .init("add the allowed address pair \(address) to \(sender)'s port", "pair-missing-on-rs/with-pair")
        }
        if failure.journey.protocol == "arp" {
            return .init("add the allowed address pair \(address) to \(sender)'s port", "vrrp-failover-garp/with-pair")
        }
        if failure.isDirector(sender) {
            // A director sends on what clients sent.
            return .init(
                "add an allowed address pair for all clients (0.0.0.0/0) to \(sender)'s port",
                "pair-missing-on-lb/pair-for-all")
        }
        return .init("add the allowed address pair \(address) to \(sender)'s port", "ip-and-mac-spoof/with-pair")
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

/// Port security keeps machines from being routers.
struct RouterSpoof: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .droppedByRule, let rule = failure.rule, rule.rule.contains("--icmpv6-type 134"),
            rule.chain.contains("-o")
        else { return nil }
        return Diagnosis(
            name: "no IPv6 routers behind ports",
            because:
                "Port security lets no machine advertise itself as an IPv6 router (ICMPv6 134), and "
                + "\(failure.sender ?? "it") does.",
            remedies: [])
    }
}

extension Host {
    /// Whether a card of its has this address.
    func has(_ address: IPAddress) -> Bool {
        ports.contains { port in
            port.fixedIPs.contains(address) || port.addresses?.contains { $0.address == address } ?? false
        }
    }
}
