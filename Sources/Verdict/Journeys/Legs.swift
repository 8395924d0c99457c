internal import Evidence
internal import Net
internal import Scenario

/// A flight with what it carries and where it was meant to go.
struct Leg {
    var flight: Flight
    /// The namespace that sent it, as an index into `Legs.namespaces`.
    var origin: Int
    var started: Nanoseconds
    /// Index of the origin's frame.
    var frame: Int
    var cargo: Cargo
    /// The stop at the machine that it was for; nil if it never came there.
    var arrival: Int?
    /// The last stop on the way there; the arrival if there is one.
    var last: Int
    /// The port that it was for; nil if no machine of its network has the address.
    var target: Int?
    /// Legs that carry the same packet on, behind the machine that it came to, and those that brought it.
    var successors: [Int32] = []
    var predecessors: [Int32] = []
}

/// All legs of a run, joined where machines pass packets on.
struct Legs {
    let wiring: Wiring
    let dissector: Dissector
    let frames: [RunFrame]
    let sightings: [Sighting]
    let namespaces: [String]
    /// By port.
    let namespaceOfPort: [Int]
    private(set) var legs: [Leg]
    /// By namespace: the addresses of the machine, as configured, and those that it sends from.
    private(set) var addresses: [Set<IPAddress>]
    /// When a step sent packets that it wrote field by field, and from where.
    private var crafted: [(time: ClosedRange<Nanoseconds>, host: String)] = []

    init(scenario: Scenario, evidence: Evidence, frames: [RunFrame]) {
        self.frames = frames
        let changes = Changes(scenario, evidence)
        wiring = Wiring(scenario: scenario, ports: evidence.ports, changes: changes)
        var dissector = Dissector(wiring: wiring)
        // 6080 is GUE's own (draft-ietf-intarea-gue), which a scenario's commands choose, too.
        dissector.guePorts = Set(scenario.services.flatMap(\.realServers).compactMap { $0.tunnel?.port } + [6080])
        self.dissector = dissector
        var sightings: [Sighting] = []
        sightings.reserveCapacity(frames.count)
        for (index, frame) in frames.enumerated() {
            if let sighting = dissector.sighting(frame, index: index) { sightings.append(sighting) }
        }
        self.sightings = sightings
        var names: [String] = []
        namespaceOfPort = evidence.ports.map { port in
            if let known = names.firstIndex(of: port.namespace) { return known }
            names.append(port.namespace)
            return names.count - 1
        }
        namespaces = names
        legs = []
        addresses = names.map { name in
            guard let host = scenario.hosts.first(where: { $0.name == name }) else { return [] }
            return Set(
                host.ports.flatMap { $0.addresses?.map(\.address) ?? $0.fixedIPs }
                    + host.interfaces.flatMap { $0.addresses.map(\.address) })
        }
        for (namespace, address) in changes.addresses {
            if let index = names.firstIndex(of: namespace) { addresses[index].insert(address) }
        }
        for (step, record) in zip(scenario.timeline, evidence.steps) {
            guard case .send(let packet) = step.action else { continue }
            let host = packet.from.split(separator: ":").first.map(String.init) ?? packet.from
            crafted.append((record.started...max(record.started, record.ended), host))
        }
        for flight in FlightBuilder.flights(of: sightings, in: wiring) { legs.append(leg(flight)) }
        join()
        learnAddresses()
    }

    /// Whether a scenario's step wrote it, instead of the kernel of the machine that sent it.
    func isCrafted(_ leg: Leg) -> Bool {
        crafted.contains { $0.time.contains(leg.started) && $0.host == namespaces[leg.origin] }
    }

    // MARK: One leg

    private func leg(_ flight: Flight) -> Leg {
        let origin = sightings[Int(flight.origin.sighting)]
        var leg = Leg(
            flight: flight, origin: namespaceOfPort[Int(origin.port)], started: origin.time, frame: Int(origin.frame),
            cargo: Cargo(), last: 0)
        if let cargo = cargo(ofFrame: leg.frame) { leg.cargo = cargo }
        let candidates =
            origin.destinationMAC.isMulticast
            ? machines(askedByFrame: leg.frame) : wiring.ports(with: origin.destinationMAC, at: origin.time)
        let targets = candidates.filter {
            (wiring.domains[$0] ?? Wiring.underlay) == Int(origin.domain) && $0 != Int(origin.port)
        }
        place(&leg, targets)
        if Wiring.isInward(Int(flight.origin.place)), wiring.roles[Int(origin.port)] == .host,
            let sender = wiring.ports(with: origin.sourceMAC, at: origin.time).first,
            origin.destinationMAC.isMulticast
                || wiring.port(Int(origin.port), has: origin.destinationMAC, at: origin.time)
        {
            // Where it comes from was not captured.
            leg.origin = namespaceOfPort[sender]
            leg.target = Int(origin.port)
            leg.arrival = 0
            leg.last = 0
        }
        return leg
    }

    /// What a frame carries; nil if it is no IP packet.
    func cargo(ofFrame index: Int) -> Cargo? {
        let frame = frames[index]
        guard let unwrapped = dissector.unwrap(frame.octets.span, port: frame.port) else { return nil }
        guard case .ip(let ip) = unwrapped.frame.payload else { return nil }
        return cargo(ip, frame.octets.span, at: unwrapped.payload)
    }

    /// Those that have the address that an ARP or neighbour request asks for.
    private func machines(askedByFrame index: Int) -> [Int] {
        guard let message = headers(index)?.neighbour, message.isRequest, !message.isAnnouncement else { return [] }
        return machines(with: message.target)
    }

    private func machines(with address: IPAddress) -> [Int] {
        wiring.macs.indices.filter { wiring.macs[$0] != nil && addresses[namespaceOfPort[$0]].contains(address) }
    }

    /// Where it was for, and how far it came on the way.
    private func place(_ leg: inout Leg, _ targets: [Int]) {
        var best: (distance: Int, stop: Int, target: Int)?
        for target in targets {
            for (index, stop) in leg.flight.stops.enumerated() {
                guard let distance = wiring.distance(from: Int(stop.place), to: target) else { continue }
                if distance < best?.distance ?? .max { best = (distance, index, target) }
            }
        }
        leg.target = best?.target ?? targets.first
        leg.last = best?.stop ?? (targets.isEmpty ? deepest(leg.flight) : 0)
        if let best, best.distance == 0 { leg.arrival = best.stop }
    }

    /// The stop behind most others; a machine's goes before a bridge's.
    private func deepest(_ flight: Flight) -> Int {
        var depths: [Int] = []
        var best = 0
        for (index, stop) in flight.stops.enumerated() {
            let isMachine =
                Wiring.isInward(Int(stop.place)) && wiring.roles[Wiring.port(of: Int(stop.place))] == .host
            let before = stop.parent < 0 ? 0 : depths[Int(stop.parent)]
            depths.append((before & ~1) + 2 + (isMachine ? 1 : 0))
            if depths[index] > depths[best] { best = index }
        }
        return best
    }

    func cargo(_ ip: IPPacket, _ octets: Span<UInt8>, at start: Int) -> Cargo {
        let inner = dissector.innermost(ip, octets, at: start).packet
        var cargo = Cargo()
        cargo.core = dissector.core(ip, octets, at: start)
        cargo.source = inner.source
        cargo.destination = inner.destination
        cargo.protocolNumber = inner.protocol
        cargo.ttl = inner.ttl
        cargo.isFragment = inner.fragment != nil
        cargo.identification = inner.identification ?? 0
        cargo.sourcePort = inner.sourceEndpoint?.port ?? inner.icmp?.echo?.identifier ?? 0
        cargo.destinationPort = inner.destinationEndpoint?.port ?? 0
        if let tcp = inner.tcp {
            cargo.sequence = tcp.sequence
            cargo.length = tcp.payloadLength
        }
        return cargo
    }

    // MARK: Across machines

    func arrivalTime(_ leg: Leg) -> Nanoseconds? {
        leg.arrival.map { sightings[Int(leg.flight.stops[$0].sighting)].time }
    }

    func arrivalNamespace(_ leg: Leg) -> Int? {
        leg.arrival.map { namespaceOfPort[Wiring.port(of: Int(leg.flight.stops[$0].place))] }
    }

    private mutating func join() {
        // Who brought a packet to a machine, by what stays the same of it.
        var arrivals: [UInt64: [Int32]] = [:]
        var fragments: [UInt64: [Int32]] = [:]
        var connections: [UInt64: [Int32]] = [:]
        // By index: a leg by itself would be a copy, with its arrays counted.
        for index in legs.indices where legs[index].arrival != nil && legs[index].cargo.isIP {
            arrivals[legs[index].cargo.core, default: []].append(Int32(index))
        }
        var orphans: [Int] = []
        for index in legs.indices where legs[index].cargo.isIP {
            if let before = predecessor(of: legs[index], among: arrivals[legs[index].cargo.core] ?? []) {
                link(before, index)
            } else if !addresses[legs[index].origin].contains(legs[index].cargo.source) {
                orphans.append(index)
            }
        }
        // Cut into fragments or segments, or put together from such.
        guard !orphans.isEmpty else { return }
        for (index, leg) in legs.enumerated() where leg.arrival != nil && leg.cargo.isIP && leg.successors.isEmpty {
            fragments[leg.cargo.datagram, default: []].append(Int32(index))
            for part in leg.cargo.parts { connections[part, default: []].append(Int32(index)) }
        }
        for index in orphans {
            let leg = legs[index]
            let pieces = (fragments[leg.cargo.datagram] ?? []).filter {
                leg.cargo.identification != 0 && passes(legs[Int($0)], leg)
                    && (leg.cargo.isFragment || legs[Int($0)].cargo.isFragment)
            }
            var segments: [Int32] = []
            for part in leg.cargo.parts {
                for candidate in connections[part] ?? []
                where passes(legs[Int(candidate)], leg) && overlap(legs[Int(candidate)].cargo, leg.cargo)
                    && !segments.contains(candidate)
                {
                    segments.append(candidate)
                }
            }
            for before in pieces.isEmpty ? segments : pieces { link(Int(before), index) }
        }
    }

    private mutating func link(_ before: Int, _ after: Int) {
        legs[before].successors.append(Int32(after))
        legs[after].predecessors.append(Int32(before))
    }

    private func passes(_ before: Leg, _ after: Leg) -> Bool {
        guard arrivalNamespace(before) == after.origin, let time = arrivalTime(before) else { return false }
        return time <= after.started && after.started - time < 60_000_000_000
    }

    private func overlap(_ one: Cargo, _ other: Cargo) -> Bool {
        let offset = Int(Int32(bitPattern: other.sequence &- one.sequence))
        return offset < one.length && offset > -other.length
    }

    /// The arrival that a leg carries on: the one that fits best, of several the latest.
    private func predecessor(of leg: Leg, among candidates: [Int32]) -> Int? {
        var best: (index: Int, score: Int)?
        for candidate in candidates {
            guard legs[Int(candidate)].successors.isEmpty, passes(legs[Int(candidate)], leg) else { continue }
            let (one, other) = (legs[Int(candidate)].cargo, leg.cargo)
            let sameSource = one.source == other.source && one.sourcePort == other.sourcePort
            let sameDestination = one.destination == other.destination && one.destinationPort == other.destinationPort
            // An answer with the same content is not the packet itself.
            guard sameSource || sameDestination || one.source != other.destination else { continue }
            let decrease = Int(one.ttl) - Int(other.ttl)
            guard decrease >= 0, decrease <= 2 else { continue }
            let score = (sameSource ? 4 : 0) + (sameDestination ? 4 : 0) + (decrease == 1 ? 2 : 0)
            if score >= best?.score ?? 0 { best = (Int(candidate), score) }
        }
        return best?.index
    }

    /// What a machine sends from without having been given the packet is an address of its own, unless it was written
    /// field by field.
    private mutating func learnAddresses() {
        for leg in legs where leg.predecessors.isEmpty && leg.cargo.isIP {
            guard wiring.roles[Int(sightings[Int(leg.flight.origin.sighting)].port)] == .host,
                !isCrafted(leg), !leg.cargo.source.isUnspecified
            else { continue }
            addresses[leg.origin].insert(leg.cargo.source)
        }
    }
}
