internal import Net

extension IPVSVirtualService {
    /// The service and its real servers as `ipvsadm -Sn` (version 1.31) writes them, one line each.
    func saved(_ realServers: [IPVSRealServer]) -> String {
        var line = "-A \(key) -s \(scheduler)"
        if let persistence {
            line += " -p \(persistence)"
            if let prefix = persistencePrefix, prefix != family.bitWidth {
                line += family == .v6 ? " -M \(prefix)" : " -M \(Self.mask(prefix))"
            }
        }
        if onePacket { line += " -o" }
        if !schedulerFlags.isEmpty { line += " -b " + savedFlags.joined(separator: ",") }
        return line + "\n" + realServers.map { "-a \(key) \($0.saved)\n" }.joined()
    }

    private var savedFlags: [String] {
        let hashing = scheduler == "sh" || scheduler == "mh"
        var flags: [String] = []
        if schedulerFlags.contains(.fallback) { flags.append(hashing ? "\(scheduler)-fallback" : "flag-1") }
        if schedulerFlags.contains(.port) { flags.append(hashing ? "\(scheduler)-port" : "flag-2") }
        if schedulerFlags.contains(.third) { flags.append("flag-3") }
        return flags
    }

    private static func mask(_ prefix: Int) -> String {
        IPVSAttributes.v4Mask(prefix).description
    }
}

extension IPVSRealServer {
    fileprivate var saved: String {
        var line = "-r "
        line += address.family == .v6 ? "[\(address)]:\(port)" : "\(address):\(port)"
        switch forwarding {
        case .masquerade: line += " -m"
        case .tunnel: line += " -i"
        case .route, .local, .bypass: line += " -g"
        }
        line += " -w \(weight)"
        guard forwarding == .tunnel, let tunnel else { return line }
        line += " --tun-type \(tunnel.kind.rawValue)"
        if tunnel.kind == .gue { line += " --tun-port \(tunnel.port)" }
        if tunnel.kind != .ipip { line += " --tun-\(tunnel.checksum.rawValue)" }
        return line
    }
}
