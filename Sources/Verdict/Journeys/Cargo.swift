internal import Net

/// What tells packets apart.
struct Cargo {
    /// 0 for what is no IP packet.
    var core: UInt64 = 0
    var source = IPAddress(v4: 0)
    var destination = IPAddress(v4: 0)
    var sourcePort: UInt16 = 0
    var destinationPort: UInt16 = 0
    var protocolNumber: UInt8 = 0
    var ttl: UInt8 = 0
    var isFragment = false
    var identification: UInt32 = 0
    /// Of TCP: where its octets begin and how many there are.
    var sequence: UInt32 = 0
    var length = 0

    var isIP: Bool { protocolNumber != 0 || core != 0 }
    /// Or ICMPv6.
    var isICMP: Bool { protocolNumber == 1 || protocolNumber == 58 }
    /// Of all fragments of one packet.
    var datagram: UInt64 {
        var hash = Mix()
        hash.add(source)
        hash.add(destination)
        hash.add(UInt64(protocolNumber) << 32 | UInt64(identification))
        return hash.value
    }
    /// Of a TCP segment: the parts of its connection, 64 KiB each, that it has octets of.
    var parts: [UInt64] {
        guard length > 0 else { return [] }
        let first = sequence >> 16
        let last = (sequence &+ UInt32(truncatingIfNeeded: length - 1)) >> 16
        return (first == last ? [first] : [first, last]).map { part in
            var hash = Mix()
            hash.add(connection)
            hash.add(UInt64(part))
            return hash.value
        }
    }
    /// Of one direction of a connection.
    var connection: UInt64 {
        var hash = Mix()
        hash.add(source)
        hash.add(destination)
        hash.add(UInt64(protocolNumber) << 32 | UInt64(sourcePort) << 16 | UInt64(destinationPort))
        return hash.value
    }
}

extension Legs {
    /// The headers of a frame within its network: without what a fabric wraps it in.
    func headers(_ frame: Int) -> Headers? {
        let captured = frames[frame]
        let octets = captured.octets.span
        guard wiring.roles[captured.port] == .trunk,
            let unwrapped = dissector.unwrap(octets, port: captured.port)
        else { return Headers(octets) }
        return Headers(octets.extracting(unwrapped.start...))
    }

    /// The packet behind all tunnels.
    func innermost(_ frame: Int) -> IPPacket? {
        let captured = frames[frame]
        let octets = captured.octets.span
        guard let unwrapped = dissector.unwrap(octets, port: captured.port), let ip = unwrapped.frame.ip else {
            return nil
        }
        return dissector.innermost(ip, octets, at: unwrapped.payload).packet
    }

    /// The ICMP error that a frame carries, and the packet that it quotes.
    func quote(_ frame: Int) -> (message: ICMPMessage, quoted: IPPacket)? {
        let captured = frames[frame]
        let octets = captured.octets.span
        guard let unwrapped = dissector.unwrap(octets, port: captured.port),
            let message = unwrapped.frame.ip?.innermost.icmp, let quoted = message.quoted
        else { return nil }
        return (message, quoted.innermost)
    }
}

extension Cargo {
    var reversed: Cargo {
        var other = self
        swap(&other.source, &other.destination)
        swap(&other.sourcePort, &other.destinationPort)
        if protocolNumber == 1 || protocolNumber == 58 {
            // An echo's identifier is the same both ways.
            other.sourcePort = sourcePort
            other.destinationPort = destinationPort
        }
        return other
    }
}
