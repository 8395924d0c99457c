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
        unanswered = asked.reduce(into: [:]) { result, item in
            let answers = told[item.key] ?? []
            result[item.key] = item.value.filter { question in
                !answers.contains {
                    $0.0 == question.0 && $0.1 >= question.1 && $0.1 < question.1 + 1_000_000_000
                }
            }.map(\.1)
        }
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

    /// A frame for all, or for a MAC address that no machine has.
    private func targetless(_ leg: Leg, namespace: String, port: Int) -> Ending {
        let receivers = leg.flight.stops.dropFirst().filter {
            Wiring.isInward(Int($0.place)) && legs.wiring.roles[Wiring.port(of: Int($0.place))] == .host
        }
        let headers = legs.headers(leg.frame)
        let isQuestion = headers?.neighbour.map { $0.isRequest && !$0.isAnnouncement } ?? false
        if headers?.destinationMAC.isMulticast ?? false, !isQuestion, !receivers.isEmpty {
            return Ending(end: .delivered, place: namespace)
        }
        if legs.wiring.roles[port] == .trunk || Int(legs.sightings[Int(leg.flight.origin.sighting)].domain) < 0 {
            return Ending(end: .delivered, place: namespace, evidence: ["the fabric's own"])
        }
        let what = headers.map { headers in
            isQuestion
                ? "no machine of its network has \(headers.neighbour?.target.description ?? "the address")"
                : "no machine of its network has the MAC \(headers.destinationMAC)"
        }
        if receivers.isEmpty, let deepest = leg.flight.stops.last, Wiring.isInward(Int(deepest.place)) {
            let port = Wiring.port(of: Int(deepest.place))
            var ending = withinBridge(
                leg, deepest, namespace: legs.namespaces[legs.namespaceOfPort[port]], port: port)
            // What ends each of its copies is asked for each of them.
            if !mayEndWhole(leg, deepest), ending.suspects.contains(where: { !$0.resources.isEmpty }) {
                ending.suspects = []
            }
            let isReport = headers?.packet?.isListenerReport ?? false
            if ending.suspects.isEmpty { ending.end = isReport ? .delivered : .floodedOnly }
            ending.evidence = [isReport ? "such reports are for the bridges on the way" : what].compactMap(\.self)
            return ending
        }
        return Ending(end: .floodedOnly, place: namespace, evidence: [what].compactMap(\.self))
    }

    private func withinBridge(_ leg: Leg, _ stop: Flight.Stop, namespace: String, port: Int) -> Ending {
        let sighting = legs.sightings[Int(stop.sighting)]
        let frame = legs.frames[Int(sighting.frame)]
        let onward = self.onward(leg, stop)
        var ending = Ending(end: .undecided(between: []), place: namespace)
        let devices = onward.map { evidence.ports[$0].interface }
        ending.suspects = bridgeSuspects(
            leg, namespace: namespace, inDevice: evidence.ports[port].interface, outDevices: devices,
            time: sighting.time)
        if let target = leg.target, let other = wherePlaced(target, at: sighting.time), other != namespace,
            scenario.hypervisors.contains(where: { $0.name == namespace }),
            !onward.contains(where: { if case .uplink = legs.wiring.roles[$0] { true } else { false } })
        {
            ending.end = .floodedOnly
            ending.evidence = ["it came to \(namespace), but the machine is on \(other)"]
        } else if let size = tooBig(frame, onward: onward, leg) {
            ending.end = .tooBig
            ending.evidence = [size]
        } else if let full = fullTable(namespace, time: sighting.time) {
            ending.end = .tableFull
            ending.evidence = [full]
        } else if leg.flight.stops.contains(where: { $0.parent == Int32(leg.last) }) {
            ending.end = .floodedOnly
            ending.evidence = ["\(namespace)'s bridge sent it to others only"]
        } else if onward.contains(where: { impairment(outOf: $0).loss > 0 }) {
            ending.end = .lostOnLink
            ending.evidence = ["the cable loses \(onward.map { impairment(outOf: $0).loss }.max() ?? 0) % of frames"]
        } else if sighting.time + delays(onward) >= evidence.ended {
            ending.end = .inFlight
        } else if !scenario.hypervisors.contains(where: { $0.name == namespace }) {
            ending.end = .lostOnLink
        }
        return ending
    }

    private func onCable(_ leg: Leg, _ stop: Flight.Stop, namespace: String, port: Int) -> Ending {
        let sighting = legs.sightings[Int(stop.sighting)]
        let onward = legs.wiring.next[Int(stop.place)].map { Wiring.port(of: $0) }
        var ending = Ending(end: .lostOnLink, place: namespace)
        let far = onward.map { evidence.ports[$0].name }.joined(separator: ", ")
        ending.evidence = [
            "it left by \(evidence.ports[port].name) and was not seen at \(far.isEmpty ? "any other port" : far)"
        ]
        if let size = tooBig(legs.frames[Int(sighting.frame)], onward: onward, leg) {
            ending.end = .tooBig
            ending.evidence.append(size)
        } else if leg.flight.stops.contains(where: { $0.parent == Int32(leg.last) }) {
            ending.end = .floodedOnly
            ending.evidence = ["the switch sent it to others only"]
        } else if sighting.time + delays(onward + [port]) >= evidence.ended {
            ending.end = .inFlight
        }
        return ending
    }

    /// The namespace that a machine's port was plugged into at a moment.
    private func wherePlaced(_ port: Int, at time: Nanoseconds) -> String? {
        let name = evidence.ports[port].namespace
        guard let host = scenario.hosts.first(where: { $0.name == name }) else { return nil }
        var place = host.ports.first { $0.name == evidence.ports[port].interface }?.on ?? host.on
        for (step, record) in zip(scenario.timeline, evidence.steps) {
            if case .move(let moved, let target) = step.action, moved == name, record.started <= time { place = target }
        }
        return place
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

extension Packet {
    /// Of a group's member, which bridges take and pass on to routers alone (RFC 4541): IGMP, and MLD's reports.
    fileprivate var isListenerReport: Bool {
        protocolNumber == 2 || protocolName == "icmpv6" && [131, 132, 143].contains(icmpType)
    }
}
