internal import Evidence
internal import Glibc
internal import Kernel
internal import Net

/// Tries out what this host's kernel has, in the namespaces of the calling process, which are private.
enum NativeProbe {
    /// By the names of `Capabilities.known`: nil if it is there, otherwise the kernel's answer.
    /// - Parameter names: those to look for: each costs namespaces, and some a program or two, 10 ms or so.
    static func reasons(for names: Set<String>) -> [String: String?] {
        var reasons: [String: String?] = [:]
        for each in Capabilities.known where names.contains(each.name) {
            reasons.updateValue(obstacle(to: each.name), forKey: each.name)
        }
        return reasons
    }

    private static func obstacle(to name: String) -> String? {
        do {
            let namespace = try NetworkNamespace.create(named: name)
            defer { namespace.close() }
            try attempt(name, in: namespace)
            return nil
        } catch {
            return shortly(error)
        }
    }

    /// The kernel's or the program's own words if there are any, in one line.
    private static func shortly(_ error: any Error) -> String {
        guard let error = error as? KernelError else { return "\(error)" }
        let words = error.explanation?.split(whereSeparator: \.isNewline).first.map(String.init)
        return words ?? "\(Errno.message(error.code)), \(Errno.name(error.code))"
    }

    private static func attempt(_ name: String, in namespace: NetworkNamespace) throws {
        let route = try RouteNetlink(in: namespace)
        switch name {
        case "ipvs": try namespace.run { _ = try IPVSHandle() }
        case "dummy": try route.perform([.addDummy(name: "probe0")])
        case "bridge-nf":
            try SystemControl.write("net.bridge.bridge-nf-call-iptables", "1", in: namespace)
        case "conntrack": try load(["-A INPUT -m state --state INVALID -j DROP"], table: "filter", in: namespace)
        case "zones": try load(["-A PREROUTING -j CT --zone 1"], table: "raw", in: namespace)
        case "arptables":
            try load(["-A INPUT -d 192.0.2.1 -j DROP"], table: "filter", family: .arp, in: namespace)
        case "ebtables": try load(["-A FORWARD -p ARP -j DROP"], table: "filter", family: .bridge, in: namespace)
        case "ipset": try check(["ipset", "create", "probe", "hash:ip"], in: namespace)
        case "netem": try route.perform([.setNetem(link: "lo", Netem(delay: 1_000_000))])
        case "vxlan": try route.perform([.addVXLAN(.init(name: "probe0", id: 1))])
        case "ipip": try check(["ip", "tunnel", "add", "probe0", "mode", "ipip", "remote", "192.0.2.1"], in: namespace)
        case "gre": try check(["ip", "tunnel", "add", "probe0", "mode", "gre", "remote", "192.0.2.1"], in: namespace)
        case "ipv6":
            guard access("/proc/sys/net/ipv6", R_OK) == 0 else {
                throw KernelError("look for IPv6", code: EAFNOSUPPORT)
            }
        default: throw KernelError("look for \(name)", code: ENOSYS)
        }
    }

    private static func load(
        _ rules: [String], table: String, family: RuleFamily = .ipv4, in namespace: NetworkNamespace
    ) throws {
        let text = "*\(table)\n" + rules.map { $0 + "\n" }.joined() + "COMMIT\n"
        try RuleTables.load(text, family: family, flush: true) { arguments, input in
            let record = try ProcessRunner.run(arguments, in: namespace, input: input).record
            return (record.status, record.output, record.errors)
        }
    }

    private static func check(_ arguments: [String], in namespace: NetworkNamespace) throws {
        let result = try ProcessRunner.run(arguments, in: namespace)
        guard result.succeeded else {
            throw KernelError(arguments.joined(separator: " "), code: EOPNOTSUPP, explanation: result.errors)
        }
    }
}
