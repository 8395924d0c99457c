internal import Evidence
internal import Net
internal import Scenario

/// A director without an entry for a connection gives its packets to its own stack, which resets what it does not know.
struct ConnectionForgotten: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard let reset = failure.resetLater, let director = reset.hops.first?.namespace,
            failure.isDirector(director), let client = failure.flow?.client,
            failure.latestForward.last(where: { $0.started <= reset.started })?.lastHop?.namespace == director,
            let first = failure.forward.first(where: { $0.packet.has("tcp [S]") })
        else { return nil }
        let tables = failure.tables(of: director, around: reset.started)
        let stack = "to its own stack, which resets a connection that it does not know (#\(reset.number))"
        let entries = tables.before.flatMap(\.connections)
        if let entry = entries.last(where: { $0.client == client }), !tables.after.has(entry.destination) {
            return Diagnosis(
                name: "the connection's real server was removed",
                because:
                    "\(entry.destination.address), which had the connection, is no real server of \(director)'s service any "
                    + "more. With expire_nodest_conn=1 \(director) forgets the entry and gives the packet \(stack).",
                remedies: [])
        }
        guard !tables.after.connections.contains(where: { $0.client == client }) else { return nil }
        let others = first.hops.map(\.namespace).filter { $0 != director && failure.isDirector($0) }
        if let other = others.first, !entries.contains(where: { $0.client == client }) {
            return Diagnosis(
                name: "a director that does not know the connection",
                because:
                    "The connection began by way of \(other), and \(director) has no entry for it: it gives the packet "
                    + "\(stack).",
                remedies: [
                    .init("tell the other director of the connections (ipvsadm --start-daemon)", "sync-daemon")
                ])
        }
        return Diagnosis(
            name: "a director that does not know the connection",
            because: "\(director)'s entry for the connection is gone: it gives the packet \(stack).",
            remedies: [
                .init("sloppy_tcp=1 with a scheduler that finds the real server again (sh)", "sloppy-tcp/sloppy")
            ])
    }
}

/// A director that sends an open connection to another real server than before.
struct AnotherServersConnection: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard let reset = failure.resetLater, let server = reset.hops.first?.namespace, failure.isRealServer(server),
            let handshake = failure.replies.first(where: { $0.packet.has("tcp [S.]") }),
            let owner = handshake.hops.first?.namespace, owner != server,
            let astray = failure.latestForward.last(where: { $0.started <= reset.started }),
            astray.lastHop?.namespace == server,
            let director = astray.hops.map(\.namespace).first(where: failure.isDirector)
        else { return nil }
        let sysctls = failure.host(director)?.sysctls ?? []
        let isSloppy = sysctls.contains { $0.key == "net.ipv4.vs.sloppy_tcp" && $0.value == "1" }
        return Diagnosis(
            name: "another real server got the connection",
            because:
                "\(owner) has the connection, and \(director) sends its packets to \(server) now, which resets a connection "
                + "that it does not know (#\(reset.number)).",
            remedies: isSloppy
                ? [.init("a scheduler that finds the same real server again (sh)", "sloppy-tcp/sloppy")] : [])
    }
}

/// To conntrack without zones, connections from one address and port to the same server are one.
struct TwoClientsOneTuple: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        let openings = failure.forward.filter { $0.packet.has("tcp [S]") }
        guard let one = openings.first, let sender = one.hops.first?.namespace,
            let other = openings.first(where: { $0.hops.first?.namespace != sender }),
            let second = other.hops.first?.namespace, let source = one.source, other.source == source,
            let router = one.hops.first(where: { hop in
                hop.conntrack != nil && hop.namespace != sender && hop.namespace != second
                    && failure.passes(other, hop.namespace)
            })?.namespace
        else { return nil }
        return Diagnosis(
            name: "two clients with one tuple",
            because:
                "\(sender) and \(second) both connect from \(source) to the same server (#\(one.number), #\(other.number)): "
                + "to \(router)'s conntrack they are one connection, and answers go to the one that spoke last.",
            remedies: [.init("a conntrack zone for each client's cable (CT --zone-orig)", "nat-zones")])
    }
}

extension Case {
    /// A reset that ended the request on a connection that was established before.
    fileprivate var resetLater: Journey? {
        guard journey.protocol == "tcp", let reset = latestReplies.first(where: { $0.packet.has("tcp [R") }),
            replies.contains(where: { $0.started <= reset.started && $0.packet.has("tcp [S.]") })
        else { return nil }
        return reset
    }

    /// A director's tables at the snapshots before a moment, and at the next one.
    fileprivate func tables(
        of director: String, around time: Nanoseconds
    ) -> (before: [IPVSState], after: IPVSState) {
        let later = evidence.steps.first { $0.ended >= time }?.after ?? evidence.final
        let before = [evidence.initial] + evidence.steps.prefix { $0.ended < time }.map(\.after)
        return (before.compactMap { $0.ipvs[director] }, later.ipvs[director] ?? IPVSState())
    }
}

extension IPVSState {
    /// Whether any service has this real server.
    fileprivate func has(_ server: Endpoint) -> Bool {
        services.contains { service in
            service.destinations.contains { $0.address == server.address && $0.port == server.port }
        }
    }
}
