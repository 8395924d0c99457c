internal import Evidence
internal import Verdict

/// The packets of a run as the page's script steps through them. Texts that many packets share are numbers into tables.
struct PacketData: Encodable {
    struct Packet: Encodable {
        /// The journey's number.
        var n: Int
        /// When, in seconds.
        var t: String
        /// As tcpdump writes it.
        var p: String
        /// Its line on the diagram.
        var w: Int
        /// Hops, indices into `hops`.
        var h: [Int]
        /// How it ended, an index into `ends`.
        var e: Int
        /// The flow; -1 for none.
        var f: Int
        /// The step; -1 for before the first.
        var s: Int
    }

    struct Way: Encodable, Hashable {
        var d: String
        var ports: [String]
        /// Where it ends.
        var x: Int
        var y: Int
    }

    struct End: Encodable, Hashable {
        var text: String
        /// Where and by what, a line each.
        var because: [String]
        var good: Bool
    }

    var packets: [Packet] = []
    var ways: [Way] = []
    var hops: [String] = []
    var ends: [End] = []
    var flows: [String]
    var steps: [String]
    /// How many packets the run had.
    let total: Int

    /// Beyond so many, packets are left out.
    static let limit = 2_000

    init(_ story: Explanation, _ diagram: Diagram, _ evidence: Evidence) {
        let journeys = story.journeys
        flows = journeys.flows.map(\.text)
        steps = evidence.steps.map(\.name)
        total = journeys.journeys.count
        var numbers = Numbers()
        for journey in Self.chosen(journeys.journeys) {
            let line = diagram.way(of: journey)
            let end = line.spots.last ?? .init(x: -50, y: -50)
            let way = Way(d: line.path, ports: journey.hops.map(\.port), x: end.x, y: end.y)
            packets.append(
                Packet(
                    n: journey.number, t: journey.started.microseconds, p: journey.packet,
                    w: numbers.ways.number(of: way, in: &ways),
                    h: journey.hops.map { numbers.hops.number(of: story.line(of: $0), in: &hops) },
                    e: numbers.ends.number(of: Self.end(of: journey), in: &ends), f: journey.flow ?? -1,
                    s: evidence.steps.lastIndex { $0.started <= journey.started } ?? -1))
        }
    }

    private static func end(of journey: Journey) -> End {
        var because: [String] = []
        if let rule = journey.blame?.rule {
            because.append("\(rule.table) \(rule.chain) \(rule.number): \(rule.rule)")
        }
        because += journey.blame?.evidence ?? []
        let place = journey.end.isGood ? nil : journey.blame?.place
        return End(
            text: journey.end.text + (place.map { ", at \($0)" } ?? ""), because: journey.end.isGood ? [] : because,
            good: journey.end.isGood)
    }

    /// The first ones, and behind them some of those that did not arrive.
    static func chosen(_ journeys: [Journey]) -> [Journey] {
        guard journeys.count > limit else { return journeys }
        let dead = journeys.dropFirst(limit * 3 / 4).filter { !$0.end.isGood }.prefix(limit / 4)
        return journeys.prefix(limit - dead.count).filter { $0.number < dead.first?.number ?? .max } + dead
    }

    private struct Numbers {
        var ways = Table<Way>()
        var hops = Table<String>()
        var ends = Table<End>()
    }

    private struct Table<Item: Hashable> {
        private var known: [Item: Int] = [:]

        mutating func number(of item: Item, in items: inout [Item]) -> Int {
            if let number = known[item] { return number }
            known[item] = items.count
            items.append(item)
            return items.count - 1
        }
    }
}

extension Nanoseconds {
    /// Seconds with six decimals.
    var microseconds: String {
        let micro = (self + 500) / 1000
        let fraction = String(micro % 1_000_000)
        return "\(micro / 1_000_000)." + String(repeating: "0", count: 6 - fraction.count) + fraction
    }
}
