internal import Verdict

/// How a journey runs through a diagram.
struct DiagramWay: Hashable {
    /// Where the line turns.
    var spots: [Diagram.Spot]

    /// An SVG path.
    var path: String {
        guard let first = spots.first else { return "" }
        return "M\(first.x) \(first.y)" + spots.dropFirst().map { "L\($0.x) \($0.y)" }.joined()
    }
}

extension Diagram {
    /// The line of a journey: from the sender's box through its ports to where it ended.
    func way(of journey: Journey) -> DiagramWay {
        let keys = keys(of: journey.hops)
        var spots: [Spot] = []
        var last: String?
        for (hop, key) in zip(journey.hops, keys) {
            guard let key, let port = ports[key] else { continue }
            if let last {
                spots += between(last, key)
            } else if hop.direction == .outOf {
                spots.append(inside(port))
            }
            spots.append(port.spot)
            last = key
        }
        if let last, let port = ports[last], journey.hops.last?.direction == .into { spots.append(inside(port)) }
        return DiagramWay(spots: Self.keepingRight(spots))
    }

    /// A machine that moved has its cards in two places: the tap before or behind a hop says which one is meant.
    private func keys(of hops: [Hop]) -> [String?] {
        hops.indices.map { index in
            let name = hops[index].port
            for other in [index - 1, index + 1] where hops.indices.contains(other) {
                let moved = "\(name)@\(hops[other].namespace)"
                if ports[moved] != nil { return moved }
            }
            return ports[name] == nil ? nil : name
        }
    }

    /// Where a frame is that has come in by a port: in the machine, or on the bridge.
    private func inside(_ port: Port) -> Spot {
        if let machine = port.machine { return Spot(x: port.spot.x, y: boxes[machine].middle) }
        if let bar = port.bar.flatMap({ bars[$0] }) { return Spot(x: port.spot.x, y: bar.y) }
        return port.spot
    }

    private func between(_ key: String, _ other: String) -> [Spot] {
        guard let one = ports[key], let two = ports[other] else { return [] }
        if let machine = one.machine, machine == two.machine { return through(boxes[machine].middle, one, two) }
        if neighbours[key, default: []].contains(other) {
            return Array(Self.elbow(one.spot, two.spot).dropFirst().dropLast())
        }
        let shared = [one.bar, one.outerBar].compactMap { $0 }.first { $0 == two.bar || $0 == two.outerBar }
        if let bar = shared.flatMap({ bars[$0] }) { return through(bar.y, one, two) }
        return Array(Self.elbow(one.spot, two.spot).dropFirst().dropLast())
    }

    private func through(_ y: Int, _ one: Port, _ two: Port) -> [Spot] {
        [Spot(x: one.spot.x, y: y), Spot(x: two.spot.x, y: y)]
    }

    /// Moves a line to the right-hand side of the cables it follows, so that the way there and the way back are two lines.
    static func keepingRight(_ spots: [Spot], by shift: Int = 4) -> [Spot] {
        struct Stretch {
            var from: Spot
            var to: Spot
            var across: Bool { from.y == to.y }
            var forward: Bool { across ? to.x > from.x : to.y > from.y }
        }
        var stretches: [Stretch] = []
        for (from, to) in zip(spots, spots.dropFirst()) where from != to {
            let next = Stretch(from: from, to: to)
            if let last = stretches.last, last.across == next.across, last.forward == next.forward {
                stretches[stretches.count - 1].to = to
            } else {
                stretches.append(next)
            }
        }
        func moved(_ stretch: Stretch, _ spot: Spot) -> Spot {
            stretch.across
                ? Spot(x: spot.x, y: spot.y + (stretch.forward ? shift : -shift))
                : Spot(x: spot.x + (stretch.forward ? -shift : shift), y: spot.y)
        }
        guard let first = stretches.first, let last = stretches.last else { return spots }
        var result = [moved(first, first.from)]
        for (one, two) in zip(stretches, stretches.dropFirst()) {
            if one.across == two.across {
                result += [moved(one, one.to), moved(two, two.from)]
            } else {
                let (vertical, level) = one.across ? (two, one) : (one, two)
                result.append(Spot(x: moved(vertical, one.to).x, y: moved(level, one.to).y))
            }
        }
        result.append(moved(last, last.to))
        return result
    }
}
