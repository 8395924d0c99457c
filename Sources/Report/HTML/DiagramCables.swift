internal import Evidence
internal import Scenario

/// Switches and cables: what joins the boxes.
extension DiagramLayout {
    // MARK: Switches

    /// The bars of a switch: one for each network, and for what is wrapped.
    private func bars(of name: String) -> [String] {
        var bars = scenario.networks.map(\.name).filter { network in
            scenario.hosts.contains { host in
                host.ports.contains {
                    home($0, of: host) == name && ($0.network ?? scenario.networks.first?.name) == network
                }
            }
                || scenario.fabric == .flat
                    && uplinked(to: name).contains { namespace in
                        captured.contains {
                            $0.namespace == namespace && $0.interface == scenario.uplinkName(ofNetwork: network)
                        }
                    }
        }
        if scenario.fabric != .flat, !uplinked(to: name).isEmpty { bars.append("fabric") }
        return bars.isEmpty ? ["fabric"] : bars
    }

    private func uplinked(to name: String) -> [String] {
        scenario.hypervisors.filter { $0.uplink == name }.map(\.name)
            + scenario.switches.filter { $0.uplink == name }.map(\.name)
    }

    private func height(of name: String) -> Int {
        let hasDevices = captured.contains { $0.namespace == name && $0.interface != "uplink" }
        return bars(of: name).count * Self.barGap + (hasDevices ? 68 : 34)
    }

    /// Those with an uplink stand above those that they lead to.
    private var switches: [Switch] {
        scenario.switches.filter { $0.uplink != nil } + scenario.switches.filter { $0.uplink == nil }
    }

    var fabricHeight: Int {
        switches.reduce(0) { $0 + height(of: $1.name) + ($1.uplink == nil ? 10 : 2 * Self.gap) }
    }

    mutating func laySwitches(top: Int) {
        var y = top
        for item in switches {
            let height = height(of: item.name)
            diagram.boxes.append(
                .init(
                    kind: .switch, name: item.name, caption: item.isHub ? "hub" : "switch", x: Self.gap, y: y,
                    width: diagram.width - 2 * Self.gap, height: height))
            for (number, bar) in bars(of: item.name).enumerated() {
                diagram.bars["\(item.name) \(bar)"] = .init(
                    label: bar == "fabric" ? "all networks" : bar, left: .max, right: .min,
                    y: y + 38 + number * Self.barGap)
            }
            let own = captured.filter { $0.namespace == item.name }
            let devices = own.filter { $0.interface != "uplink" }
            for (number, port) in devices.enumerated() {
                let x = diagram.width / 2 + (2 * number - devices.count + 1) * 60
                put(port.name, Diagram.Spot(x: x, y: y + height - (devices.count < own.count ? 28 : 0)), port.interface)
            }
            for port in own where port.interface == "uplink" {
                put(port.name, Diagram.Spot(x: diagram.width / 2, y: y + height), port.interface)
            }
            y += height + (item.uplink == nil ? 10 : 2 * Self.gap)
        }
    }

    // MARK: Cables

    mutating func cable() {
        for host in scenario.hosts {
            for card in host.ports { cable(card, of: host) }
        }
        for port in captured {
            guard let network = scenario.networks.first(where: { scenario.uplinkName(of: $0) == port.interface }) else {
                continue
            }
            diagram.hang(port.name, on: "\(port.namespace) \(network.name)")
            let far = scenario.uplink(of: port.namespace)
            if scenario.fabric == .flat, let far {
                let bar = diagram.bars["\(far) \(network.name)"] == nil ? "\(far) fabric" : "\(far) \(network.name)"
                joinByWay(port.name, on: bar)
            } else {
                diagram.join(port.name, "\(port.namespace):uplink")
            }
        }
        guard scenario.fabric != .flat else { return }
        for port in captured where port.interface == "uplink" {
            if let far = scenario.uplink(of: port.namespace) { diagram.hang(port.name, on: "\(far) fabric") }
        }
    }

    private mutating func cable(_ card: Port, of host: Host) {
        let key = "\(host.name):\(card.name)"
        if let peer = card.peer {
            // Both ends name the other one.
            if key < peer || diagram.ports[peer] == nil { diagram.join(key, peer) }
            return
        }
        let network = card.network ?? scenario.networks.first?.name ?? ""
        if let place = home(card, of: host), !isHypervisor(place) {
            diagram.hang(
                key, on: diagram.bars["\(place) \(network)"] == nil ? "\(place) fabric" : "\(place) \(network)")
            return
        }
        for hypervisor in scenario.hypervisors {
            let tap = "\(hypervisor.name):\(card.tapName)"
            let hybrid = "\(hypervisor.name):\(card.hybridPortName)"
            guard diagram.ports[tap] != nil else { continue }
            let moved = "\(key)@\(hypervisor.name)"
            diagram.join(diagram.ports[moved] == nil ? key : moved, tap)
            if diagram.ports[hybrid] != nil {
                diagram.join(tap, hybrid)
                diagram.hang(hybrid, on: "\(hypervisor.name) \(network)")
            } else {
                diagram.hang(tap, on: "\(hypervisor.name) \(network)")
            }
        }
    }

    /// A port between two bars: a hypervisor's uplink, on its own bridge and on the switch's.
    private mutating func joinByWay(_ key: String, on bar: String) {
        let inner = diagram.ports[key]?.bar
        diagram.hang(key, on: bar)
        diagram.ports[key]?.bar = inner
        diagram.ports[key]?.outerBar = bar
    }
}

extension Scenario {
    fileprivate func uplink(of name: String) -> String? {
        hypervisors.first { $0.name == name }?.uplink ?? switches.first { $0.name == name }?.uplink
    }

    fileprivate func uplinkName(ofNetwork name: String) -> String? {
        networks.first { $0.name == name }.map { uplinkName(of: $0) }
    }
}
