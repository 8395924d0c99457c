internal import Evidence
internal import Net
internal import Scenario

struct ConntrackTableFull: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .tableFull, let fact = failure.journey.blame?.evidence.first,
            fact.contains("conntrack")
        else { return nil }
        return Diagnosis(
            name: "conntrack table full",
            because: "The packet would need a conntrack entry, and there is no room for one: \(fact).",
            remedies: [.init("do not track these packets (raw table, CT --notrack)", "conntrack-table-full/notrack")])
    }
}

struct NeighbourTableFull: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .tableFull, let fact = failure.journey.blame?.evidence.first else { return nil }
        return Diagnosis(
            name: "neighbour table full", because: "\(failure.place) cannot ask for a MAC address: \(fact).",
            remedies: [.init("a larger net.ipv4.neigh.default.gc_thresh3", "neigh-table-overflow/room")])
    }
}

/// A director that has only the VIP asks for its real servers with the VIP as sender; they have it themselves.
struct DirectorWithoutSecondAddress: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        let journey = failure.journey
        let director: String
        let vip: IPAddress
        if journey.end == .droppedAsMartian, journey.asked != nil, let asker = journey.hops.first?.namespace,
            let sender = failure.announced.flatMap({ IPAddress($0) }), failure.isVIP(sender.description)
        {
            (director, vip) = (asker, sender)
        } else if journey.end == .neighbourUnreachable, let address = failure.service?.address {
            (director, vip) = (failure.place, address)
        } else {
            return nil
        }
        let questions = failure.journeys.journeys.filter {
            $0.protocol == "arp" && $0.packet.hasSuffix("tell \(vip)") && $0.hops.first?.namespace == director
        }
        guard failure.isDirector(director), let question = questions.first, question.hops.count > 1,
            !failure.journeys.journeys.contains(where: { $0.answers == question.number })
        else { return nil }
        return Diagnosis(
            name: "director without a second address",
            because:
                "\(director) asks for its real servers with the VIP \(vip) as sender ('\(question.packet)'), and a "
                + "machine that has the VIP itself does not answer such a question.",
            remedies: [
                .init("give the director an address of its own beside the VIP", "dr-happy-same"),
                .init("configure the VIP on the director with the prefix length 32", "lb-vip-host-mask"),
            ])
    }
}

/// A real server that cannot ask for its gateway, because its own arptables drops questions from the VIP.
struct ColdNeighbour: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.protocol == "tcp" || failure.journey.protocol == "udp",
            let server = failure.latestForward.last(where: { $0.end == .delivered })?.hops.last?.namespace,
            let vip = failure.flow?.server.address, failure.latestReplies.isEmpty
        else { return nil }
        let rules = failure.evidence.final.rules[server] ?? []
        guard
            let rule = rules.first(where: {
                $0.family == "arp" && $0.chain == "OUTPUT" && $0.packets > 0 && $0.rule.contains("DROP")
                    && $0.rule.contains(vip.description)
            })
        else { return nil }
        return Diagnosis(
            name: "cold neighbour behind arptables DROP",
            because:
                "\(server) does not know its gateway's MAC address and asks for it with the VIP \(vip) as sender; its own "
                + "arptables rule '\(rule.rule)' dropped \(rule.packets.of("such question")).",
            remedies: [
                .init("arp_announce=2: ask with an address of the card", "arptables-drop-cold-neigh/announce-2"),
                .init("mangle the sender's address instead of dropping", "arptables-drop-cold-neigh/mangle"),
                .init("a permanent neighbour entry for the gateway", "arptables-drop-cold-neigh/static-gateway"),
            ])
    }
}

struct ReversePathFilter: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .droppedByReversePathFilter, let hop = failure.journey.lastHop else { return nil }
        let source = failure.journey.source.map { "\($0.address)" } ?? "its source"
        let isTunnel = hop.tunnel != nil
        return Diagnosis(
            name: "rp_filter",
            because: isTunnel
                ? "\(failure.place) takes the packet out of its tunnel, but would not send to \(source) by the tunnel's "
                    + "device: rp_filter drops it."
                : "The packet came in by \(hop.port), and \(failure.place)'s way back to \(source) is another one: rp_filter "
                    + "drops it.",
            remedies: isTunnel
                ? [.init("rp_filter=0 on the tunnel's device", "tun-ipip")]
                : [
                    .init("rp_filter=2 (loose)", "rp-filter-two-nic/loose"),
                    .init("rp_filter=0", "rp-filter-two-nic/off"),
                ])
    }
}

struct MartianSource: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .droppedAsMartian else { return nil }
        let source = failure.journey.source.map { "\($0.address)" } ?? "its source"
        return Diagnosis(
            name: "martian source",
            because:
                "The answer goes back through \(failure.place), which has its source \(source) itself: a packet from one's "
                + "own address is a martian.",
            remedies: [.init("accept_local=1 on the director", "reply-through-director/accept-local")])
    }
}

struct MTUBlackHole: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .tooBig else { return nil }
        let size = failure.journey.blame?.evidence.last { $0.contains("octets") }
        guard let error = failure.journey.quotedBy else {
            return Diagnosis(
                name: "MTU black hole",
                because:
                    "A bridge drops what is too big for the next cable without a word (\(size ?? failure.place)); nobody "
                    + "tells the sender.",
                remedies: [
                    .init("the smaller MTU in the machine, too", "mtu-too-small-on-the-way/vm-mtu"),
                    .init("tcp_mtu_probing=1 in the sender", "mtu-too-small-on-the-way/mtu-probing"),
                ])
        }
        if let told = failure.journeys.journeys.first(where: { $0.number == error }), !told.end.isGood {
            return Diagnosis(
                name: "MTU black hole",
                because:
                    "\(failure.place) cannot send on so big a packet and says so to the sender (#\(error)), but that message "
                    + "does not arrive: \(told.end.text)\(told.blame.map { " at \($0.place)" } ?? "").",
                remedies: [.init("let ICMP 'fragmentation needed' reach the sender", "pmtu-request-path")])
        }
        return Diagnosis(
            name: "too big for the way",
            because: "\(failure.place) cannot send on so big a packet, and says so to the sender (#\(error)).",
            remedies: [.init("let ICMP 'fragmentation needed' reach the sender", "pmtu-request-path")])
    }
}

/// A translation needs a connection, and what is not tracked is of none.
struct RedirectWithoutConntrack: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .notForUs, let vip = failure.journey.destination?.address else { return nil }
        let rules = (failure.snapshots[1].rules[failure.place] ?? []).filter {
            $0.chain == "PREROUTING" && $0.rule.contains("-d \(vip)")
        }
        guard
            let redirect = rules.first(where: {
                $0.table == "nat" && $0.packets == 0 && ($0.rule.contains("REDIRECT") || $0.rule.contains("DNAT"))
            }),
            let raw = rules.first(where: { $0.table == "raw" && $0.packets > 0 && $0.rule.contains("--notrack") })
        else { return nil }
        return Diagnosis(
            name: "REDIRECT without conntrack",
            because:
                "\(failure.place)'s raw rule '\(raw.rule)' keeps the packet from conntrack, and what is not tracked is not "
                + "translated: '\(redirect.rule)' counted nothing.",
            remedies: [.init("no such rule in the raw table", "arp-redirect-tp")])
    }
}

/// A server that takes a request in and has no route, or may not use its source, for the answer.
struct NoRouteForAnswer: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .delivered, !failure.journey.isReply, failure.replies.isEmpty,
            failure.host(failure.place) != nil, let source = failure.journey.destination?.address
        else { return nil }
        let lost = failure.growth(of: "Ip.OutNoRoutes")
        guard lost > 0 else { return nil }
        let refused = failure.growth(of: "TcpExt.ListenDrops")
        return Diagnosis(
            name: "no route for the answer",
            because:
                "\(failure.place) took the packet in and could not answer: it has no route for a packet from \(source) "
                + "(Ip.OutNoRoutes grew by \(lost)\(refused > 0 ? ", TcpExt.ListenDrops by \(refused)" : "")).",
            remedies: [
                .init("the VIP in the table local, and arp_ignore=1", "arp-fwmark-local-route/table-local-quiet")
            ])
    }
}

/// Direct Routing leaves the destination as it is: each real server must have the VIP.
struct RealServerWithoutVIP: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .notForUs, let service = failure.service,
            failure.journey.hops.contains(where: { $0.namespace == service.director }),
            failure.isRealServer(failure.place), !failure.isDirector(failure.place),
            let vip = failure.journey.destination?.address
        else { return nil }
        return Diagnosis(
            name: "a real server without the VIP",
            because:
                "\(failure.place) got the packet with the destination \(vip), as Direct Routing leaves it, and does not "
                + "have that address.",
            remedies: [
                .init("configure the VIP on the real server (on lo or a dummy)", "rs-without-vip-drops/with-vip"),
                .init("masquerading instead of direct routing", "dr-happy-same/masquerading"),
            ])
    }
}

struct NoTunnelDevice: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .answeredByICMP, failure.journey.hops.contains(where: { $0.tunnel != nil }) else {
            return nil
        }
        return Diagnosis(
            name: "wrong forwarding method",
            because: "\(failure.place) got the packet in a tunnel and has no device that takes it out.",
            remedies: [.init("a tunnel device (tunl0) on the real server", "tun-ipip")])
    }
}

/// Masquerading must see the answers, to give them the VIP as their source.
struct AnswersPastDirector: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard let service = failure.service,
            let answer = failure.replies.first(where: { reply in
                service.realServers.contains {
                    $0.address == reply.source?.address && $0.forwarding == .masquerading
                } && !failure.passes(reply, service.director)
            }), let source = answer.source, let server = answer.hops.first?.namespace
        else { return nil }
        return Diagnosis(
            name: "answers past a masquerading director",
            because:
                "\(server)'s answers do not come back through \(service.director), so they keep their source \(source), and "
                + "the client never asked that address.",
            remedies: [.init("the director as the real servers' default route", "nat-masq")])
    }
}
