internal import Capture
internal import Glibc
internal import Kernel
internal import Net
internal import Plan
internal import Scenario

extension Run {
    /// Carries operations out in order; neighbours in the list that go to one namespace's netlink socket go together.
    func apply(_ operations: [Operation]) throws {
        var batch: [RouteRequest] = []
        var sysctls: [Sysctl] = []
        var current: Place?
        func flush() throws {
            if let current, !batch.isEmpty { try current.perform(batch) }
            if let current, !sysctls.isEmpty { try current.write(sysctls) }
            batch = []
            sysctls = []
        }
        for operation in operations {
            let place = try place(operation.namespace)
            if place !== current { try flush() }
            current = place
            if case .sysctl(let sysctl) = operation.action {
                if !batch.isEmpty { try flush() }
                sysctls.append(sysctl)
                continue
            }
            if !sysctls.isEmpty { try flush() }
            if let request = try routeRequest(operation.action, in: place) {
                batch.append(request)
                continue
            }
            try flush()
            try applyAlone(operation.action, in: place)
        }
        try flush()
    }

    /// The operation as a routing netlink request; nil if it is something else.
    private func routeRequest(_ action: Operation.Action, in place: Place) throws -> RouteRequest? {
        switch action {
        case .addBridge(let name, let mac): return .addBridge(name: name, mac: mac)
        case .setCallsFilters(let bridge): return .setBridge(.init(name: bridge, callsFilters: true))
        case .setHub(let bridge): return .setBridge(.init(name: bridge, ageing: 0))
        case .addVLAN(let name, let link, let id):
            place.note(name, mac: nil)
            return .addVLAN(name: name, link: link, id: id)
        case .addVXLAN(let name, let link, let id, let local):
            place.note(name, mac: nil)
            return .addVXLAN(
                .init(name: name, id: id, local: local, remote: IPAddress(v4: 0xE000_0001), link: link))
        case .setImpairment(let interface, let impairment):
            return .setNetem(
                link: interface,
                Netem(
                    delay: impairment.delay, jitter: impairment.jitter, loss: impairment.loss,
                    duplicate: impairment.duplicate, reorder: impairment.reorder, rate: impairment.rate))
        case .addDummy(let name): return .addDummy(name: name)
        case .addVeth(let name, let mac, let mtu, let peer):
            let far = try self.place(peer.namespace)
            place.note(name, mac: mac)
            far.note(peer.name, mac: peer.mac)
            return .addVeth(
                .init(
                    name: name, mac: mac, mtu: mtu,
                    peer: .init(name: peer.name, mac: peer.mac, namespace: far.namespace.descriptor)))
        case .setMaster(let interface, let bridge): return .setMaster(interface, bridge: bridge)
        case .setUp(let interface): return .setUp(interface)
        case .setDown(let interface): return .setDown(interface)
        case .setGSOMaxSegments(let interface, let count): return .setGSOMaxSegments(interface, count)
        case .addAddress(let prefix, let interface): return .addAddress(prefix, link: interface)
        case .addRoute(let to, let via, let interface):
            let all = via?.family == .v6 ? IPAddress(v6: 0) : IPAddress(v4: 0)
            guard let to = to ?? IPPrefix(all, length: 0) else { return nil }
            return .addRoute(.init(to: to, via: via, link: interface))
        case .addNeighbour(let address, let mac, let interface):
            return .addNeighbour(address, mac, link: interface)
        case .moveInterface, .announce, .flushNeighbours, .sysctl, .loadRules, .restoreSets, .addService: return nil
        }
    }

    private func applyAlone(_ action: Operation.Action, in place: Place) throws {
        switch action {
        case .moveInterface(let name, let target): try moveInterface(name, from: place, to: self.place(target))
        case .announce(let interface, let mac):
            // Through queues that pass frames on: see RouteNetlink.awaitCarrier.
            for place in places { try place.awaitCarriers() }
            try place.namespace.send(Announcement.rarp(mac), from: interface)
        case .flushNeighbours: try place.flushNeighbours()
        case .loadRules(let family, let text, let flush):
            guard let family = RuleFamily(rawValue: family.rawValue) else { return }
            try place.loadRules(text, family: family, flush: flush)
        case .restoreSets(let text): try place.restoreSets(text)
        case .addService(let service): try place.add(service)
        default: break
        }
    }

    /// Sends frames as they stand.
    func send(_ frames: [String], times: Int, interval: Int64, from interface: String, in place: Place) throws {
        let frames = try frames.map { digits in
            guard let octets = Hexadecimal.decode(digits) else {
                throw RunProblem("the frame to send from \(interface) is no hexadecimal number", in: place.name)
            }
            return octets
        }
        // A ring holds many more, but each frame may be in several of them more than once.
        let framesBetweenDrains = 64
        for time in 0..<times {
            if time > 0, interval > 0 { clock.sleep(interval) }
            for (index, frame) in frames.enumerated() {
                try place.namespace.send(frame, from: interface)
                if (time * frames.count + index + 1) % framesBetweenDrains == 0 { captures.drain() }
            }
        }
    }

    /// Moves a tap device with its capture: what it has seen on the old hypervisor is kept. On the new one it is captured
    /// from the moment it is up (libpcap opens no interface that is down) and before it is plugged into the bridge.
    private func moveInterface(_ name: String, from source: Place, to target: Place) throws {
        captures.drain()
        for (port, point) in plan.captures.enumerated()
        where point.namespace == source.name && point.interface == name { captures.expectsToLeave(port) }
        try source.perform([.moveLink(name, to: target.namespace.descriptor)])
        let mac = source.forget(name)
        target.note(name, mac: mac)
        try target.perform([.setUp(name)])
        try openCaptures(
            plan.captures.indices.filter {
                plan.captures[$0].namespace == target.name && plan.captures[$0].interface == name
            })
    }
}
