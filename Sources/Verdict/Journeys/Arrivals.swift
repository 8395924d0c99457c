internal import Evidence
internal import Net
internal import Scenario

/// How packets end that came to the machine that they were sent to.
extension Endings {
    func arrived(_ leg: Leg, namespace: String, port: Int) -> Ending {
        let host = legs.namespaceOfPort[port]
        let time = legs.arrivalTime(leg) ?? leg.started
        let device = evidence.ports[port].interface
        guard leg.cargo.isIP else {
            var ending = Ending(end: .delivered, place: namespace)
            ending.suspects = suspects(
                leg, namespace: namespace, family: "arp", hooks: [("filter", "INPUT")], inDevice: device,
                outDevices: [], time: time)
            // A question is routed back to who asks (arp_process in net/ipv4/arp.c).
            if let message = legs.headers(leg.frame)?.neighbour, message.isRequest, !message.isAnnouncement,
                !message.isIPv6, legs.addresses[host].contains(message.sender)
            {
                ending.suspects += counted(Self.martians, namespace: namespace, time: time, end: .droppedAsMartian)
            }
            return ending
        }
        if let error = error(about: leg, from: namespace) { return told(error, leg, namespace) }
        let destination = leg.cargo.destination
        let isLocal = legs.addresses[host].contains(destination) || destination.isMulticastOrBroadcast
        let replied = hasReplied(to: leg.cargo, host, since: time)
        let service = scenario.services.first { service in
            service.director == namespace
                && (service.firewallMark != nil
                    || service.address == destination
                        && (service.port == leg.cargo.destinationPort || service.port == 0))
        }
        var ending = Ending(end: .delivered, place: namespace)
        if replied && isLocal && service == nil { return ending }
        ending.suspects = counted(leg, host: host, namespace: namespace, time: time)
        let family = leg.cargo.source.family == .v6 ? "ipv6" : "ipv4"
        let forwards = scenario.forwards(namespace, family: leg.cargo.source.family)
        var hooks = [("raw", "PREROUTING"), ("mangle", "PREROUTING")]
        let isForwarded = !isLocal && service == nil || isLocal && quotesPassedOn(leg, host)
        hooks += isForwarded ? [("filter", "FORWARD")] : [("mangle", "INPUT"), ("filter", "INPUT")]
        ending.suspects += suspects(
            leg, namespace: namespace, family: family, hooks: hooks, inDevice: device, outDevices: [], time: time)
        if let service { return scheduled(ending, leg, service, host: host, time: time, replied: replied) }
        guard !isLocal else {
            if let full = fullTable(namespace, time: time), leg.cargo.protocolNumber == 6, !replied {
                ending.end = .tableFull
                ending.evidence = [full]
            }
            return ending
        }
        if leg.cargo.ttl <= 1 {
            ending.end = .ttlExceeded
            ending.evidence = ["it came with TTL \(leg.cargo.ttl)"]
        } else if legs.addresses[host].contains(leg.cargo.source) {
            ending.end = .droppedAsMartian
            ending.evidence = ["\(leg.cargo.source) is an address of \(namespace) itself"]
        } else if !forwards {
            guard isRefused(leg, namespace: namespace, time: time) else {
                ending.evidence = ["\(namespace) took it in, though no address of its cards is \(destination)"]
                return ending
            }
            ending.end = .notForUs
            ending.evidence = ["\(namespace) does not have \(destination), and forwards nothing"]
        } else if isLeftUnanswered(host, from: time) {
            ending.end = .neighbourUnreachable
            ending.evidence = ["\(namespace) asked for its next hop and got no answer"]
        } else if time + 3_000_000_000 >= evidence.ended {
            ending.end = .inFlight
        } else {
            ending.end = .undecided(between: ["no route", "lost on a link"])
            if let interval = states.intervals(at: time).first,
                states.growth(of: "Ip.OutNoRoutes", in: namespace, interval: interval) > 0
            {
                ending.end = .noRoute
            }
        }
        return ending
    }

    /// For a virtual service, and not sent on.
    private func scheduled(
        _ ending: Ending, _ leg: Leg, _ service: Service, host: Int, time: Nanoseconds, replied: Bool
    ) -> Ending {
        var ending = ending
        let destination = leg.cargo.destination
        let name = "\(service.transport.rawValue) \(destination):\(leg.cargo.destinationPort)"
        if replied {
            return Ending(end: .delivered, place: ending.place)
        }
        if leg.cargo.ttl <= 1 {
            ending.end = .ttlExceeded
            ending.evidence = ["it came with TTL \(leg.cargo.ttl)"]
        } else if isLeftUnanswered(host, from: time) {
            ending.end = .neighbourUnreachable
            ending.evidence = ["\(ending.place) asked for a real server and got no answer"]
        } else if time + 1_000_000 >= evidence.ended {
            ending.end = .inFlight
        } else if let limit = changes.limit("gc_thresh3", at: time), !unknownServers(service, time).isEmpty {
            ending.end = .tableFull
            let servers = unknownServers(service, time).joined(separator: ", ")
            ending.evidence = [
                "the neighbour table has room for \(limit), and \(ending.place) does not know \(servers)"
            ]
        } else if service.firewallMark != nil && legs.addresses[host].contains(destination)
            && leg.cargo.protocolNumber == 1
        {
            ending.end = .delivered
        } else {
            ending.end = .consumedByIPVS
            ending.evidence = ["\(ending.place) has the service \(name), and sent the packet to none of its servers"]
        }
        return ending
    }

    /// The service's real servers whose MAC address the director does not know.
    private func unknownServers(_ service: Service, _ time: Nanoseconds) -> [String] {
        guard let interval = states.intervals(at: time).first else { return [] }
        let known = states.neighbours(of: service.director, interval: interval).filter { $0.mac != nil }
        let latest = Set(known.map(\.address))
        let lost = changes.forgotten(by: service.director, before: time)
        return service.realServers.map(\.address).filter { !latest.contains($0) || lost.contains($0) }
            .map(\.description)
    }

    /// An ICMP error says it.
    private func told(_ error: ICMPError, _ leg: Leg, _ namespace: String) -> Ending {
        var ending = Ending(end: .answeredByICMP, place: namespace)
        ending.icmp = error.frame
        let type = (error.type, error.code)
        if error.isIPv6 {
            switch type {
            case (1, 0): ending.end = .noRoute
            case (1, 3): ending.end = .neighbourUnreachable
            case (2, _): ending.end = .tooBig
            case (3, 0): ending.end = .ttlExceeded
            default: break
            }
        } else {
            switch type {
            case (3, 0): ending.end = .noRoute
            case (3, 1): ending.end = .neighbourUnreachable
            case (3, 4): ending.end = .tooBig
            case (11, 0): ending.end = .ttlExceeded
            default: break
            }
        }
        ending.evidence = [
            "\(namespace) answers with ICMP type \(error.type) code \(error.code), frame \(error.frame + 1)"
        ]
        return ending
    }

    /// Whether a machine that forwards nothing counted a packet that is not for it (ip_error in net/ipv4/route.c); IPv6
    /// counts none.
    private func isRefused(_ leg: Leg, namespace: String, time: Nanoseconds) -> Bool {
        guard leg.cargo.source.family == .v4 else { return true }
        return states.intervals(at: time).contains { interval in
            !states.hasCounters(namespace, interval: interval)
                || ["Ip.InAddrErrors", "Ip.InNoRoutes"].contains {
                    states.growth(of: $0, in: namespace, interval: interval) > 0
                }
        }
    }

    /// What the kernel's counters can tell of the source being wrong.
    private func counted(_ leg: Leg, host: Int, namespace: String, time: Nanoseconds) -> [Ending.Suspect] {
        guard leg.cargo.source.family == .v4 else { return [] }
        return legs.addresses[host].contains(leg.cargo.source)
            ? counted(Self.martians, namespace: namespace, time: time, end: .droppedAsMartian)
            : counted(
                "TcpExt.IPReversePathFilter", namespace: namespace, time: time, end: .droppedByReversePathFilter)
    }

    /// Counts what comes from an address of the machine itself.
    private static let martians = "rt_cache.in_martian_src"

    private func counted(
        _ counter: String, namespace: String, time: Nanoseconds, end: JourneyEnd
    ) -> [Ending.Suspect] {
        states.intervals(at: time).compactMap { interval in
            let growth = states.growth(of: counter, in: namespace, interval: interval)
            guard growth > 0 else { return nil }
            return .init(
                interval: interval,
                resources: [.init(name: "\(namespace) \(interval) \(counter)", capacity: growth)],
                end: end, evidence: "\(namespace)'s \(counter) grew by \(growth)")
        }
    }
}

extension Scenario {
    /// Whether a host is set to forward packets at all.
    fileprivate func forwards(_ name: String, family: IPAddress.Family) -> Bool {
        let key =
            family == .v4 ? ["net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding"] : ["net.ipv6.conf.all.forwarding"]
        var value = hosts.first { $0.name == name }?.sysctls.last { key.contains($0.key) }?.value
        for step in timeline {
            if case .sysctl(let on, let settings) = step.action, on == name,
                let set = settings.last(where: { key.contains($0.key) })
            {
                value = set.value == "1" ? "1" : value
            }
        }
        return value == "1"
    }
}

extension IPAddress {
    fileprivate var isMulticastOrBroadcast: Bool {
        family == .v4 ? value >> 28 == 0xE || value == 0xFFFF_FFFF : value >> 120 == 0xFF
    }
}
