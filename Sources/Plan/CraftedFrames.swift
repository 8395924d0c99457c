internal import Net
internal import Scenario

extension Planner {
    /// A crafted packet as frames to be sent out of an interface.
    func send(_ packet: CraftedPacket) throws -> Plan.StepPlan.Action {
        let port = try port(named: packet.from)
        guard port.interfaces.count == 1, let interface = port.interfaces.first else {
            throw PlanError("'\(packet.from)' is \(port.interfaces.count) ports to send from")
        }
        guard let source = try packet.sourceMAC.map(mac) ?? port.mac else {
            throw PlanError("a packet from '\(packet.from)' needs a source_mac")
        }
        let destination = try packet.destinationMAC.map(mac) ?? .broadcast
        let frames = try contents(packet.content, source: source, destination: destination).map { type, payload in
            FrameBuilder.ethernet(source: source, destination: destination, type: type, payload: payload)
        }
        return .send(
            namespace: port.namespace, interface: interface, frames: frames.map { Hexadecimal.encode($0) },
            count: packet.count,
            interval: packet.interval)
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
