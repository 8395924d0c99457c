internal import Evidence
internal import Net
internal import Scenario

/// No rule of a security group lets the packet through.
struct SecurityGroupMissing: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .droppedByRule, failure.isHypervisor,
            failure.journey.blame?.rules.contains(where: { $0.chain.hasSuffix("sg-fallback") }) ?? false,
            let chain = failure.journey.blame?.rules.last(where: { $0.rule.contains("sg-fallback") })?.chain
        else { return nil }
        let letter = chain.split(separator: "-").dropFirst(2).first?.first
        let isEgress = letter == "o"
        let owner = failure.scenario.hosts.first { $0.hasPort(of: chain) }?.name
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

/// What a raw rule keeps from conntrack is UNTRACKED, which is not NEW.
struct UntrackedNotNew: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .droppedByRule, failure.isHypervisor,
            let chain = failure.journey.blame?.rules.last(where: { $0.rule.contains("sg-fallback") })?.chain,
            let port = failure.journey.destination?.port
        else { return nil }
        let rules = failure.snapshots[1].rules[failure.place] ?? []
        guard
            let untracking = rules.first(where: { rule in
                rule.table == "raw" && rule.packets > 0 && rule.rule.contains("--notrack")
                    && failure.journey.destination.map { rule.rule.contains("-d \($0.address)") } ?? false
            }),
            let asking = rules.first(where: { rule in
                rule.chain == chain && rule.packets == 0 && rule.rule.contains("--state NEW")
                    && rule.rule.contains("--dport \(port) ") && rule.rule.contains("-p \(failure.journey.protocol) ")
            })
        else { return nil }
        return Diagnosis(
            name: "an untracked packet is not NEW",
            because:
                "\(failure.place)'s raw rule '\(untracking.rule)' keeps the packet from conntrack, and the rule that would "
                + "let it pass asks for NEW, which an untracked packet is not: '\(asking.rule)'.",
            remedies: [.init("a rule that asks for no state", "fix-notrack-vip")])
    }
}

/// One stateless port leaves its whole network untracked on its hypervisor (see fix-stateless-sg).
struct StatelessNeighbour: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .droppedByRule, failure.isHypervisor, failure.journey.isReply,
            let chain = failure.journey.blame?.rules.last(where: { $0.rule.contains("sg-fallback") })?.chain,
            let own = failure.scenario.hosts.first(where: { $0.hasPort(of: chain) })
        else { return nil }
        // Neutron's comment ends in the device's name, without its first four letters.
        let stateless = (failure.snapshots[1].rules[failure.place] ?? []).filter {
            $0.table == "raw" && $0.packets > 0 && $0.rule.contains("-i brq") && $0.rule.contains(" stateless")
        }
        let owners = failure.scenario.hosts.filter { host in
            host.ports.contains { port in
                stateless.contains { $0.rule.contains("\(port.tapName.dropFirst(4)) stateless") }
            }
        }
        guard let other = owners.first, !owners.contains(where: { $0.name == own.name }) else { return nil }
        return Diagnosis(
            name: "untracked by a stateless neighbour",
            because:
                "\(other.name)'s port has a stateless security group, and its raw rule keeps the whole network's packets "
                + "from \(failure.place)'s conntrack: \(own.name)'s answer is not ESTABLISHED there, and needs a rule.",
            remedies: [.init("a stateful group for \(other.name)'s port, too", "fix-stateless-sg/both-tracked")])
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

extension Host {
    /// Whether Neutron's chain `neutron-linuxbri-i1b000010-0` is of a port of its.
    fileprivate func hasPort(of chain: String) -> Bool { ports.contains { chain.hasSuffix(String($0.id.prefix(10))) } }
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
        host(name)?.ports.contains { !facts.realServers.isDisjoint(with: $0.fixedIPs) } ?? false
    }

    func isDirector(_ name: String) -> Bool { scenario.services.contains { $0.director == name } }

    func isVIP(_ address: String) -> Bool { scenario.services.contains { $0.address.description == address } }
}

extension Journey {
    /// The address that an ARP question asks for.
    var asked: IPAddress? {
        let words = packet.split(separator: " ").map(String.init)
        guard `protocol` == "arp", let index = words.firstIndex(of: "who-has"), index + 1 < words.count else {
            return nil
        }
        return IPAddress(words[index + 1])
    }
}
