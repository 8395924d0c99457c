internal import CLinux
public import Evidence
internal import Glibc
internal import Synchronization

/// What the rules of one namespace have counted.
///
/// Counters come from the kernel by getsockopt, without a process. The rules' texts come from `iptables-legacy-save`, run
/// only when the rules have changed: what the kernel returns is compared, counters apart, with what it was when the texts
/// were read. Tables that the namespace does not have are not created by looking (`iptables-save -t` and even
/// IPT_SO_GET_INFO would do that, see xt_find_table_lock): /proc/net/ip_tables_names tells which exist, and a namespace
/// without rules costs one read per family.
///
/// Safe to use from any thread; calls wait for each other. Needs CAP_NET_ADMIN over the namespace.
public final class RuleReader: Sendable {
    private struct State {
        /// By family: the texts, and what the tables' fingerprints were when they were read.
        var texts: [RuleFamily: (fingerprints: [String: UInt64], rules: [String: [String]])] = [:]
        var bridgeTables: Set<String> = []
    }

    private let run: RuleProgramRunner
    private let files: NamespaceProcFiles
    private let ipv4Socket: Int32
    /// -1 in a kernel without IPv6.
    private let ipv6Socket: Int32
    private let state = Mutex(State())

    /// Opens the calling thread's network namespace; that thread must live as long as tables may still appear.
    ///
    /// - Parameter run: runs the rule programs in that namespace. It is called on the thread that calls `load`, `read` or
    ///   `savedText`, under this object's lock: it must not wait for another user of this object.
    public init(run: @escaping RuleProgramRunner) throws {
        self.run = run
        files = try NamespaceProcFiles(opening: RuleFamily.allCases.compactMap(\.namesFile))
        ipv4Socket = drb_socket(AF_INET, drb_sock_dgram(), 0)
        guard ipv4Socket >= 0 else { throw KernelError("open a socket to read rules", code: errno) }
        ipv6Socket = drb_socket(AF_INET6, drb_sock_dgram(), 0)
    }

    deinit {
        if ipv4Socket >= 0 { close(ipv4Socket) }
        if ipv6Socket >= 0 { close(ipv6Socket) }
    }

    /// Loads a rule set (see ``RuleTables/load(_:family:flush:run:)``) and remembers that rules have changed.
    public func load(_ text: String, family: RuleFamily, flush: Bool = true) throws {
        defer { markChanged() }
        try RuleTables.load(text, family: family, flush: flush, run: run)
        guard family == .bridge else { return }
        let tables = text.split(separator: "\n").filter { $0.first == "*" }.map { String($0.dropFirst()) }
        state.withLock { $0.bridgeTables.formUnion(tables) }
    }

    /// Forgets the rules' texts. Needed only for what no comparison can show.
    public func markChanged() {
        state.withLock { $0.texts = [:] }
    }

    /// Every rule of every table, with what it has counted: families in the order ipv4, ipv6, arp, bridge, tables by
    /// name, chains and rules in the kernel's order, a built-in chain's policy (number 0) before its rules.
    ///
    /// Bridge tables are read if they were loaded through this object (there is no other way to know that they exist),
    /// with one process each; the kernel does not count their policies, so there is no number 0.
    public func read() throws -> [RuleCounter] {
        try state.withLock { state in
            var counters: [RuleCounter] = []
            for family in [RuleFamily.ipv4, .ipv6, .arp] { counters += try read(family, &state) }
            for table in state.bridgeTables.sorted() { counters += try readBridge(table) }
            return counters
        }
    }

    /// The rule set of a family as its save program prints it: comments left out, counters at zero, tables by name. Empty
    /// for a namespace without tables.
    ///
    /// For ARP and bridge tables, whose save programs do not work on every host, the same form made from a listing.
    public func savedText(_ family: RuleFamily) throws -> String {
        switch family {
        case .ipv4, .ipv6:
            guard try !tables(of: family).isEmpty else { return "" }
            return RuleTexts.normalised(try output([family.program("-save")]))
        case .arp:
            return try tables(of: family).map { try asSaved(try output(listing(.arp, $0)), table: $0) }.joined()
        case .bridge:
            let tables = state.withLock { $0.bridgeTables.sorted() }
            return try tables.map { try asSaved(try output(listing(.bridge, $0)), table: $0) }.joined()
        }
    }

    // MARK: Counters

    /// The names of the family's tables in this namespace, sorted.
    private func tables(of family: RuleFamily) throws -> [String] {
        guard let file = family.namesFile, let text = try files.text(of: file) else { return [] }
        return text.split(separator: "\n").map(String.init).sorted()
    }

    private func read(_ family: RuleFamily, _ state: inout State) throws -> [RuleCounter] {
        let names = try tables(of: family)
        guard !names.isEmpty else { return [] }
        // Counters first: if the rules change before their texts are read, the next comparison tells.
        var tables: [(name: String, rules: [RuleCounter], fingerprint: UInt64)] = []
        for name in names {
            let (rules, fingerprint) = try readTable(name, family)
            tables.append((name, rules, fingerprint))
        }
        var fingerprints: [String: UInt64] = [:]
        for table in tables { fingerprints[table.name] = table.fingerprint }
        let texts: [String: [String]]
        if let known = state.texts[family], known.fingerprints == fingerprints {
            texts = known.rules
        } else {
            texts = try readTexts(family, tables: names)
            state.texts[family] = (fingerprints, texts)
        }
        return tables.flatMap { Self.named($0.rules, by: texts) }
    }

    private func readTable(_ name: String, _ family: RuleFamily) throws -> ([RuleCounter], UInt64) {
        var table = drb_rule_table()
        let (descriptor, kind) =
            switch family {
            case .ipv6: (ipv6Socket, DRB_RULES_IPV6)
            case .arp: (ipv4Socket, DRB_RULES_ARP)
            default: (ipv4Socket, DRB_RULES_IPV4)
            }
        let result = drb_rule_table_read(descriptor, kind, name, &table)
        guard result == 0 else { throw KernelError("read the \(family.rawValue) table \(name)", code: -result) }
        defer { drb_rule_table_free(&table) }
        let rules = UnsafeBufferPointer(start: table.rules, count: table.count).map { rule in
            RuleCounter(
                family: family.rawValue, table: name, chain: Self.string(rule.chain), number: Int(rule.number),
                rule: rule.number == 0 ? "policy " + Self.string(rule.policy) : "",
                packets: Int(clamping: rule.packets), bytes: Int(clamping: rule.bytes))
        }
        return (rules, table.fingerprint)
    }

    private static func string<Name>(_ name: Name) -> String {
        withUnsafeBytes(of: name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// Puts the texts to the rules. A rule without a text has changed between the two readings: it stays empty.
    private static func named(_ rules: [RuleCounter], by texts: [String: [String]]) -> [RuleCounter] {
        rules.map { rule in
            guard rule.number > 0, let chain = texts["\(rule.table) \(rule.chain)"],
                chain.indices.contains(rule.number - 1)
            else { return rule }
            var named = rule
            named.rule = chain[rule.number - 1]
            return named
        }
    }

    // MARK: Texts

    private func output(_ arguments: [String]) throws -> String {
        let result = try run(arguments, "")
        guard result.status == 0 else {
            throw KernelError(
                "run \(arguments.joined(separator: " "))", code: EIO, explanation: RuleFailure.sentence(result.errors))
        }
        return result.output
    }

    /// -n, for names of addresses would be looked up in the DNS otherwise; --Lmac2 for MACs as everyone else writes them.
    private func listing(_ family: RuleFamily, _ table: String) -> [String] {
        family == .arp
            ? [family.program(), "-t", table, "-L", "-n"]
            : [family.program(), "-t", table, "-L", "--Lc", "--Lmac2"]
    }

    /// By table and chain, with a blank between them.
    private func readTexts(_ family: RuleFamily, tables: [String]) throws -> [String: [String]] {
        let chains =
            family == .arp
            ? try tables.flatMap { RuleTexts.listed(try output(listing(.arp, $0)), table: $0) }
            : RuleTexts.saved(try output([family.program("-save")]))
        var texts: [String: [String]] = [:]
        for chain in chains { texts["\(chain.table) \(chain.name)"] = chain.rules }
        return texts
    }

    private func readBridge(_ table: String) throws -> [RuleCounter] {
        RuleTexts.listed(try output(listing(.bridge, table)), table: table).flatMap { chain in
            zip(chain.rules, chain.counters).enumerated().map { index, rule in
                RuleCounter(
                    family: RuleFamily.bridge.rawValue, table: table, chain: chain.name, number: index + 1,
                    rule: rule.0, packets: rule.1.packets, bytes: rule.1.bytes)
            }
        }
    }

    private func asSaved(_ listing: String, table: String) throws -> String {
        let chains = RuleTexts.listed(listing, table: table)
        let heads = chains.map { ":\($0.name) \($0.policy)\n" }
        let rules = chains.flatMap { chain in chain.rules.map { "-A \(chain.name) \($0)\n" } }
        return "*\(table)\n" + (heads + rules).joined() + "COMMIT\n"
    }
}
