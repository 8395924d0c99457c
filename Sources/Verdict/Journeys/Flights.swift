internal import Evidence
internal import Net

/// A frame's way through its network, from the machine that sent it to all places that saw it. MAC addresses and TTL stay
/// the same on it.
struct Flight {
    struct Stop {
        /// Index of the sighting.
        var sighting: Int32
        var place: Int32
        /// Index of the stop before it; -1 for the origin.
        var parent: Int32
    }

    /// The origin first, and each behind its parent.
    var stops: [Stop]

    var origin: Stop { stops[0] }

    /// From the origin to a stop.
    func path(to stop: Int) -> [Stop] {
        var path: [Stop] = []
        var index = stop
        while index >= 0 {
            path.append(stops[index])
            index = Int(stops[index].parent)
        }
        return path.reversed()
    }
}

/// Puts the sightings of one frame together, network by network: libpcap says neither which way a frame went by a port
/// nor, in virtual time, in which order it passed several.
struct FlightBuilder {
    let wiring: Wiring
    let sightings: [Sighting]
    private var flights: [Flight] = []
    private var used: [Bool]
    /// Sightings of the frame that is looked at, sorted by port, then by capture.
    private var group: ArraySlice<Int32> = []
    /// By port: where its sightings begin in `group`; -1 for none.
    private var first: [Int]
    private var counts: [Int]

    static func flights(of sightings: [Sighting], in wiring: Wiring) -> [Flight] {
        var builder = FlightBuilder(wiring: wiring, sightings: sightings)
        builder.build()
        return builder.flights
    }

    private init(wiring: Wiring, sightings: [Sighting]) {
        self.wiring = wiring
        self.sightings = sightings
        used = [Bool](repeating: false, count: sightings.count)
        first = [Int](repeating: -1, count: wiring.roles.count)
        counts = [Int](repeating: 0, count: wiring.roles.count)
    }

    private mutating func build() {
        // Sorted by small keys that stand next to each other: with a million frames that is twice as fast.
        let keys: [(frame: UInt64, port: Int32, index: Int32)] = sightings.indices.map { index in
            (sightings[index].frameKey, sightings[index].port, Int32(index))
        }
        let order: [Int32] = keys.sorted { $0 < $1 }.map(\.index)
        var start = 0
        while start < order.count {
            let key = sightings[Int(order[start])].frameKey
            var end = start + 1
            while end < order.count, sightings[Int(order[end])].frameKey == key { end += 1 }
            group = order[start..<end]
            buildGroup()
            start = end
        }
        let begun: [(time: Nanoseconds, frame: Int32, index: Int)] = flights.indices.map { index in
            let origin = sightings[Int(flights[index].origin.sighting)]
            return (origin.time, origin.frame, index)
        }
        flights = begun.sorted { ($0.time, $0.frame) < ($1.time, $1.frame) }.map { flights[$0.index] }
    }

    private mutating func buildGroup() {
        for position in group.indices {
            let port = Int(sightings[Int(group[position])].port)
            if first[port] < 0 { first[port] = position }
            counts[port] += 1
        }
        defer {
            for index in group {
                let port = Int(sightings[Int(index)].port)
                first[port] = -1
                counts[port] = 0
            }
        }
        let earlier = flights.count
        // What a host's card shows with the card's own MAC as its source, it sends.
        let origins = group.filter { index in
            let sighting = sightings[Int(index)]
            return wiring.port(Int(sighting.port), has: sighting.sourceMAC, at: sighting.time)
        }.sorted { (sightings[Int($0)].time, $0) < (sightings[Int($1)].time, $1) }
        for (rank, origin) in origins.enumerated() where !used[Int(origin)] {
            let until = rank + 1 < origins.count ? sightings[Int(origins[rank + 1])].time : .max
            fly(from: origin, at: Wiring.outOf(Int(sightings[Int(origin)].port)), rank: rank, of: origins.count, until)
        }
        addDuplicates(since: earlier)
        // A frame under a false MAC: from wherever explains most of what was seen.
        while let start = bestOrigin() {
            fly(from: start.sighting, at: start.place, rank: 0, of: 0, .max)
        }
    }

    /// Follows the wiring from a sighting, as far as the frame was seen.
    private mutating func fly(from origin: Int32, at place: Wiring.Place, rank: Int, of total: Int, _ until: Int64) {
        var flight = Flight(stops: [.init(sighting: origin, place: Int32(place), parent: -1)])
        used[Int(origin)] = true
        var index = 0
        while index < flight.stops.count {
            let stop = flight.stops[index]
            let time = sightings[Int(stop.sighting)].time
            for next in wiring.next[Int(stop.place)] {
                let port = Wiring.port(of: next)
                guard first[port] >= 0, let found = seen(at: port, since: time, rank: rank, of: total, until) else {
                    continue
                }
                used[Int(found)] = true
                flight.stops.append(.init(sighting: found, place: Int32(next), parent: Int32(index)))
            }
            index += 1
        }
        flights.append(flight)
    }

    /// What a cable delivered twice belongs to the flight that a port before it saw.
    private mutating func addDuplicates(since earlier: Int) {
        guard flights.count > earlier else { return }
        for index in group where !used[Int(index)] {
            let sighting = sightings[Int(index)]
            for flight in flights.indices[earlier...].reversed() {
                guard
                    let stop = flights[flight].stops.first(where: { stop in
                        sightings[Int(stop.sighting)].time <= sighting.time
                            && (Wiring.port(of: Int(stop.place)) == Int(sighting.port)
                                || wiring.next[Int(stop.place)].contains { Wiring.port(of: $0) == Int(sighting.port) })
                    })
                else { continue }
                let isSame = Wiring.port(of: Int(stop.place)) == Int(sighting.port)
                let place =
                    isSame
                    ? Int(stop.place)
                    : wiring.next[Int(stop.place)].first { Wiring.port(of: $0) == Int(sighting.port) } ?? 0
                let parent =
                    isSame ? stop.parent : Int32(flights[flight].stops.firstIndex { $0.place == stop.place } ?? 0)
                flights[flight].stops.append(.init(sighting: index, place: Int32(place), parent: parent))
                used[Int(index)] = true
                break
            }
        }
    }

    /// The frame's next unused sighting at a port. If a port saw it as often as it was sent, the first is the first;
    /// else it is of the last one sent before it.
    private func seen(at port: Int, since time: Nanoseconds, rank: Int, of total: Int, _ until: Int64) -> Int32? {
        let range = first[port]..<first[port] + counts[port]
        if counts[port] == total {
            let index = group[range.lowerBound + rank]
            return !used[Int(index)] && sightings[Int(index)].time >= time ? index : nil
        }
        for position in range {
            let index = group[position]
            let sighting = sightings[Int(index)]
            guard !used[Int(index)], sighting.time >= time else { continue }
            return sighting.time < until || until == time ? index : nil
        }
        return nil
    }

    /// The unused sighting from which most other unused ones can be reached; host ports go first.
    private func bestOrigin() -> (sighting: Int32, place: Wiring.Place)? {
        var best: (sighting: Int32, place: Wiring.Place, reach: Int)?
        var tried: Set<Int> = []
        for index in group where !used[Int(index)] {
            let port = Int(sightings[Int(index)].port)
            // Of several at one port the first is as good as any.
            guard tried.insert(port).inserted else { continue }
            let time = sightings[Int(index)].time
            // What has the MAC of another's card came from there, though that card was not captured then.
            let isFromElsewhere = !wiring.ports(with: sightings[Int(index)].sourceMAC, at: time).isEmpty
            for place in [Wiring.outOf(port), Wiring.into(port)] {
                var reach = 0
                var visited: Set<Int> = [place]
                var queue = [place]
                while let current = queue.popLast() {
                    for next in wiring.next[current] where !visited.contains(next) {
                        let other = Wiring.port(of: next)
                        guard first[other] >= 0, other != port else { continue }
                        let range = first[other]..<first[other] + counts[other]
                        guard range.contains(where: { !used[Int(group[$0])] && sightings[Int(group[$0])].time >= time })
                        else { continue }
                        visited.insert(next)
                        queue.append(next)
                        reach += 1
                    }
                }
                let isHost = wiring.roles[port] == .host && Wiring.isInward(place) == isFromElsewhere
                let weight = reach * 2 + (isHost ? 1 : 0)
                if weight > best?.reach ?? -1 { best = (index, place, weight) }
            }
        }
        return best.map { ($0.sighting, $0.place) }
    }
}
