public import Evidence
internal import Net
public import Scenario

/// The rules that the packets of a run met, as a second run of it with rule tracing shows them.
public struct RuleTraces: Codable, Sendable, Equatable {
    /// One packet's way through the rules of one namespace.
    public struct Passage: Codable, Sendable, Equatable {
        /// The number of its journey.
        public var journey: Int
        public var namespace: String
        public var steps: [Step]
    }

    /// A rule that a packet met, or the end of a chain.
    public struct Step: Codable, Sendable, Equatable {
        public var family: String
        public var table: String
        public var chain: String
        /// As in `RuleCounter`; of a chain's end 0.
        public var number: Int
        /// The rule's text as in `RuleCounter`; `return` or `policy` of a chain's end; nil where the tables have no such
        /// rule any more.
        public var rule: String?
        /// What conntrack took the packet for: NEW, ESTABLISHED, RELATED, INVALID or UNTRACKED; nil before conntrack has
        /// seen it, and where nothing is tracked.
        public var state: String?
        /// What the rule did: `ACCEPT`, `DROP`, a chain's name for a jump, `return`; nil if it only counted or marked.
        public var verdict: String?
    }

    /// In the order of the journeys; of each, in the order in which it passed namespaces.
    public private(set) var passages: [Passage] = []
    /// How the traced run differs from the first one, beside its timing; nil if it does not. Then what it shows need not
    /// be what happened in the first.
    public private(set) var difference: String?

    /// Matches what the traced run saw with the journeys of the first by the packets' content.
    ///
    /// - Parameters:
    ///   - evidence: of the first run, without tracing; `frames` too.
    ///   - traced: of the second run, with the same seed; `tracedFrames` too.
    public init(
        scenario: Scenario, evidence: Evidence, frames: [RunFrame], journeys: [Journey], traced: Evidence,
        tracedFrames: [RunFrame]
    ) {
        difference = Self.difference(evidence, frames, traced, tracedFrames)
        let legs = Legs(scenario: scenario, evidence: evidence, frames: frames)
        let states = States(evidence)
        let tracked = Set((traced.traces ?? []).filter { $0.steps.contains { $0.state != nil } }.map(\.namespace))
        // Who passed a namespace with such a packet, in the order of time; each journey once.
        var passers: [UInt64: [Int]] = [:]
        for (index, journey) in journeys.enumerated() {
            var keys: Set<UInt64> = []
            for hop in journey.hops {
                guard let cargo = legs.cargo(ofFrame: hop.frame), cargo.isIP else { continue }
                let key = Self.key(cargo, hop.namespace)
                if keys.insert(key).inserted { passers[key, default: []].append(index) }
            }
        }
        var groups: [UInt64: [TracedPacket]] = [:]
        var order: [UInt64] = []
        for packet in traced.traces ?? [] {
            guard let octets = Hexadecimal.decode(packet.octets), let ip = IPPacket(octets.span) else { continue }
            let key = Self.key(legs.cargo(ip, octets.span, at: 0), packet.namespace)
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(packet)
        }
        for key in order {
            guard let packets = groups[key], let journeysOfKey = passers[key] else { continue }
            // One that passes twice, from bridge to bridge or in and out again, has as many as all like it.
            let each = max(1, packets.count / journeysOfKey.count)
            for (number, packet) in packets.enumerated() {
                let index = journeysOfKey[min(number / each, journeysOfKey.count - 1)]
                let journey = journeys[index]
                passages.append(
                    Passage(
                        journey: journey.number, namespace: packet.namespace,
                        steps: Self.steps(
                            of: packet, states.rulesAround(journey.started, in: packet.namespace),
                            isTracked: tracked.contains(packet.namespace))))
            }
        }
        sort(by: journeys)
    }

    private mutating func sort(by journeys: [Journey]) {
        let places = journeys.map { journey in
            Dictionary(journey.hops.map(\.namespace).enumerated().map { ($1, $0) }, uniquingKeysWith: min)
        }
        let positions = passages.enumerated().map { offset, passage in
            (passage.journey, places[passage.journey - 1][passage.namespace] ?? 0, offset)
        }
        passages = passages.indices.sorted { positions[$0] < positions[$1] }.map { passages[$0] }
    }

    private static func key(_ cargo: Cargo, _ namespace: String) -> UInt64 {
        var hash = Mix()
        hash.add(cargo.connection)
        hash.add(cargo.core)
        for octet in namespace.utf8 { hash.add(UInt64(octet)) }
        return hash.value
    }

    /// Frame by frame at each port, whatever the time.
    private static func difference(
        _ evidence: Evidence, _ frames: [RunFrame], _ traced: Evidence, _ tracedFrames: [RunFrame]
    ) -> String? {
        guard evidence.ports.map(\.name) == traced.ports.map(\.name) else { return "other ports were captured" }
        for (port, description) in evidence.ports.enumerated() {
            let first = frames.filter { $0.port == port }
            let second = tracedFrames.filter { $0.port == port }
            if let index = zip(first, second).enumerated().first(where: { $1.0.octets != $1.1.octets })?.offset {
                return "frame \(index + 1) at \(description.name) is another one"
            }
            if first.count != second.count {
                return "\(description.name) saw \(first.count.of("frame")), and then \(second.count)"
            }
        }
        return nil
    }

    // MARK: Steps

    private static func steps(of packet: TracedPacket, _ rules: [RuleCounter], isTracked: Bool) -> [Step] {
        let family = packet.octets.hasPrefix("6") ? "ipv6" : "ipv4"
        let nameless = isTracked ? isUntracked(packet, rules) ? "UNTRACKED" : "INVALID" : nil
        return packet.steps.compactMap { traced in
            let words = traced.rule.split(separator: ":").map(String.init)
            guard words.count == 4, let number = Int(words[3]) else { return nil }
            let (table, chain, kind) = (words[0], words[1], words[2])
            func rule(_ number: Int) -> RuleCounter? {
                rules.first {
                    $0.family == family && $0.table == table && $0.chain == chain && $0.number == number
                }
            }
            var step = Step(family: family, table: table, chain: chain, number: number, rule: kind)
            step.state = traced.state ?? (table == "raw" ? nil : nameless)
            // A rule without conditions that ends a chain, `-j ACCEPT`, is called the chain's end, too
            // (get_chainname_rulenum in net/ipv4/netfilter/ip_tables.c).
            if let known = rule(number) {
                step.rule = known.rule
                step.verdict = verdict(of: ParsedRule(known))
            } else if kind == "rule" {
                step.rule = nil
            } else {
                step.number = 0
                step.verdict = kind == "policy" ? rule(0).map { String($0.rule.dropFirst(7)) } ?? "ACCEPT" : "return"
            }
            return step
        }
    }

    /// Whether a packet to which conntrack has given no entry is none that it would look at: a rule says so, or it is
    /// neighbour discovery or group membership (icmpv6_error, nf_conntrack_proto_icmpv6.c). Else it is INVALID.
    private static func isUntracked(_ packet: TracedPacket, _ rules: [RuleCounter]) -> Bool {
        if let octets = Hexadecimal.decode(packet.octets), let ip = IPPacket(octets.span), ip.protocol == 58,
            let type = ip.icmp?.type
        {
            return (130...136).contains(type) || type == 143
        }
        return packet.steps.contains { step in
            let words = step.rule.split(separator: ":").map(String.init)
            return words.count == 4 && words[0] == "raw"
                && rules.contains {
                    $0.table == "raw" && $0.chain == words[1] && String($0.number) == words[3]
                        && ($0.rule.contains("--notrack") || $0.rule.contains("-j NOTRACK"))
                }
        }
    }

    private static func verdict(of rule: ParsedRule) -> String? {
        switch rule.target {
        case .accept: "ACCEPT"
        case .drop: "DROP"
        case .reject: "REJECT"
        case .return: "return"
        case .jump(let chain), .goTo(let chain): chain
        case .none: nil
        }
    }
}

extension States {
    /// The rules of a namespace when a packet began its journey: those of the snapshot before, or behind, if there were
    /// none before.
    func rulesAround(_ time: Nanoseconds, in namespace: String) -> [RuleCounter] {
        guard let interval = intervals(at: time).first else { return [] }
        let before = rules(of: namespace, snapshot: interval - 1)
        return before.isEmpty ? rules(of: namespace, snapshot: interval) : before
    }
}
