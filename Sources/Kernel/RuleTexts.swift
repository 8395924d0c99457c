/// Rules as the tools write them.
enum RuleTexts {
    /// A chain of a table, with its rules' texts in order.
    struct Chain: Equatable {
        var table: String
        var name: String
        /// `ACCEPT`, `DROP`, …; `-` for a user's chain.
        var policy = "-"
        /// What stands behind `-A CHAIN `.
        var rules: [String] = []
    }

    /// Reads what `iptables-save` prints, with or without counters.
    static func saved(_ text: String) -> [Chain] {
        var chains: [Chain] = []
        var table = ""
        for line in text.split(separator: "\n") {
            switch line.first {
            case "*":
                table = String(line.dropFirst())
            case ":":
                let parts = line.dropFirst().split(separator: " ")
                guard let name = parts.first else { continue }
                chains.append(Chain(table: table, name: String(name), policy: parts.count > 1 ? String(parts[1]) : "-"))
            default:
                var rule = line
                if rule.first == "[" { rule = rule.drop { $0 != " " }.dropFirst() }
                guard rule.hasPrefix("-A ") else { continue }
                let name = rule.dropFirst(3).prefix { $0 != " " }
                let index = chains.lastIndex { $0.table == table && $0.name == name }
                guard let index else { continue }
                chains[index].rules.append(String(rule.dropFirst(3 + name.count + 1)))
            }
        }
        return chains
    }

    /// Reads what `arptables -L -n` (of one table) or `ebtables -t TABLE -L --Lmac2` prints.
    static func listed(_ text: String, table: String) -> [Chain] {
        var chains: [Chain] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("Chain ") {
                // `Chain INPUT (policy ACCEPT)`, `Chain foo (1 references)`.
                let name = line.dropFirst(6).prefix { $0 != " " }
                chains.append(Chain(table: table, name: String(name), policy: word(after: "(policy ", in: line)))
            } else if line.hasPrefix("Bridge chain: ") {
                // `Bridge chain: INPUT, entries: 0, policy: ACCEPT`; here a user's chain has a policy too.
                let name = line.dropFirst(14).prefix { $0 != "," }
                chains.append(Chain(table: table, name: String(name), policy: word(after: "policy: ", in: line)))
            } else if !chains.isEmpty, !line.isEmpty {
                chains[chains.count - 1].rules.append(trimmed(line))
            }
        }
        return chains
    }

    private static func word(after mark: String, in line: Substring) -> String {
        guard let start = line.indices.first(where: { line[$0...].hasPrefix(mark) }) else { return "-" }
        return String(line[start...].dropFirst(mark.count).prefix { $0.isLetter })
    }

    private static func trimmed(_ text: Substring) -> String {
        let end = text.lastIndex { $0 != " " }
        return end.map { String(text[...$0].drop { $0 == " " }) } ?? ""
    }

    /// What `iptables-save` prints, without comments, with counters at zero and the tables in the order of their names.
    static func normalised(_ saved: String) -> String {
        var tables: [[String]] = []
        for line in saved.split(separator: "\n") where line.first != "#" {
            if line.first == "*" { tables.append([]) }
            guard !tables.isEmpty else { continue }
            var text = String(line)
            if line.first == ":", let bracket = line.lastIndex(of: "[") { text = line[..<bracket] + "[0:0]" }
            if line.first == "[" { text = String(line.drop { $0 != " " }.dropFirst()) }
            tables[tables.count - 1].append(text)
        }
        return tables.sorted { $0[0] < $1[0] }.joined().map { $0 + "\n" }.joined()
    }

    /// The words of a line: separated by blanks, double quotes keep blanks together, a backslash takes the next character
    /// as it is.
    static func words(_ line: String) -> [String] {
        var words: [String] = []
        var word = ""
        var started = false
        var quoted = false
        var escaped = false
        for character in line {
            if escaped {
                word.append(character)
                escaped = false
            } else if character == "\\" {
                escaped = true
                started = true
            } else if character == "\"" {
                quoted.toggle()
                started = true
            } else if character.isWhitespace, !quoted {
                if started { words.append(word) }
                word = ""
                started = false
            } else {
                word.append(character)
                started = true
            }
        }
        if started { words.append(word) }
        return words
    }
}
