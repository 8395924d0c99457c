internal import Glibc

/// The counters of a namespace's /proc/net: `snmp`, `snmp6`, `netstat` and `stat/rt_cache`.
///
/// The files are opened once and then read from any thread. Open, they keep the namespace alive.
public final class ProcNet: Sendable {
    private let snmp: WholeFile
    private let netstat: WholeFile
    /// nil in a kernel without IPv6.
    private let snmp6: WholeFile?
    private let routeCache: WholeFile?
    private let tcp: WholeFile
    private let tcp6: WholeFile?

    /// Errors: those of open(2).
    public init(of namespace: NetworkNamespace) throws(KernelError) {
        // A thread's own /proc/net: whoever opens it, it is that thread's namespace.
        func file(_ name: String) throws(KernelError) -> WholeFile {
            do {
                return try WholeFile(
                    "/proc/self/task/\(namespace.threadID)/net/\(name)", during: "read /proc/net/\(name)")
            } catch {
                throw KernelError(error, during: "", in: namespace.name)
            }
        }
        func optionalFile(_ name: String) throws(KernelError) -> WholeFile? {
            do {
                return try file(name)
            } catch  where error.code == ENOENT {
                return nil
            }
        }
        snmp = try file("snmp")
        netstat = try file("netstat")
        snmp6 = try optionalFile("snmp6")
        routeCache = try optionalFile("stat/rt_cache")
        tcp = try file("tcp")
        tcp6 = try optionalFile("tcp6")
    }

    /// The counters that are not zero, by the kernel's names: `Ip.InAddrErrors`, `TcpExt.IPReversePathFilter`,
    /// `Ip6.InReceives`, `rt_cache.in_martian_src`.
    ///
    /// `rt_cache.…` counts for the whole kernel, whichever namespace it is read in (rt_cache_stat in net/ipv4/route.c
    /// is one per-CPU variable up to at least 6.12).
    public func counters() throws(KernelError) -> [String: Int] {
        var counters = Self.parseTable(try snmp.text())
        counters.merge(Self.parseTable(try netstat.text())) { $1 }
        if let snmp6 { counters.merge(Self.parseList(try snmp6.text())) { $1 } }
        if let routeCache { counters.merge(Self.parseRouteCache(try routeCache.text())) { $1 } }
        return counters
    }

    /// The ports of TCP sockets that listen, over IPv4 or IPv6.
    public func listeningPorts() throws(KernelError) -> Set<UInt16> {
        Self.parseListening(try tcp.text()).union(Self.parseListening(try tcp6?.text() ?? ""))
    }

    /// /proc/net/tcp: `0: 00000000:0050 00000000:0000 0A …`; state 0A is TCP_LISTEN.
    static func parseListening(_ text: String) -> Set<UInt16> {
        var ports: Set<UInt16> = []
        for line in text.split(separator: "\n").dropFirst() {
            let words = line.split(separator: " ", maxSplits: 4)
            guard words.count > 3, words[3] == "0A", let colon = words[1].lastIndex(of: ":"),
                let port = UInt16(words[1][words[1].index(after: colon)...], radix: 16)
            else { continue }
            ports.insert(port)
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
        var names: [Substring] = []
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let group = words.first else { continue }
            guard names.first == group, names.count == words.count else {
                names = words
                continue
            }
            for (name, value) in zip(names, words).dropFirst() {
                let name = "\(group.dropLast()).\(name)"
                if let value = Int(value), value != 0, !settings.contains(name) { counters[name] = value }
            }
            names = []
        }
        return counters
    }

    /// /proc/net/snmp6: `Ip6InReceives 12`. The group's name ends at its 6, as in `Icmp6` and `UdpLite6`.
    static func parseList(_ text: String) -> [String: Int] {
        var counters: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.count == 2, let value = Int(words[1]), value != 0, let six = words[0].firstIndex(of: "6")
            else { continue }
            let name = words[0]
            counters["\(name[...six]).\(name[name.index(after: six)...])"] = value
        }
        return counters
    }

    /// /proc/net/stat/rt_cache: names, then a line of hexadecimal numbers for each CPU.
    static func parseRouteCache(_ text: String) -> [String: Int] {
        let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
        guard let names = lines.first else { return [:] }
        var counters: [String: Int] = [:]
        for line in lines.dropFirst() {
            // `entries` is no counter: each line has the same number, that of cached routes now.
            for (name, value) in zip(names, line) where name != "entries" {
                guard let value = Int(value, radix: 16), value != 0 else { continue }
                counters["rt_cache.\(name)", default: 0] &+= value
            }
        }
        return counters
    }
}
