/// The conntrack zones that an agent gives out: ip_conntrack.py, `IpConntrackManager`.
struct ConntrackZones {
    private let scheme: NeutronRelease.Zones
    private var zones: [String: Int]

    /// - Parameter saved: what iptables-save prints when the agent starts: it adopts the zones in the raw table
    ///   (`_populate_initial_zone_map`).
    init(_ scheme: NeutronRelease.Zones, adoptedFrom saved: String = "") {
        self.scheme = scheme
        zones = [:]
        for line in saved.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let device = Self.word(after: "--physdev-in", in: words),
                let zone = Self.word(after: "--zone", in: words).flatMap({ Int($0) })
            else { continue }
            zones[String(device.dropFirst(Neutron.Driver.prefixLength))] = zone
        }
    }

    private static func word(after option: Substring, in words: [Substring]) -> Substring? {
        guard let index = words.firstIndex(of: option), index + 1 < words.count else { return nil }
        return words[index + 1]
    }

    /// The port's zone, a new one if it has none yet; nil if the release does without.
    mutating func zone(of port: Neutron.Port, driver: Neutron.Driver) -> Int? {
        let identifier: Substring
        let first: Int
        switch scheme {
        case .none: return nil
        case .perNetwork(let from):
            identifier = port.networkID[...]
            first = from
        case .perPort(let from, keptAtRestart: true):
            // The UUID's head, which is also what an interface's name shows of it.
            identifier = driver.key(of: port)[...]
            first = from
        case .perPort(let from, keptAtRestart: false):
            // Meant for interface names, to find zones again that were read back. The openvswitch agent's UUIDs are not
            // interface names: its keys start three characters late, are never found again, and a restart gives every port
            // a new zone.
            identifier = driver.key(of: port).dropFirst(Neutron.Driver.prefixLength)
            first = from
        }
        let key = String(identifier.prefix(Neutron.Driver.interfaceLength - Neutron.Driver.prefixLength))
        if let zone = zones[key] { return zone }
        // One beyond the highest in use. (Neutron looks for gaps only beyond zone 65535.)
        let zone = max(first, (zones.values.max() ?? 0) + 1)
        zones[key] = zone
        return zone
    }
}
