internal import Evidence
internal import Measurement
internal import Net
internal import Verdict

/// The packets of a run as the page's script steps through them. What many packets share is in tables, and a number in the
/// packet: a page has thousands of them.
struct PacketData {
    struct Packet {
        /// The journey's number.
        var number: Int
        /// When, in microseconds.
        var time: Nanoseconds
        /// Who sends what to whom, an index into `heads`, and the rest of what tcpdump would write.
        var head: Int
        var rest: String
        /// The line on the diagram and the hops, an index into `paths`.
        var path: Int
        /// How it ended, an index into `ends`.
        var end: Int
        /// The flow; -1 for none.
        var flow: Int
        /// The step; -1 for before the first.
        var step: Int
    }

    struct End: Hashable {
        var text: String
        /// Where and by what, a line each.
        var because: [String]
        var good: Bool
    }

    private(set) var packets: [Packet] = []
    /// `198.51.100.10:40312 → 203.0.113.2:80 tcp [S]`.
    private(set) var heads = Table<ExactText>()
    /// The number of the line, and of each hop.
    private(set) var paths = Table<[Int]>()
    /// As SVG paths.
    private(set) var ways = Table<String>()
    private(set) var hops: [String] = []
    private(set) var ends = Table<End>()
    let flows: [String]
    let steps: [String]
    /// How many packets the run had.
    let total: Int

    /// Beyond so many, packets are left out.
    static let limit = 2_000

    init(_ story: Explanation, _ diagram: Diagram, _ evidence: Evidence) {
        let journeys = story.journeys
        flows = journeys.flows.map(\.text)
        steps = evidence.steps.map(\.name)
        total = journeys.journeys.count
        var known = Table<HopShape>()
        // Journeys with the same hops have the same line.
        var lines: [[Int]: Int] = [:]
        for journey in Self.chosen(journeys.journeys) {
            let hops = journey.hops.map { known.number(of: HopShape($0)) }
            for (hop, number) in zip(journey.hops, hops) where number == self.hops.count {
                self.hops.append(story.line(of: hop))
            }
            let path =
                lines[hops] ?? paths.number(of: [ways.number(of: diagram.way(of: journey).path)] + hops)
            lines[hops] = path
            let (head, rest) = Self.parts(of: journey.packet)
            packets.append(
                Packet(
                    number: journey.number, time: journey.started.addingSaturated(500) / 1000,
                    head: heads.number(of: ExactText(head)),
                    rest: rest, path: path, end: ends.number(of: Self.end(of: journey)), flow: journey.flow ?? -1,
                    step: evidence.steps.lastIndex { $0.started <= journey.started } ?? -1))
        }
    }

    /// What a hop's line tells.
    private struct HopShape: Hashable {
        var port: String
        var isInward: Bool
        var ttl: Int?
        var source: UInt64
        var destination: UInt64
        var wrapping: String?
        var tunnel: ExactText?
        var conntrack: String?

        init(_ hop: Hop) {
            port = hop.port
            isInward = hop.direction == .into
            ttl = hop.ttl
            source = hop.sourceMAC.bits
            destination = hop.destinationMAC.bits
            wrapping = hop.wrapping
            tunnel = hop.tunnel.map(ExactText.init)
            conntrack = hop.conntrack
        }
    }

    /// Cut in front of the sequence number or the TTL, which tell apart the packets of one sender.
    private static func parts(of packet: String) -> (head: String, rest: String) {
        let spaces = packet.utf8.indices.filter { packet.utf8[$0] == 0x20 }
        guard spaces.count > 3 else { return (packet, "") }
        let cut = spaces[spaces.count > 5 ? 4 : 3]
        return (String(packet[..<cut]), String(packet[packet.utf8.index(after: cut)...]))
    }

    private static func end(of journey: Journey) -> End {
        guard !journey.end.isGood else { return End(text: journey.end.text, because: [], good: true) }
        var because: [String] = []
        if let rule = journey.blame?.rule {
            because.append("\(rule.table) \(rule.chain) \(rule.number): \(rule.rule)")
        }
        because += journey.blame?.evidence ?? []
        let place = journey.blame?.place
        return End(text: journey.end.text + (place.map { ", at \($0)" } ?? ""), because: because, good: false)
    }

    /// The first ones, and behind them some of those that did not arrive.
    static func chosen(_ journeys: [Journey]) -> [Journey] {
        guard journeys.count > limit else { return journeys }
        let dead = journeys.dropFirst(limit * 3 / 4).filter { !$0.end.isGood }.prefix(limit / 4)
        return journeys.prefix(limit - dead.count).filter { $0.number < dead.first?.number ?? .max } + dead
    }

    /// Items, each once, by number.
    struct Table<Item: Hashable> {
        private(set) var items: [Item] = []
        private var numbers: [Item: Int] = [:]

        mutating func number(of item: Item) -> Int {
            if let number = numbers[item] { return number }
            numbers[item] = items.count
            items.append(item)
            return items.count - 1
        }
    }
}

extension PacketData {
    /// What scenario.js reads.
    var json: ScriptJSON {
        var json = ScriptJSON()
        json.object([
            (
                "ends",
                { json in
                    json.array(ends.items) { json, end in
                        json.array([end.good ? "1" : "", end.text] + end.because) { $0.string($1) }
                    }
                }
            ),
            ("flows", { $0.array(flows) { $0.string($1) } }),
            ("heads", { $0.array(heads.items) { $0.string($1.text) } }),
            ("hops", { $0.array(hops) { $0.string($1) } }),
            (
                "packets",
                { json in
                    json.array(packets) { json, packet in
                        json.array(
                            [
                                packet.number, Int(packet.time), packet.head, packet.path, packet.end, packet.flow,
                                packet.step,
                            ], with: packet.rest)
                    }
                }
            ),
            ("paths", { $0.array(paths.items) { $0.array($1, with: nil) } }),
            ("steps", { $0.array(steps) { $0.string($1) } }),
            ("ways", { $0.array(ways.items) { $0.string($1) } }),
        ])
        return json
    }
}
