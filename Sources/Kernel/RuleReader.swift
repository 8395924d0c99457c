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
    private struct Table {
        var name: String
        var rules: [RuleCounter]
        var fingerprint: UInt64
    }

    private struct Texts {
        /// By table: what the kernel had when the texts were read.
        var fingerprints: [String: UInt64]
        /// By table and chain, with a blank between them.
        var rules: [String: [String]]
        /// All of them as the save program prints them.
        var saved: String
    }

    private struct State {
        var texts: [RuleFamily: Texts] = [:]
        var bridgeTables: Set<String> = []
    }

    private let run: RuleProgramRunner
    private let files: NamespaceProcFiles
    private let ipv4Socket: Int32
    /// -1 in a kernel without IPv6.
    private let ipv6Socket: Int32
    private let state = Mutex(State())

    /// Of the network namespace that the calling thread is in.
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

    /// Loads a rule set (see ``RuleTables/load(_:family:flush:run:)``).
    public func load(_ text: String, family: RuleFamily, flush: Bool = true) throws {
        try RuleTables.load(text, family: family, flush: flush, run: run)
        guard family == .bridge else { return }
        noteBridgeTables(text.split(separator: "\n").filter { $0.first == "*" }.map { String($0.dropFirst()) })
    }

    /// Says that there are these bridge tables: to read one makes it, if there is none.
    public func noteBridgeTables(_ names: [String]) {
        state.withLock { $0.bridgeTables.formUnion(names) }
    }

    /// Every rule of every table, with what it has counted: families in the order ipv4, ipv6, arp, bridge, tables by
    /// name, chains and rules in the kernel's order, a built-in chain's policy (number 0) before its rules.
    ///
    /// Bridge tables are read if they were loaded through this object, or noted (there is no other way to know of them);
    /// the kernel does not count their policies, so there is no number 0.
    public func read() throws -> [RuleCounter] {
        try state.withLock { state in
            try RuleFamily.allCases.flatMap { family in
                let tables = try tables(of: family, state)
                guard !tables.isEmpty else { return [RuleCounter]() }
                let texts = try texts(of: family, in: tables, &state).rules
                return tables.flatMap { Self.named($0.rules, by: texts) }
            }
        }
    }

    /// The rule set of a family as its save program prints it: comments left out, counters at zero, tables by name. Empty
    /// for a namespace without tables.
    ///
    /// For ARP and bridge tables, whose save programs do not work on every host, the same form made from a listing.
    public func savedText(_ family: RuleFamily) throws -> String {
        try state.withLock { state in
            let tables = try tables(of: family, state)
            return tables.isEmpty ? "" : try texts(of: family, in: tables, &state).saved
        }
    }

    // MARK: Counters

    /// The family's tables in this namespace, by name.
    private func tables(of family: RuleFamily, _ state: State) throws -> [Table] {
        try names(of: family, state).sorted().map { name in
            var table = drb_rule_table()
            let result =
                switch family {
                case .ipv4: drb_rule_table_read(ipv4Socket, DRB_RULES_IPV4, name, &table)
                case .ipv6: drb_rule_table_read(ipv6Socket, DRB_RULES_IPV6, name, &table)
                case .arp: drb_rule_table_read(ipv4Socket, DRB_RULES_ARP, name, &table)
                case .bridge: drb_bridge_table_read(ipv4Socket, name, &table)
                }
            guard result == 0 else { throw KernelError("read the \(family.rawValue) table \(name)", code: -result) }
            defer { drb_rule_table_free(&table) }
            let rules = UnsafeBufferPointer(start: table.rules, count: table.count).map { rule in
                RuleCounter(
                    family: family.rawValue, table: name, chain: Self.string(rule.chain), number: Int(rule.number),
                    rule: rule.number == 0 ? "policy " + Self.string(rule.policy) : "",
                    packets: Int(clamping: rule.packets), bytes: Int(clamping: rule.bytes))
            }
            return Table(name: name, rules: rules, fingerprint: table.fingerprint)
        }
    }

    private func names(of family: RuleFamily, _ state: State) throws -> [String] {
        guard let file = family.namesFile else { return Array(state.bridgeTables) }
        return try files.text(of: file)?.split(separator: "\n").map(String.init) ?? []
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
                "run \(arguments.joined(separator: " "))", code: 0, explanation: RuleFailure.sentence(result.errors))
        }
        return result.output
    }

    /// -n, for names of addresses would be looked up in the DNS otherwise; --Lmac2 for MACs as everyone else writes them.
    private func listing(_ family: RuleFamily, _ table: String) -> [String] {
        family == .arp
            ? [family.program(), "-t", table, "-L", "-n"]
            : [family.program(), "-t", table, "-L", "--Lmac2"]
    }

    /// The texts of tables that have just been read: those known, if nothing has changed since, or new ones. If the rules
    /// change before their texts are read, the next comparison tells.
    private func texts(of family: RuleFamily, in tables: [Table], _ state: inout State) throws -> Texts {
        let fingerprints = Dictionary(uniqueKeysWithValues: tables.map { ($0.name, $0.fingerprint) })
        if let known = state.texts[family], known.fingerprints == fingerprints { return known }
        let chains: [RuleTexts.Chain]
        let saved: String
        switch family {
        case .ipv4, .ipv6:
            let text = try output([family.program("-save")])
            chains = RuleTexts.saved(text)
            saved = RuleTexts.normalised(text)
        case .arp, .bridge:
            chains = try tables.flatMap { RuleTexts.listed(try output(listing(family, $0.name)), table: $0.name) }
            saved = tables.map { table in asSaved(chains.filter { $0.table == table.name }, table: table.name) }
                .joined()
        }
        let rules = Dictionary(chains.map { ("\($0.table) \($0.name)", $0.rules) }) { first, _ in first }
        let texts = Texts(fingerprints: fingerprints, rules: rules, saved: saved)
        state.texts[family] = texts
        return texts
    }

    private func asSaved(_ chains: [RuleTexts.Chain], table: String) -> String {
        let heads = chains.map { ":\($0.name) \($0.policy)\n" }
        let rules = chains.flatMap { chain in chain.rules.map { "-A \(chain.name) \($0)\n" } }
        return "*\(table)\n" + (heads + rules).joined() + "COMMIT\n"
    }
}
