internal import Evidence
internal import Net
internal import Scenario

/// Which packets came in by one port and never left by another.
///
/// A port's capture has both directions, so both must be told apart: a packet that the director sends back is on its
/// tap twice. Within a bridge a frame keeps its MAC addresses and TTL, so there they are part of a packet's identity;
/// across a router they are not.
struct Crossing {
    /// In order of time.
    private(set) var missing: [Seen] = []
    private(set) var entered = 0
    private(set) var passed = 0

    private struct Identity: Hashable {
        var packet: PacketIdentity?
        /// Source and destination MAC and TTL, where a bridge must keep them.
        var frame: [UInt64] = []
        /// The whole frame if it is no IP packet.
        var octets: ArraySlice<UInt8> = []
    }

    /// Looks at all of the run, so that a packet that leaves after the scope's end is not taken for a lost one, and
    /// counts those that came in within the scope.
    init(from: String, to: String, filter: String, in scope: Scope) throws(Unjudgeable) {
        let run = scope.run
        let source = try scope.names.port(from)
        let target = try scope.names.port(to)
        let namespace = run.evidence.ports[source].namespace
        let sameBridge =
            namespace == run.evidence.ports[target].namespace && !run.scenario.hosts.contains { $0.name == namespace }

        let atSource = Directions(of: source, in: run)
        let atTarget = Directions(of: target, in: run)
        let incoming = try run.frames(at: source, matching: filter).filter(atSource.entered)
        let outgoing = run.frames(at: target).filter { !atTarget.entered($0) }

        // Ties: coming in is before leaving, and then the order of the capture counts.
        let events = (incoming.map { (seen: $0, order: 0) } + outgoing.map { (seen: $0, order: 1) }).sorted {
            ($0.seen.frame.time, $0.order, $0.seen.index) < ($1.seen.frame.time, $1.order, $1.seen.index)
        }
        // A packet that is sent again can look the same: the one that leaves is the latest that came in before it.
        var waiting: [Identity: [Seen]] = [:]
        for event in events {
            guard let identity = Self.identity(event.seen, sameBridge: sameBridge) else { continue }
            if event.order == 0 {
                waiting[identity, default: []].append(event.seen)
            } else if let through = waiting[identity]?.popLast(), scope.contains(through.frame.time) {
                passed += 1
            }
        }
        missing = waiting.values.joined().filter { scope.contains($0.frame.time) }.sorted {
            ($0.frame.time, $0.index) < ($1.frame.time, $1.index)
        }
        entered = passed + missing.count
    }

    private static func identity(_ seen: Seen, sameBridge: Bool) -> Identity? {
        guard let headers = seen.headers else { return nil }
        guard let packet = headers.packet else { return Identity(octets: seen.frame.octets) }
        let frame = [headers.sourceMAC.bits, headers.destinationMAC.bits, UInt64(packet.ttl)]
        return Identity(packet: PacketIdentity(packet), frame: sameBridge ? frame : [])
    }
}

/// Tells for the frames of one port whether they came into its namespace by it, or left by it: libpcap does not say.
private struct Directions {
    private struct Twin {
        var time: Nanoseconds
        /// Whether it was captured at the tap of the machine whose MAC sent it.
        var isAtHome: Bool
    }

    /// The MACs that are at home in the namespace if it is a host.
    private let hostMACs: [MACAddress]?
    /// The MAC of the machine behind the port if it is a tap.
    private let tapMAC: MACAddress?
    /// The MAC of the machine on whose hybrid bridge the port is.
    private let hybridMAC: MACAddress?
    /// The frames of the namespace's other ports.
    private var twins: [ArraySlice<UInt8>: [Twin]] = [:]

    init(of port: Int, in run: Run) {
        let namespace = run.evidence.ports[port].namespace
        hostMACs = run.scenario.hosts.first { $0.name == namespace }?.ports.map(\.macAddress)
        tapMAC = run.names.tapOwner(port)?.port.macAddress
        hybridMAC = run.names.hybridOwner(port)?.macAddress
        guard hostMACs == nil, hybridMAC == nil else { return }
        for other in run.evidence.ports.indices
        where other != port && run.evidence.ports[other].namespace == namespace {
            let mac = run.names.tapOwner(other)?.port.macAddress
            for seen in run.frames(at: other) {
                let isAtHome = mac != nil && mac == seen.headers?.sourceMAC
                twins[seen.frame.octets, default: []].append(Twin(time: seen.frame.time, isAtHome: isAtHome))
            }
        }
    }

    func entered(_ seen: Seen) -> Bool {
        guard let mac = seen.headers?.sourceMAC else { return true }
        if let hostMACs { return !hostMACs.contains(mac) }
        // A hybrid bridge has two ports: what the machine sends leaves it by this one.
        if let hybridMAC { return mac != hybridMAC }
        if mac == tapMAC { return true }
        // On a bridge a frame leaves by this port if it was at another one before. In virtual time both can be at the
        // same instant: then it leaves by a tap that is not its sender's, and by an uplink if its sender lives here.
        return !(twins[seen.frame.octets] ?? []).contains { twin in
            twin.time < seen.frame.time || (twin.time == seen.frame.time && (tapMAC != nil || twin.isAtHome))
        }
    }
}
