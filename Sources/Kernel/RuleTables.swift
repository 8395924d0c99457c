internal import Glibc

/// Loading of rule sets.
public enum RuleTables {
    /// Loads a rule set, `iptables-save` text, into the runner's namespace.
    ///
    /// One process for a whole set (`iptables-legacy-restore` and its sisters). For ARP it is one `arptables-legacy` per
    /// line: Debian's arptables-legacy-restore is a script that calls plain `arptables`, which is the nf_tables variant.
    /// Without `flush` the rules are added to what is there; with it, tables that the text does not name stay as they
    /// are. Needs CAP_NET_ADMIN over the namespace.
    ///
    /// - Throws: KernelError whose explanation has the tool's words and the offending line of `text` with its number.
    public static func load(
        _ text: String, family: RuleFamily, flush: Bool = true, run: RuleProgramRunner
    ) throws {
        switch family {
        case .arp: try loadARP(text, flush: flush, run: run)
        case .ipv4, .ipv6, .bridge: try restore(text, family: family, flush: flush, run: run)
        }
    }

    private static func restore(_ text: String, family: RuleFamily, flush: Bool, run: RuleProgramRunner) throws {
        var arguments = [family.program("-restore")]
        // Namespaces share one lock file, /run/xtables.lock: a load elsewhere is no reason to fail.
        if family != .bridge { arguments.append("-w") }
        if !flush { arguments.append("--noflush") }
        // ebtables-restore commits at the end of each table by itself and does not know the word.
        let input =
            family == .bridge ? lines(text).map { $0 == "COMMIT" ? "" : $0 }.joined(separator: "\n") : text
        let result = try run(arguments, input.hasSuffix("\n") ? input : input + "\n")
        guard result.status != 0 else { return }
        let words = result.errors.isEmpty ? result.output : result.errors
        throw failure(family, line: RuleFailure.line(in: words, of: text, family: family), of: text, words: words)
    }

    private static func loadARP(_ text: String, flush: Bool, run: RuleProgramRunner) throws {
        let program = RuleFamily.arp.program()
        var table = "filter"
        func change(_ arguments: [String], line: Int?) throws {
            let result = try run([program, "-t", table] + arguments, "")
            guard result.status != 0 else { return }
            throw failure(.arp, line: line, of: text, words: result.errors.isEmpty ? result.output : result.errors)
        }
        for (number, line) in lines(text).enumerated() {
            let words = RuleTexts.words(line)
            guard let first = words.first, !first.hasPrefix("#"), first != "COMMIT" else { continue }
            if first.hasPrefix("*") {
                table = String(first.dropFirst())
                guard flush else { continue }
                try change(["-F"], line: number + 1)
                try change(["-X"], line: number + 1)
            } else if first.hasPrefix(":") {
                let chain = String(first.dropFirst())
                let policy = words.count > 1 ? words[1] : "-"
                try change(policy == "-" ? ["-N", chain] : ["-P", chain, policy], line: number + 1)
            } else {
                // arptables 0.0.5 takes an option that it does not know for no option at all, and says nothing.
                if let unknown = words.first(where: { $0.hasPrefix("-") && !arptablesOptions.contains($0) }) {
                    throw failure(.arp, line: number + 1, of: text, words: "unknown option \"\(unknown)\"")
                }
                try change(words, line: number + 1)
            }
        }
    }

    /// arptables(8), version 0.0.5.
    private static let arptablesOptions: Set<String> = [
        "-A", "--append", "-D", "--delete", "-I", "--insert", "-R", "--replace", "-P", "--policy", "-N", "--new-chain",
        "-F", "--flush", "-Z", "--zero", "-X", "--delete-chain", "-E", "--rename-chain",
        "-s", "--source-ip", "--src-ip", "-d", "--destination-ip", "--dst-ip", "--source-mac", "--src-mac",
        "--destination-mac", "--dst-mac", "-i", "--in-interface", "-o", "--out-interface", "-l", "--h-length",
        "--opcode", "--h-type", "--proto-type", "-j", "--jump", "-c", "--set-counters",
        "--mangle-ip-s", "--mangle-ip-d", "--mangle-mac-s", "--mangle-mac-d", "--mangle-hw-s", "--mangle-hw-d",
        "--mangle-target", "--set-class", "--set-mark", "--and-mark", "--or-mark",
    ]

    private static func lines(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    private static func failure(_ family: RuleFamily, line: Int?, of text: String, words: String) -> KernelError {
        let all = lines(text)
        var place = ""
        if let line, all.indices.contains(line - 1) { place = "line \(line) `\(all[line - 1])`: " }
        return KernelError(
            "load \(family.rawValue) rules", code: 0, explanation: place + RuleFailure.sentence(words))
    }
}

/// What the restore programs print when they fail.
enum RuleFailure {
    /// The number of the line that was at fault, counting from 1; nil if there is no telling.
    static func line(in words: String, of text: String, family: RuleFamily) -> Int? {
        // `Error occurred at line: 8`, `iptables-restore: line 9 failed`, `COMMIT expected at line 3`.
        var rest = words[...]
        while let found = firstRange(of: "line", in: rest) {
            rest = rest[found...].dropFirst(4)
            let digits = rest.drop { $0 == ":" || $0 == " " }.prefix { $0.isASCII && $0.isNumber }
            if let number = Int(digits) { return number }
        }
        guard family == .bridge else { return nil }
        // ebtables-restore says no line when a rule is at fault, but it quotes or names what it stumbled over:
        // `Illegal target name 'nonexistent'.`, `Wrong chain for dnat.`
        let quoted = words.split(separator: "'", omittingEmptySubsequences: false)
        let suspects =
            quoted.count >= 3 ? [String(quoted[1])] : words.split { " .\n".contains($0) }.map(String.init)
        let rules = text.split(separator: "\n", omittingEmptySubsequences: false).map { RuleTexts.words(String($0)) }
        for suspect in suspects.reversed() {
            if let index = rules.firstIndex(where: { $0.contains(suspect) }) { return index + 1 }
        }
        return nil
    }

    /// The program's own words as one line, without its advice to read the manual.
    static func sentence(_ words: String) -> String {
        let kept = words.split(separator: "\n").filter {
            !$0.hasPrefix("Try `") && !$0.hasPrefix("Error occurred at line")
        }
        return kept.isEmpty ? "it failed without a word" : kept.joined(separator: "; ")
    }

    private static func firstRange(of word: String, in text: Substring) -> Substring.Index? {
        text.indices.first { text[$0...].hasPrefix(word) }
    }
}
