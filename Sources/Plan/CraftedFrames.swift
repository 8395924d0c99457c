internal import Net
internal import Scenario

extension Planner {
    /// A crafted packet as frames to be sent out of an interface.
    func send(_ packet: CraftedPacket) throws -> Plan.StepPlan.Action {
        let (namespace, interface, own) = try interface(packet.from)
        let source = try packet.sourceMAC.map(mac) ?? own
        let destination = try packet.destinationMAC.map(mac) ?? .broadcast
        let frames = try contents(packet.content, source: source, destination: destination).map { type, payload in
            FrameBuilder.ethernet(source: source, destination: destination, type: type, payload: payload)
        }
        return .send(
            namespace: namespace, interface: interface, frames: frames.map { Hexadecimal.encode($0) },
            count: packet.count,
            interval: packet.interval)
    }

    /// Where a port is, and the MAC of the machine behind it.
    private func interface(_ name: String) throws -> (namespace: String, interface: String, mac: MACAddress) {
        let parts = name.split(separator: ":", maxSplits: 1).map(String.init)
        if let host = scenario.host(parts[0]) {
            let ports = host.ports.filter { parts.count == 1 || $0.name == parts[1] }
            guard let port = ports.first else { throw PlanError("'\(name)' is no port to send from") }
            return (host.name, port.name, port.macAddress)
        }
        guard parts.count == 2, parts[1].hasPrefix("tap("), parts[1].hasSuffix(")") else {
            throw PlanError("'\(name)' is no port to send from: a host's, or a hypervisor's tap")
        }
        guard let port = port(inside: parts[1]) else { throw PlanError("'\(name)' is no port to send from") }
        return (parts[0], port.tapName, port.macAddress)
    }

    private func mac(_ text: String) throws -> MACAddress {
        if let mac = MACAddress(text) { return mac }
        guard let host = scenario.host(text), let port = host.ports.first else {
            throw PlanError("'\(text)' has no MAC")
        }
        return port.macAddress
    }

    private func contents(
        _ content: CraftedPacket.Content, source: MACAddress, destination: MACAddress
    ) throws -> [(type: UInt16, payload: [UInt8])] {
        switch content {
        case .other(let type, let payload): return [(type, payload)]
        case .arp(let arp):
            let isRequest = arp.operation == .request
            let payload = FrameBuilder.arp(
                operation: isRequest ? 1 : 2, sender: arp.sender, senderMAC: try arp.senderMAC.map(mac) ?? source,
                target: arp.target,
                targetMAC: try arp.targetMAC.map(mac) ?? (isRequest ? MACAddress(bits: 0) : destination))
            return [(0x0806, payload)]
        case .ip(let ip):
            return payloads(ip).map { number, payload in
                let packet = FrameBuilder.ip(
                    source: ip.source, destination: ip.destination, protocol: number,
                    ttl: UInt8(truncatingIfNeeded: ip.ttl), payload: payload)
                return (ip.source.family == .v4 ? 0x0800 : 0x86DD, packet)
            }
        }
    }

    private func pairs(_ one: ClosedRange<UInt16>, _ other: ClosedRange<UInt16>) -> [(UInt16, UInt16)] {
        one.flatMap { first in other.map { (first, $0) } }
    }

    private func payloads(_ ip: CraftedPacket.IP) -> [(protocol: UInt8, payload: [UInt8])] {
        switch ip.payload {
        case .tcp(let tcp):
            return pairs(tcp.sourcePorts, tcp.destinationPorts).map { port, destinationPort in
                let segment = FrameBuilder.tcp(
                    source: ip.source, destination: ip.destination, sourcePort: port,
                    destinationPort: destinationPort, sequence: UInt32(truncatingIfNeeded: tcp.sequence),
                    acknowledgement: UInt32(truncatingIfNeeded: tcp.acknowledgement), flags: tcp.flags,
                    window: UInt16(truncatingIfNeeded: tcp.window), data: Array(tcp.data.utf8))
                return (6, segment)
            }
        case .udp(let udp):
            return pairs(udp.sourcePorts, udp.destinationPorts).map { port, destinationPort in
                let datagram = FrameBuilder.udp(
                    source: ip.source, destination: ip.destination, sourcePort: port,
                    destinationPort: destinationPort, data: Array(udp.data.utf8))
                return (17, datagram)
            }
        case .icmp(let icmp):
            let message = FrameBuilder.icmp(
                source: ip.source, destination: ip.destination, type: UInt8(truncatingIfNeeded: icmp.type),
                code: UInt8(truncatingIfNeeded: icmp.code), rest: icmp.rest)
            return [(ip.source.family == .v4 ? 1 : 58, message)]
        case .other(let number, let octets): return [(number, octets)]
        }
    }
}
