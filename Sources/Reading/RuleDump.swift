internal import Scenario

/// What the save programs print, looked at as closely as loading it elsewhere needs: a dump that was cut off or mixed up must
/// not turn up as a restore program's failure in a lab.
struct RuleDump: Sendable {
    let text: String
    /// What keeps it from being loaded.
    let problems: [Problem]
    /// The sets that it creates, and those that its rules name, each with a line.
    let sets: Set<String>
    let setsNamed: [(line: Int, set: String)]
    /// The names that are written as those of tap devices.
    let tapDevices: Set<String>

    init(_ text: String, _ kind: Kind) {
        self.text = text
        problems = Self.problems(in: text, kind)
        sets = kind == .ipset ? Self.sets(of: text) : []
        setsNamed = kind == .ipset ? [] : Self.setsNamed(in: text)
        tapDevices = kind == .iptables ? Self.tapDevices(in: text) : []
    }

    enum Kind: String {
        case iptables = "iptables-save"
        case ip6tables = "ip6tables-save"
        case ebtables = "ebtables-save"
        case ipset = "ipset save"
    }

    struct Problem: Equatable {
        var line: Int
        var message: String
        var expected: String?
    }

    /// A path in a file, from the working directory.
    static func path(_ path: String, from location: SourceLocation) -> String {
        guard !path.hasPrefix("/"), let slash = location.file.lastIndex(of: "/") else { return path }
        return location.file[...slash] + path
    }

    static func problems(in text: String, _ kind: Kind) -> [Problem] {
        kind == .ipset ? problemsOfSets(text) : problemsOfTables(text, kind)
    }

    private static func lines(_ text: String) -> some Sequence<(offset: Int, element: Substring)> {
        text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().lazy.filter {
            !$0.element.allSatisfy(\.isWhitespace) && $0.element.first != "#"
        }
    }

    /// Whatever begins as a tap device's name: `tap` and eleven characters of a port's id.
    static func tapDevices(in text: String) -> Set<String> {
        let (word, length) = (Array("tap".utf8), 14)
        let bytes = Array(text.utf8)
        var found: Set<String> = []
        var index = 0
        while index + length <= bytes.count {
            guard bytes[index..<index + word.count].elementsEqual(word) else {
                index += 1
                continue
            }
            found.insert(String(decoding: bytes[index..<index + length], as: UTF8.self))
            index += word.count
        }
        return found
    }

    private static func problemsOfTables(_ text: String, _ kind: Kind) -> [Problem] {
        var problems: [Problem] = []
        var table: (name: String, line: Int)?
        var chains: Set<Substring> = []
        for (index, line) in lines(text) {
            func problem(_ message: String, _ expected: String? = nil) {
                problems.append(Problem(line: index + 1, message: message, expected: expected))
            }
            let rule = line.first == "[" ? line.drop { $0 != " " }.dropFirst() : line
            let words = rule.split(separator: " ")
            if line.first == "*" {
                // ebtables-save knows no COMMIT.
                if let table, kind != .ebtables {
                    problem("table '\(table.name)' of line \(table.line) does not end", "COMMIT")
                }
                table = (String(line.dropFirst()), index + 1)
                chains = []
            } else if line == "COMMIT" {
                if table == nil { problem("a COMMIT outside a table") }
                table = nil
            } else if table == nil {
                problem("'\(Tree.shortened(String(line)))' outside a table", "a table such as *filter first")
            } else if line.first == ":" {
                if words.count < 2 { problem("a chain without a policy", "a line such as :FORWARD ACCEPT [0:0]") }
                chains.insert(words.first?.dropFirst() ?? "")
            } else if words.first == "-A", words.count > 2 {
                if !chains.contains(words[1]) { problem("a rule of chain '\(words[1])', which the table has not") }
            } else {
                problem(
                    "'\(Tree.shortened(String(line)))' is no line of \(kind.rawValue)",
                    "a rule such as -A FORWARD -j DROP")
            }
        }
        if let table, kind != .ebtables {
            problems.append(
                Problem(
                    line: text.split(separator: "\n", omittingEmptySubsequences: false).count,
                    message: "the file ends within table '\(table.name)'", expected: "COMMIT"))
        }
        return problems
    }

    private static func problemsOfSets(_ text: String) -> [Problem] {
        var problems: [Problem] = []
        var sets: Set<Substring> = []
        for (index, line) in lines(text) {
            let words = line.split(separator: " ")
            switch words.first {
            case "create" where words.count > 2: sets.insert(words[1])
            case "add" where words.count > 2:
                if !sets.contains(words[1]) {
                    problems.append(
                        Problem(
                            line: index + 1, message: "a member of the IP set '\(words[1])', which is not created",
                            expected: "a line such as create \(words[1]) hash:net first"))
                }
            default:
                problems.append(
                    Problem(
                        line: index + 1, message: "'\(Tree.shortened(String(line)))' is no line of ipset save",
                        expected: "'create' or 'add'"))
            }
        }
        return problems
    }

    /// The sets that a dump creates.
    static func sets(of text: String) -> Set<String> {
        Set(
            lines(text).compactMap { _, line in
                let words = line.split(separator: " ")
                return words.first == "create" && words.count > 2 ? String(words[1]) : nil
            })
    }

    /// The sets that a dump's rules name, with their lines.
    static func setsNamed(in text: String) -> [(line: Int, set: String)] {
        lines(text).flatMap { index, line in
            let words = line.split(separator: " ")
            return words.indices.filter { words[$0] == "--match-set" && $0 + 1 < words.count }
                .map { (index + 1, String(words[$0 + 1])) }
        }
    }
}
