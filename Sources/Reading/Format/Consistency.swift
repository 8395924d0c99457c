internal import Net
internal import Scenario

/// What no single value shows: whether the parts of a scenario fit together. Looks at what could be read, even if other
/// parts could not.
struct Consistency {
    let scenario: Scenario
    let tree: Tree
    let names: Names
    let reader: Reader

    func check() {
        checkNamespaceNames()
        for host in scenario.hosts {
            for port in host.ports { check(port, of: host) }
            checkInterfaces(of: host)
        }
        checkCables()
        checkDuplicates()
        checkRuleDumps()
        checkRelease()
        checkFabric()
        for step in scenario.timeline { check(step) }
        for expectation in scenario.expectations.flatMap(\.leaves) {
            guard case .command = expectation.check else { continue }
            reader.error(
                at: expectation.location, "a command expectation without a command",
                expected: "it in the 'expect' of a 'run' step")
        }
        checkLoads()
        checkSums()
    }

    private func checkNamespaceNames() {
        var owners: [String: (kind: String, location: SourceLocation)] = [:]
        func claim(_ name: String, _ kind: String, at location: SourceLocation) {
            if let other = owners[name] {
                reader.error(at: location, "'\(name)' is a \(kind) and a \(other.kind), at \(other.location)")
            } else {
                owners[name] = (kind, location)
            }
        }
        for one in tree["switches"]?.elements ?? [] where one.text.map({ owners[$0] == nil }) ?? false {
            claim(one.text ?? "", "switch", at: one.location)
        }
        for entry in tree["switches"]?.entries ?? [] { claim(entry.key, "switch", at: entry.keyLocation) }
        for entry in tree["hypervisors"]?.entries ?? [] { claim(entry.key, "hypervisor", at: entry.keyLocation) }
        for entry in tree["hosts"]?.entries ?? [] { claim(entry.key, "host", at: entry.keyLocation) }
    }

    private func path(_ host: Host, _ port: Port, _ key: String? = nil) -> [String] {
        ["hosts", host.name, "ports", port.name] + (key.map { [$0] } ?? [])
    }

    private func check(_ port: Port, of host: Host) {
        let full = "\(host.name):\(port.name)"
        let place = tree.location(of: path(host, port))
        let on = port.on ?? (port.peer == nil ? host.on : nil)
        // Looked up in the tree: a peer that could not be read is reported for what it says.
        let hasPeer = tree["hosts"]?[host.name]?["ports"]?[port.name]?["peer"] != nil || names.cables[full] != nil
        if on == nil, !hasPeer {
            reader.error(at: place, "port \(full) is plugged into nothing", expected: "'on' or 'peer'")
        }
        if let on, !hasPeer, names.hypervisors.contains(on), port.network == nil {
            reader.error(at: place, "port \(full) is on a hypervisor", expected: "'network', whose bridge it is on")
        }
        guard let name = port.network else {
            if let on, !hasPeer, names.switches.contains(on), scenario.networks.count != 1 {
                reader.error(
                    at: place, "port \(full) is on a switch, which has a bridge for each network",
                    expected: "'network', whose bridge it is on")
            }
            if port.addresses == nil, !port.fixedIPs.isEmpty {
                reader.error(
                    at: place, "nothing says the prefix length of \(full)'s addresses",
                    expected: "'network' or 'addresses'")
            }
            return
        }
        // IPv6 fixed IPs belong to a second subnet, which the format does not have.
        guard let network = scenario.networks.first(where: { $0.name == name }) else { return }
        for address in port.fixedIPs where address.family == network.cidr.family && !network.cidr.contains(address) {
            reader.error(
                at: element("\(address)", of: path(host, port, "fixed_ips")),
                "fixed IP \(address) is not in network \(name)", expected: "an address in \(network.cidr)")
        }
    }

    /// Where an element of a list of scalars stands.
    private func element(_ text: String, of path: [String]) -> SourceLocation {
        var list: Tree? = tree
        for key in path { list = list?[key] }
        return list?.elements?.first { $0.text == text }?.location ?? tree.valueLocation(of: path)
    }

    private func checkInterfaces(of host: Host) {
        let cards = host.ports.map(\.name)
        for interface in host.interfaces where cards.contains(interface.name) {
            reader.error(
                at: tree.location(of: ["hosts", host.name, "interfaces", interface.name]),
                "\(host.name) has a port '\(interface.name)' as well")
        }
        let known = cards + host.interfaces.map(\.name)
        func check(_ device: String?, _ index: Int, _ key: String) {
            guard let device, device != "lo", !known.contains(device) else { return }
            let list = tree["hosts"]?[host.name]?[key]
            let place = list?.elements.flatMap { index < $0.count ? $0[index].location : nil }
            reader.unknown(
                "interface of \(host.name)", device, at: place ?? tree.location(of: ["hosts", host.name, key]),
                known: known)
        }
        // Indices fit the file's list only if all of it could be read; otherwise the place is the list's.
        for (index, route) in host.routes.enumerated() { check(route.interface, index, "routes") }
        for (index, neighbour) in host.neighbours.enumerated() { check(neighbour.interface, index, "neighbours") }
    }

    private func checkCables() {
        var taken: [String: String] = [:]
        for host in scenario.hosts {
            for port in host.ports {
                guard let peer = port.peer else { continue }
                let full = "\(host.name):\(port.name)"
                let place = tree.valueLocation(of: path(host, port, "peer"))
                if peer == full { reader.error(at: place, "\(full) is cabled to itself") }
                if let other = taken[peer], other != full {
                    reader.error(at: place, "\(peer) is cabled to \(other) already")
                }
                taken[peer] = full
                let parts = peer.split(separator: ":", maxSplits: 1)
                guard parts.count == 2, let far = names.host(parts[0])?.cards.first(where: { $0.name == parts[1] })
                else { continue }
                if let back = far.peer, back != full {
                    reader.error(at: place, "\(full) is cabled to \(peer), which is cabled to \(back)")
                }
                let farPort = scenario.hosts.first { $0.name == parts[0] }?.ports.first { $0.name == parts[1] }
                if farPort?.on != nil {
                    reader.error(at: place, "\(peer) is plugged into a bridge by its own 'on'", expected: "a free port")
                }
            }
        }
    }

    private func checkDuplicates() {
        var seen: [String: (owner: String, place: SourceLocation)] = [:]
        // `message` gets the one who has it too. Told of the one that the scenario itself changed, if it was only one.
        func claim(_ key: String, _ owner: String, at place: SourceLocation, _ message: (String, String) -> String) {
            guard let other = seen[key] else {
                seen[key] = (owner, place)
                return
            }
            let own = tree.location.file
            if place.file != own, other.place.file == own {
                reader.error(at: other.place, message(other.owner, owner))
            } else {
                reader.error(at: place, message(owner, other.owner))
            }
        }
        for network in scenario.networks {
            let place = tree.location(of: ["networks", network.name, "id"])
            claim("bridge \(network.id.prefix(11))", network.name, at: place) {
                "network \($0)'s id starts like that of \($1): their bridges would have one name"
            }
        }
        for host in scenario.hosts {
            for port in host.ports {
                let full = "\(host.name):\(port.name)"
                // Ten characters make the chains' names, eleven the tap device's.
                claim("tap \(port.id.prefix(10))", full, at: tree.location(of: path(host, port, "id"))) {
                    "port \($0)'s id starts like that of \($1): their chains would have one name"
                }
                guard let network = port.network else { continue }
                let mac = port.macAddress
                claim("\(network) \(mac)", full, at: tree.valueLocation(of: path(host, port, "mac_address"))) {
                    "\($0) has the MAC address \(mac) of \($1) on network \(network)"
                }
                for address in port.fixedIPs {
                    claim("\(network) \(address)", full, at: element("\(address)", of: path(host, port, "fixed_ips"))) {
                        "\($0) has the fixed IP \(address) of \($1) on network \(network)"
                    }
                }
            }
        }
    }

    private func check(_ step: Step) {
        for expectation in step.expectations.flatMap(\.leaves) {
            switch (expectation.check, step.action) {
            case (.command, .run): break
            case (.command, _):
                reader.error(
                    at: expectation.location, "a command expectation in a step that runs none", expected: "a 'run' step"
                )
            case (.traffic(let traffic), _):
                let requests = step.actions.reduce(0) { $0 + $1.requestCount }
                if requests > 0 {
                    check(traffic, requests: requests, at: expectation.location)
                } else {
                    reader.error(
                        at: expectation.location, "a traffic expectation in a step that makes no request",
                        expected: "it in the step that does, or at the end")
                }
            default: break
            }
        }
    }

    private func check(_ traffic: Expectation.Traffic, requests: Int, at location: SourceLocation) {
        guard let outcomes = traffic.outcomes, outcomes.count != requests else { return }
        reader.error(
            at: location, "\(outcomes.count) outcomes for \(requests) requests", expected: "one for each request")
    }
}
