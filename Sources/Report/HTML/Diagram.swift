/// A network as it is drawn: boxes, bars for bridges, ports, cables. In whole units, y downwards.
struct Diagram {
    struct Spot: Hashable {
        var x: Int
        var y: Int
    }

    struct Box {
        enum Kind: String {
            case machine
            /// Where a machine will be when it has moved.
            case ghost
            case hypervisor
            case `switch`
        }

        var kind: Kind
        var name: String
        /// What it is in the scenario: `director`, `real server`.
        var caption: String
        var x: Int
        var y: Int
        var width: Int
        var height: Int

        var middle: Int { y + height / 2 }
    }

    /// A bridge for one network: a bar that everything on it hangs on.
    struct Bar {
        var label: String
        var left: Int
        var right: Int
        var y: Int
    }

    /// A port: captured, and so passed by packets.
    struct Port {
        /// As evidence names it.
        var name: String
        var spot: Spot
        var label: String
        /// Names the machine's box if it is a machine's card.
        var machine: Int?
        /// The bar that it is on.
        var bar: String?
        /// An uplink's other bar: the switch's.
        var outerBar: String?
    }

    var width = 0
    var height = 0
    var boxes: [Box] = []
    var bars: [String: Bar] = [:]
    /// By key: the port's name, and behind it `@hv2` where a machine that moved has it.
    var ports: [String: Port] = [:]
    var cables: [[Spot]] = []
    /// Ports that are joined by a cable.
    var neighbours: [String: [String]] = [:]

    mutating func join(_ key: String, _ other: String) {
        guard let one = ports[key]?.spot, let two = ports[other]?.spot else { return }
        neighbours[key, default: []].append(other)
        neighbours[other, default: []].append(key)
        cables.append(Self.elbow(one, two))
    }

    /// Puts a port on a bar, which grows to reach it.
    mutating func hang(_ key: String, on bar: String) {
        guard let spot = ports[key]?.spot, var drawn = bars[bar] else { return }
        drawn.left = min(drawn.left, spot.x)
        drawn.right = max(drawn.right, spot.x)
        bars[bar] = drawn
        ports[key]?.bar = bar
        cables.append([spot, Spot(x: spot.x, y: drawn.y)])
    }

    /// Down, across and down again; over what stands between two on the same level.
    static func elbow(_ one: Spot, _ two: Spot) -> [Spot] {
        guard one.x != two.x else { return [one, two] }
        guard one.y != two.y else {
            return [one, Spot(x: one.x, y: one.y - 18), Spot(x: two.x, y: two.y - 18), two]
        }
        let middle = (one.y + two.y) / 2
        return [one, Spot(x: one.x, y: middle), Spot(x: two.x, y: middle), two]
    }
}
