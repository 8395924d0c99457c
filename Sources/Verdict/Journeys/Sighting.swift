internal import Evidence
internal import Net

/// A frame at a port, with what it takes to know it again elsewhere: two hashes in place of its octets.
struct Sighting {
    var time: Nanoseconds
    /// Index of the frame in the capture.
    var frame: Int32
    var port: Int32
    /// The network it is of.
    var domain: Int32
    /// Same for the same frame at all ports of its network: hash of MAC addresses, TTL, and all that tells packets apart.
    var frameKey: UInt64
    var sourceMAC: MACAddress
    var destinationMAC: MACAddress
}

/// Reads frames into what journeys are made of.
struct Dissector {
    let wiring: Wiring
    /// UDP ports that carry GUE (draft-ietf-intarea-gue).
    var guePorts: Set<UInt16> = []

    /// What a frame is within its network: the frame itself, or the one that a trunk's VLAN or VXLAN wraps.
    struct Unwrapped {
        var frame: Frame
        var domain: Int
        /// `vlan 101`, `vxlan 101`.
        var wrapping: String?
        /// Octets in front of `frame`'s payload.
        var payload: Int
        /// Octets in front of `frame`.
        var start: Int
    }

    /// VXLAN's port (RFC 7348).
    private static let vxlanPort: UInt16 = 4789

    func unwrap(_ octets: Span<UInt8>, port: Int) -> Unwrapped? {
        guard let frame = Frame(octets) else { return nil }
        let head = frame.vlan == nil ? 14 : 18
        guard wiring.roles[port] == .trunk else {
            return Unwrapped(frame: frame, domain: wiring.domains[port] ?? Wiring.underlay, payload: head, start: 0)
        }
        if let vlan = frame.vlan {
            return Unwrapped(
                frame: frame, domain: wiring.networks[Int(vlan)] ?? Wiring.underlay, wrapping: "vlan \(vlan)",
                payload: head, start: 0)
        }
        if let ip = frame.ip, let udp = ip.udp, udp.destinationPort == Self.vxlanPort {
            let header = head + ip.headerLength + 8
            guard octets.count > header + 22 else { return nil }
            let number = Int(octets[header + 4]) << 16 | Int(octets[header + 5]) << 8 | Int(octets[header + 6])
            let start = header + 8
            if let inner = Frame(octets.extracting(start...)) {
                return Unwrapped(
                    frame: inner, domain: wiring.networks[number] ?? Wiring.underlay, wrapping: "vxlan \(number)",
                    payload: start + (inner.vlan == nil ? 14 : 18), start: start)
            }
        }
        return Unwrapped(frame: frame, domain: Wiring.underlay, payload: head, start: 0)
    }

    /// nil for what is no Ethernet frame.
    func sighting(_ frame: RunFrame, index: Int) -> Sighting? {
        let octets = frame.octets.span
        guard let unwrapped = unwrap(octets, port: frame.port) else { return nil }
        let inner = unwrapped.frame
        var hash = Mix()
        hash.add(UInt64(bitPattern: Int64(unwrapped.domain)))
        hash.add(inner.destination.bits)
        hash.add(inner.source.bits)
        if let ip = inner.ip {
            Self.add(ip, to: &hash)
            hash.add(UInt64(ip.ttl))
            hash.add(core(ip, octets, at: unwrapped.payload))
        } else {
            hash.add(UInt64(inner.etherType))
            // Padding is not part of it: a bridge may add or remove it. ARP has 28 octets.
            let end = inner.arp == nil ? octets.count : unwrapped.payload + 28
            hash.add(octets, from: unwrapped.payload, to: end)
        }
        return Sighting(
            time: frame.time, frame: Int32(truncatingIfNeeded: index), port: Int32(truncatingIfNeeded: frame.port),
            domain: Int32(truncatingIfNeeded: unwrapped.domain), frameKey: hash.value, sourceMAC: inner.source,
            destinationMAC: inner.destination)
    }

    private static func add(_ ip: IPPacket, to hash: inout Mix) {
        hash.add(ip.source)
        hash.add(ip.destination)
        hash.add(UInt64(ip.protocol) << 32 | UInt64(ip.totalLength))
        switch ip.payload {
        case .tcp(let segment): hash.add(UInt64(segment.sourcePort) << 16 | UInt64(segment.destinationPort))
        case .udp(let datagram): hash.add(UInt64(datagram.sourcePort) << 16 | UInt64(datagram.destinationPort))
        default: break
        }
    }

    /// The packet behind all tunnels.
    func innermost(_ ip: IPPacket, _ octets: Span<UInt8>, at start: Int) -> (packet: IPPacket, start: Int) {
        if let inner = ip.encapsulated {
            // GRE's header has 4 octets and up to three optional fields; IPIP has none.
            let overhead = max(0, ip.payloadLength - inner.totalLength)
            return innermost(inner, octets, at: start + ip.headerLength + overhead)
        }
        if let udp = ip.udp, guePorts.contains(udp.destinationPort) {
            let header = start + ip.headerLength + 8
            if octets.count > header + 4, octets[header] >> 5 == 0, octets[header + 1] == 4 || octets[header + 1] == 41
            {
                let inner = header + 4 + Int(octets[header] & 0x1F) * 4
                if inner < octets.count, let packet = IPPacket(octets.extracting(inner...)) {
                    return (packet, inner)
                }
            }
        }
        return (ip, start)
    }

    /// What stays the same when a packet is routed, translated and wrapped: hash of the innermost packet without its
    /// addresses, ports and TTL.
    func core(_ ip: IPPacket, _ octets: Span<UInt8>, at start: Int) -> UInt64 {
        let (packet, start) = innermost(ip, octets, at: start)
        var hash = Mix()
        hash.add(UInt64(packet.protocol) << 32 | UInt64(packet.identification ?? 0))
        hash.add(UInt64(packet.fragment.map { $0.offset << 1 | ($0.more ? 1 : 0) } ?? 0))
        let body = start + packet.headerLength
        let end = min(octets.count, start + packet.totalLength)
        switch packet.payload {
        case .tcp(let segment):
            hash.add(UInt64(segment.sequence) << 32 | UInt64(segment.acknowledgement))
            hash.add(UInt64(segment.flags.rawValue) << 32 | UInt64(segment.payloadLength))
        case .udp(let datagram):
            hash.add(UInt64(datagram.payloadLength))
            hash.add(octets, from: body + 8, to: min(end, body + 72))
        case .icmp(let message):
            hash.add(UInt64(message.type) << 40 | UInt64(message.code) << 32 | UInt64(message.length))
            if let echo = message.echo { hash.add(UInt64(echo.identifier) << 16 | UInt64(echo.sequence)) }
            // What an error quotes is translated with it.
            if !message.isError { hash.add(octets, from: body + 4, to: min(end, body + 40)) }
        default:
            hash.add(UInt64(packet.payloadLength))
            hash.add(octets, from: body, to: min(end, body + 32))
        }
        return hash.value
    }
}

/// A 64-bit hash that is the same in every process (the finalizer of SplitMix64 after each step).
struct Mix {
    private(set) var value: UInt64 = 0x9E37_79B9_7F4A_7C15

    mutating func add(_ number: UInt64) {
        var mixed = (value ^ number) &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        value = mixed ^ (mixed >> 31)
    }

    mutating func add(_ address: IPAddress) {
        add(UInt64(truncatingIfNeeded: address.value))
        if address.family == .v6 { add(UInt64(truncatingIfNeeded: address.value >> 64)) }
    }

    mutating func add(_ octets: Span<UInt8>, from start: Int, to end: Int) {
        var word: UInt64 = 0
        var position = start
        while position < min(end, octets.count) {
            word = word << 8 | UInt64(octets[position])
            position += 1
            if (position - start) % 8 == 0 {
                add(word)
                word = 0
            }
        }
        add(word)
    }
}
