internal import Evidence
internal import Net
internal import Scenario

/// What a scenario's own steps change in the network, as far as journeys must know it: the evidence has no table of MTUs,
/// settings and cables.
struct Changes {
    private struct Event {
        var time: Nanoseconds
        var action: Step.Action
    }

    private struct Command {
        var time: Nanoseconds
        var namespace: String
        var words: [String]
    }

    private let scenario: Scenario
    /// In the order of their times.
    private let events: [Event]
    private let commands: [Command]

    init(_ scenario: Scenario, _ evidence: Evidence) {
        self.scenario = scenario
        let events = zip(scenario.timeline, evidence.steps).flatMap { step, record in
            [Event(time: record.started, action: step.action)]
                + step.meanwhile.map { Event(time: record.started + $0.after, action: $0.action) }
        }
        self.events = events
        commands = events.compactMap { event in
            guard case .run(let on, let arguments, _) = event.action else { return nil }
            let words = arguments.flatMap { $0.split { " \n;".contains($0) }.map(String.init) }
            return Command(time: event.time, namespace: on, words: words)
        }
    }

    /// `ip link set DEVICE mtu N`.
    func mtu(of interface: String, in namespace: String, at time: Nanoseconds) -> Int? {
        var found: Int?
        for change in commands where change.time <= time && change.namespace == namespace {
            for (index, word) in change.words.enumerated().dropLast() where word == "mtu" {
                if change.words[..<index].suffix(3).contains(interface) { found = Int(change.words[index + 1]) }
            }
        }
        return found
    }

    /// The MAC addresses that a card was given, `ip link set DEVICE address MAC`, and since when.
    func macs(of interface: String, in namespace: String) -> [(since: Nanoseconds, mac: MACAddress)] {
        commands.filter { $0.namespace == namespace }.flatMap { change in
            change.words.indices.dropFirst(2).compactMap { index in
                guard change.words[index - 1] == "address", change.words[index - 2] == interface else { return nil }
                return MACAddress(change.words[index]).map { (change.time, $0) }
            }
        }
    }

    /// `sysctl -w KEY=N`, wherever it ran: such limits are the whole kernel's.
    func limit(_ key: String, at time: Nanoseconds) -> Int? {
        var found: Int?
        for word in commands.filter({ $0.time <= time }).flatMap(\.words) {
            let parts = word.split(separator: "=").map(String.init)
            if parts.count == 2, parts[0].hasSuffix(key) { found = Int(parts[1]) }
        }
        return found
    }

    /// What a sysctl of a host or hypervisor was set to; nil if nobody set it.
    func sysctl(_ key: String, of namespace: String, at time: Nanoseconds) -> String? {
        let first =
            scenario.hosts.first { $0.name == namespace }?.sysctls
            ?? scenario.hypervisors.first { $0.name == namespace }?.sysctls ?? []
        var found = first.last { $0.key == key }?.value
        for event in events where event.time <= time {
            switch event.action {
            case .sysctl(let on, let settings) where on == namespace:
                found = settings.last { $0.key == key }?.value ?? found
            case .run(let on, let arguments, _) where on == namespace:
                let words = arguments.flatMap { $0.split { " \n;".contains($0) } }
                found = words.last { $0.hasPrefix("\(key)=") }.map { String($0.dropFirst(key.count + 1)) } ?? found
            default: break
            }
        }
        return found
    }

    /// `ip neigh del ADDRESS …`.
    func forgotten(by namespace: String, before time: Nanoseconds) -> Set<IPAddress> {
        var found: Set<IPAddress> = []
        for change in commands where change.namespace == namespace && change.time <= time {
            guard let index = change.words.firstIndex(of: "del"), index > 0, change.words[index - 1].hasPrefix("neigh"),
                index + 1 < change.words.count, let address = IPAddress(change.words[index + 1])
            else { continue }
            found.insert(address)
        }
        return found
    }

    /// `ip addr add ADDRESS dev …`, by namespace.
    var addresses: [(namespace: String, address: IPAddress)] {
        commands.flatMap { change in
            change.words.enumerated().compactMap { index, word in
                guard word == "add" || word == "replace", index > 0, change.words[index - 1].hasPrefix("a"),
                    index + 1 < change.words.count,
                    let address = change.words[index + 1].split(separator: "/").first.flatMap({ IPAddress($0) })
                else { return nil }
                return (change.namespace, address)
            }
        }
    }
}

/// What is not there to answer.
extension Changes {
    enum Outage {
        /// It, or the hypervisor that it is on, has no power.
        case off
        case linkDown
    }

    /// Whether a host was off, or all its links down, at a moment.
    func outage(of name: String, at time: Nanoseconds) -> Outage? {
        guard let host = scenario.hosts.first(where: { $0.name == name }) else { return nil }
        let cards = host.ports.map(\.name)
        var place = host.on
        var isOff = false
        var down: Set<String> = []
        for event in events where event.time <= time {
            switch event.action {
            case .move(name, let target): place = target
            case .powerOff(let names):
                if names.contains(name) || place.map(names.contains) ?? false { isOff = true }
            case .link(let port, let isUp):
                let those = Self.cards(port, of: host)
                if isUp { down.subtract(those) } else { down.formUnion(those) }
            case .run(name, let arguments, _):
                let words = arguments.flatMap { $0.split { " \n;".contains($0) }.map(String.init) }
                for card in cards {
                    switch words.indices.dropFirst(2).last(where: { words[$0 - 2] == "set" && words[$0 - 1] == card }) {
                    case .some(let index) where words[index] == "down": down.insert(card)
                    case .some(let index) where words[index] == "up": down.remove(card)
                    default: break
                    }
                }
            default: break
            }
        }
        return isOff ? .off : !cards.isEmpty && down.isSuperset(of: cards) ? .linkDown : nil
    }

    /// The host's cards that a link step means: by `rs2` and the switch's end of its cable, `sw:rs2`, all; by `rs2:eth0` one.
    private static func cards(_ port: String, of host: Host) -> [String] {
        let parts = port.split(separator: ":").map(String.init)
        let all = host.ports.map(\.name)
        if parts.first == host.name { return parts.count == 2 ? [parts[1]] : all }
        return parts.count == 2 && parts[0] == host.on && parts[1] == host.name ? all : []
    }

    /// `ip link set DEVICE arp off`: since then its card neither asks nor answers.
    func isWithoutARP(_ name: String, at time: Nanoseconds) -> Bool { has(name, said: "arp", "off", by: time) }

    /// `ipvsadm --start-daemon backup`: since then the director listens to a master.
    func isBackup(_ name: String, at time: Nanoseconds) -> Bool {
        has(name, said: "--start-daemon", "backup", by: time)
    }

    /// Whether a command in a namespace had these two words, one behind the other.
    private func has(_ namespace: String, said word: String, _ next: String, by time: Nanoseconds) -> Bool {
        commands.contains { change in
            change.namespace == namespace && change.time <= time
                && zip(change.words, change.words.dropFirst()).contains { $0 == word && $1 == next }
        }
    }
}
