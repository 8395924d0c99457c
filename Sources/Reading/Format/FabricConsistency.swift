internal import Net
internal import Scenario

extension Consistency {
    /// Uplinks lead to switches that carry nothing else, and numbers tell the networks apart.
    func checkFabric() {
        for each in scenario.switches where leadsBack(each) {
            reader.error(
                at: tree.valueLocation(of: ["switches", each.name, "uplink"]),
                "the uplink of \(each.name) leads back to \(each.name)")
        }
        guard scenario.fabric != .flat else { return }
        let carriers = Set(scenario.switches.compactMap(\.uplink) + scenario.hypervisors.compactMap(\.uplink))
        for host in scenario.hosts {
            for port in host.ports where port.peer == nil {
                guard let place = port.on ?? host.on, carriers.contains(place) else { continue }
                let key = port.on == nil ? [] : ["ports", port.name]
                reader.error(
                    at: tree.valueLocation(of: ["hosts", host.name] + key + ["on"]),
                    "\(host.name):\(port.name) is on \(place), which carries only what hypervisors wrap",
                    expected: "a hypervisor, or a switch with an uplink")
            }
        }
        var taken: [Int: String] = [:]
        for network in scenario.networks {
            let id = scenario.segmentationID(of: network)
            let place = tree.valueLocation(of: ["networks", network.name, "segmentation_id"])
            if let other = taken[id] {
                reader.error(at: place, "networks \(other) and \(network.name) both have segmentation_id \(id)")
            }
            taken[id] = network.name
            if scenario.fabric == .vlan, id > 4094 {
                reader.error(at: place, "there is no VLAN \(id)", expected: "a whole number from 1 to 4094")
            }
        }
    }

    private func leadsBack(_ start: Switch) -> Bool {
        var seen: Set<String> = []
        var next = start.uplink
        while let name = next, seen.insert(name).inserted {
            if name == start.name { return true }
            next = scenario.switches.first { $0.name == name }?.uplink
        }
        return false
    }
}
