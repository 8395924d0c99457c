// One line per frame, in tcpdump's words (`tcpdump -nne -S`) where it has them.

extension Frame: CustomStringConvertible {
    public var description: String {
        let tag = vlan.map { ", vlan \($0)" } ?? ""
        return "\(source) > \(destination)\(tag), \(payloadDescription)"
    }

    private var payloadDescription: String {
        switch payload {
        case .arp(let packet): "ARP, \(packet)"
        case .ip(let packet): packet.description
        case .other where etherType < 0x600: "802.3, length \(etherType)"
        case .other: "ethertype 0x\(hexadecimal(etherType))"
        case .unreadable: "ethertype 0x\(hexadecimal(etherType)), unreadable"
        }
    }

    private func hexadecimal(_ number: UInt16) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }
}

extension ARPPacket: CustomStringConvertible {
    public var description: String {
        switch operation {
        case .request: "Request who-has \(targetAddress) tell \(senderAddress)"
        case .reply: "Reply \(senderAddress) is-at \(senderMAC)"
        default: "operation \(operation.rawValue), \(senderAddress) to \(targetAddress)"
        }
    }
}

extension IPPacket: CustomStringConvertible {
    public var description: String {
        let name = version == 4 ? "IP" : "IP6"
        let from = sourceEndpoint.map { "\(source).\($0.port)" } ?? "\(source)"
        let to = destinationEndpoint.map { "\(destination).\($0.port)" } ?? "\(destination)"
        let first = fragment != nil && fragment?.offset == 0 ? " (first fragment)" : ""
        return "\(name) \(from) > \(to): \(payloadDescription)\(first)"
    }

    private var payloadDescription: String {
        switch payload {
        case .tcp(let segment): segment.description
        case .udp(let datagram): datagram.description
        case .icmp(let message): message.description
        case .encapsulated(let inner, via: let number):
            number == IPProtocol.gre ? "GRE: \(inner)" : inner.description
        case .fragment: "\(protocolName) fragment, offset \(fragment?.offset ?? 0), length \(payloadLength)"
        case .other: "\(protocolName), length \(payloadLength)"
        case .unreadable: "\(protocolName), unreadable"
        }
    }

    private var protocolName: String {
        switch `protocol` {
        case IPProtocol.tcp: "TCP"
        case IPProtocol.udp: "UDP"
        case IPProtocol.udp: "UDP"
        case IPProtocol.icmp: "ICMP"
        case IPProtocol.icmpv6: "ICMP6"
        case IPProtocol.gre: "GRE"
        default: "ip-proto-\(`protocol`)"
        }
    }
}

extension TCPSegment: CustomStringConvertible {
    public var description: String {
        guard !isPartial else { return "TCP seq \(sequence)" }
        let numbered = payloadLength > 0 || !flags.isDisjoint(with: [.syn, .fin, .rst])
        var parts = ["Flags [\(flags)]"]
        if numbered {
            parts.append(
                payloadLength > 0 ? "seq \(sequence):\(sequence &+ UInt32(payloadLength))" : "seq \(sequence)")
        }
        if flags.contains(.ack) { parts.append("ack \(acknowledgement)") }
        parts.append("win \(window)")
        if let maximumSegmentSize { parts.append("mss \(maximumSegmentSize)") }
        parts.append("length \(payloadLength)")
        return parts.joined(separator: ", ")
    }
}

extension TCPSegment.Flags: CustomStringConvertible {
    private static let letters: [(flag: Self, letter: Character)] = [
        (.fin, "F"), (.syn, "S"), (.rst, "R"), (.psh, "P"), (.ack, "."), (.urg, "U"), (.ece, "E"), (.cwr, "W"),
    ]

    /// tcpdump's letters: `S.` is SYN+ACK; `none` for no flag.
    public var description: String {
        isEmpty ? "none" : String(Self.letters.filter { contains($0.flag) }.map(\.letter))
    }
}

extension UDPDatagram: CustomStringConvertible {
    public var description: String { "UDP, length \(payloadLength)" }
}

extension ICMPMessage: CustomStringConvertible {
    public var description: String {
        let family = version == 4 ? "ICMP" : "ICMP6"
        if let echo {
            let kind = echo.isReply ? "reply" : "request"
            return "\(family) echo \(kind), id \(echo.identifier), seq \(echo.sequence), length \(length)"
        }
        let size = mtu.map { " (mtu \($0))" } ?? ""
        let about = quoted.map { " [\($0)]" } ?? ""
        return "\(family) \(name)\(size), length \(length)\(about)"
    }

    private var name: String {
        switch (version, type, code) {
        case (4, 3, 0): "net unreachable"
        case (4, 3, 1), (6, 1, 3): "host unreachable"
        case (4, 3, 2): "protocol unreachable"
        case (4, 3, 3), (6, 1, 4): "port unreachable"
        case (4, 3, 4): "unreachable - need to frag"
        case (4, 3, 9), (4, 3, 10), (4, 3, 13), (6, 1, 1): "unreachable - admin prohibited"
        case (6, 1, 0): "unreachable - no route"
        case (4, 3, _), (6, 1, _): "unreachable, code \(code)"
        case (4, 5, _), (6, 137, _): "redirect"
        case (4, 11, 0), (6, 3, 0): "time exceeded in-transit"
        case (4, 11, 1), (6, 3, 1): "reassembly time exceeded"
        case (4, 12, _), (6, 4, _): "parameter problem"
        case (6, 2, _): "packet too big"
        case (6, 133, _): "router solicitation"
        case (6, 134, _): "router advertisement"
        case (6, 135, _): "neighbor solicitation" + (target.map { ", who has \($0)" } ?? "")
        case (6, 136, _): "neighbor advertisement" + (target.map { ", tgt is \($0)" } ?? "")
        default: "type \(type), code \(code)"
        }
    }
}
