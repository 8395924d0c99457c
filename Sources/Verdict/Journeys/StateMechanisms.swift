internal import Evidence
internal import Net
internal import Scenario

/// A hypervisor past which the answers go calls what follows them INVALID.
struct CrossHypervisorInvalid: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        let journey = failure.journey
        guard journey.end == .droppedByConntrackRule, failure.isHypervisor, !journey.isReply,
            failure.rule?.rule.contains("INVALID") ?? false
        else { return nil }
        let place = failure.place
        // Where the real server was meanwhile may change.
        guard let answer = failure.replies.last(where: { $0.started <= journey.started }),
            !failure.passes(answer, place), let server = answer.hops.first?.namespace
        else { return nil }
        let way = answer.hops.first { hop in failure.scenario.hypervisors.contains { $0.name == hop.namespace } }
        let path = ", which \(server) sent " + (way.map { "by \($0.namespace)" } ?? "past it")
        let state = journey.lastHop?.conntrack ?? ""
        let because: String
        var remedies: [Diagnosis.Remedy] = []
        if journey.protocol == "sctp" {
            because =
                "\(place) saw the INIT but not the INIT ACK\(path), so it does not know the tag that the packet bears, "
                + "and the packet is INVALID there\(failure.conntracksWord)."
            return Diagnosis(
                name: "cross-hypervisor INVALID", because: because,
                remedies: [.init("Neutron from Newton on asks its own rules before INVALID", "sctp-dr/newton")])
        } else if state.contains("SYN_SENT") {
            because =
                "\(place) saw the SYN but not the SYN-ACK\(path), so its conntrack entry stays SYN_SENT and the "
                + "packet is INVALID there\(failure.conntracksWord)."
        } else if state.contains("ESTABLISHED") {
            because =
                "\(place) did not see the answer\(path), so the packet acknowledges what was never sent there and is "
                + "INVALID\(failure.conntracksWord)."
            remedies = [
                .init("nf_conntrack_tcp_be_liberal=1 on the hypervisor, for open connections", "move-one-rs/be-liberal")
            ]
        } else {
            return nil
        }
        return Diagnosis(
            name: "cross-hypervisor INVALID", because: because,
            remedies: remedies + [
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
            remedies: failure.isDirector(host.name)
                ? [.init("do not track the service's packets in the machine", "lb-guest-invalid-drop/notrack")]
                : [
                    .init("let the answers come back by the same router", "k8s-94861/one-way"),
                    .init("no such rule on this router", "k8s-94861/no-rule"),
                ])
    }
}

/// A message about a connection that is not there (RELATED to nothing).
struct UnknownQuotation: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .droppedByConntrackRule, failure.journey.protocol.hasPrefix("icmp"),
            failure.journey.flow == nil, failure.journey.quotes == nil
        else { return nil }
        return Diagnosis(
            name: "an ICMP error about no known connection",
            because:
                "The ICMP error quotes a packet that \(failure.place) never saw, so it is RELATED to nothing there, and "
                + "INVALID\(failure.conntracksWord).",
            remedies: [])
    }
}

/// LP#1460741: of a connection whose SYN came inside another packet, a real server's hypervisor sees the answers alone.
struct TunnelledSYN: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .droppedByConntrackRule, failure.journey.isReply,
            failure.journey.packet.has("tcp [S.]"),
            let tunnel = failure.forward.lazy.flatMap(\.hops).first(where: { hop in
                hop.namespace == failure.place && hop.tunnel != nil
            })?.tunnel
        else { return nil }
        return Diagnosis(
            name: "a SYN in a tunnel",
            because:
                "\(failure.place) saw the SYN only inside a packet of the director's (\(tunnel)), so the SYN-ACK opens "
                + "nothing there and is INVALID\(failure.conntracksWord).",
            remedies: [.init("Neutron from Newton on asks its own rules before INVALID", "lp-1460741/newton")])
    }
}

/// LP#1478925: a RST deletes the entry that it meets first, and belongs to nothing where it meets conntrack again.
struct ResetTwice: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .droppedByConntrackRule, failure.journey.packet.has("tcp [R"),
            failure.journey.hops.count(where: { $0.namespace == failure.place && $0.direction == .into }) > 1
        else { return nil }
        let director = failure.journey.hops.first { failure.isDirector($0.namespace) }?.namespace
        return Diagnosis(
            name: "a RST that meets conntrack twice",
            because:
                "The RST crosses \(failure.place)'s conntrack twice"
                + (director.map { ", on its way to \($0) and from there on" } ?? ", once for each port's bridge")
                + ": the first time it ends the connection, which \(failure.place) never saw answered, and the second "
                + "time it belongs to none and is INVALID\(failure.conntracksWord).",
            remedies: failure.scenario.hasHybridBridges
                ? [.init("a conntrack zone for each port", "rst-double-cross/zone-per-port")]
                : [.init("Neutron from Newton on asks its own rules before INVALID", "rst-isn-lottery/newton")])
    }
}

/// Without loose pickup a connection must be seen from its SYN on.
struct NoLoosePickup: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .droppedByConntrackRule, failure.journey.protocol == "tcp",
            !failure.journey.packet.has("tcp [S"),
            failure.sysctl("net.netfilter.nf_conntrack_tcp_loose") == "0",
            !failure.snapshots.contains(where: { snapshot in
                (snapshot.conntrack[failure.place] ?? []).contains(where: failure.isOfJourney)
            })
        else { return nil }
        return Diagnosis(
            name: "no loose pickup",
            because:
                "\(failure.place) did not see the connection begin, and with nf_conntrack_tcp_loose=0 conntrack takes up "
                + "none in the middle: the packet is INVALID\(failure.conntracksWord).",
            remedies: [.init("nf_conntrack_tcp_loose=1", "director-failover-cross-hv")])
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
            remedies: failure.service == nil
                ? [] : [.init("do not track the VIP's packets (raw table, CT --notrack)", "fix-notrack-vip")])
    }
}

extension Case {
    /// Whether an entry is of the connection that the journey's packet belongs to.
    func isOfJourney(_ entry: ConntrackEntry) -> Bool {
        guard let source = journey.source, let destination = journey.destination else { return false }
        return [entry.original, entry.reply].contains { tuple in
            tuple.source == source.address && tuple.destination == destination.address
                && tuple.sourcePort == source.port && tuple.destinationPort == destination.port
        }
    }
}
