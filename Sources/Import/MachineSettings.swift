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

    typealias Entries = [(key: String, value: YAMLNode)]

    static func ofHost(_ machine: Machine, interfaces: Set<String>) -> Entries {
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
    static func ofHypervisor(_ machine: Machine, _ missing: inout [String]) -> Entries {
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

    /// Each once: what is printed last.
    private static func mapping(_ sysctls: [(key: String, value: String)]) -> Entries {
        var entries: Entries = []
        for (key, value) in sysctls {
            if let index = entries.firstIndex(where: { $0.key == key }) {
                entries[index].value = .text(value)
            } else {
                entries.append((key, .text(value)))
            }
        }
        return entries
    }
}

/// A host's own rules as iptables' arguments.
enum HostRules {
    private static let builtin: Set<String> = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]

    private static let tables: Set<String> = ["filter", "nat", "mangle", "raw", "security"]

    /// - Parameter file: what the dump is called in errors.
    /// - Throws: `ImportError` with the line for what iptables-save does not print: no rule may get lost.
    static func check(_ dump: String, of file: String) throws(ImportError) {
        var table: String?
        var count = 0
        for line in dump.split(separator: "\n", omittingEmptySubsequences: false) {
            count += 1
            if line.first == "#" || line.allSatisfy(\.isWhitespace) { continue }
            let words = rule(in: line).split(separator: " ")
            func expect(_ expected: String, _ isThere: Bool) throws(ImportError) {
                guard !isThere else { return }
                throw ImportError("\(file):\(count): '\(line.prefix(80))' cannot stand here, expected \(expected)")
            }
            if line.first == "*" {
                try expect("COMMIT first", table == nil)
                table = String(line.dropFirst())
                try expect("a table such as *filter", tables.contains(table ?? ""))
                continue
            }
            try expect("a table such as *filter first", table != nil)
            switch line.first {
            case ":": try expect("a line such as :FORWARD ACCEPT [0:0]", words.count > 1 && words[0].count > 1)
            case "C": try expect("COMMIT", line == "COMMIT")
            default: try expect("a rule such as -A INPUT -j DROP", words.count > 1 && words[0] == "-A")
            }
            if line == "COMMIT" { table = nil }
        }
        if let table {
            throw ImportError("\(file):\(count): the file ends within table '\(table)', expected COMMIT")
        }
    }

    static func arguments(_ dump: String) -> [String] {
        var arguments: [String] = []
        var table = "filter"
        for line in dump.split(separator: "\n") {
            let rule = rule(in: line)
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

    /// Without its counters.
    private static func rule(in line: Substring) -> Substring {
        line.first == "[" ? line.drop { $0 != " " }.dropFirst() : line
    }
}

/// What `ipvsadm -Sn` prints: a director's services.
struct IPVSRules {
    struct Service {
        var key: String
        var transport: String
        var scheduler = "rr"
        var persistence: Int?
        var realServers: [YAMLNode] = []

        var content: [YAMLLine] {
            var lines: [YAMLLine] = [.entry(transport, .text(key)), .entry("scheduler", .word(scheduler))]
            if let persistence { lines.append(.entry("persistence", YAMLNode(persistence))) }
            return lines + [.entry("real_servers", .items(realServers))]
        }

        /// As the scenario has them.
        var lines: [String] { YAMLDocument(content).lines }
    }

    private(set) var services: [Service] = []

    init(_ text: String, of machine: String, _ missing: inout [String]) {
        let transports = ["-t": "tcp", "-u": "udp", "--sctp-service": "sctp"]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            func value(_ option: String) -> String? {
                words.firstIndex(of: option).flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
            }
            guard let option = transports.keys.sorted().first(where: { words.contains($0) }),
                let transport = transports[option], let key = value(option), Endpoint(key) != nil,
                words.first == "-A" || words.first == "-a"
            else {
                missing.append("\(machine): '\(line)' of ipvsadm, which scenarios cannot say")
                continue
            }
            let known = services.firstIndex { $0.key == key && $0.transport == transport }
            if words.first == "-A" {
                var service = Service(key: key, transport: transport)
                service.scheduler = value("-s") ?? service.scheduler
                service.persistence = value("-p").flatMap { Int($0) }
                guard known == nil, service.scheduler.allSatisfy({ $0.isASCII && $0.isLetter }),
                    words.contains("-p") == (service.persistence != nil)
                else {
                    missing.append("\(machine): '\(line)' of ipvsadm, which is garbled or stands there twice")
                    continue
                }
                services.append(service)
            } else {
                guard let server = value("-r").flatMap({ Endpoint($0) }), let index = known,
                    let weight = Int(value("-w") ?? "1"), (0...65535).contains(weight)
                else {
                    missing.append("\(machine): '\(line)' of ipvsadm, which is garbled or names no service before it")
                    continue
                }
                let forwarding = words.contains("-m") ? "masquerading" : words.contains("-i") ? "tunneling" : nil
                var entry: [(key: String, value: YAMLNode)] = [
                    ("address", YAMLNode(server.address)), ("port", YAMLNode(Int(server.port))),
                ]
                if let forwarding { entry.append(("forwarding", .word(forwarding))) }
                if weight != 1 { entry.append(("weight", YAMLNode(weight))) }
                services[index].realServers.append(.flow(entry))
            }
        }
    }
}
