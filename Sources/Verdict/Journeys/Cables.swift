internal import Evidence
internal import Net
internal import Scenario

/// What cables do to frames.
extension Endings {
    func link(of port: Int) -> Link? {
        let captured = evidence.ports[port]
        switch legs.wiring.roles[port] {
        case .host:
            return scenario.hosts.first { $0.name == captured.namespace }?.ports.first {
                $0.name == captured.interface
            }?.link
        case .tap, .hybrid:
            return scenario.hosts.lazy.flatMap(\.ports).first {
                $0.tapName == captured.interface || $0.hybridPortName == captured.interface
            }?.link
        case .uplink, .trunk:
            return scenario.hypervisors.first { $0.name == captured.namespace }?.link
                ?? scenario.switches.first { $0.name == captured.namespace }?.link
        }
    }

    /// What happens to frames before they are seen leaving by a port.
    func impairment(outOf port: Int) -> Impairment {
        guard let link = link(of: port) else { return Impairment() }
        if case .tap = legs.wiring.roles[port] { return link.receiving }
        return link.sending
    }

    func delays(_ ports: [Int]) -> Nanoseconds {
        ports.map { port in
            let link = link(of: port) ?? Link()
            let ways = [link.sending, link.receiving]
            return ways.map { $0.delay * 2 + $0.jitter * 2 + ($0.rate > 0 ? 1_000_000_000 : 0) }.max() ?? 0
        }.max() ?? 0
    }

    /// If a frame is longer than the smallest MTU of its way: a sentence that says so.
    func tooBig(_ frame: RunFrame, onward: [Int], _ leg: Leg) -> String? {
        guard let unwrapped = legs.dissector.unwrap(frame.octets.span, port: frame.port),
            let size = unwrapped.frame.ip?.totalLength
        else { return nil }
        for port in onward {
            var limit = link(of: port)?.mtu ?? 1500
            if case .uplink = legs.wiring.roles[port], case .vxlan = scenario.fabric { limit -= 50 }
            let captured = evidence.ports[port]
            limit = changes.mtu(of: captured.interface, in: captured.namespace, at: frame.time) ?? limit
            if size > limit { return "it has \(size) octets, and \(evidence.ports[port].name) an MTU of \(limit)" }
        }
        return nil
    }
}
