internal import Glibc

/// The counters of a namespace's /proc/net: `snmp`, `snmp6`, `netstat` and `stat/rt_cache`.
///
/// Those for counters are opened once and then read from any thread. Open, they keep the namespace alive.
public final class ProcNet: Sendable {
    private let snmp: WholeFile
    private let netstat: WholeFile
    /// nil in a kernel without IPv6.
    private let snmp6: WholeFile?
    private let namespace: NetworkNamespace

    /// Errors: those of open(2).
    public init(of namespace: NetworkNamespace) throws(KernelError) {
        self.namespace = namespace
        snmp = try Self.file("snmp", of: namespace, isOneRecord: true)
        netstat = try Self.file("netstat", of: namespace, isOneRecord: true)
        snmp6 = try Self.optionalFile("snmp6", of: namespace, isOneRecord: true)
    }

    private static func file(
        _ name: String, of namespace: NetworkNamespace, isOneRecord: Bool = false
    ) throws(KernelError) -> WholeFile {
        do {
            return try namespace.run {
                try WholeFile(
                    "/proc/thread-self/net/\(name)", during: "read /proc/net/\(name)", isOneRecord: isOneRecord)
            }
        } catch {
            throw KernelError(error, during: "", in: namespace.name)
        }
    }

    private static func optionalFile(
        _ name: String, of namespace: NetworkNamespace, isOneRecord: Bool = false
    ) throws(KernelError) -> WholeFile? {
        do {
            return try file(name, of: namespace, isOneRecord: isOneRecord)
        } catch  where error.code == ENOENT {
            return nil
        }
    }

    /// The counters of each that are not zero, by the kernel's names: `Ip.InAddrErrors`, `TcpExt.IPReversePathFilter`,
    /// `Ip6.InReceives`, `rt_cache.in_martian_src`. They are read at the same time where there are several processors.
    ///
    /// `rt_cache.…` counts for the whole kernel, whichever namespace it is read in (rt_cache_stat in net/ipv4/route.c
    /// is one per-CPU variable up to at least 6.12).
    ///
    /// Errors: those of read(2).
    public static func counters(of all: [ProcNet]) throws -> [[String: Int]] {
        let shared = all.isEmpty ? [:] : try routeCacheCounters()
        return try Workers.map(all.count) { try all[$0].ownCounters().merging(shared) { $1 } }
    }

    private func ownCounters() throws(KernelError) -> [String: Int] {
        var counters = Self.parseTable(try snmp.text())
        counters.merge(Self.parseTable(try netstat.text())) { $1 }
        if let snmp6 { counters.merge(Self.parseList(try snmp6.text())) { $1 } }
        return counters
    }

    private static func routeCacheCounters() throws(KernelError) -> [String: Int] {
        guard let file = try routeCache.get() else { return [:] }
        return parseRouteCache(try file.text())
    }

    /// Held open; nil in a kernel without it.
    private static let routeCache = Result { () throws(KernelError) -> WholeFile? in
        do throws(KernelError) {
            return try WholeFile("/proc/thread-self/net/stat/rt_cache", during: "read /proc/net/stat/rt_cache")
        } catch  where error.code == ENOENT {
            return nil
        }
    }

    /// `Tcp.RetransSegs`: segments that were sent again.
    public func retransmissions() throws(KernelError) -> Int {
        Self.parseTable(try snmp.text())["Tcp.RetransSegs"] ?? 0
    }

    /// The ports of TCP sockets that listen, over IPv4 or IPv6.
    public func listeningPorts() throws(KernelError) -> Set<UInt16> {
        // Few ask, and so these are not held open.
        try Self.parseListening(Self.file("tcp", of: namespace).text())
            .union(Self.parseListening(Self.optionalFile("tcp6", of: namespace)?.text() ?? ""))
    }

    /// /proc/net/tcp: `0: 00000000:0050 00000000:0000 0A …`; state 0A is TCP_LISTEN.
    static func parseListening(_ text: String) -> Set<UInt16> {
        var ports: Set<UInt16> = []
        ProcText.forEachLine(of: text) { line in
            var words = line
            guard words.next() != nil, let local = words.next(), words.next() != nil, let state = words.next(),
                state.elementsEqual("0A".utf8), let colon = local.lastIndex(of: UInt8(ascii: ":")),
                let port = ProcText.integer(local[(colon + 1)...], radix: 16)
            else { return }
            ports.insert(UInt16(truncatingIfNeeded: port))
        }
        return ports
    }

    /// What stands among the counters of /proc/net/snmp and is none, but a setting.
    private static let settings: Set<String> = [
        "Ip.Forwarding", "Ip.DefaultTTL", "Tcp.RtoAlgorithm", "Tcp.RtoMin", "Tcp.RtoMax", "Tcp.MaxConn",
    ]

    /// /proc/net/snmp and /proc/net/netstat: lines in pairs, `Ip: Forwarding DefaultTTL …` and `Ip: 1 64 …`.
    static func parseTable(_ text: String) -> [String: Int] {
        var counters: [String: Int] = [:]
        var names: ProcText.Words?
        ProcText.forEachLine(of: text) { line in
            guard let pair = names.flatMap({ Self.parsePair($0, line) }) else {
                names = line
                return
            }
            for (name, value) in pair where !settings.contains(name) { counters[name] = value }
            names = nil
        }
        return counters
    }

    /// What is not zero; nil if the lines are no pair.
    private static func parsePair(_ names: ProcText.Words, _ values: ProcText.Words) -> [(String, Int)]? {
        var (names, values) = (names, values)
        guard let group = names.next(), let other = values.next(), group.elementsEqual(other) else { return nil }
        var pairs: [(String, Int)] = []
        while let name = names.next() {
            guard let word = values.next() else { return nil }
            if let value = ProcText.integer(word), value != 0 {
                pairs.append(("\(ProcText.string(group.dropLast())).\(ProcText.string(name))", value))
            }
        }
        return values.next() == nil ? pairs : nil
    }

    /// /proc/net/snmp6: `Ip6InReceives 12`. The group's name ends at its 6, as in `Icmp6` and `UdpLite6`.
    static func parseList(_ text: String) -> [String: Int] {
        var counters: [String: Int] = [:]
        ProcText.forEachLine(of: text) { line in
            var words = line
            guard let name = words.next(), let word = words.next(), words.next() == nil,
                let value = ProcText.integer(word), value != 0, let six = name.firstIndex(of: UInt8(ascii: "6"))
            else { return }
            counters["\(ProcText.string(name[...six])).\(ProcText.string(name[(six + 1)...]))"] = value
        }
        return counters
    }

    /// /proc/net/stat/rt_cache: names, then a line of hexadecimal numbers for each CPU.
    static func parseRouteCache(_ text: String) -> [String: Int] {
        var counters: [String: Int] = [:]
        var heading: ProcText.Words?
        ProcText.forEachLine(of: text) { line in
            guard var names = heading else {
                heading = line
                return
            }
            var values = line
            while let name = names.next(), let word = values.next() {
                // `entries` is no counter: each line has the same number, that of cached routes now.
                guard let value = ProcText.integer(word, radix: 16), value != 0, !name.elementsEqual("entries".utf8)
                else { continue }
                counters["rt_cache.\(ProcText.string(name))", default: 0] &+= value
            }
        }
        return counters
    }
}
