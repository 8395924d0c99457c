internal import Evidence
internal import Net
internal import Scenario

/// The gateway sends to a director that is not there any more: nobody told it of the new one, or it does not listen.
struct StaleNeighbour: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .floodedOnly || failure.journey.end == .lostOnLink,
            let vip = failure.journey.destination?.address ?? failure.journey.asked, let hop = failure.journey.lastHop,
            let old = failure.scenario.hosts.first(where: { host in
                host.ports.contains { $0.macAddress == hop.destinationMAC }
            })
        else { return nil }
        let directors = failure.scenario.services.filter { $0.address == vip }.map(\.director)
        guard directors.contains(old.name), let other = directors.first(where: { $0 != old.name }) else { return nil }
        let sender = failure.sender ?? "the gateway"
        let isStatic = failure.snapshots.contains { snapshot in
            (snapshot.neighbours[sender] ?? []).contains {
                $0.address == vip && $0.mac == hop.destinationMAC && $0.state == "PERMANENT"
            }
        }
        if isStatic {
            return Diagnosis(
                name: "a static neighbour entry for a dead director",
                because:
                    "\(sender) has a permanent neighbour entry that says that \(vip) is at \(old.name)'s MAC address, and "
                    + "\(old.name) is not there; no announcement of \(other) moves it.",
                remedies: [
                    .init("no static entry, and real servers that keep quiet", "arp-static-entry-router/dynamic")
                ])
        }
        return Diagnosis(
            name: "a failover that was not announced",
            because: "\(sender) still has the MAC address of \(old.name) for \(vip), and \(old.name) is not there; no "
                + "announcement of \(other) reached it.",
            remedies: [.init("\(other) announces the VIP when it takes over", "garp-missing/announced")])
    }
}

/// A director gave the VIP up, and the gateway does not know it yet.
struct VIPMovedAway: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .notForUs, let vip = failure.journey.destination?.address else { return nil }
        let started = failure.journey.started
        let claims = failure.journeys.journeys.filter { $0.claims(vip) }
        guard let own = claims.last(where: { $0.started <= started && $0.hops.first?.namespace == failure.place })
        else { return nil }
        let next = claims.first { $0.started > started && $0.hops.first?.namespace != failure.place }
        return Diagnosis(
            name: "a VIP that moved away",
            because:
                "\(failure.place) does not have \(vip) any more, which it claimed before (#\(own.number)), and "
                + "\(failure.sender ?? "the gateway") still sends to it"
                + (next.flatMap { next in next.hops.first.map { "; \($0.namespace) claims it later (#\(next.number))" }
                }
                    ?? "") + ".",
            remedies: [])
    }
}

/// The client's packets go to a real server past the director: the gateway believes that it has the VIP.
struct RealServerAnsweredARP: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard let (past, server) = failure.pastDirectors, failure.isRealServer(server) else { return nil }
        let vip = past.destination.map { "\($0.address)" } ?? "the VIP"
        let answer = failure.journeys.journeys.first {
            $0.protocol == "arp" && $0.packet.contains("\(vip) is-at") && $0.hops.first?.namespace == server
        }
        return Diagnosis(
            name: "ARP answered by a real server",
            because: "\(server) got the client's packets straight from the gateway, past the director"
                + (answer.map { ": it answered the question for \(vip) (#\($0.number))" } ?? "") + ".",
            remedies: [
                .init(
                    "arp_ignore=1 and arp_announce=2 on the real servers", "arp-matrix/arp_ignore-1-and-arp_announce-2"),
                .init("arptables rules on the real servers", "arptables-drop-drop"),
            ])
    }
}

/// A machine that is no part of the service took the VIP: the gateway believes that it has it.
struct StrangerClaimedVIP: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard let (past, stranger) = failure.pastDirectors, !failure.isRealServer(stranger),
            let vip = past.destination?.address
        else { return nil }
        let claim = failure.journeys.journeys.last {
            $0.started <= past.started && $0.hops.first?.namespace == stranger && $0.claims(vip)
        }
        guard let claim else { return nil }
        return Diagnosis(
            name: "the VIP claimed by a stranger",
            because:
                "\(stranger) got the client's packets instead of the director: it claimed \(vip) by ARP "
                + "(#\(claim.number)), and the gateway believed it.",
            remedies: [.init("Neutron from Liberty on filters ARP by the port's addresses", "arp-spoof-vip/newton")])
    }
}

/// A card without ARP neither asks nor answers, and takes its own MAC address for everybody's (`arp_constructor` in
/// net/ipv4/arp.c).
struct CardWithoutARP: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        let journey = failure.journey
        let because: String
        if journey.end == .toItself, let sender = failure.sender {
            because =
                "\(sender) sent the packet to its own MAC address: a card without ARP (NOARP) asks for nobody's and takes "
                + "its own for everybody's."
        } else if let host = failure.silent.first(where: {
            failure.facts.changes.isWithoutARP($0.name, at: journey.started)
        }),
            let question = failure.questions.first(where: { $0.lastHop?.namespace == host.name && $0.end == .delivered }
            )
        {
            because =
                "\(failure.place)'s question came to \(host.name) (#\(question.number)), whose card answers none: 'arp off' "
                + "(NOARP) is for its own address as well."
        } else {
            return nil
        }
        return Diagnosis(
            name: "a card without ARP", because: because,
            remedies: [.init("static entries both ways, made after 'arp off'", "arp-noarp-flag/static-both-ways")])
    }
}

/// Who is asked or sent to has no power, or no link.
struct MachineOff: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        let time = failure.journey.lastHop?.time ?? failure.journey.started
        let out = failure.silent.lazy.compactMap { host in
            failure.facts.changes.outage(of: host.name, at: time).map { (host, $0) }
        }
        guard let (host, outage) = out.first else { return nil }
        let effect =
            failure.journey.end == .neighbourUnreachable
            ? "does not answer \(failure.place)'s ARP questions" : "is not there to take the packet"
        let remedies = remedies(for: host.name, failure)
        return switch outage {
        case .off:
            Diagnosis(
                name: "a machine that is off", because: "\(host.name) has lost its power and \(effect).",
                remedies: remedies)
        case .linkDown:
            Diagnosis(
                name: "a machine whose link is down", because: "\(host.name)'s link is down, so it \(effect).",
                remedies: remedies)
        }
    }

    private func remedies(for name: String, _ failure: Case) -> [Diagnosis.Remedy] {
        if failure.isRealServer(name) {
            // To UDP from one port every packet is of the old connection.
            return failure.journey.protocol == "udp"
                ? [.init("remove it from the service, with expire_nodest_conn=1", "udp-stale-rs/expire")]
                : [
                    .init("a health check that removes it, for new connections", "rs-crash-mid-conn/removed")
                ]
        }
        return failure.isDirector(name)
            ? [.init("a second director that takes the VIP over and announces it", "keepalived/silent")] : []
    }
}

struct MachineMoved: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .floodedOnly, let name = failure.silent.first?.name ?? failure.sender,
            failure.scenario.timeline.contains(where: { step in
                step.actions.contains { if case .move(name, _) = $0 { true } else { false } }
            })
        else { return nil }
        return Diagnosis(
            name: "a machine that moved without a word", because: failure.whereItWent,
            remedies: [.init("the machine announces itself at its new place", "rs-live-migration")])
    }
}

struct NobodyThere: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .floodedOnly else { return nil }
        return Diagnosis(name: "nobody there", because: failure.whereItWent, remedies: [])
    }
}

struct MachineGone: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .neighbourUnreachable else { return nil }
        return Diagnosis(
            name: "neighbour unreachable",
            because: "\(failure.place) asked for the MAC address of the packet's next machine, and nobody answered.",
            remedies: [])
    }
}

extension Journey {
    /// Whether it says by ARP that its sender has an address: an answer, or any message in that address' name.
    fileprivate func claims(_ address: IPAddress) -> Bool {
        `protocol` == "arp" && (packet.hasSuffix("tell \(address)") || packet.contains("\(address) is-at"))
    }
}

extension Case {
    /// The first of the flow's packets to a VIP that came to a machine that is none of its directors, past all of these.
    fileprivate var pastDirectors: (journey: Journey, machine: String)? {
        guard let service, service.firewallMark == nil else { return nil }
        let directors = Set(scenario.services.filter { $0.address == service.address }.map(\.director))
        for journey in forward where journey.destination?.address == service.address {
            guard let hop = journey.lastHop, hop.direction == .into, !directors.contains(hop.namespace),
                host(hop.namespace)?.ports.contains(where: { $0.macAddress == hop.destinationMAC }) ?? false,
                !journey.hops.contains(where: { directors.contains($0.namespace) })
            else { continue }
            return (journey, hop.namespace)
        }
        return nil
    }

    fileprivate var whereItWent: String {
        let fact = journey.blame?.evidence.first ?? "only others saw it"
        return "The frame went where its receiver is not: \(fact)."
    }

    /// The place's ARP questions around the time of the journey that nobody answered.
    fileprivate var questions: [Journey] {
        let time = journey.lastHop?.time ?? journey.started
        return facts.unanswered.filter { question in
            question.hops.first?.namespace == place
                && (time - 3_000_000_000...time + 4_000_000_000).contains(question.started)
        }
    }

    /// The machine that the frame was sent to, or those that the place asks for, in vain.
    fileprivate var silent: [Host] {
        switch journey.end {
        case .neighbourUnreachable:
            return questions.compactMap { $0.asked }.compactMap(host(with:))
        case .floodedOnly, .lostOnLink:
            guard let mac = journey.lastHop?.destinationMAC else { return [] }
            if mac.isMulticast { return [journey.asked.flatMap(host(with:))].compactMap(\.self) }
            return scenario.hosts.filter { host in host.ports.contains { $0.macAddress == mac } }
        default: return []
        }
    }

    private func host(with address: IPAddress) -> Host? { scenario.hosts.first { $0.has(address) } }
}
