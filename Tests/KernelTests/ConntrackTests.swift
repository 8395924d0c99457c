import Evidence
import Glibc
import Kernel
import Net
import Testing

private let tracking = """
    *raw
    :PREROUTING ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    -A OUTPUT -p udp --dport 7005 -j CT --zone 5
    -A PREROUTING -p udp --dport 7005 -j CT --zone 5
    COMMIT
    *filter
    :INPUT ACCEPT [0:0]
    :FORWARD ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    -A INPUT -m conntrack --ctstate INVALID -j DROP
    -A INPUT -p udp --dport 7005 -j DROP
    -A INPUT -p tcp --dport 7999 -j DROP
    -A OUTPUT -p udp --dport 7000 -j CONNMARK --set-mark 0x2a
    COMMIT

    """
private let trackingV6 = """
    *filter
    :INPUT ACCEPT [0:0]
    :FORWARD ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    -A INPUT -m conntrack --ctstate INVALID -j DROP
    COMMIT

    """

private func track() throws {
    try RuleTables.load(tracking, family: .ipv4) { try Program.run($0, $1) }
    try RuleTables.load(trackingV6, family: .ipv6) { try Program.run($0, $1) }
    // 30 s are not much where all tests of all projects share two processors.
    try Program.check(["sysctl", "-q", "-w", "net.netfilter.nf_conntrack_udp_timeout=3600"])
}

/// An independent reading of `conntrack -L -o extended`: one line per entry in the words compared, timeouts apart.
private func listed(_ text: String) -> [String] {
    text.split(separator: "\n").map { line in
        var words = line.split(separator: " ").map(String.init)
        let state = words[5].contains("=") ? "-" : words[5]
        words = words.filter { $0.contains("=") || $0.hasPrefix("[") }
        var values: [String] = []
        var zone = "0"
        var mark = "0"
        var flags: [String] = []
        for word in words {
            let parts = word.split(separator: "=").map(String.init)
            switch parts[0] {
            case "zone": zone = parts[1]
            case "mark": mark = parts[1]
            case "use", "packets", "bytes": break
            case let flag where flag.hasPrefix("["): flags.append(String(flag.dropFirst().dropLast()))
            default: values.append(word)
            }
        }
        let name = line.split(separator: " ")[2]
        return "\(name) \(state) \(values.joined(separator: " ")) zone=\(zone) mark=\(mark) \(flags)"
    }.sorted()
}

private func described(_ entry: ConntrackEntry) -> String {
    func tuple(_ tuple: ConntrackTuple) -> String {
        let ends = "src=\(tuple.source) dst=\(tuple.destination)"
        guard entry.protocol.hasPrefix("icmp") else {
            return "\(ends) sport=\(tuple.sourcePort) dport=\(tuple.destinationPort)"
        }
        return "\(ends) type=\(tuple.destinationPort >> 8) code=\(tuple.destinationPort & 255) id=\(tuple.sourcePort)"
    }
    return "\(entry.protocol) \(entry.state ?? "-") \(tuple(entry.original)) \(tuple(entry.reply)) "
        + "zone=\(entry.zone) mark=\(entry.mark) \(entry.flags)"
}

@Suite("Conntrack", .enabled(if: PrivateNetwork.isAllowed, "needs root"))
struct ConntrackTests {
    @Test("the table is what conntrack -L shows: TCP states, zones, marks, ICMP, both families")
    func entries() async throws {
        try await PrivateNetwork.run {
            let conntrack = try ConntrackHandle()
            #expect(try conntrack.entries() == [])
            try track()
            let listener = try Loopback.listener(7001)
            defer { close(listener) }
            let open = try #require(Loopback.connection(to: 7001, from: 40001))
            defer { close(open) }
            let closed = try #require(Loopback.connection(to: 7001, from: 40002))
            close(closed)
            Loopback.attempt(to: 7999, from: 40003)
            Loopback.datagram(to: 7000, from: 40004)
            Loopback.datagram(to: 7005, from: 40005)
            try Program.check(["ping", "-c", "1", "127.0.0.1"])
            try Program.check(["ping", "-c", "1", "::1"])

            // The closed connection goes on to CLOSE_WAIT when the other end's ACK comes, which can be delayed: two looks at
            // the table are of one moment if a third one is as the first.
            var entries = try conntrack.entries()
            var shown: [String] = []
            var isSteady = false
            for _ in 0..<100 where !isSteady {
                shown = listed(try Program.check(["conntrack", "-L", "-o", "extended", "-f", "ipv4"]))
                shown += listed(try Program.check(["conntrack", "-L", "-o", "extended", "-f", "ipv6"]))
                let again = try conntrack.entries()
                isSteady = again.map(described) == entries.map(described)
                entries = again
            }
            #expect(entries.map(described).sorted() == shown.sorted())

            let established = entries.first { $0.original.sourcePort == 40001 }
            #expect(established?.state == "ESTABLISHED")
            #expect(established?.flags == ["ASSURED"])
            #expect((established?.timeout ?? 0) > 430_000)
            #expect(entries.first { $0.original.sourcePort == 40003 }?.state == "SYN_SENT")
            #expect(entries.first { $0.original.sourcePort == 40004 }?.mark == 42)
            let zoned = entries.first { $0.original.destinationPort == 7005 }
            #expect(zoned?.zone == 5)
            #expect(zoned?.flags == ["UNREPLIED"])
            let ping = entries.first { $0.protocol == "icmp" }
            #expect(ping?.original.destinationPort == 8 << 8)
            #expect(ping?.reply.destinationPort == 0)
            #expect(ping?.reply.sourcePort == ping?.original.sourcePort)
            #expect(entries.contains { $0.protocol == "icmpv6" && $0.original.destinationPort == 128 << 8 })
        }
    }

    @Test("the order is that of the entries, not of the kernel's hash")
    func order() async throws {
        try await PrivateNetwork.run {
            try track()
            for port in (41000..<41300).reversed() { Loopback.datagram(to: 7000, from: UInt16(port)) }
            let ports = try ConntrackHandle().entries().map(\.original.sourcePort)
            #expect(ports == Array(41000..<41300))
        }
    }

    @Test("entries are deleted by what they are, in their zone; flush leaves none")
    func deletion() async throws {
        try await PrivateNetwork.run {
            let conntrack = try ConntrackHandle()
            try track()
            for port in 42000..<42004 { Loopback.datagram(to: 7000, from: UInt16(port)) }
            Loopback.datagram(to: 7005, from: 42000)
            try Program.check(["ping", "-c", "1", "127.0.0.1"])
            #expect(try conntrack.entries().count == 6)
            #expect(try conntrack.delete { $0.zone == 5 } == 1)
            #expect(try conntrack.delete { $0.protocol == "icmp" } == 1)
            #expect(try conntrack.delete { $0.original.sourcePort == 42002 } == 1)
            #expect(try conntrack.delete { $0.original.sourcePort == 42002 } == 0)
            #expect(try conntrack.entries().map(\.original.sourcePort) == [42000, 42001, 42003])
            try conntrack.flush()
            #expect(try conntrack.entries() == [])
        }
    }

    @Test("events tell of an entry's life in order")
    func events() async throws {
        try await PrivateNetwork.run {
            try track()
            let monitor = try NetfilterMonitor()
            #expect(try monitor.drainEvents() == [])
            Loopback.datagram(to: 7005, from: 43000)
            try ConntrackHandle().flush()
            let events = try monitor.drainEvents()
            try #require(events.count == 2)
            guard case .new(let begun) = events[0], case .destroyed(let ended) = events[1] else {
                Issue.record("\(events)")
                return
            }
            #expect(begun.protocol == "udp")
            #expect(begun.original.sourcePort == 43000)
            #expect(begun.zone == 5)
            #expect(begun.flags == ["UNREPLIED"])
            #expect(ended.original == begun.original)
            #expect(ended.zone == 5)
            #expect(try monitor.drainEvents() == [])
        }
    }

    @Test("updates are told too: SYN_SENT, SYN_RECV, ESTABLISHED")
    func updates() async throws {
        try await PrivateNetwork.run {
            try track()
            let monitor = try NetfilterMonitor()
            let listener = try Loopback.listener(7001)
            defer { close(listener) }
            let open = try #require(Loopback.connection(to: 7001, from: 43001))
            defer { close(open) }
            let states = try monitor.drainEvents().map { event in
                switch event {
                case .new(let entry): "new \(entry.state ?? "")"
                case .updated(let entry): "updated \(entry.state ?? "") \(entry.flags)"
                case .destroyed, .logged, .lost: "unexpected"
                }
            }
            #expect(states == ["new SYN_SENT", "updated SYN_RECV []", #"updated ESTABLISHED ["ASSURED"]"#])
        }
    }

    @Test("events that the kernel could not deliver are reported as lost")
    func loss() async throws {
        try await PrivateNetwork.run {
            try track()
            let monitor = try NetfilterMonitor(bufferSize: 1)
            for port in 44000..<44100 { Loopback.datagram(to: 7005, from: UInt16(port)) }
            let events = try monitor.drainEvents()
            #expect(events.contains(.lost))
            #expect(events.count < 100)
            Loopback.datagram(to: 7005, from: 44200)
            #expect(try monitor.drainEvents().count == 1)
        }
    }

    @Test("a handle keeps to its namespace on any thread")
    func namespace() async throws {
        let conntrack = try await PrivateNetwork.run {
            try track()
            Loopback.datagram(to: 7000, from: 45000)
            return try ConntrackHandle()
        }
        #expect(try conntrack.entries().map(\.original.sourcePort) == [45000])
    }
}
