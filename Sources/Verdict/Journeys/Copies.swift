internal import Evidence
internal import Net
internal import Scenario

/// The copies of one frame that bridges send to several ports, each of which meets rules of its own.
extension Endings {
    /// A copy that was not seen where a bridge must have sent it, or that came to a machine which the frame was not for,
    /// and that a rule may have dropped there.
    struct Copy {
        /// The stop at the bridge or the machine; an index into the flight's.
        var stop: Int
        /// The port that it was to leave the bridge by, or came to the machine by.
        var port: Int
        var ending: Ending
    }

    /// The copies of a leg's frame that may have met rules, beside the one that its own ending is about.
    ///
    /// Only what a rule counted tells that there was a copy: a bridge also spares ports behind which it has seen nobody
    /// listen, and those that are down.
    func copies(of leg: Leg) -> [Copy] {
        // Most frames go one way.
        let isForOne = leg.target != nil && !isForAll(leg)
        guard !isForOne || leg.flight.hasCopies else { return [] }
        var copies: [Copy] = []
        for (index, stop) in leg.flight.stops.enumerated() where Wiring.isInward(Int(stop.place)) {
            let port = Wiring.port(of: Int(stop.place))
            let namespace = legs.namespaces[legs.namespaceOfPort[port]]
            if legs.wiring.roles[port] == .host, isForAll(leg), index != leg.arrival {
                copies += copy(of: leg, at: index, port: port, namespace: namespace)
            }
            guard states.hasRules(namespace), scenario.hypervisors.contains(where: { $0.name == namespace }) else {
                continue
            }
            let seen = leg.flight.stops.filter { $0.parent == Int32(index) }.map { Wiring.port(of: Int($0.place)) }
            guard !isForOne || seen.count > 1, !seen.isEmpty || !mayEndWhole(leg, stop) else { continue }
            let own = leg.target != nil && leg.arrival == nil && leg.last == index ? onward(leg, stop) : []
            for place in legs.wiring.next[Int(stop.place)] {
                let next = Wiring.port(of: place)
                guard !seen.contains(next), !own.contains(next) else { continue }
                let suspects = bridgeSuspects(
                    leg, namespace: namespace, inDevice: evidence.ports[port].interface,
                    outDevices: [evidence.ports[next].interface], time: legs.sightings[Int(stop.sighting)].time,
                    at: [.forwarded]
                ).filter { !$0.resources.isEmpty }
                guard !suspects.isEmpty else { continue }
                var ending = Ending(end: .undecided(between: []), place: namespace)
                ending.suspects = suspects
                copies.append(Copy(stop: index, port: next, ending: ending))
            }
        }
        return copies
    }

    /// A machine's arptables sees each broadcast question, whoever it is for.
    private func copy(of leg: Leg, at stop: Int, port: Int, namespace: String) -> [Copy] {
        guard !leg.cargo.isIP else { return [] }
        let suspects = suspects(
            leg, namespace: namespace, family: "arp", hooks: [("filter", "INPUT")],
            inDevice: evidence.ports[port].interface, outDevices: [],
            time: legs.sightings[Int(leg.flight.stops[stop].sighting)].time
        ).filter { !$0.resources.isEmpty }
        guard !suspects.isEmpty else { return [] }
        var ending = Ending(end: .undecided(between: []), place: namespace)
        ending.suspects = suspects
        return [Copy(stop: stop, port: port, ending: ending)]
    }

    private func isForAll(_ leg: Leg) -> Bool {
        legs.sightings[Int(leg.flight.origin.sighting)].destinationMAC.isMulticast
    }

    /// Whether something may have stopped a frame before the bridge made copies of it.
    func mayEndWhole(_ leg: Leg, _ stop: Flight.Stop) -> Bool {
        let port = Wiring.port(of: Int(stop.place))
        return bridgeSuspects(
            leg, namespace: legs.namespaces[legs.namespaceOfPort[port]], inDevice: evidence.ports[port].interface,
            outDevices: [], time: legs.sightings[Int(stop.sighting)].time, at: [.received]
        ).contains { !$0.resources.isEmpty }
    }

    /// The ports that lead on from a stop at a bridge: to the frame's receiver, or all of them if it has none.
    func onward(_ leg: Leg, _ stop: Flight.Stop) -> [Int] {
        legs.wiring.next[Int(stop.place)].filter { place in
            guard let target = leg.target, let distance = legs.wiring.distance(from: place, to: target),
                let own = legs.wiring.distance(from: Int(stop.place), to: target)
            else { return leg.target == nil }
            return distance < own
        }.map { Wiring.port(of: $0) }
    }
}

extension Flight {
    /// Whether any place sent it on by several ports.
    fileprivate var hasCopies: Bool { stops.indices.contains { Int(stops[$0].parent) != $0 - 1 } }
}

extension Journey {
    /// A copy of a journey's frame, made by a bridge that sent it to several ports, that did not leave by one of them, or
    /// that a machine which it was not for dropped by a rule.
    public struct LostCopy: Codable, Sendable, Equatable {
        /// The port that it was to leave by, or by which it came to the machine, as evidence names it:
        /// `hv2:tap72733200-00`.
        public var port: String
        /// Where it was last seen: index of the frame in the capture file, from 0.
        public var frame: Int
        public var end: JourneyEnd
        public var blame: Blame

        /// Whether the same thing ended both, as far as rules and places go.
        func isLike(_ other: LostCopy) -> Bool {
            end == other.end && blame.place == other.blame.place && blame.rule?.chain == other.blame.rule?.chain
        }
    }
    /// The journey that one of its copies made.
    public func ended(as copy: LostCopy) -> Journey {
        var other = self
        other.end = copy.end
        other.blame = copy.blame
        if let last = hops.firstIndex(where: { $0.frame == copy.frame }) { other.hops = Array(hops[...last]) }
        return other
    }
}
