internal import Evidence
internal import Net
internal import Scenario

/// How packets end that never came to the machine that they were sent to: within bridges, and on cables.
extension Endings {
    /// A frame for all, or for a MAC address that no machine has.
    func targetless(_ leg: Leg, namespace: String, port: Int) -> Ending {
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

    func withinBridge(_ leg: Leg, _ stop: Flight.Stop, namespace: String, port: Int) -> Ending {
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

    func onCable(_ leg: Leg, _ stop: Flight.Stop, namespace: String, port: Int) -> Ending {
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
}

extension Packet {
    /// Of a group's member, which bridges take and pass on to routers alone (RFC 4541): IGMP, and MLD's reports.
    fileprivate var isListenerReport: Bool {
        protocolNumber == 2 || protocolName == "icmpv6" && [131, 132, 143].contains(icmpType)
    }
}
