internal import Evidence
internal import Net
internal import Scenario

struct DirectorsLoop: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .ttlExceeded else { return nil }
        let visits = failure.journey.hops.filter { $0.direction == .into && $0.namespace == failure.place }.count
        guard visits > 1 else {
            return Diagnosis(
                name: "TTL exceeded",
                because:
                    "The packet came to \(failure.place) with TTL \(failure.journey.lastHop?.ttl ?? 1); a director takes "
                    + "one, as a router does.",
                remedies: [.init("let the sender start with a higher TTL", "ttl-decrement")])
        }
        let others = Set(failure.journey.hops.map(\.namespace)).filter {
            failure.isRealServer($0) && !failure.isDirector($0)
        }.sorted()
        if let server = others.first {
            return Diagnosis(
                name: "a real server that forwards",
                because:
                    "\(server) does not have the VIP and forwards packets: it sends them back to the director, \(visits) "
                    + "times.",
                remedies: [.init("configure the VIP on the real server", "rs-without-vip-drops/with-vip")])
        }
        return Diagnosis(
            name: "a loop of directors",
            because:
                "The packet came to \(failure.place) \(visits) times: two directors each take the other for a real server.",
            remedies: [
                .init("on a backup no service whose real servers are directors", "backup-is-rs-loop/backup-only")
            ])
    }
}

/// A receiver that waits in vain for the rest of a packet (RFC 792 and RFC 4443: reassembly time exceeded).
struct FragmentMissing: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .answeredByICMP, let number = failure.journey.quotedBy,
            let error = failure.journeys.journeys.first(where: { $0.number == number }),
            error.packet.has("type 11 code 1") || error.packet.has("type 3 code 1") && error.protocol == "icmpv6"
        else { return nil }
        return Diagnosis(
            name: "a fragment missing",
            because:
                "\(failure.place) got only some of the packet's fragments, waited for the rest and gave up (#\(number)).",
            remedies: [])
    }
}

struct PortNotListening: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.protocol == "tcp",
            let reset = failure.replies.first(where: { $0.packet.has("tcp [R") }),
            !failure.replies.contains(where: { $0.packet.has("tcp [S.]") }),
            let server = reset.hops.first?.namespace,
            failure.forward.contains(where: { $0.end == .delivered && $0.lastHop?.namespace == server }),
            let port = failure.forward.first?.destination?.port
        else { return nil }
        return Diagnosis(
            name: "port not listening",
            because:
                "\(server) answers the SYN with a reset (#\(reset.number)): nothing listens on port \(port) there.",
            remedies: [
                .init("with direct routing servers must listen on the service's own port", "dr-happy-same"),
                .init("masquerading can change the port", "port-mapping-impossible/masquerading"),
            ])
    }
}

struct LossyCable: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .lostOnLink else { return nil }
        let fact = failure.journey.blame?.evidence.first ?? "it was not seen again"
        return Diagnosis(
            name: "lost on a link", because: "The cable lost the packet, or its other end is down: \(fact).",
            remedies: [])
    }
}

/// A machine that is neither the packet's destination nor a router.
struct NotForwarding: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .notForUs, let destination = failure.journey.destination?.address else {
            return nil
        }
        if failure.isDirector(failure.place), let source = failure.journey.source?.address,
            failure.scenario.services.contains(where: { service in
                service.director == failure.place
                    && service.realServers.contains { $0.address == source && $0.forwarding == .masquerading }
            })
        {
            return Diagnosis(
                name: "a masquerading director that does not forward",
                because:
                    "\(failure.place) masquerades, and the answers go back through it; but net.ipv4.ip_forward is off there.",
                remedies: [.init("ip_forward=1 on the director", "ip-forward-off-dr/masquerading-forwarding")])
        }
        let setting = destination.family == .v4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding"
        return Diagnosis(
            name: "not for us",
            because: "\(failure.place) does not have the address \(destination), and \(setting) is off there.",
            remedies: [])
    }
}
