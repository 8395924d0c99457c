/// A table of ebtables, made by the commands that Neutron runs.
struct EbtablesTable {
    enum Command: Equatable {
        /// `-N chain -P DROP`
        case new(chain: String)
        /// `-F chain`
        case flush(chain: String)
        /// `-A chain rule`
        case append(chain: String, rule: String)
        /// `-I chain rule`: on top.
        case insert(chain: String, rule: String)

        /// As arguments of ebtables.
        var arguments: String {
            switch self {
            case .new(let chain): "-N \(chain) -P DROP"
            case .flush(let chain): "-F \(chain)"
            case .append(let chain, let rule): "-A \(chain) \(rule)"
            case .insert(let chain, let rule): "-I \(chain) \(rule)"
            }
        }
    }

    struct Chain: Equatable {
        var name: String
        var policy: String
        var rules: [String] = []
    }

    let name: String
    private(set) var commands: [Command] = []
    private(set) var chains: [Chain]

    init(_ name: String) {
        self.name = name
        let builtin = name == "nat" ? ["PREROUTING", "OUTPUT", "POSTROUTING"] : ["INPUT", "FORWARD", "OUTPUT"]
        chains = builtin.map { Chain(name: $0, policy: "ACCEPT") }
    }

    /// Carries out one command. One for a chain that does not exist does nothing.
    mutating func run(_ command: Command) {
        commands.append(command)
        func index(_ name: String) -> Int? { chains.firstIndex { $0.name == name } }
        switch command {
        case .new(let chain): chains.append(Chain(name: chain, policy: "DROP"))
        case .flush(let chain): if let index = index(chain) { chains[index].rules = [] }
        case .append(let chain, let rule): if let index = index(chain) { chains[index].rules.append(rule) }
        case .insert(let chain, let rule): if let index = index(chain) { chains[index].rules.insert(rule, at: 0) }
        }
    }

    /// What `ebtables-legacy-restore` takes: no counters, no COMMIT.
    var text: String {
        var lines = ["*\(name)"]
        lines += chains.map { ":\($0.name) \($0.policy)" }
        for chain in chains { lines += chain.rules.map { "-A \(chain.name) \($0)" } }
        return lines.joined(separator: "\n") + "\n"
    }
}
