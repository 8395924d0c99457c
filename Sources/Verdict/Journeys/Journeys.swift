public import Evidence
internal import Net
public import Scenario

/// All journeys of a run: its frames put together to packets, each with its way and its end.
///
/// Pure: the same arguments give the same journeys. libpcap says neither which way a frame went by a port nor, where the
/// clock is virtual, in which order it passed several; that follows from the wiring, the MAC addresses and the TTL.
public struct Journeys: Codable, Sendable, Equatable {
    /// In the order of their first sighting.
    public private(set) var journeys: [Journey] = []
    /// In the order of their first packet.
    public private(set) var flows: [Flow] = []

    /// - Parameter frames: every captured frame, in the order of the capture file.
    public init(scenario: Scenario, evidence: Evidence, frames: [RunFrame]) {
        let legs = Legs(scenario: scenario, evidence: evidence, frames: frames)
        let states = States(evidence)
        let moments = ConntrackMoments(evidence, legs)
        let endings = Endings(scenario, evidence, legs, states, moments)
        var items: [Weighing.Item] = []
        var ends: [Int: Int] = [:]
        var copies: [Int: [(copy: Endings.Copy, item: Int)]] = [:]
        func item(_ ending: Ending) -> Int {
            items.append(.init(number: items.count, ending: ending))
            return items.count - 1
        }
        for (index, leg) in legs.legs.enumerated() {
            if leg.successors.isEmpty { ends[index] = item(endings.ending(of: leg)) }
            for copy in endings.copies(of: leg) { copies[index, default: []].append((copy, item(copy.ending))) }
        }
        let weighed = Weighing(items).decided
        var writer = JourneyWriter(evidence: evidence, legs: legs, states: states, moments: moments)
        writer.lostCopies = copies.mapValues { list in
            list.compactMap { copy, item in
                guard let (ending, suspect) = weighed[item], suspect != nil || ending.end.isUndecided(beyond: 1) else {
                    return nil
                }
                return (copy, ending, suspect)
            }
        }
        for index in legs.legs.indices where legs.legs[index].predecessors.isEmpty {
            for path in legs.paths(from: index) {
                guard let last = path.last, let end = ends[last], let (ending, suspect) = weighed[end] else { continue }
                writer.write(path, ending, suspect)
            }
        }
        writer.link()
        journeys = writer.journeys
        flows = writer.flows
    }
}

extension Legs {
    /// The ways on from a leg: one, unless the packet was cut into several.
    fileprivate func paths(from start: Int) -> [[Int]] {
        var paths: [[Int]] = []
        var open = [[start]]
        while let path = open.popLast() {
            guard let last = path.last else { continue }
            let next = legs[last].successors.map(Int.init).filter { !path.contains($0) }
            guard !next.isEmpty else {
                paths.append(path)
                continue
            }
            open += next.reversed().map { path + [$0] }
        }
        return paths
    }
}

/// Writes journeys down and links them.
private struct JourneyWriter {
    let evidence: Evidence
    let legs: Legs
    let states: States
    let moments: ConntrackMoments
    var journeys: [Journey] = []
    var flows: [Flow] = []
    /// By connection, each way: the flow, and whether it is the way of its answers.
    private var flowOf: [UInt64: (flow: Int, isReply: Bool)] = [:]
    /// By flow: the latest journey each way.
    private var latest: [Int: (forward: Int?, reply: Int?)] = [:]
    private var byFrame: [Int: Int] = [:]
    private var byQuote: [UInt64: [Int]] = [:]
    private var questions: [UInt64: Int] = [:]
    /// ARP answers whose question was not seen yet, as indices of journeys.
    private var unasked: [UInt64: [Int]] = [:]
    private var errors: [Int] = []
    private let tracking: Set<String>
    /// Whose requests clients told of, each the client and whom it asked.
    private let requested: Set<[Endpoint]>
    /// By leg; those that were told are taken out.
    var lostCopies: [Int: [(copy: Endings.Copy, ending: Ending, suspect: Ending.Suspect?)]] = [:]

    init(evidence: Evidence, legs: Legs, states: States, moments: ConntrackMoments) {
        self.evidence = evidence
        self.legs = legs
        self.states = states
        self.moments = moments
        requested = Set(
            evidence.steps.flatMap(\.transcripts).compactMap { transcript in
                transcript.source.map { [$0, transcript.destination] }
            })
        let snapshots = evidence.steps.map(\.after) + [evidence.final]
        tracking = Set(snapshots.flatMap { $0.conntrack.filter { !$0.value.isEmpty }.map(\.key) })
    }

    mutating func write(_ path: [Int], _ ending: Ending, _ suspect: Ending.Suspect?) {
        guard let first = path.first, let last = path.last, let headers = legs.headers(legs.legs[first].frame) else {
            return
        }
        let cargo = legs.legs[first].cargo
        var hops: [Hop] = []
        for index in path { hops += self.hops(ofLeg: index) }
        let seen = path.reduce(0) { $0 + legs.legs[$1].flight.stops.count }
        let isIP = headers.packet != nil && headers.neighbour == nil
        let number = journeys.count + 1
        var journey = Journey(
            number: number, packet: headers.text, protocol: headers.protocolName,
            source: isIP ? cargo.ends.source : nil, destination: isIP ? cargo.ends.destination : nil,
            hops: hops, copies: seen - hops.count, end: suspect?.end ?? ending.end, blame: nil, flow: nil,
            isReply: false)
        if journey.end != .delivered {
            journey.blame = blame(ending, suspect)
            // Conntrack's own word for it.
            if journey.end == .droppedByConntrackRule,
                let said = hops.last(where: { $0.namespace == ending.place })?.invalid
            {
                journey.blame?.evidence.append("conntrack said '\(said)'")
            }
        }
        addLostCopies(to: &journey, path)
        for index in path { byFrame[legs.legs[index].frame] = journeys.count }
        if isIP { join(&journey, path, cargo, headers) } else { answer(&journey, headers) }
        if let icmp = ending.icmp, last == path.last { journey.quotedBy = -icmp - 1 }
        journeys.append(journey)
    }

    private func blame(_ ending: Ending, _ suspect: Ending.Suspect?) -> Blame {
        Blame(
            place: ending.place, rules: suspect?.rules.map(\.rule.counter) ?? [],
            evidence: suspect.map { [$0.evidence] } ?? ending.evidence)
    }

    private mutating func addLostCopies(to journey: inout Journey, _ path: [Int]) {
        var lost: [Journey.LostCopy] = []
        for index in path {
            for (copy, ending, suspect) in lostCopies.removeValue(forKey: index) ?? [] {
                let sighting = legs.sightings[Int(legs.legs[index].flight.stops[copy.stop].sighting)]
                lost.append(
                    .init(
                        port: evidence.ports[copy.port].name, frame: Int(sighting.frame),
                        end: suspect?.end ?? ending.end, blame: blame(ending, suspect)))
            }
        }
        if !lost.isEmpty { journey.lostCopies = lost }
        // Where not one copy came through, the journey ends as most of the last ones did.
        guard journey.end == .floodedOnly, let frame = journey.lastHop?.frame else { return }
        let last = lost.filter { $0.frame == frame }
        let counts = last.map { copy in last.count { $0.isLike(copy) } }
        if let most = counts.max(), let first = zip(last, counts).first(where: { $1 == most })?.0 {
            journey.end = first.end
            journey.blame = first.blame
        }
    }

    private func hops(ofLeg index: Int) -> [Hop] {
        let (ttl, tunnel) = legs.outline(legs.legs[index].frame)
        let cargo = legs.legs[index].cargo
        return legs.legs[index].flight.path(to: legs.legs[index].arrival ?? legs.legs[index].last).map { stop in
            let sighting = legs.sightings[Int(stop.sighting)]
            let port = evidence.ports[Int(sighting.port)]
            var hop = Hop(
                port: port.name, direction: Wiring.isInward(Int(stop.place)) ? .into : .outOf, time: sighting.time,
                sourceMAC: sighting.sourceMAC, destinationMAC: sighting.destinationMAC, ttl: ttl,
                wrapping: nil, tunnel: tunnel, frame: Int(sighting.frame), conntrack: nil, invalid: nil)
            if legs.wiring.roles[Int(sighting.port)] == .trunk {
                let frame = legs.frames[Int(sighting.frame)]
                hop.wrapping = legs.dissector.unwrap(frame.octets.span, port: frame.port)?.wrapping
            }
            let moment = moments.moment(of: legs.legs[index], in: legs.namespaceOfPort[Int(sighting.port)])
            hop.conntrack = moment?.entry
            hop.invalid = moment?.invalid
            if moment == nil, tracking.contains(port.namespace),
                let interval = states.intervals(at: sighting.time).first
            {
                hop.conntrack = states.conntrackText(of: cargo, in: port.namespace, snapshot: interval)
            }
            if hop.invalid != nil { hop.conntrack = (hop.conntrack.map { "\($0), " } ?? "") + "INVALID" }
            return hop
        }
    }

    // MARK: Flows

    private mutating func join(_ journey: inout Journey, _ path: [Int], _ cargo: Cargo, _ headers: Headers) {
        if cargo.isICMP, legs.quote(legs.legs[path[0]].frame) != nil {
            errors.append(journeys.count)
            return
        }
        let known = flowOf[cargo.connection]
        let flow = known?.flow ?? flows.count
        let isReply = known?.isReply ?? isAnswer(path, headers)
        if known == nil {
            // The client knows its server by the address that its own packets have, behind all translation.
            let (client, server) = (isReply ? legs.legs[path[path.count - 1]].cargo.reversed : cargo).ends
            flows.append(Flow(protocol: journey.protocol, client: client, server: server, forward: [], reply: []))
        }
        for index in path {
            let cargo = legs.legs[index].cargo
            if flowOf[cargo.connection] == nil { flowOf[cargo.connection] = (flow, isReply) }
            if flowOf[cargo.reversed.connection] == nil { flowOf[cargo.reversed.connection] = (flow, !isReply) }
        }
        journey.flow = flow
        journey.isReply = isReply
        let others = latest[flow] ?? (nil, nil)
        if !headers.isOpening {
            journey.answers = isReply ? others.forward : others.reply
        } else if let answer = others.reply, journeys[answer - 1].answers == nil,
            journeys[answer - 1].started == journey.started
        {
            journeys[answer - 1].answers = journey.number
        }
        if isReply {
            flows[flow].reply.append(journeys.count)
            latest[flow] = (others.forward, journey.number)
        } else {
            flows[flow].forward.append(journeys.count)
            latest[flow] = (journey.number, others.reply)
        }
    }

    /// Whether the first journey of a flow goes the way of its answers: where time stands still, an answer can be captured
    /// before what it answers.
    private func isAnswer(_ path: [Int], _ headers: Headers) -> Bool {
        let (client, server) = legs.legs[path[path.count - 1]].cargo.reversed.ends
        if requested.contains([client, server]) { return true }
        if headers.isAnswer { return true }
        // A refusal, if what it refuses is of the same moment.
        guard headers.isRefusal else { return false }
        let (started, opposite) = (legs.legs[path[0]].started, legs.legs[path[0]].cargo.reversed.connection)
        return legs.legs[(path[0] + 1)...].prefix { $0.started == started }.contains { other in
            other.cargo.connection == opposite && legs.headers(other.frame)?.isOpening ?? false
        }
    }

    /// An ARP answer to its question.
    private mutating func answer(_ journey: inout Journey, _ headers: Headers) {
        guard let message = headers.neighbour, !message.isAnnouncement else { return }
        func key(_ asker: IPAddress, _ asked: IPAddress) -> UInt64 {
            var hash = Mix()
            hash.add(asker)
            hash.add(asked)
            return hash.value
        }
        if message.isRequest {
            let asked = key(message.sender, message.target)
            questions[asked] = journey.number
            // Where time stands still, an answer can be captured before its question.
            for index in unasked.removeValue(forKey: asked) ?? [] where journeys[index].started == journey.started {
                journeys[index].answers = journey.number
            }
        } else {
            let asked = key(message.target, message.sender)
            journey.answers = questions[asked]
            if journey.answers == nil { unasked[asked, default: []].append(journeys.count) }
        }
    }

    /// ICMP errors with the packets that they quote, both ways.
    mutating func link() {
        guard !errors.isEmpty else {
            return
        }
        for index in legs.legs.indices where legs.legs[index].cargo.isIP {
            guard let number = byFrame[legs.legs[index].frame], let ip = legs.innermost(legs.legs[index].frame) else {
                continue
            }
            byQuote[Endings.quoteKey(ip), default: []].append(number)
        }
        for index in journeys.indices {
            guard let mark = journeys[index].quotedBy, mark < 0, let error = byFrame[-mark - 1] else { continue }
            journeys[index].quotedBy = journeys[error].number
            if journeys[error].quotes == nil { journeys[error].quotes = journeys[index].number }
        }
        for error in errors where journeys[error].quotes == nil {
            guard let frame = journeys[error].hops.first?.frame, let (_, quoted) = legs.quote(frame) else { continue }
            let started = journeys[error].started
            let candidates = byQuote[Endings.quoteKey(quoted)] ?? []
            if let about = candidates.last(where: { journeys[$0].started <= started }) {
                journeys[error].quotes = journeys[about].number
                if journeys[about].quotedBy == nil { journeys[about].quotedBy = journeys[error].number }
            }
        }
        for index in journeys.indices where journeys[index].quotedBy.map({ $0 < 0 }) ?? false {
            journeys[index].quotedBy = nil
        }
    }
}

extension Legs {
    /// A frame's TTL, of the outermost packet, and the ends of the tunnel that this is, `203.0.113.3 → 203.0.113.4`.
    fileprivate func outline(_ frame: Int) -> (ttl: Int?, tunnel: String?) {
        let captured = frames[frame]
        let octets = captured.octets.span
        guard let unwrapped = dissector.unwrap(octets, port: captured.port), let ip = unwrapped.frame.ip else {
            return (nil, nil)
        }
        let isTunnel = dissector.innermost(ip, octets, at: unwrapped.payload).start != unwrapped.payload
        return (Int(ip.ttl), isTunnel ? "\(ip.source) → \(ip.destination)" : nil)
    }
}

extension Cargo {
    fileprivate var hasPorts: Bool { protocolNumber == 6 || protocolNumber == 17 || protocolNumber == 132 }
    fileprivate var ends: (source: Endpoint, destination: Endpoint) {
        (
            Endpoint(source, port: hasPorts ? sourcePort : 0),
            Endpoint(destination, port: hasPorts ? destinationPort : 0)
        )
    }
}

extension Headers {
    /// A SYN, or an ICMP echo request.
    fileprivate var isOpening: Bool {
        if let flags = packet?.flags { return flags & 0x12 == 0x02 }
        return isEcho(8, 128)
    }
    /// A SYN/ACK, or an ICMP echo reply.
    fileprivate var isAnswer: Bool {
        if let flags = packet?.flags { return flags & 0x12 == 0x12 }
        return isEcho(0, 129)
    }
    /// A reset of what acknowledged nothing.
    fileprivate var isRefusal: Bool { packet?.flags.map { $0 & 0x14 == 0x14 } ?? false }

    private func isEcho(_ v4: UInt8, _ v6: UInt8) -> Bool {
        packet?.icmpType.map { $0 == (packet?.source.family == .v6 ? v6 : v4) } ?? false
    }

    fileprivate var text: String {
        neighbour?.text ?? packet?.text ?? "\(sourceMAC) → \(destinationMAC)"
    }
    fileprivate var protocolName: String {
        neighbour.map { $0.isIPv6 ? "ndp" : "arp" } ?? packet?.protocolName ?? "ethernet"
    }
}
