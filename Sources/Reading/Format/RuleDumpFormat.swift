internal import Scenario

/// Rules from files: what iptables-save and its relatives print on a compute node.
enum RuleDumpFormat {
    static let dumps = Shape<RuleDumps>.object(
        "ruleDumps", "rules from files", "Files with a compute node's rules; paths start at this file's folder.",
        blank: RuleDumps(),
        fields: [
            Field("iptables_save", \.iptables, dump(.iptables), "What iptables-save prints."),
            Field("ip6tables_save", \.ip6tables, dump(.ip6tables), "What ip6tables-save prints."),
            Field("ebtables_save", \.ebtables, dump(.ebtables), "What ebtables-save prints."),
            Field("ipset_save", \.ipset, dump(.ipset), "What ipset save prints; the sets that rules name."),
        ], rules: [.atLeastOne(["iptables_save", "ip6tables_save", "ebtables_save", "ipset_save"])],
        check: { dumps, tree, reader in
            let sets = known(.ipset, tree["ipset_save"], reader)?.sets ?? []
            for (key, kind) in [("iptables_save", RuleDump.Kind.iptables), ("ip6tables_save", .ip6tables)] {
                guard let value = tree[key], let path = value.text, let dump = known(kind, value, reader) else {
                    continue
                }
                for (line, set) in dump.setsNamed where !sets.contains(set) {
                    reader.error(
                        at: SourceLocation(file: RuleDump.path(path, from: value.location), line: line, column: 1),
                        "a rule names the IP set '\(set)', which no file has", expected: "'ipset_save' with it")
                }
            }
        })

    /// What is in the file that a value names; nil if it could not be read.
    static func known(_ kind: RuleDump.Kind, _ value: Tree?, _ reader: Reader) -> RuleDump? {
        guard let value, let text = value.text, !text.isEmpty else { return nil }
        return try? reader.memory.dump(kind, at: RuleDump.path(text, from: value.location)).get()
    }

    /// A file's path, read as the file's text.
    private static func dump(_ kind: RuleDump.Kind) -> Shape<String> {
        let expected = "the path of a file with what \(kind.rawValue) prints"
        return Shape(schema: .text(pattern: nil), expected: expected) { tree, reader in
            guard let text = tree.text, !text.isEmpty else {
                reader.error(at: tree.location, "found \(tree.found)", expected: expected)
                return nil
            }
            let path = RuleDump.path(text, from: tree.location)
            switch reader.memory.dump(kind, at: path) {
            case .failure(let problem):
                // A missing file is the scenario's mistake, a garbled one the file's own.
                let place = problem.line > 1 || problem.column > 1 ? problem.diagnostic.location : tree.location
                reader.error(at: place, "\(path): \(problem.message)", expected: problem.expected ?? expected)
                return nil
            case .success(let dump):
                for problem in dump.problems {
                    reader.error(
                        at: SourceLocation(file: path, line: problem.line, column: 1), problem.message,
                        expected: problem.expected)
                }
                return dump.text
            }
        }
    }
}

extension Consistency {
    /// Only who has all rules from files can do without a release to generate them.
    func checkRelease() {
        guard let deployment = tree["neutron"], deployment.entries != nil, deployment["release"] == nil else { return }
        let hypervisors = tree["hypervisors"]?.entries ?? []
        guard hypervisors.isEmpty || hypervisors.contains(where: { $0.value["rules"]?.entries == nil }) else { return }
        reader.error(
            at: deployment.location, "a Neutron deployment needs 'release'",
            expected: ScenarioFormat.release.expected + (hypervisors.isEmpty ? "" : ", or 'rules' in every hypervisor"))
    }

    /// Whether the ports on a hypervisor with rules from files are in these rules.
    func checkRuleDumps() {
        let ports = Dictionary(scenario.hosts.map { ($0.name, $0.ports) }) { first, _ in first }
        for hypervisor in scenario.hypervisors {
            let value = tree["hypervisors"]?[hypervisor.name]?["rules"]?["iptables_save"]
            guard hypervisor.rules?.iptables != nil, let place = value?.location,
                let dump = RuleDumpFormat.known(.iptables, value, reader)
            else { continue }
            for host in names.hosts {
                for card in host.cards where names.places(of: host, cards: [card]).contains(hypervisor.name) {
                    guard let port = ports[host.name]?.first(where: { $0.name == card.name }) else { continue }
                    guard !dump.tapDevices.contains(port.tapName) else { continue }
                    reader.warning(
                        at: place, "no rule names \(port.tapName), the device of \(host.name):\(port.name)",
                        expected: "the port's id from the compute node")
                }
            }
        }
    }
}
