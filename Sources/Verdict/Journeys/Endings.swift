internal import Evidence
internal import Net
internal import Scenario

/// How a journey may have ended, as far as its last leg alone says it.
struct Ending {
    /// A way to end that must be weighed against what counted.
    struct Suspect {
        /// The rules that lead to the drop; empty for another counter.
        var rules: [RuleBook.Entry] = []
        var interval: Int
        /// What it takes from: rules' counters, or a counter of the kernel.
        var resources: [Resource]
        var end: JourneyEnd
        var evidence: String
    }

    /// Something that counts packets, between two snapshots, and how many it counted.
    struct Resource: Equatable {
        var name: String
        var capacity: Int
    }

    var end: JourneyEnd
    var place: String
    var evidence: [String] = []
    /// If any holds, it decides instead of `end`.
    var suspects: [Suspect] = []
    /// The frame of the ICMP error that tells of the end.
    var icmp: Int?
}

/// Decides by the wiring, the machines' addresses and the kernel's counters how legs ended.
struct Endings {
    let scenario: Scenario
    let evidence: Evidence
    let legs: Legs
    let states: States
    let moments: ConntrackMoments
    let changes: Changes
    private let errors: [UInt64: [ICMPError]]
    /// By namespace: when an ARP or neighbour request was asked and not answered.
    private let unanswered: [Int: [Nanoseconds]]
    /// By namespace and reversed connection: when it sent packets of its own on it.
    private let replies: [UInt64: [Nanoseconds]]
    /// By namespace and what ICMP errors quote: the packets that it only passed on.
    private let passedOn: Set<UInt64>

    struct ICMPError {
        var namespace: Int
        var time: Nanoseconds
        var type: UInt8
        var code: UInt8
        var isIPv6: Bool
        var frame: Int
    }

    init(
        _ scenario: Scenario, _ evidence: Evidence, _ legs: Legs, _ states: States, _ moments: ConntrackMoments
    ) {
        self.scenario = scenario
        self.evidence = evidence
        self.legs = legs
        self.states = states
        self.moments = moments
        changes = Changes(scenario, evidence)
        var errors: [UInt64: [ICMPError]] = [:]
        var replies: [UInt64: [Nanoseconds]] = [:]
        var asked: [Int: [(IPAddress, Nanoseconds)]] = [:]
        var told: [Int: [(IPAddress, Nanoseconds)]] = [:]
        for leg in legs.legs {
            // ARP is no IP, and neighbour discovery is ICMPv6.
            let mayAsk = !leg.cargo.isIP || leg.cargo.protocolNumber == 58
            if leg.predecessors.isEmpty, leg.cargo.isIP {
                // What a step wrote is no machine's answer.
                if !legs.isCrafted(leg) {
                    replies[Self.key(leg.cargo.reversed.connection, leg.origin), default: []].append(leg.started)
                }
                if leg.cargo.isICMP,
                    let (message, quoted) = legs.quote(leg.frame), message.type != 5 || message.version == 6
                {
                    errors[Self.quoteKey(quoted), default: []].append(
                        ICMPError(
                            namespace: leg.origin, time: leg.started, type: message.type, code: message.code,
                            isIPv6: message.version == 6, frame: leg.frame))
                }
            }
            if mayAsk, let message = legs.headers(leg.frame)?.neighbour {
                if message.isRequest, !message.isAnnouncement {
                    asked[leg.origin, default: []].append((message.target, leg.started))
                } else if !message.isRequest, let receiver = legs.arrivalNamespace(leg) {
                    told[receiver, default: []].append((message.sender, legs.arrivalTime(leg) ?? leg.started))
                }
            }
        }
        self.errors = errors
        self.replies = replies
        passedOn = errors.isEmpty ? [] : Self.passedOn(legs)
        unanswered = asked.reduce(into: [:]) { result, item in
            let answers = told[item.key] ?? []
            result[item.key] = item.value.filter { question in
                !answers.contains {
                    $0.0 == question.0 && $0.1 >= question.1 && $0.1 < question.1 + 1_000_000_000
                }
            }.map(\.1)
        }
    }

    private static func passedOn(_ legs: Legs) -> Set<UInt64> {
        var found: Set<UInt64> = []
        let quoted = Set(
            legs.legs.filter { $0.cargo.isICMP }.compactMap { leg in
                legs.quote(leg.frame).map { [$0.quoted.source, $0.quoted.destination] }
            })
        for leg in legs.legs where !leg.predecessors.isEmpty {
            guard quoted.contains([leg.cargo.source, leg.cargo.destination]), let packet = legs.innermost(leg.frame)
            else { continue }
            found.insert(key(quoteKey(packet), leg.origin))
        }
        return found
    }

    /// Whether an ICMP error is about a packet that the machine passed on, under an address of its own: the error goes
    /// where that came from.
    func quotesPassedOn(_ leg: Leg, _ namespace: Int) -> Bool {
        guard !passedOn.isEmpty, leg.cargo.isICMP, let (_, quoted) = legs.quote(leg.frame) else { return false }
        return passedOn.contains(Self.key(Self.quoteKey(quoted), namespace))
    }

    static func key(_ connection: UInt64, _ namespace: Int) -> UInt64 {
        var hash = Mix()
        hash.add(connection)
        hash.add(UInt64(namespace))
        return hash.value
    }

    /// What a quotation in an ICMP error shows of a packet at least.
    static func quoteKey(_ packet: IPPacket) -> UInt64 {
        var hash = Mix()
        hash.add(packet.source)
        hash.add(packet.destination)
        hash.add(UInt64(packet.protocol) << 32 | UInt64(packet.identification ?? 0))
        let ports = packet.sourceEndpoint?.port ?? packet.icmp?.echo?.identifier ?? 0
        hash.add(UInt64(ports) << 32 | UInt64(packet.tcp?.sequence ?? 0))
        return hash.value
    }

    // MARK: Where it ended

    func ending(of leg: Leg) -> Ending {
        let stop = leg.flight.stops[leg.last]
        let place = Int(stop.place)
        let port = Wiring.port(of: place)
        let origin = legs.sightings[Int(leg.flight.origin.sighting)]
        if origin.sourceMAC == origin.destinationMAC, leg.arrival == nil {
            return Ending(
                end: .toItself, place: legs.namespaces[leg.origin],
                evidence: ["its source and its destination are \(origin.sourceMAC)"])
        }
        let namespace = legs.namespaces[legs.namespaceOfPort[port]]
        if leg.arrival != nil { return arrived(leg, namespace: namespace, port: port) }
        if leg.target == nil { return targetless(leg, namespace: namespace, port: port) }
        return Wiring.isInward(place)
            ? withinBridge(leg, stop, namespace: namespace, port: port)
            : onCable(leg, stop, namespace: namespace, port: port)
    }

    func fullTable(_ namespace: String, time: Nanoseconds) -> String? {
        let sysctls =
            scenario.hypervisors.first { $0.name == namespace }?.sysctls
            ?? scenario.hosts.first { $0.name == namespace }?.sysctls ?? []
        var limit = sysctls.last { $0.key.hasSuffix("nf_conntrack_max") }.flatMap { Int($0.value) }
        for (step, record) in zip(scenario.timeline, evidence.steps) where record.started <= time {
            if case .sysctl(let on, let settings) = step.action, on == namespace,
                let value = settings.last(where: { $0.key.hasSuffix("nf_conntrack_max") })
            {
                limit = Int(value.value)
            }
        }
        guard let interval = states.intervals(at: time).first else { return nil }
        var count = states.conntrackCount(of: namespace, interval: interval)
        if let shared = changes.limit("nf_conntrack_max", at: time) {
            limit = shared
            count = legs.namespaces.reduce(0) { $0 + states.conntrackCount(of: $1, interval: interval) }
        }
        guard let limit else { return nil }
        // Each of two buckets' locks may hold one back; early drop keeps the count just below.
        return count >= limit - 1
            ? "conntrack has \(count) entries, and nf_conntrack_max is \(limit)" : nil
    }

    func error(about leg: Leg, from namespace: String) -> ICMPError? {
        guard let ip = legs.innermost(leg.frame), let time = legs.arrivalTime(leg) else { return nil }
        let index = legs.namespaces.firstIndex(of: namespace)
        return errors[Self.quoteKey(ip)]?.first { $0.namespace == index && $0.time >= time }
    }

    /// Whether a machine asked for a neighbour from a moment on and got no answer.
    func isLeftUnanswered(_ namespace: Int, from time: Nanoseconds) -> Bool {
        unanswered[namespace]?.contains { $0 >= time - 3_000_000_000 && $0 <= time + 4_000_000_000 } ?? false
    }

    func hasReplied(to cargo: Cargo, _ namespace: Int, since time: Nanoseconds) -> Bool {
        replies[Self.key(cargo.connection, namespace)]?.contains { $0 >= time } ?? false
    }
}
