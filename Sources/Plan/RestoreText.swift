/// Rules written as command lines, `-t nat -A PREROUTING …`, put together as the text of one `iptables-restore`.
///
/// Tables appear in the order of their first rule; within a table the order is kept.
struct RestoreText: Equatable {
    let text: String

    /// nil if there are no rules.
    init?(arguments: [String], defaultTable: String) {
        var tables: [(name: String, lines: [String])] = []
        for line in arguments {
            var words = line.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
            var table = defaultTable
            if let option = words.firstIndex(of: "-t"), option + 1 < words.count {
                table = words[option + 1]
                words.removeSubrange(option...option + 1)
            }
            let rule = words.joined(separator: " ")
            if let known = tables.firstIndex(where: { $0.name == table }) {
                tables[known].lines.append(rule)
            } else {
                tables.append((table, [rule]))
            }
        }
        guard !tables.isEmpty else { return nil }
        text = tables.map { "*\($0.name)\n\($0.lines.joined(separator: "\n"))\nCOMMIT\n" }.joined()
    }
}
