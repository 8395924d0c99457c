internal import Evidence
internal import Net
internal import Scenario

extension Expectation.Count {
    /// `no frames`, `1 frame`, `at least 2 frames`, `2 to 4 frames`, `at most 3 frames`.
    func of(_ one: String, _ many: String? = nil) -> String {
        let many = many ?? one + "s"
        if maximum == 0 { return "no \(many)" }
        if minimum == maximum { return minimum == 1 ? "1 \(one)" : "\(minimum) \(many)" }
        if maximum == .max { return "at least \(minimum) \(minimum == 1 ? one : many)" }
        if minimum <= 0 { return "at most \(maximum) \(maximum == 1 ? one : many)" }
        return "\(minimum) to \(maximum) \(many)"
    }

    /// The count alone: `0`, `at least 2`.
    var words: String {
        maximum == 0 ? "0" : String(of("", "").dropLast())
    }
}

extension Expectation.Count {
    private func bounds(_ text: (Int) -> String) -> String {
        if minimum == maximum { return text(minimum) }
        if maximum == .max { return "at least \(text(minimum))" }
        return minimum <= 0 ? "at most \(text(maximum))" : "\(text(minimum)) to \(text(maximum))"
    }

    /// Of nanoseconds: `at most 3.000000 s`.
    var durationWords: String { bounds { "\(Nanoseconds($0).seconds) s" } }

    /// Of thousandths of a percent: `at most 5 %`.
    var percentWords: String { bounds { $0.percent } }
}

extension Int {
    /// Of thousandths of a percent: `5 %`, `0.125 %`.
    var percent: String {
        guard self % 1000 != 0 else { return "\(self / 1000) %" }
        var fraction = String(1000 + self % 1000).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return "\(self / 1000).\(fraction) %"
    }

    /// `0 frames`, `1 frame`.
    func of(_ one: String, _ many: String? = nil) -> String {
        self == 1 ? "1 \(one)" : "\(self) \(many ?? one + "s")"
    }
}

extension Nanoseconds {
    /// Seconds with six decimals: `0.001234`.
    var seconds: String {
        let microseconds = magnitude / 1000
        let fraction = String(microseconds % 1_000_000)
        return (self < 0 ? "-" : "") + "\(microseconds / 1_000_000)."
            + String(repeating: "0", count: 6 - fraction.count) + fraction
    }
}

extension [String] {
    /// The first items, and how many more there are.
    func limited(to limit: Int = 10) -> [String] {
        count <= limit ? self : prefix(limit) + ["… and \(count - limit) more"]
    }

    /// A list within a sentence.
    func inline(limit: Int = 3, separator: String = "; ") -> String {
        limited(to: limit).joined(separator: separator)
    }
}

extension ConntrackTuple {
    var text: String {
        "\(Endpoint(source, port: sourcePort)) → \(Endpoint(destination, port: destinationPort))"
    }
}

extension ConntrackEntry {
    /// `tcp 198.51.100.10:40312 → 203.0.113.2:80 SYN_SENT [UNREPLIED] zone 5`.
    var text: String {
        ([`protocol`, original.text] + [state].compactMap(\.self) + flags.map { "[\($0)]" }
            + (zone == 0 ? [] : ["zone \(zone)"])).joined(separator: " ")
    }
}

extension RuleCounter {
    var text: String { "\(table) \(chain) \(number): \(rule)" }
}

extension RunFrame {
    /// One line: when, from whom to whom, and the packet as tcpdump would write it.
    func text(_ headers: Headers?, _ names: Names) -> String {
        guard let headers else { return "\(time.seconds) \(octets.count.of("octet"))" }
        let path = "\(time.seconds) \(names.name(of: headers.sourceMAC)) → \(names.name(of: headers.destinationMAC))"
        if let message = headers.neighbour { return "\(path) \(message.text)" }
        guard let packet = headers.packet else { return "\(path) \(wireLength.of("octet"))" }
        return "\(path) \(packet.text), \(wireLength.of("octet"))"
    }
}

extension NeighbourMessage {
    var text: String {
        let kind = isIPv6 ? "ndp" : "arp"
        return isRequest ? "\(kind) who-has \(target) tell \(sender)" : "\(kind) \(sender) is-at \(senderMAC)"
    }
}

extension Packet {
    /// `198.51.100.10:40312 → 203.0.113.2:80 tcp [S] seq 1 ttl 63`.
    var text: String {
        var text = ""
        // Every packet of a run is written so: in one piece of memory.
        text.reserveCapacity(96)
        if let sourcePort, let destinationPort {
            text += Endpoint(source, port: sourcePort).description
            text += " → "
            text += Endpoint(destination, port: destinationPort).description
        } else {
            text += source.description
            text += " → "
            text += destination.description
        }
        text += " "
        text += protocolName
        if let flags {
            text += " ["
            text += Self.text(ofFlags: flags)
            text += "]"
            if let sequence {
                text += " seq "
                text += String(sequence)
            }
            if payloadLength > 0 {
                text += " data "
                text += String(payloadLength)
            }
        }
        if let icmpType, let icmpCode { text += " type \(icmpType) code \(icmpCode)" }
        text += " ttl "
        text += String(ttl)
        return text
    }

    var protocolName: String {
        switch protocolNumber {
        case 1: "icmp"
        case 4: "ipip"
        case 6: "tcp"
        case 17: "udp"
        case 47: "gre"
        case 58: "icmpv6"
        case 132: "sctp"
        default: "protocol \(protocolNumber)"
        }
    }

    /// tcpdump's letters: `S`, `S.`, `P.`, `R`.
    private static func text(ofFlags flags: UInt8) -> String {
        var text = ""
        if flags & 0x01 != 0 { text += "F" }
        if flags & 0x02 != 0 { text += "S" }
        if flags & 0x04 != 0 { text += "R" }
        if flags & 0x08 != 0 { text += "P" }
        if flags & 0x20 != 0 { text += "U" }
        if flags & 0x10 != 0 { text += "." }
        return text.isEmpty ? "none" : text
    }
}

extension String {
    /// Whether an ASCII text is part of it, octet by octet: `contains` compares characters as Unicode has them, which takes
    /// a hundred times as long for what is asked of every packet.
    func has(_ part: StaticString) -> Bool {
        var text = self
        return text.withUTF8 { text in
            part.withUTF8Buffer { part in
                guard let first = part.first, text.count >= part.count else { return part.isEmpty }
                for start in 0...text.count - part.count where text[start] == first {
                    if text[start..<start + part.count].elementsEqual(part) { return true }
                }
                return false
            }
        }
    }
}
