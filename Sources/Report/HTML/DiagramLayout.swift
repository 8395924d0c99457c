internal import Evidence
internal import Net
internal import Scenario

/// Lays a scenario's network out by simple rules: routers and clients above, switches as bars in the middle, below them
/// the hypervisors with their machines inside, and the machines that are on a switch themselves.
struct DiagramLayout {
    let scenario: Scenario
    let captured: [CapturePort]
    var diagram = Diagram()

    static let gap = 26
    private static let machineHeight = 58
    static let barGap = 26

    init(_ scenario: Scenario, _ evidence: Evidence) {
        self.scenario = scenario
        captured = evidence.ports
    }

    /// The diagram.
    static func diagram(of scenario: Scenario, _ evidence: Evidence) -> Diagram {
        var layout = DiagramLayout(scenario, evidence)
        layout.lay()
        return layout.diagram
    }

    private mutating func lay() {
        let (rows, below) = sorted()
        let fabricTop = Self.gap + rows.count * (Self.machineHeight + 2 * Self.gap)
        let fabric = fabricHeight
        let bottom = fabricTop + fabric + (scenario.switches.isEmpty ? 0 : 2 * Self.gap)
        // From below upwards: what hangs on a bar must be there first, and the widest row is nearly always the lowest.
        var x = Self.gap
        for hypervisor in scenario.hypervisors {
            x = place(hypervisor, x: x, y: bottom) + Self.gap
        }
        for host in below { x = place(host, .machine, x: x, y: bottom, cardsBelow: []) + Self.gap }
        var width = max(x, 320)
        for row in rows { width = max(width, row.reduce(Self.gap) { $0 + self.width(of: $1) + Self.gap }) }
        let shift = (width - x) / 2
        move(by: shift)
        // The lowest row first: those above stand over what they are cabled to.
        for (number, row) in rows.enumerated().reversed() {
            let y = Self.gap + number * (Self.machineHeight + 2 * Self.gap)
            let taken = row.reduce(-Self.gap) { $0 + self.width(of: $1) + Self.gap }
            var x = (width - taken) / 2
            for host in row {
                let down = host.ports.filter { facesDown($0, of: host, rows) }.map(\.name)
                x = place(host, .machine, x: x, y: y, cardsBelow: Set(down)) + Self.gap
            }
            if row.count == 1 { standOverPeer(row[0]) }
        }
        diagram.width = width
        laySwitches(top: fabricTop)
        cable()
        diagram.height = (diagram.boxes.map { $0.y + $0.height }.max() ?? 0) + Self.gap
    }

    /// Moves a machine that is alone in its row so that its cable goes straight down.
    private mutating func standOverPeer(_ host: Host) {
        for card in host.ports {
            guard let peer = card.peer.flatMap({ diagram.ports[$0] }),
                let own = diagram.ports["\(host.name):\(card.name)"],
                let machine = own.machine, peer.spot.y > own.spot.y
            else { continue }
            let shift = max(peer.spot.x - own.spot.x, Self.gap - diagram.boxes[machine].x)
            diagram.boxes[machine].x += shift
            for key in diagram.ports.keys where diagram.ports[key]?.machine == machine {
                diagram.ports[key]?.spot.x += shift
            }
            return
        }
    }

    // MARK: Rows

    func home(_ port: Port, of host: Host) -> String? { port.peer == nil ? port.on ?? host.on : nil }

    func isHypervisor(_ name: String) -> Bool { scenario.hypervisors.contains { $0.name == name } }

    /// Machines outside hypervisors: those above the switches in rows, by how many cables away from a switch they are,
    /// and those below.
    private func sorted() -> (rows: [[Host]], below: [Host]) {
        let outside = scenario.hosts.filter { host in
            !host.ports.contains { home($0, of: host).map(isHypervisor) ?? false }
        }
        var below: [Host] = []
        var distance: [String: Int] = [:]
        for host in outside where host.ports.contains(where: { home($0, of: host) != nil }) {
            if scenario.role(of: host) != nil {
                below.append(host)
            } else {
                distance[host.name] = 0
            }
        }
        if distance.isEmpty, below.isEmpty, let first = outside.first { distance[first.name] = 0 }
        let known = { (name: String) in distance[name] != nil || below.contains { $0.name == name } }
        var changed = true
        while changed {
            changed = false
            for host in outside where !known(host.name) {
                let near = host.ports.compactMap { $0.peer?.machine }.compactMap { peer in
                    distance[peer] ?? (known(peer) ? -1 : nil)
                }.min()
                guard let near else { continue }
                distance[host.name] = near + 1
                changed = true
            }
        }
        for host in outside where !known(host.name) { distance[host.name] = 0 }
        let furthest = distance.values.max() ?? -1
        let rows = (0...max(0, furthest)).reversed().map { level in outside.filter { distance[$0.name] == level } }
        return (rows.filter { !$0.isEmpty }, below)
    }

    /// Whether a card is at its machine's lower edge: towards a switch, or a machine in a lower row.
    private func facesDown(_ port: Port, of host: Host, _ rows: [[Host]]) -> Bool {
        guard let peer = port.peer?.machine else { return true }
        let row = rows.firstIndex { $0.contains { $0.name == host.name } } ?? 0
        let other = rows.firstIndex { $0.contains { $0.name == peer } } ?? rows.count
        return other > row
    }

    // MARK: Machines

    /// Room for its name on the left, for its cards on the right: there packets pass.
    private func width(of host: Host) -> Int { nameWidth(of: host) + 56 + cardRoom(of: host) }

    /// On a hypervisor a card has its tap's long name above it.
    private func cardRoom(of host: Host) -> Int {
        let isGuest = host.ports.contains { home($0, of: host).map(isHypervisor) ?? false }
        return (host.ports.count - 1) * (isGuest ? 108 : 64)
    }

    private func nameWidth(of host: Host) -> Int {
        24 + max(host.name.count * 9, (scenario.role(of: host)?.count ?? 0) * 6)
    }

    /// Returns the x behind it.
    private mutating func place(
        _ host: Host, _ kind: Diagram.Box.Kind, x: Int, y: Int, cardsBelow: Set<String>, at: String? = nil
    ) -> Int {
        let width = width(of: host)
        let index = diagram.boxes.count
        diagram.boxes.append(
            .init(
                kind: kind, name: host.name, caption: kind == .ghost ? "moved here" : scenario.role(of: host) ?? "",
                x: x,
                y: y, width: width, height: Self.machineHeight))
        for edge in [false, true] {
            let cards = host.ports.filter { cardsBelow.contains($0.name) == edge }
            let left = x + nameWidth(of: host)
            let room = cardRoom(of: host)
            for (number, card) in cards.enumerated() {
                let key = "\(host.name):\(card.name)" + (at.map { "@\($0)" } ?? "")
                diagram.ports[key] = .init(
                    name: "\(host.name):\(card.name)",
                    spot: .init(
                        x: left + (cards.count < 2 ? 0 : room * number / (cards.count - 1)),
                        y: edge ? y + Self.machineHeight : y),
                    label: card.name, machine: index)
            }
        }
        return x + width
    }

    // MARK: Hypervisors

    /// Returns the x behind it.
    private mutating func place(_ hypervisor: Hypervisor, x: Int, y: Int) -> Int {
        let name = hypervisor.name
        let own = captured.filter { $0.namespace == name }
        let machines = scenario.hosts.filter { host in host.ports.contains { home($0, of: host) == name } }
        let guests = scenario.hosts.filter { host in
            !machines.contains { $0.name == host.name }
                && host.ports.contains { port in own.contains { $0.interface == port.tapName } }
        }
        let networks = scenario.networks.filter { network in
            own.contains { $0.interface == scenario.uplinkName(of: network) }
                || machines.contains { $0.ports.contains { $0.network == network.name } }
        }
        let index = diagram.boxes.count
        diagram.boxes.append(
            .init(kind: .hypervisor, name: name, caption: "hypervisor", x: x, y: y, width: 0, height: 0))
        var level = y
        let left = x + Self.gap
        let hasTrunk = scenario.fabric != .flat && own.contains { $0.interface == "uplink" }
        if hasTrunk { level += 2 * Self.gap }
        let devices = level
        level += 34
        for network in networks.isEmpty ? [] : networks {
            level += Self.barGap
            diagram.bars["\(name) \(network.name)"] = .init(
                label: network.name, left: .max, right: .min, y: level)
        }
        level += scenario.hasHybridBridges ? 84 : 40
        let taps = level
        level += 34
        var next = left
        for (host, kind) in machines.map({ ($0, Diagram.Box.Kind.machine) }) + guests.map({ ($0, .ghost) }) {
            let end = place(host, kind, x: next, y: level, cardsBelow: [], at: kind == .ghost ? name : nil)
            for card in host.ports {
                let key = "\(host.name):\(card.name)" + (kind == .ghost ? "@\(name)" : "")
                guard let spot = diagram.ports[key]?.spot, own.contains(where: { $0.interface == card.tapName }) else {
                    continue
                }
                put("\(name):\(card.tapName)", Diagram.Spot(x: spot.x, y: taps), card.tapName)
                if own.contains(where: { $0.interface == card.hybridPortName }) {
                    put("\(name):\(card.hybridPortName)", Diagram.Spot(x: spot.x, y: taps - 46), card.hybridPortName)
                }
            }
            next = end + Self.gap
        }
        // With room for the last tap's name.
        let furthest = own.compactMap { diagram.ports[$0.name]?.spot.x }.max() ?? x
        let width = max(next - x, 250, furthest + 112 - x)
        // Beside the box's title.
        let centre = max(x + width / 2, x + 150)
        for (number, network) in networks.enumerated() {
            let device = scenario.uplinkName(of: network)
            guard own.contains(where: { $0.interface == device }) else { continue }
            let spot = Diagram.Spot(x: centre + (2 * number - networks.count + 1) * 55, y: devices)
            put("\(name):\(device)", spot, device)
        }
        if hasTrunk { put("\(name):uplink", Diagram.Spot(x: centre, y: y), "uplink") }
        diagram.boxes[index].width = width
        diagram.boxes[index].height = level + Self.machineHeight + Self.gap - y
        return x + width
    }

    mutating func put(_ name: String, _ spot: Diagram.Spot, _ label: String) {
        diagram.ports[name] = .init(name: name, spot: spot, label: label)
    }

    private mutating func move(by shift: Int) {
        for index in diagram.boxes.indices { diagram.boxes[index].x += shift }
        for key in diagram.ports.keys { diagram.ports[key]?.spot.x += shift }
    }
}

extension Scenario {
    /// What a machine is to the services; nil for neither director nor real server.
    func role(of host: Host) -> String? {
        if services.contains(where: { $0.director == host.name }) { return "director" }
        let addresses = host.ports.flatMap { $0.fixedIPs + ($0.addresses ?? []).map(\.address) }
        let isServer = services.contains { $0.realServers.contains { addresses.contains($0.address) } }
        return isServer ? "real server" : nil
    }
}

extension String {
    /// `gw` of `gw:eth1`.
    fileprivate var machine: String { String(prefix { $0 != ":" }) }
}
