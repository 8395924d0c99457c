internal import Evidence
internal import Measurement
internal import Net
internal import Scenario

extension Expectation.Neighbour {
    func judged(in scope: Scope) throws(Unjudgeable) -> Finding {
        let table = scope.state.neighbours[try scope.names.namespace(on)] ?? []
        let entries = table.filter { $0.address == address }
        let macs = try isHost.map { host throws(Unjudgeable) in try scope.names.macs(host) }
        var finding = Finding(statement)
        finding.details = table.map { $0.text(scope.names) }.limited()
        let found = entries.isEmpty ? "no entry" : entries.map { $0.text(scope.names) }.inline()
        if absent {
            finding.require(
                entries.isEmpty, expected: "no neighbour entry for \(address) on \(on)", actual: found)
        } else {
            let fitting = entries.filter { entry in
                (states.isEmpty || states.contains(entry.state))
                    && (macs.map { macs in entry.mac.map(macs.contains) ?? false } ?? true)
            }
            finding.require(
                !fitting.isEmpty, expected: "a neighbour entry for \(address)\(attributes) on \(on)", actual: found)
        }
        return finding
    }

    private var attributes: String {
        (isHost.map { " with the MAC of \($0)" } ?? "")
            + (states.isEmpty ? "" : " in \(states.joined(separator: " or "))")
    }

    private var statement: String {
        absent
            ? "\(on) has no neighbour entry for \(address)" : "\(on) has a neighbour entry for \(address)\(attributes)"
    }
}

extension Neighbour {
    fileprivate func text(_ names: Names) -> String {
        let owner = mac.map { names.name(of: $0) } ?? ""
        let lladdr = mac.map { " lladdr \($0)" + (owner == $0.description ? "" : " (\(owner))") } ?? ""
        return "\(address) dev \(interface)\(lladdr) \(state)"
    }
}

extension Expectation.Counter {
    func judged(in scope: Scope) throws(Unjudgeable) -> Finding {
        let namespace = try scope.names.namespace(on)
        // A counter at zero is left out of a snapshot.
        let counts = scope.snapshots.map { $0.counters[namespace]?[name] ?? 0 }
        let first = counts.first ?? 0
        let last = counts.last ?? 0
        let growth = last.subtractingSaturated(first)
        var finding = Finding("\(name) on \(on) grows by \(grows.words)")
        finding.require(
            grows.contains(growth), expected: "\(name) on \(on) to grow by \(grows.words)",
            actual: "\(growth) (from \(first) to \(last))")
        return finding
    }
}

extension Expectation.Command {
    func judged(in scope: Scope) throws(Unjudgeable) -> Finding {
        guard let command = scope.command else {
            throw Unjudgeable(
                scope.isStep ? "no command ran in this step" : "a command can only be judged in the step that runs it")
        }
        let text = command.arguments.joined(separator: " ")
        var finding = Finding(statement(text))
        if let status {
            finding.require(
                command.status == status, expected: "'\(text)' to end with \(Self.phrase(status))",
                actual: Self.phrase(command.status))
        }
        for wanted in prints {
            let printed = command.output.contains(wanted) || command.errors.contains(wanted)
            if !printed, let bytes = command.leftOut {
                throw Unjudgeable(
                    "'\(text)' printed so much that \(bytes) bytes are not kept: whether '\(wanted)' was among them is not"
                        + " known")
            }
            finding.require(
                printed, expected: "'\(text)' to print '\(wanted)'",
                actual: printed
                    ? "it did" : command.output.isEmpty && command.errors.isEmpty ? "no output" : "other output")
        }
        let lines = (command.output + "\n" + command.errors).split(separator: "\n").map(String.init)
        finding.details = lines.limited(to: 20)
        return finding
    }

    private func statement(_ text: String) -> String {
        var parts: [String] = []
        if let status { parts.append("ends with \(Self.phrase(status))") }
        parts += prints.map { "prints '\($0)'" }
        return "'\(text)' " + (parts.isEmpty ? "runs" : parts.joined(separator: " and "))
    }

    private static func phrase(_ status: Int32) -> String {
        status < 0 ? "signal \(-status)" : "exit code \(status)"
    }
}
