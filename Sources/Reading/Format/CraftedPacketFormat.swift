internal import Net
internal import Scenario

/// The `send` step: a packet field by field.
enum CraftedPacketFormat {
    private struct Draft: Sendable {
        var from = ""
        var source: String?
        var destination: String?
        var arp: CraftedPacket.ARP?
        var ip: CraftedPacket.IP?
        var tcp: CraftedPacket.TCP?
        var udp: CraftedPacket.UDP?
        var icmp: CraftedPacket.ICMP?
        var ethertype: Int?
        var payload: [UInt8]?
        var count = 1
        var interval: Int64 = 0
    }

    /// `deadbeef`, also with spaces and colons between the octets.
    static let octets = Shape<[UInt8]>.scalar(
        "octets in hexadecimal such as \"08 00 45\"", schema: .scalar(pattern: "^([0-9a-fA-F]{2}[ :]?)*$"),
        parse: { text in Hexadecimal.decode(text.filter { $0 != " " && $0 != ":" }) }
    ).checked { octets, tree, reader in
        if octets.count > Limits.payload {
            reader.error(at: tree.location, "a payload of \(octets.count) bytes", expected: "at most \(Limits.payload)")
        }
    }

    private static let flagNames: [(String, TCPSegment.Flags)] = [
        ("fin", .fin), ("syn", .syn), ("rst", .rst), ("psh", .psh), ("ack", .ack), ("urg", .urg), ("ece", .ece),
        ("cwr", .cwr),
    ]

    private static let flag = Shape<TCPSegment.Flags>.word(flagNames.map(\.0)) { word in
        flagNames.first { $0.0 == word }?.1
    }

    private static let flags = Shape<[TCPSegment.Flags]>.list(of: flag).map { TCPSegment.Flags($0) }

    private static let ports = Shape<ClosedRange<UInt16>>.scalar(
        "a port such as 4000, or ports such as 4000..4005",
        schema: .any([.integer(1...65535), .text(pattern: "^[0-9]{1,5}\\.\\.[0-9]{1,5}$")]),
        parse: { text in
            let ends = text.split(separator: ".", omittingEmptySubsequences: true).map { UInt16($0) }
            guard let first = ends.first, let first, first > 0 else { return nil }
            if ends.count == 1, !text.contains(".") { return first...first }
            guard ends.count == 2, text.contains(".."), let last = ends[1], first <= last else { return nil }
            return first...last
        })

    private static let tcp = Shape<CraftedPacket.TCP>.object(
        "craftedTCP", "a TCP segment", "A TCP segment without options; its checksum is right.", blank: .init(),
        fields: [
            Field("source_port", \.sourcePorts, ports, required: true, "The source port; of a range, a packet each."),
            Field("destination_port", \.destinationPorts, ports, required: true, "The destination port, or a range."),
            Field(
                "flags", \.flags, flags, required: true, "Of syn, ack, fin, rst, psh, urg, ece and cwr; [] for none."),
            Field("sequence", \.sequence, .integer(0...Int(UInt32.max)), "The sequence number; 0."),
            Field("acknowledgement", \.acknowledgement, .integer(0...Int(UInt32.max)), "What is acknowledged; 0."),
            Field("window", \.window, .integer(0...65535), "The window; 65535."),
            Field("data", \.data, .text("text", upTo: Limits.payload), "What it carries; nothing."),
        ])

    private static let udp = Shape<CraftedPacket.UDP>.object(
        "craftedUDP", "a UDP datagram", "A UDP datagram; its checksum is right.", blank: .init(),
        fields: [
            Field("source_port", \.sourcePorts, ports, required: true, "The source port; of a range, a packet each."),
            Field("destination_port", \.destinationPorts, ports, required: true, "The destination port, or a range."),
            Field("data", \.data, .text("text", upTo: Limits.payload), "What it carries; nothing."),
        ])

    private static let icmp = Shape<CraftedPacket.ICMP>.object(
        "craftedICMP", "an ICMP message", "An ICMP message; its checksum is right.", blank: .init(),
        fields: [
            Field("type", \.type, .integer(0...255), "Its type; 8, an echo request."),
            Field("code", \.code, .integer(0...255), "Its code; 0."),
            Field("rest", \.rest, octets, "What follows the checksum, in hexadecimal; four zeros."),
        ])

    private static let ip = Shape<CraftedPacket.IP>.object(
        "craftedIP", "an IP header", "An IPv4 or IPv6 header without options.", blank: .init(),
        fields: [
            Field("source", \.source, .address, required: true, "The source address."),
            Field("destination", \.destination, .address, required: true, "The destination address."),
            Field("ttl", \.ttl, .integer(0...255), "The TTL or hop limit; 64."),
        ],
        check: { ip, tree, reader in
            if ip.source.family != ip.destination.family {
                reader.error(
                    at: tree.location(of: ["destination"]), "\(ip.destination) is of another family than \(ip.source)")
            }
        })

    private static let arp = Shape<CraftedPacket.ARP>.object(
        "craftedARP", "an ARP packet", "An ARP packet for IPv4.", blank: .init(),
        fields: [
            Field("operation", \.operation, .word(), "request or reply; request."),
            Field("sender", \.sender, ipv4, required: true, "The sender's address: whom it tells."),
            Field("sender_mac", \.senderMAC, PacketFormat.owner, "The sender's MAC; the frame's source if left out."),
            Field("target", \.target, ipv4, required: true, "The target's address: whom it asks for."),
            Field(
                "target_mac", \.targetMAC, PacketFormat.owner,
                "The target's MAC; zeros in a request and the frame's destination in a reply if left out."),
        ])

    private static let ipv4 = Shape<IPAddress>.address.checked { address, tree, reader in
        if address.family != .v4 {
            reader.error(at: tree.location, "ARP knows no \(address)", expected: "an IPv4 address")
        }
    }

    private static let contents = ["arp", "ip", "ethertype"]
    private static let transports = ["tcp", "udp", "icmp"]

    private static let draft = Shape<Draft>.object(
        "send", "a send step", "Sends a packet that is written field by field, and no answer is awaited.",
        blank: Draft(),
        fields: [
            Field("from", \.from, Places.port, required: true, "The port that it leaves by."),
            Field("source_mac", \.source, PacketFormat.owner, "The frame's source: a MAC or a host; the port's own."),
            Field(
                "destination_mac", \.destination, PacketFormat.owner,
                "The frame's destination: a MAC or a host; broadcast if left out."),
            Field("arp", \.arp, arp, "An ARP packet."),
            Field("ip", \.ip, ip, "An IP header, with one of tcp, udp and icmp beside it."),
            Field("tcp", \.tcp, tcp, "A TCP segment in it."),
            Field("udp", \.udp, udp, "A UDP datagram in it."),
            Field("icmp", \.icmp, icmp, "An ICMP message in it."),
            Field("ethertype", \.ethertype, .integer(0...65535), "Of a frame with any other content: its type."),
            Field("payload", \.payload, octets, "Its payload, in hexadecimal."),
            Field("count", \.count, .integer(1...Limits.packets), "How often; 1."),
            Field("interval", \.interval, .duration(), "How long to wait in between; not at all."),
        ],
        rules: [.exactlyOne(contents, of: "content"), .needs("payload", oneOf: ["ethertype"])]
            + transports.map { .needs($0, oneOf: ["ip"]) },
        check: { draft, tree, reader in
            if draft.source == nil, let names = reader.names, !names.hasMachine(at: draft.from) {
                reader.error(
                    at: tree.valueLocation(of: ["from"]), "no machine is behind \(draft.from), whose MAC it could have",
                    expected: "'source_mac' beside it")
            }
            if let names = reader.names, names.isSeveralCables(draft.from) {
                reader.error(
                    at: tree.valueLocation(of: ["from"]), "\(draft.from) is a cable for each network",
                    expected: "the other end, such as hv1:uplink(\(names.networks.first ?? ""))")
            }
            let given = transports.filter { tree[$0] != nil }
            if draft.ip != nil, given.count != 1 {
                reader.error(
                    at: tree.location(of: ["ip"]),
                    given.isEmpty ? "an IP header without content" : "\(given.count) contents",
                    expected: "one of tcp, udp, icmp")
            }
        })

    static let send = Shape<CraftedPacket?>(schema: draft.schema, expected: draft.expected) { tree, reader in
        guard let draft = draft.read(tree, reader), let content = content(draft) else { return nil }
        return CraftedPacket(
            from: draft.from, sourceMAC: draft.source, destinationMAC: draft.destination, content: content,
            count: draft.count, interval: draft.interval)
    }

    private static func content(_ draft: Draft) -> CraftedPacket.Content? {
        if let arp = draft.arp { return .arp(arp) }
        if let type = draft.ethertype { return .other(UInt16(type), draft.payload ?? []) }
        guard var ip = draft.ip else { return nil }
        if let tcp = draft.tcp { ip.payload = .tcp(tcp) }
        if let udp = draft.udp { ip.payload = .udp(udp) }
        if let icmp = draft.icmp { ip.payload = .icmp(icmp) }
        return .ip(ip)
    }
}
