internal import Evidence
internal import Net
internal import Scenario

/// Which rules can have dropped a packet: those that its way through the chains leads to, and that counted anything.
extension Endings {
    /// Where a bridge filters a frame.
    enum BridgeStage {
        /// Before it chooses the ports that the frame leaves by.
        case received
        /// Behind that: each copy for itself.
        case forwarded
    }

    func bridgeSuspects(
        _ leg: Leg, namespace: String, inDevice: String, outDevices: [String], time: Nanoseconds,
        at stages: Set<BridgeStage> = [.received, .forwarded]
    ) -> [Ending.Suspect] {
        guard states.hasRules(namespace) else { return [] }
        func ask(_ family: String, received: [(String, String)]) -> [Ending.Suspect] {
            suspects(
                leg, namespace: namespace, family: family,
                hooks: (stages.contains(.received) ? received : [])
                    + (stages.contains(.forwarded) ? [("filter", "FORWARD")] : []),
                inDevice: inDevice, outDevices: outDevices,
                time: time)
        }
        // ebtables first: what it drops in PREROUTING, or takes from the bridge in BROUTING, no iptables sees.
        let bridge = ask("bridge", received: [("broute", "BROUTING"), ("nat", "PREROUTING")])
        var found: [Ending.Suspect] = []
        let headers = legs.headers(leg.frame)
        if let packet = headers?.packet {
            let family = packet.source.family == .v6 ? "ipv6" : "ipv4"
            found += ask(family, received: [("raw", "PREROUTING"), ("mangle", "PREROUTING")])
        } else if headers?.neighbour != nil {
            found += ask("arp", received: [])
        }
        // If one of these counted, that no rule of iptables did tells nothing of these.
        if bridge.contains(where: { !$0.resources.isEmpty }) { found.removeAll { $0.resources.isEmpty } }
        return bridge + found
    }

    func suspects(
        _ leg: Leg, namespace: String, family: String, hooks: [(String, String)], inDevice: String,
        outDevices: [String], time: Nanoseconds
    ) -> [Ending.Suspect] {
        guard states.hasRules(namespace), let headers = legs.headers(leg.frame) else { return [] }
        var found: [Ending.Suspect] = []
        var uncounted: [Ending.Suspect] = []
        for interval in states.intervals(at: time) {
            let book = states.rules(of: namespace, interval: interval)
            let packet = FilteredPacket(
                headers: headers, inDevice: inDevice, outDevices: outDevices,
                states: conntrackStates(of: leg, headers, in: namespace, interval: interval))
            let isMissed = hooks.last.map { book.missed(family: family, chain: $0.1) } ?? false && family != "bridge"
            for way in book.drops(of: packet, family: family, hooks: hooks) {
                guard let last = way.last else { continue }
                // A rule that counted nothing dropped nothing.
                let counts = book.growth(of: way)
                let isUncertain = way.contains { book.uncertain.contains($0.key) } || isMissed
                let isCounted = counts.allSatisfy { $0 > 0 }
                guard isUncertain || isCounted else { continue }
                let resources = zip(way, counts).map { entry, count in
                    let isPolicy = entry.key == last.key && entry.rule.target.isJump
                    return Ending.Resource(
                        name: "\(namespace) \(interval) \(entry.key)\(isPolicy ? " policy" : "")", capacity: count)
                }
                let growth = counts.last ?? 0
                let text =
                    isUncertain
                    ? "the rules as they stood; their counters were started anew meanwhile"
                    : last.rule.target.isJump
                        ? "the rule sent \(growth.of("packet")) to a chain that none of its rules took"
                        : "the rule counted \(growth.of("packet"))"
                let suspect = Ending.Suspect(
                    rules: way, interval: interval, resources: isUncertain ? [] : resources, end: Self.end(of: way),
                    evidence: text)
                if isCounted { found.append(suspect) } else { uncounted.append(suspect) }
            }
        }
        // Counters that were started anew tell nothing; then what the rules say must do.
        return found.isEmpty ? uncounted : found
    }

    /// What conntrack can have called a packet.
    private func conntrackStates(
        of leg: Leg, _ headers: Headers, in namespace: String, interval: Int
    ) -> Set<String> {
        let moment = legs.namespaces.firstIndex(of: namespace).flatMap { moments.moment(of: leg, in: $0) }
        if moment?.invalid != nil { return ["INVALID"] }
        var possible = states.possibleStates(of: headers, leg.cargo, in: namespace, interval: interval)
        // Of a connection that it knows conntrack logs each TCP packet that it calls INVALID
        // (nf_conntrack_tcp_packet in net/netfilter/nf_conntrack_proto_tcp.c).
        if evidence.invalid != nil, evidence.gaps == nil, moment?.entry != nil, leg.cargo.protocolNumber == 6 {
            possible.remove("INVALID")
        }
        return possible
    }

    /// By Neutron's names: `neutron-linuxbri-s…` and `neutronMAC-…`, `neutronARP-…` hold what a port may send from.
    private static func end(of way: [RuleBook.Entry]) -> JourneyEnd {
        guard let last = way.last else { return .droppedByRule }
        var chain = last.key.chain
        if case .jump(let name) = last.rule.target { chain = name }
        let isSpoofFilter =
            chain.hasPrefix("neutronMAC-") || chain.hasPrefix("neutronARP-")
            || chain.hasPrefix("neutron-linuxbri-s")
                && !chain.hasPrefix("neutron-linuxbri-sg-")
            || chain.hasPrefix("neutron-openvswi-s") && !chain.hasPrefix("neutron-openvswi-sg-")
        if isSpoofFilter { return .droppedBySpoofFilter }
        return last.rule.asksForState ? .droppedByConntrackRule : .droppedByRule
    }
}

extension ParsedRule.Target {
    fileprivate var isJump: Bool { if case .jump = self { true } else { false } }
}
