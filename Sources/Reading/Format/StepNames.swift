internal import Net
internal import Scenario

/// Names for steps that have none.
enum StepNames {
    static func complete(_ steps: [Step]) -> [Step] {
        var taken = Set(steps.map(\.name))
        // Where to go on counting, so that ten thousand waits do not each count from two.
        var next: [String: Int] = [:]
        return steps.map { step in
            guard step.name.isEmpty else { return step }
            let plain = describe(step.action)
            var number = next[plain] ?? 1
            var name = number == 1 ? plain : "\(plain) (\(number))"
            while !taken.insert(name).inserted {
                number += 1
                name = "\(plain) (\(number))"
            }
            next[plain] = number + 1
            var named = step
            named.name = name
            return named
        }
    }

    static func describe(_ action: Step.Action) -> String {
        Tree.shortened(words(of: action), to: Limits.line)
    }

    private static func words(of action: Step.Action) -> String {
        switch action {
        case .request(let request): "\(request.kind.rawValue) from \(request.from) to \(request.to)"
        case .load(let load): "load from \(load.from.joined(separator: ", ")) to \(load.to)"
        case .open(let connection, _): "open \(connection)"
        case .use(let connection, _, _): "use \(connection)"
        case .close(let connection): "close \(connection)"
        case .move(let host, let to): "move \(host) to \(to)"
        case .run(let on, let arguments, _): "run \(arguments.first ?? "") on \(on)"
        case .sysctl(let on, let settings): "sysctl \(settings.map(\.key).joined(separator: ", ")) on \(on)"
        case .start(let host, let program): "start \(program) on \(host)"
        case .stop(let host, let program): "stop \(program) on \(host)"
        case .link(let port, let isUp): "link of \(port) \(isUp ? "up" : "down")"
        case .powerOff(let machines): "power off \(machines.joined(separator: ", "))"
        case .send(let packet): "send from \(packet.from)"
        case .flushNeighbours(let hosts): "flush neighbours of \(hosts.joined(separator: ", "))"
        case .wait(let nanoseconds): "wait \(duration(nanoseconds))"
        }
    }

    /// In the largest unit that divides it.
    static func duration(_ nanoseconds: Int64) -> String {
        let units: [(Int64, String)] = [
            (3_600_000_000_000, "h"), (60_000_000_000, "min"), (1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"),
        ]
        for (factor, name) in units where nanoseconds >= factor && nanoseconds % factor == 0 {
            return "\(nanoseconds / factor)\(name)"
        }
        return "\(nanoseconds)ns"
    }
}
