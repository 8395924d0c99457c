/// `-p`, the protocol's match and its ports, as iptables-save prints what a release's `_protocol_arg` and `_port_arg` wrote.
struct ProtocolWords {
    typealias Ports = (minimum: UInt16, maximum: UInt16?)

    let release: NeutronRelease
    /// As in the API: a name or a number; nil for any.
    let name: String?

    /// iptables' match extensions by protocol name. (udplite has none: its ports take multiport.)
    private static let matches = [
        "tcp": "tcp", "udp": "udp", "icmp": "icmp", "ipv6-icmp": "icmp6", "sctp": "sctp", "dccp": "dccp",
    ]
    /// The names that iptables prints for numbers.
    private static let names = [
        "1": "icmp", "6": "tcp", "17": "udp", "33": "dccp", "47": "gre", "50": "esp", "51": "ah", "58": "ipv6-icmp",
        "132": "sctp", "136": "udplite",
    ]

    func words(sourcePorts: Ports?, ports: Ports?) -> [String] {
        guard let name else { return [] }
        let printed = Self.names[name] ?? name
        // Before it learnt to translate numbers, the driver compared names alone: `-p 6` loses its ports.
        let known = release.protocolMatch == .once ? printed : name
        let sources = arguments("--sport", sourcePorts, of: known)
        let destinations = arguments("--dport", ports, of: known)
        let match = Self.matches[known].map { ["-m", $0] } ?? []
        let isICMP = known == "icmp" || known == "ipv6-icmp"
        var words = ["-p", printed]
        switch release.protocolMatch {
        case .always where !isICMP:
            words += (release.portProtocols.contains(known) ? match : []) + sources + destinations
        case .perPortArgument where !isICMP:
            words += (sources.isEmpty ? [] : match + sources) + (destinations.isEmpty ? [] : match + destinations)
        default:
            let arguments = sources + destinations
            words += arguments.isEmpty ? [] : match + arguments
        }
        return words
    }

    private func arguments(_ option: String, _ ports: Ports?, of name: String) -> [String] {
        guard let ports, !(release.zeroPortIsNone && ports.minimum == 0) else { return [] }
        if name == "icmp" || name == "ipv6-icmp" {
            let code = ports.maximum.map { "/\($0)" } ?? ""
            return [name == "icmp" ? "--icmp-type" : "--icmpv6-type", "\(ports.minimum)\(code)"]
        }
        guard release.portProtocols.contains(name) else { return [] }
        let maximum = ports.maximum ?? ports.minimum
        if maximum != ports.minimum { return ["-m", "multiport", option + "s", "\(ports.minimum):\(maximum)"] }
        if Self.matches[name] == nil { return ["-m", "multiport", option + "s", "\(maximum)"] }
        return [option, "\(maximum)"]
    }
}
