import Evidence
import Net
import Testing

/// What the standard tools print, read without any of drbench's own readers.
enum ToolTexts {
    static func words(_ line: some StringProtocol) -> [String] {
        String(line).replacing("\t", with: " ").split(separator: " ").map(String.init)
    }

    static func lines(_ text: String) -> [String] {
        text.split(separator: "\n").map(String.init)
    }

    // MARK: conntrack -L -o extended

    /// `ipv4     2 tcp      6 106 SYN_SENT src=… dst=… sport=… dport=… [UNREPLIED] src=… dst=… sport=… dport=… mark=0
    /// zone=1 use=1`
    static func conntrackEntry(_ line: String) throws -> ConntrackEntry {
        let words = words(line)
        try #require(words.count > 5, "\(line)")
        let values = words.filter { $0.contains("=") }.map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
        func value(_ key: String, _ number: Int = 0) -> String? {
            let found = values.filter { $0[0] == key && $0.count == 2 }
            return found.indices.contains(number) ? found[number][1] : nil
        }
        func tuple(_ direction: Int) throws -> ConntrackTuple {
            var ports = (source: UInt16(0), destination: UInt16(0))
            if let type = value("type", direction).flatMap(UInt16.init) {
                ports.source = try #require(UInt16(value("id", direction) ?? ""), "\(line)")
                ports.destination = type << 8 | (try #require(UInt16(value("code", direction) ?? ""), "\(line)"))
            } else if let source = value("sport", direction) {
                ports.source = try #require(UInt16(source), "\(line)")
                ports.destination = try #require(UInt16(value("dport", direction) ?? ""), "\(line)")
            }
            return ConntrackTuple(
                source: try #require(IPAddress(value("src", direction) ?? ""), "\(line)"),
                destination: try #require(IPAddress(value("dst", direction) ?? ""), "\(line)"),
                sourcePort: ports.source, destinationPort: ports.destination)
        }
        return ConntrackEntry(
            protocol: words[2], original: try tuple(0), reply: try tuple(1),
            state: words[5].contains("=") ? nil : words[5],
            flags: ["UNREPLIED", "ASSURED"].filter { words.contains("[\($0)]") },
            zone: try #require(UInt16(value("zone") ?? "0")), mark: try #require(UInt32(value("mark") ?? "0")),
            timeout: try #require(UInt32(words[4]), "\(line)"))
    }

    // MARK: iptables-save -c

    /// Rules with their counters, and built-in chains' policies as rule 0; the tables in the order of the text.
    static func savedRules(_ text: String) throws -> [RuleCounter] {
        var rules: [RuleCounter] = []
        var table = ""
        var count: [String: Int] = [:]
        func counters(_ word: Substring) throws -> (Int, Int) {
            let numbers = word.dropFirst().dropLast().split(separator: ":").compactMap { Int($0) }
            try #require(numbers.count == 2, "\(word)")
            return (numbers[0], numbers[1])
        }
        for line in text.split(separator: "\n") {
            switch line.first {
            case "*":
                table = String(line.dropFirst())
                count = [:]
            case ":":
                let words = line.dropFirst().split(separator: " ")
                guard words[1] != "-" else { continue }
                let (packets, bytes) = try counters(words[2])
                rules.append(
                    RuleCounter(
                        family: "ipv4", table: table, chain: String(words[0]), number: 0, rule: "policy \(words[1])",
                        packets: packets, bytes: bytes))
            case "[":
                let words = line.split(separator: " ", maxSplits: 3)
                try #require(words.count == 4 && words[1] == "-A", "\(line)")
                let (packets, bytes) = try counters(words[0])
                let chain = String(words[2])
                count[chain, default: 0] += 1
                rules.append(
                    RuleCounter(
                        family: "ipv4", table: table, chain: chain, number: count[chain, default: 0],
                        rule: String(words[3]), packets: packets, bytes: bytes))
            default:
                #expect(line.hasPrefix("#") || line == "COMMIT", "\(line)")
            }
        }
        return rules
    }

    // MARK: arptables -L -n -v

    /// `Chain INPUT (policy ACCEPT 5 packets, 140 bytes)`, then rules:
    /// `-j DROP -i * -o * -d 203.0.113.2 , pcnt=1 -- bcnt=28`. With -v it shows the interfaces, with * for any.
    static func arpRules(_ text: String) throws -> [RuleCounter] {
        var rules: [RuleCounter] = []
        var chain = ""
        var number = 0
        for line in lines(text) {
            let words = words(line)
            func figure(before word: String) throws -> Int {
                let index = try #require(words.firstIndex(of: word), "\(line)")
                return try #require(Int(words[index - 1]), "\(line)")
            }
            if words.first == "Chain" {
                chain = words[1]
                number = 0
                rules.append(
                    RuleCounter(
                        family: "arp", table: "filter", chain: chain, number: 0, rule: "policy \(words[3])",
                        packets: try figure(before: "packets,"), bytes: try figure(before: "bytes)")))
            } else {
                let comma = try #require(words.firstIndex(of: ","), "\(line)")
                let packets = try #require(words.first { $0.hasPrefix("pcnt=") }.flatMap { Int($0.dropFirst(5)) })
                let bytes = try #require(words.first { $0.hasPrefix("bcnt=") }.flatMap { Int($0.dropFirst(5)) })
                number += 1
                let rule = words[..<comma].joined(separator: " ").replacing(" -i *", with: "").replacing(
                    " -o *", with: "")
                rules.append(
                    RuleCounter(
                        family: "arp", table: "filter", chain: chain, number: number, rule: rule, packets: packets,
                        bytes: bytes))
            }
        }
        return rules
    }

    // MARK: ip neigh

    /// `203.0.113.4 dev eth0 lladdr fa:16:3e:00:00:04 REACHABLE`; without `lladdr …` if there is no MAC.
    static func neighbour(_ line: String) throws -> Neighbour {
        let words = words(line)
        let device = try #require(words.firstIndex(of: "dev"), "\(line)")
        let mac = words.firstIndex(of: "lladdr").map { words[$0 + 1] }
        return Neighbour(
            address: try #require(IPAddress(words[0]), "\(line)"), interface: words[device + 1],
            mac: mac.flatMap { MACAddress($0) }, state: try #require(words.last))
    }

    // MARK: /proc/net/snmp and netstat, nstat

    /// Pairs of lines, names and numbers. As `Ip.InReceives`, all of them.
    static func snmp(_ text: String) throws -> [String: Int] {
        var counters: [String: Int] = [:]
        let rows = lines(text).map { words($0) }
        try #require(rows.count % 2 == 0)
        for start in stride(from: 0, to: rows.count, by: 2) {
            try #require(rows[start].count == rows[start + 1].count && rows[start][0] == rows[start + 1][0])
            for (name, value) in zip(rows[start], rows[start + 1]).dropFirst() {
                let count: Int = try #require(Int(value), "\(name) \(value)")
                counters["\(rows[start][0].dropLast()).\(name)"] = count
            }
        }
        return counters
    }

    /// `IpInReceives                    41                 0.0`
    static func nstat(_ text: String) throws -> [String: Int] {
        var counters: [String: Int] = [:]
        for line in lines(text) where !line.hasPrefix("#") {
            let words = words(line)
            try #require(words.count == 3, "\(line)")
            let count: Int = try #require(Int(words[1]), "\(line)")
            counters[words[0]] = count
        }
        return counters
    }
}

/// IPVS as ipvsadm prints it, blanks apart.
struct IPVSTexts {
    var state: IPVSState

    private func address(_ service: IPVSService) throws -> String {
        "\(try #require(service.address)):\(try #require(service.port))"
    }

    /// `ipvsadm -Sn`
    func saved() throws -> [String] {
        let kinds = ["tcp": "-t", "udp": "-u", "sctp": "--sctp-service"]
        let methods = ["Route": "-g", "Masq": "-m", "Tunnel": "-i"]
        return try state.services.flatMap { service in
            let name = "\(try #require(kinds[service.protocol ?? ""])) \(try address(service))"
            let persistence = service.persistence.map { " -p \($0)" } ?? ""
            return ["-A \(name) -s \(service.scheduler)\(persistence)"]
                + (try service.destinations.map {
                    "-a \(name) -r \($0.address):\($0.port) \(try #require(methods[$0.forwarding])) -w \($0.weight)"
                })
        }
    }

    /// A table of services with their real servers; each real server's line with its service's name before it.
    private func table(_ service: (IPVSService) -> String, _ destination: (IPVSDestination) -> String) throws
        -> [String]
    {
        try state.services.flatMap { each in
            let name = "\(try #require(each.protocol).uppercased()) \(try address(each))"
            return ["\(name) \(service(each))"]
                + each.destinations.map { "\(name) -> \($0.address):\($0.port) \(destination($0))" }
        }
    }

    /// `ipvsadm -Ln`
    func listed() throws -> [String] {
        try table(
            { $0.scheduler + ($0.persistence.map { " persistent \($0)" } ?? "") },
            { "\($0.forwarding) \($0.weight) \($0.activeConnections) \($0.inactiveConnections)" })
    }

    /// `ipvsadm -Ln --stats --exact`
    func statistics() throws -> [String] {
        func text(_ counted: IPVSStatistics) -> String {
            "\(counted.connections) \(counted.inPackets) \(counted.outPackets) \(counted.inBytes) \(counted.outBytes)"
        }
        return try table({ text($0.statistics) }, { text($0.statistics) })
    }

    /// Brings ipvsadm's table into the same form: `  -> 203.0.113.4:80  Route  1  0  2` under its service.
    static func rows(_ output: String) -> [String] {
        var service = ""
        var rows: [String] = []
        for line in ToolTexts.lines(output) {
            let words = ToolTexts.words(line)
            if ["TCP", "UDP", "SCTP"].contains(words[0]) {
                service = "\(words[0]) \(words[1])"
                rows.append(words.joined(separator: " "))
            } else if words[0] == "->", words[1] != "RemoteAddress:Port" {
                rows.append("\(service) \(words.joined(separator: " "))")
            }
        }
        return rows
    }

    /// `ipvsadm -Lnc`: `TCP 01:46  FIN_WAIT    198.51.100.10:54018 203.0.113.2:80     203.0.113.5:80`
    static func connections(_ output: String) throws -> [IPVSConnection] {
        try ToolTexts.lines(output).map { ToolTexts.words($0) }.filter { ["TCP", "UDP", "SCTP"].contains($0[0]) }.map {
            words in
            try #require(words.count == 6, "\(words)")
            let time = words[1].split(separator: ":").compactMap { UInt32($0) }
            try #require(time.count == 2, "\(words)")
            return IPVSConnection(
                protocol: words[0].lowercased(), client: try #require(Endpoint(words[3])),
                virtual: try #require(Endpoint(words[4])), destination: try #require(Endpoint(words[5])),
                state: words[2], expires: time[0] * 60 + time[1])
        }
    }
}
