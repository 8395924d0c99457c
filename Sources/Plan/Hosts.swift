internal import Net
internal import Scenario

extension Planner {
    /// What a host configures in itself.
    mutating func configure(_ host: Host) {
        for interface in host.interfaces where interface.kind == .dummy {
            add(host.name, .addDummy(name: interface.name))
        }
        for sysctl in host.sysctls {
            add(host.name, .sysctl(sysctl))
        }
        for port in host.ports {
            for address in addresses(of: port) {
                add(host.name, .addAddress(address, interface: port.name))
            }
            add(host.name, .setUp(interface: port.name))
        }
        for interface in host.interfaces {
            if interface.kind == .dummy { add(host.name, .setUp(interface: interface.name)) }
            for address in interface.addresses {
                add(host.name, .addAddress(address, interface: interface.name))
            }
        }
        for route in host.routes {
            add(host.name, .addRoute(to: route.to, via: route.via, interface: route.interface))
        }
        for neighbour in host.neighbours {
            add(host.name, .addNeighbour(neighbour.address, neighbour.mac, interface: neighbour.interface))
        }
        if let text = RestoreText(arguments: host.arptables, defaultTable: "filter") {
            add(host.name, .loadRules(family: .arp, text: text.text, flush: true))
        }
        if let text = RestoreText(arguments: host.iptables, defaultTable: "filter") {
            add(host.name, .loadRules(family: .ipv4, text: text.text, flush: true))
        }
        if let text = RestoreText(arguments: host.ip6tables, defaultTable: "filter") {
            add(host.name, .loadRules(family: .ipv6, text: text.text, flush: true))
        }
    }

    private func addresses(of port: Port) -> [IPPrefix] {
        if let addresses = port.addresses { return addresses }
        let network = network(of: port)
        return port.fixedIPs.map { address in
            if let cidr = network?.cidr, cidr.family == address.family,
                let prefix = IPPrefix(address, length: cidr.length)
            {
                return prefix
            }
            return IPPrefix(host: address)
        }
    }
}
