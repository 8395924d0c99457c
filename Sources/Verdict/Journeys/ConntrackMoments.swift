internal import Evidence
internal import Net

/// What conntrack made of each packet at the moment when it passed, by the kernel's events and its log.
///
/// In virtual time a whole handshake is of one instant. Which packet made an event happen follows from what the event
/// says: the first SYN makes an entry, the SYN/ACK makes it SYN_RECV (nf_conntrack_proto_tcp.c, `tcp_conntracks`).
struct ConntrackMoments {
    struct Moment {
        /// `SYN_SENT [UNREPLIED] zone 1`, as the packet left it; nil where there was no entry.
        var entry: String?
        /// What the kernel logged of it as INVALID.
        var invalid: String?
    }

    /// By leg and namespace.
    private var moments: [Key: Moment] = [:]

    private struct Key: Hashable {
        /// Its first frame.
        var leg: Int32
        var namespace: Int32
    }

    /// A packet in a namespace.
    private struct Passage {
        var key: Key
        var time: Nanoseconds
        var frame: Int32
        var core: UInt64
        /// A director sends a packet on that is the same but for this.
        var ttl: UInt8
        var flags: UInt8?
    }

    /// How much later than the packet, at most, an event is that tells of it, where time goes on meanwhile.
    private static let delay: Nanoseconds = 1_000_000

    init(_ evidence: Evidence, _ legs: Legs) {
        let histories = evidence.conntrack ?? []
        let invalid = evidence.invalid ?? []
        guard !histories.isEmpty || !invalid.isEmpty else { return }
        var passages: [UInt64: [Passage]] = [:]
        let watched = Set(histories.map(\.namespace) + invalid.map(\.namespace))
        let namespaces = Set(legs.namespaces.indices.filter { watched.contains(legs.namespaces[$0]) })
        for leg in legs.legs where leg.cargo.isIP {
            for passage in Self.passages(of: leg, in: namespaces, legs) {
                let connection = Self.key(leg.cargo.connection, Int(passage.key.namespace))
                passages[connection, default: []].append(passage)
            }
        }
        for key in passages.keys { passages[key]?.sort { ($0.time, $0.frame) < ($1.time, $1.frame) } }
        for history in histories { follow(history, passages, legs) }
        for packet in invalid { note(packet, passages, legs) }
    }

    /// nil where nobody listened, or there was nothing to hear of it.
    func moment(of leg: Leg, in namespace: Int) -> Moment? {
        moments.isEmpty ? nil : moments[Key(leg: Int32(leg.frame), namespace: Int32(namespace))]
    }

    /// Each namespace counts once, however many of its ports saw the packet.
    private static func passages(of leg: Leg, in namespaces: Set<Int>, _ legs: Legs) -> [Passage] {
        var found: [Passage] = []
        for stop in leg.flight.stops {
            let sighting = legs.sightings[Int(stop.sighting)]
            let namespace = legs.namespaceOfPort[Int(sighting.port)]
            guard namespaces.contains(namespace) else { continue }
            if let known = found.firstIndex(where: { $0.key.namespace == namespace }) {
                found[known].frame = min(found[known].frame, sighting.frame)
                continue
            }
            found.append(
                Passage(
                    key: Key(leg: Int32(leg.frame), namespace: Int32(namespace)), time: sighting.time,
                    frame: sighting.frame, core: leg.cargo.core, ttl: leg.cargo.ttl,
                    flags: leg.cargo.protocolNumber == 6 ? legs.innermost(leg.frame)?.tcp?.flags.rawValue : nil))
        }
        return found
    }

    private static func key(_ connection: UInt64, _ namespace: Int) -> UInt64 {
        var hash = Mix()
        hash.add(connection)
        hash.add(UInt64(namespace))
        return hash.value
    }

    // MARK: Events

    private mutating func follow(
        _ history: ConntrackHistory, _ passages: [UInt64: [Passage]], _ legs: Legs
    ) {
        guard let namespace = legs.namespaces.firstIndex(of: history.namespace) else { return }
        func those(_ tuple: ConntrackTuple) -> [(passage: Passage, isReply: Bool)] {
            let connection = States.connection(of: tuple, history.protocol)
            return (passages[Self.key(connection, namespace)] ?? []).map { ($0, tuple == history.reply) }
        }
        // An untranslated echo's answer has the same words both ways.
        var all = those(history.original) + those(history.reply)
        all.sort { ($0.passage.time, $0.passage.frame) < ($1.passage.time, $1.passage.frame) }
        guard !all.isEmpty else { return }
        // By passage: the change that it made.
        var made: [Int?] = .init(repeating: nil, count: all.count)
        // Events are in the order of the packets that made them.
        var since = Nanoseconds.min
        for (number, change) in history.changes.enumerated() where change.kind != .destroyed {
            let fitting = all.indices.filter { index in
                made[index] == nil && (since...max(since, change.time)).contains(all[index].passage.time)
                    && Self.fits(change, all[index].passage, isReply: all[index].isReply)
            }
            let near = fitting.first { all[$0].passage.time >= change.time - Self.delay }
            guard let index = near ?? fitting.last else { continue }
            made[index] = number
            since = all[index].passage.time
        }
        let ended = history.changes.last.flatMap { $0.kind == .destroyed ? $0.time : nil }
        var current: Int?
        for (index, (passage, _)) in all.enumerated() {
            if let own = made[index] { current = max(own, current ?? own) }
            guard let state = made[index] ?? current, ended.map({ passage.time <= $0 }) ?? true else { continue }
            let text = Self.text(history, state)
            let known = moments[passage.key]?.entry
            moments[passage.key, default: Moment()].entry = known.map { "\($0), \(text)" } ?? text
        }
    }

    private static func text(_ history: ConntrackHistory, _ number: Int) -> String {
        let change = history.changes[number]
        let words =
            [change.state].compactMap(\.self) + change.flags.map { "[\($0)]" }
            + (history.zone == 0 ? [] : ["zone \(history.zone)"])
        return words.isEmpty ? "tracked" : words.joined(separator: " ")
    }

    /// Whether a packet can have made this change.
    private static func fits(_ change: ConntrackHistory.Change, _ passage: Passage, isReply: Bool) -> Bool {
        if change.kind == .new { return !isReply }
        guard let flags = passage.flags.map(TCPBits.init) else { return true }
        return switch change.state {
        case "SYN_RECV": flags.isSYN && flags.isACK && isReply
        case "ESTABLISHED": flags.isACK && !flags.isSYN && !flags.isRST
        case "FIN_WAIT", "LAST_ACK": flags.isFIN
        case "CLOSE_WAIT", "TIME_WAIT": flags.isACK && !flags.isSYN
        case "CLOSE": flags.isRST
        case "SYN_SENT2": flags.isSYN && isReply
        case "SYN_SENT": flags.isSYN
        default: true
        }
    }

    private struct TCPBits {
        let bits: UInt8
        init(_ bits: UInt8) { self.bits = bits }
        var isFIN: Bool { bits & 0x01 != 0 }
        var isSYN: Bool { bits & 0x02 != 0 }
        var isRST: Bool { bits & 0x04 != 0 }
        var isACK: Bool { bits & 0x10 != 0 }
    }

    // MARK: INVALID

    private mutating func note(_ packet: InvalidPacket, _ passages: [UInt64: [Passage]], _ legs: Legs) {
        guard let octets = Hexadecimal.decode(packet.octets), let ip = IPPacket(octets.span),
            let namespace = legs.namespaces.firstIndex(of: packet.namespace)
        else { return }
        let cargo = legs.cargo(ip, octets.span, at: 0)
        let those = passages[Self.key(cargo.connection, namespace)] ?? []
        let same = those.filter {
            $0.time <= packet.time && $0.core == cargo.core && $0.ttl == cargo.ttl && moments[$0.key]?.invalid == nil
        }
        guard let passage = same.first(where: { $0.time >= packet.time - Self.delay }) ?? same.last else { return }
        // What conntrack "ignored" it accepted, without a change of its entry (nf_conntrack_tcp_packet in
        // net/netfilter/nf_conntrack_proto_tcp.c).
        if !packet.reason.contains("ignored") { moments[passage.key, default: Moment()].invalid = packet.reason }
        // What the log says of the entry is of this very moment.
        if let entry = packet.entry { moments[passage.key, default: Moment()].entry = States.text([entry]) }
    }
}
