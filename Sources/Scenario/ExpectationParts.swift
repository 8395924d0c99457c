extension Expectation {
    /// Itself, or those that its alternatives are made of.
    public var leaves: [Expectation] {
        if case .anyOf(let alternatives) = check { alternatives.flatMap { $0.flatMap(\.leaves) } } else { [self] }
    }
}

extension Expectation.Check {
    /// The captured ports that it looks at, as the file names them.
    public var ports: [String] {
        switch self {
        case .packets(let packets): [packets.at] + [packets.control?.at, packets.of?.at].compactMap { $0 }
        case .replyPath(let path): [path.at] + [path.notAcross, path.across].compactMap { $0 }
        case .arp(let arp): [arp.at]
        case .drop(let drop): [drop.from, drop.to]
        case .order(let order): order.frames.map(\.at)
        case .anyOf(let alternatives): alternatives.flatMap { $0.flatMap(\.check.ports) }
        case .traffic, .conntrack, .rule, .ipvs, .neighbour, .counter, .command, .log, .load: []
        }
    }
}
