internal import Net

/// The settings that matter for load balancing, where they are not the kernel's own.
enum Sysctls {
    private static let defaults = [
        "arp_ignore": "0", "arp_announce": "0", "arp_filter": "0", "rp_filter": "0", "accept_local": "0",
        "send_redirects": "1",
    ]
    private static let conntrack = [
        "net.netfilter.nf_conntrack_tcp_be_liberal": "0", "net.netfilter.nf_conntrack_tcp_loose": "1",
    ]

    /// As a YAML mapping; empty if there are none.
    static func ofHost(_ machine: Machine, interfaces: Set<String>) -> String {
        mapping(
            machine.sysctls.filter { key, value in
                if key == "net.ipv4.ip_forward" { return value != "0" }
                let parts = key.split(separator: ".").map(String.init)
                if parts.count == 5, parts.starts(with: ["net", "ipv4", "conf"]), let own = defaults[parts[4]] {
                    return value != own && (parts[3] == "all" || interfaces.contains(parts[3]))
                }
                return conntrack[key].map { $0 != value } ?? false
            })
    }

    /// Bridges hand their frames to iptables and its kin unless the machine says otherwise.
    static func ofHypervisor(_ machine: Machine, _ missing: inout [String]) -> String {
        mapping(
            machine.sysctls.filter { key, value in
                guard key.hasPrefix(bridgeFilter) else { return conntrack[key].map { $0 != value } ?? false }
                return value != "1" && !isAskedForByHybridBridges(key.dropFirst(bridgeFilter.count), machine, &missing)
            })
    }

    private static let bridgeFilter = "net.bridge.bridge-nf-call-"

    /// Where a sysctl is off, a bridge can still ask for the filter itself (`ip link set … type bridge nf_call_iptables 1`).
    private static func isAskedForByHybridBridges(
        _ filter: Substring, _ machine: Machine, _ missing: inout [String]
    ) -> Bool {
        let bridges = machine.hybridBridges
        guard !bridges.isEmpty else { return false }
        let asking = bridges.map { bridge in
            let options = bridge.linkinfo?.infoData
            return switch filter {
            case "iptables": options?.nfCallIptables
            case "ip6tables": options?.nfCallIp6Tables
            case "arptables": options?.nfCallArptables
            default: Int?.none
            }
        }
        if asking.contains(nil) {
            missing.append(
                "\(machine.name): whether its hybrid bridges ask for \(filter) themselves, which "
                    + "'\(Bundle.File.link.command)' shows")
        } else if Set(asking).count > 1 {
            missing.append("\(machine.name): only some of its hybrid bridges ask for \(filter), here all do")
        }
        return asking.contains { $0 == 1 }
    }

    private static func mapping(_ sysctls: [(key: String, value: String)]) -> String {
        let entries = sysctls.map { "\($0.key): \(ScenarioWriter.quoted($0.value))" }
        return entries.isEmpty ? "" : "{\(entries.joined(separator: ", "))}"
    }
}

/// A host's own rules as iptables' arguments.
enum HostRules {
    private static let builtin: Set<String> = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]

    static func arguments(_ dump: String) -> [String] {
        var arguments: [String] = []
        var table = "filter"
        for line in dump.split(separator: "\n") {
            let rule = line.first == "[" ? line.drop { $0 != " " }.dropFirst() : line
            switch rule.first {
            case "*": table = String(rule.dropFirst())
            case ":":
                let words = rule.dropFirst().split(separator: " ").map(String.init)
                guard words.count > 1 else { continue }
                if !builtin.contains(words[0]) {
                    arguments.append("-t \(table) -N \(words[0])")
                } else if words[1] != "ACCEPT" {
                    arguments.append("-t \(table) -P \(words[0]) \(words[1])")
                }
            case "-": arguments.append("-t \(table) \(rule)")
            default: continue
            }
        }
        return arguments
    }
}

/// What `ipvsadm -Sn` prints: a director's services.
struct IPVSRules {
    struct Service {
        var key: String
        var transport: String
        var scheduler = "rr"
        var persistence: Int?
        var realServers: [String] = []

        var lines: [String] {
            var lines = ["\(transport): \(ScenarioWriter.quoted(key))", "scheduler: \(scheduler)"]
            if let persistence { lines.append("persistence: \(persistence)") }
            return lines + ["real_servers:"] + realServers.map { "  - \($0)" }
        }
    }

    private(set) var services: [Service] = []

    init(_ text: String, of machine: String, _ missing: inout [String]) {
        let transports = ["-t": "tcp", "-u": "udp", "--sctp-service": "sctp"]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            func value(_ option: String) -> String? {
                words.firstIndex(of: option).flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
            }
            guard let transport = transports.keys.sorted().first(where: { words.contains($0) }),
                let key = value(transport), Endpoint(key) != nil
            else {
                missing.append("\(machine): '\(line)' of ipvsadm, which scenarios cannot say")
                continue
            }
            switch words.first {
            case "-A":
                var service = Service(key: key, transport: transports[transport] ?? "tcp")
                service.scheduler = value("-s") ?? service.scheduler
                service.persistence = value("-p").flatMap { Int($0) }
                services.append(service)
            case "-a":
                guard let server = value("-r").flatMap({ Endpoint($0) }),
                    let index = services.firstIndex(where: { $0.key == key && $0.transport == transports[transport] })
                else { continue }
                let forwarding = words.contains("-m") ? "masquerading" : words.contains("-i") ? "tunneling" : nil
                var entry = "{address: \(ScenarioWriter.quoted(server.address)), port: \(server.port)"
                if let forwarding { entry += ", forwarding: \(forwarding)" }
                if let weight = value("-w"), weight != "1" { entry += ", weight: \(weight)" }
                services[index].realServers.append(entry + "}")
            default: continue
            }
        }
    }
}
