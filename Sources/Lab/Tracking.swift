internal import Evidence
internal import Plan
internal import Scenario

extension RuleCounter {
    /// Whether conntrack is active in the rule's namespace for its sake.
    ///
    /// The matches and targets that call nf_ct_netns_get: `conntrack` and `state`, `connmark`, `connbytes`, `connlimit`,
    /// `helper`, `CT`, `CONNMARK`, and those of the table `nat`.
    var tracksConnections: Bool {
        guard family == "ipv4" || family == "ipv6", number > 0 else { return false }
        let words = rule.split(separator: " ")
        return table == "nat"
            || zip(words, words.dropFirst()).contains { option, name in
                option == "-m" && ["state", "helper"].contains(name) || option == "-m" && name.hasPrefix("conn")
                    || option == "-j" && (name == "CT" || name.hasPrefix("CONN"))
            }
    }
}

extension Plan {
    /// Whether something in the scenario reads the kernel's log of packets itself, or settles what goes there.
    var asksForKernelLog: Bool {
        let words = ["dmesg", "nf_log", "nf_conntrack_log_invalid", "nfnl", "ulogd"]
        let actions = steps.flatMap { [$0.action] + $0.meanwhile.map(\.action) }
        return actions.contains { action in
            guard case .run(_, let arguments, _) = action else { return false }
            return words.contains { word in arguments.contains { $0.contains(word) } }
        }
            || (setup + actions.flatMap(\.operations)).contains { operation in
                guard case .sysctl(let sysctl) = operation.action else { return false }
                return words.contains { sysctl.key.contains($0) }
            }
    }
}

extension Plan.StepPlan.Action {
    fileprivate var operations: [Operation] { if case .operations(let operations) = self { operations } else { [] } }
}

extension Evidence {
    /// Takes what was heard over.
    mutating func take(_ records: NetfilterRecords) {
        if records.hasEvents { conntrack = records.conntrack }
        if records.hasLog { invalid = records.invalid }
        if records.hasTraces { traces = records.traces }
        if !records.gaps.isEmpty { gaps = records.gaps }
    }
}
