import Evidence
import Glibc
import Kernel
import Synchronization
import Testing

/// Counts what it runs.
private final class Runs: Sendable {
    let programs = Mutex<[String]>([])
    var list: [String] { programs.withLock { $0 } }

    var runner: RuleProgramRunner {
        { arguments, input in
            self.programs.withLock { $0.append(arguments[0]) }
            return try Program.run(arguments, input)
        }
    }
}

private let hypervisor = """
    *raw
    :PREROUTING ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    -A PREROUTING -i tap1 -j CT --zone 1
    COMMIT
    *filter
    :INPUT ACCEPT [0:0]
    :FORWARD DROP [0:0]
    :OUTPUT ACCEPT [0:0]
    :neutron-i0 - [0:0]
    :empty - [0:0]
    -A INPUT -i lo -j neutron-i0
    -A neutron-i0 -p icmp -m comment --comment "ping \\"it\\"" -j ACCEPT
    -A neutron-i0 -m state --state INVALID -j DROP
    -A neutron-i0 -j RETURN
    COMMIT

    """

private let hypervisorV6 = """
    *filter
    :INPUT ACCEPT [0:0]
    :FORWARD ACCEPT [0:0]
    :OUTPUT DROP [0:0]
    -A INPUT -s ::1/128 -p udp -j ACCEPT
    -A OUTPUT -o lo -j ACCEPT
    COMMIT

    """

/// What `iptables-legacy-save -c` says, as RuleCounters: an independent reading.
private func savedCounters(_ text: String, family: String) -> [RuleCounter] {
    var counters: [RuleCounter] = []
    var table = ""
    func numbers(_ word: Substring) -> [Int] {
        word.dropFirst().dropLast().split(separator: ":").compactMap { Int($0) }
    }
    for line in text.split(separator: "\n") {
        let words = line.split(separator: " ", maxSplits: 3)
        if line.hasPrefix("*") { table = String(line.dropFirst()) }
        if line.hasPrefix(":"), words[1] != "-" {
            let count = numbers(words[2])
            counters.append(
                RuleCounter(
                    family: family, table: table, chain: String(words[0].dropFirst()), number: 0,
                    rule: "policy \(words[1])", packets: count[0], bytes: count[1]))
        }
        guard line.hasPrefix("["), words.count >= 3 else { continue }
        let count = numbers(words[0])
        let chain = String(words[2])
        let number = counters.filter { $0.table == table && $0.chain == chain && $0.number > 0 }.count + 1
        counters.append(
            RuleCounter(
                family: family, table: table, chain: chain, number: number,
                rule: words.count > 3 ? String(words[3]) : "", packets: count[0], bytes: count[1]))
    }
    return counters
}

private func ordered(_ counters: [RuleCounter]) -> [String] {
    counters.map { "\($0.family) \($0.table) \($0.chain) \($0.number) \($0.rule) \($0.packets):\($0.bytes)" }.sorted()
}

@Suite("Rule tables", .enabled(if: PrivateNetwork.isAllowed, "needs root"))
struct RuleTests {
    @Test("looking for rules in a namespace without any makes no table and starts no program")
    func nothing() async throws {
        try await PrivateNetwork.run {
            let runs = Runs()
            let reader = try RuleReader(run: runs.runner)
            #expect(try reader.read() == [])
            #expect(try reader.savedText(.ipv4) == "")
            #expect(try reader.savedText(.arp) == "")
            #expect(runs.list == [])
            for file in ["ip", "ip6", "arp"] {
                let names = try Program.run(["cat", "/proc/net/\(file)_tables_names"])
                #expect(names.output == "")
            }
        }
    }

    @Test("counters and texts are those of iptables-legacy-save -c")
    func counters() async throws {
        try await PrivateNetwork.run {
            let runs = Runs()
            let reader = try RuleReader(run: runs.runner)
            try reader.load(hypervisor, family: .ipv4)
            try reader.load(hypervisorV6, family: .ipv6)
            try Program.check(["ping", "-c", "2", "-i", "0.01", "127.0.0.1"])
            try Program.check(["ping", "-c", "1", "::1"])

            let read = try reader.read()
            let v4 = savedCounters(try Program.check(["iptables-legacy-save", "-c"]), family: "ipv4")
            let v6 = savedCounters(try Program.check(["ip6tables-legacy-save", "-c"]), family: "ipv6")
            #expect(ordered(read) == ordered(v4 + v6))
            let pings = read.first { $0.chain == "neutron-i0" && $0.number == 1 }
            #expect(pings?.packets == 4)
            #expect(pings?.rule == #"-p icmp -m comment --comment "ping \"it\"" -j ACCEPT"#)
            // Families, then tables by name; a policy before the rules.
            #expect(read.first?.table == "filter")
            #expect(read.first?.chain == "INPUT")
            #expect(read.first?.rule == "policy ACCEPT")
            #expect(read.contains { $0.chain == "FORWARD" && $0.number == 0 && $0.rule == "policy DROP" })
            #expect(!read.contains { $0.chain == "empty" })
        }
    }

    @Test("texts are read once, and again only when the rules have changed")
    func caching() async throws {
        try await PrivateNetwork.run {
            let runs = Runs()
            let reader = try RuleReader(run: runs.runner)
            // Matches with a state of their own in the kernel must not look like changes.
            let matches = """
                -A INPUT -m limit --limit 5/sec -j ACCEPT
                -A INPUT -m mac --mac-source 02:00:00:00:00:01 -j ACCEPT
                -A INPUT -m physdev --physdev-in tap1 --physdev-is-bridged -j ACCEPT
                -A INPUT -m statistic --mode nth --every 3 --packet 0 -j ACCEPT
                -A INPUT -m hashlimit --hashlimit-upto 9/sec --hashlimit-name drbench -j ACCEPT
                -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT

                """
            let text = hypervisor.split(separator: "COMMIT\n", omittingEmptySubsequences: true)
            try reader.load("\(text[0])COMMIT\n\(text[1])\(matches)COMMIT\n", family: .ipv4)
            _ = try reader.read()
            try Program.check(["ping", "-c", "2", "-i", "0.01", "127.0.0.1"])
            #expect(try reader.read().filter { $0.packets > 0 }.count > 4)
            #expect(runs.list == ["iptables-legacy-restore", "iptables-legacy-save"])

            // The same number of rules, changed behind the reader's back.
            try Program.check(["iptables-legacy", "-R", "INPUT", "1", "-i", "lo", "-j", "ACCEPT"])
            let changed = try reader.read()
            #expect(changed.first { $0.chain == "INPUT" && $0.number == 1 }?.rule == "-i lo -j ACCEPT")
            #expect(ordered(try reader.read()) == ordered(changed))
            #expect(try reader.savedText(.ipv4).contains("\n-A INPUT -i lo -j ACCEPT\n"))
            #expect(runs.list.count == 3)
        }
    }

    @Test("without flush, rules are added to what is there")
    func adding() async throws {
        try await PrivateNetwork.run {
            let reader = try RuleReader(run: Runs().runner)
            try reader.load(hypervisorV6, family: .ipv6)
            let more = "*filter\n-A INPUT -p tcp -j DROP\nCOMMIT\n"
            try reader.load(more, family: .ipv6, flush: false)
            let rules = try reader.read().filter { $0.chain == "INPUT" && $0.number > 0 }.map(\.rule)
            #expect(rules == ["-s ::1/128 -p udp -j ACCEPT", "-p tcp -j DROP"])
            try reader.load(more, family: .ipv6)
            #expect(try reader.read().filter { $0.chain == "INPUT" && $0.number > 0 }.count == 1)
        }
    }

    @Test("what was saved loads again as the same")
    func savedText() async throws {
        try await PrivateNetwork.run {
            let reader = try RuleReader(run: Runs().runner)
            try reader.load(hypervisor, family: .ipv4)
            try Program.check(["ping", "-c", "1", "127.0.0.1"])
            let saved = try reader.savedText(.ipv4)
            #expect(saved.hasPrefix("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n"))
            #expect(!saved.contains("#"))
            #expect(saved.contains("\nCOMMIT\n*raw\n"))
            try reader.load(saved, family: .ipv4)
            #expect(try reader.savedText(.ipv4) == saved)
        }
    }

    @Test(
        "a rule set that does not load is blamed on its line",
        arguments: [
            ("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT --bogus\nCOMMIT\n", "line 3 `-A INPUT --bogus`", "unknown option"),
            ("*filter\n-A INPUT -j nowhere\nCOMMIT\n", "line 2 `-A INPUT -j nowhere`", "nowhere"),
            ("*filter\n-A INPUT -p tcp -j SNAT --to 1.2.3.4\nCOMMIT\n", "line 3 `COMMIT`", "failed"),
            ("hello\n", "line 1 `hello`", "failed"),
        ])
    func failures(text: String, place: String, words: String) async throws {
        let error = await #expect(throws: KernelError.self) {
            try await PrivateNetwork.run { try RuleTables.load(text, family: .ipv4, run: Runs().runner) }
        }
        let explanation = try #require(error?.explanation)
        #expect(error?.operation == "load ipv4 rules")
        #expect(explanation.hasPrefix(place))
        #expect(explanation.contains(words))
    }

    @Test("ARP rules count requests, as arptables-legacy -L -v shows")
    func arp() async throws {
        try await PrivateNetwork.run {
            let reader = try RuleReader(run: Runs().runner)
            let text = """
                *filter
                :INPUT ACCEPT
                :OUTPUT DROP
                :vip -
                -A OUTPUT -d 10.7.7.2 -j vip
                -A vip -s 10.7.7.1 --opcode 1 -j ACCEPT
                -A INPUT -d 203.0.113.2 -j DROP

                """
            try reader.load(text, family: .arp)
            try reader.load("*filter\n-A INPUT -s 203.0.113.9 -j DROP\n", family: .arp, flush: false)
            try Program.check(["ip", "link", "add", "veth-a", "type", "veth", "peer", "name", "veth-b"])
            for link in ["veth-a", "veth-b"] { try Program.check(["ip", "link", "set", link, "up"]) }
            try Program.check(["ip", "address", "add", "10.7.7.1/24", "dev", "veth-a"])
            _ = try Program.run(["ping", "-c", "1", "-W", "1", "10.7.7.2"])
            // No further request between drbench's look and the tool's.
            try Program.check(["ip", "link", "set", "veth-a", "down"])

            let read = try reader.read()
            let listing = try Program.check(["arptables-legacy", "-L", "-n", "-v"])
            let sent = try #require(read.first { $0.chain == "vip" && $0.number == 1 })
            #expect(sent.packets > 0)
            #expect(sent.rule == "-j ACCEPT -s 10.7.7.1 --opcode 1")
            #expect(listing.contains("-s 10.7.7.1 --opcode 1 , pcnt=\(sent.packets) -- bcnt=\(sent.bytes) "))
            #expect(read.first { $0.chain == "OUTPUT" && $0.number == 0 }?.rule == "policy DROP")
            #expect(
                read.filter { $0.chain == "INPUT" && $0.number > 0 }.map(\.rule)
                    == ["-j DROP -d 203.0.113.2", "-j DROP -s 203.0.113.9"])

            let saved = try reader.savedText(.arp)
            try reader.load(saved, family: .arp)
            #expect(try reader.savedText(.arp) == saved)
        }
    }

    @Test("an option that arptables would swallow silently is refused")
    func arpFailure() async throws {
        let text = "*filter\n:INPUT ACCEPT\n-A INPUT --source 203.0.113.2 -j DROP\n"
        let error = await #expect(throws: KernelError.self) {
            try await PrivateNetwork.run { try RuleTables.load(text, family: .arp, run: Runs().runner) }
        }
        #expect(
            error?.explanation == "line 3 `-A INPUT --source 203.0.113.2 -j DROP`: unknown option \"--source\"")
    }

    @Test(
        "bridge rules load, are listed with counters, and fail by their line",
        .enabled(if: BridgeTables.isAvailable, "this kernel has no ebtables"))
    func bridge() async throws {
        try await PrivateNetwork.run {
            let reader = try RuleReader(run: Runs().runner)
            let text = """
                *filter
                :INPUT ACCEPT
                :FORWARD ACCEPT
                :OUTPUT ACCEPT
                :neutronARP-tap1 DROP
                -A OUTPUT -p ARP --arp-ip-src 10.7.7.1 -s 2:0:0:0:0:1 -j neutronARP-tap1
                -A neutronARP-tap1 -p ARP -j ACCEPT
                COMMIT

                """
            try reader.load(text, family: .bridge)
            try Program.check(["ip", "link", "add", "br0", "address", "02:00:00:00:00:01", "type", "bridge"])
            try Program.check(["ip", "link", "add", "veth-a", "type", "veth", "peer", "name", "veth-b"])
            for command in [["veth-a", "master", "br0", "up"], ["veth-b", "up"], ["br0", "up"]] {
                try Program.check(["ip", "link", "set"] + command)
            }
            try Program.check(["ip", "address", "add", "10.7.7.1/24", "dev", "br0"])
            _ = try Program.run(["ping", "-c", "1", "-W", "1", "10.7.7.2"])
            let read = try reader.read()
            #expect(read.map(\.family) == ["bridge", "bridge"])
            #expect(
                read.map(\.rule) == [
                    "-p ARP -s 02:00:00:00:00:01 --arp-ip-src 10.7.7.1 -j neutronARP-tap1", "-p ARP -j ACCEPT",
                ])
            #expect(read.allSatisfy { $0.packets > 0 && $0.bytes > 0 })
            #expect(try reader.savedText(.bridge).contains(":neutronARP-tap1 DROP\n-A OUTPUT -p ARP"))

            let error = #expect(throws: KernelError.self) {
                try reader.load("*filter\n:INPUT ACCEPT\n-A INPUT -p ARP -j nowhere\n", family: .bridge)
            }
            #expect(error?.explanation == "line 3 `-A INPUT -p ARP -j nowhere`: Illegal target name 'nowhere'.")
        }
    }
}

private enum BridgeTables {
    /// Asked in a namespace of its own: looking makes the table.
    static let isAvailable =
        (try? Program.run(["unshare", "-n", "ebtables-legacy", "-t", "filter", "-L"]).status) == 0
}
