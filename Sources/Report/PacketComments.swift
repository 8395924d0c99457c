internal import Evidence
public import Net
public import Scenario
public import Verdict

/// What a capture file can tell beside its frames: a comment where a packet met its end, and the names of addresses.
public struct PacketComments: Sendable, Equatable {
    /// By a frame's index in the capture.
    public private(set) var comments: [Int: String] = [:]
    /// Each address once, with the machine that has it; the address of a service is the VIP, whoever has it.
    public private(set) var names: [HostName] = []

    public struct HostName: Sendable, Equatable {
        public var address: IPAddress
        public var name: String

        /// The address in network order.
        public var octets: [UInt8] { address.octets }
    }

    public init(scenario: Scenario, journeys: Journeys) {
        for journey in journeys.journeys {
            if let quoted = journey.quotes, let first = journey.hops.first {
                add("ICMP error about packet #\(quoted)", at: first.frame)
            }
            guard !journey.end.isGood, let last = journey.lastHop else { continue }
            add(Self.comment(on: journey, last), at: last.frame)
        }
        let vips = scenario.services.map(\.address).filter { !$0.isUnspecified }.reduce(into: [IPAddress]()) {
            if !$0.contains($1) { $0.append($1) }
        }
        for (number, vip) in vips.enumerated() { name(vip, number == 0 ? "vip" : "vip\(number + 1)") }
        for host in scenario.hosts {
            let onCards = host.ports.flatMap { ($0.addresses ?? []).map(\.address) + $0.fixedIPs }
            for address in onCards + host.interfaces.flatMap({ $0.addresses.map(\.address) }) {
                name(address, host.name)
            }
        }
    }

    private mutating func add(_ comment: String, at frame: Int) {
        comments[frame] = comments[frame].map { "\($0)\n\(comment)" } ?? comment
    }

    private mutating func name(_ address: IPAddress, _ name: String) {
        guard !names.contains(where: { $0.address == address }) else { return }
        names.append(HostName(address: address, name: name))
    }

    /// `packet #11 dropped here: hv1 filter/neutron-linuxbri-i6c620000-0 rule 1 (-m state --state INVALID -j DROP), …`.
    private static func comment(on journey: Journey, _ last: Hop) -> String {
        let place = journey.blame?.place ?? last.namespace
        var text = "packet #\(journey.number) "
        if let rule = journey.blame?.rule {
            text += "dropped here: \(place) \(rule.table)/\(rule.chain) "
            text += rule.number == 0 ? "(\(rule.rule))" : "rule \(rule.number) (\(rule.rule))"
        } else {
            text += "ends here: \(journey.end.text), at \(place)"
        }
        if let conntrack = last.conntrack { text += "; conntrack \(conntrack)" }
        return text
    }
}
