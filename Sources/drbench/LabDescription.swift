import Net
import Plan

/// What there is in a laboratory that stands open, for those who come.
struct LabDescription {
    private let plan: Plan
    /// Its name if it must be said which lab is meant.
    private let lab: String?

    init(_ plan: Plan, lab: String?) {
        self.plan = plan
        self.lab = lab
    }

    /// Each machine with its ports and their addresses.
    var lines: [String] {
        var lines: [String] = []
        let width = plan.namespaces.map(\.name.count).max() ?? 0
        for (role, title) in [
            (Plan.Namespace.Role.host, "hosts"), (.hypervisor, "hypervisors"), (.switch, "switches"),
        ] {
            let places = plan.namespaces.filter { $0.role == role }
            guard !places.isEmpty else { continue }
            lines.append(title)
            for place in places {
                let ports = ports(of: place.name).map { port in
                    ([port] + addresses(of: port, in: place.name)).joined(separator: " ")
                }
                let name = place.name.padding(to: width)
                lines.append("  \(name)  \(ports.joined(separator: ", "))")
            }
        }
        return lines
    }

    /// Commands worth trying, the first ones where something may be wrong.
    /// - Parameter blamed: the places of the blame.
    func suggestions(blamed: [String] = []) -> [(command: String, why: String)] {
        let option = lab.map { " --lab \($0)" } ?? ""
        func shell(_ place: String, _ command: String = "") -> String {
            "drbench shell\(option) \(place)" + (command.isEmpty ? "" : " -- \(command)")
        }
        var suggestions: [(String, String)] = []
        for place in blamed { suggestions.append((shell(place), "a shell where packets died")) }
        let hypervisors = plan.namespaces.filter { $0.role == .hypervisor }.map(\.name)
        let hosts = plan.namespaces.filter { $0.role == .host }.map(\.name)
        let directors = plan.setup.compactMap { operation in
            if case .addService = operation.action { operation.namespace } else { nil }
        }
        let filtering = blamed.first ?? hypervisors.first ?? directors.first ?? hosts.first
        if blamed.isEmpty, let first = directors.first ?? hosts.first { suggestions.append((shell(first), "a shell")) }
        if let filtering {
            suggestions.append((shell(filtering, "conntrack -L"), "what its conntrack knows"))
            suggestions.append((shell(filtering, "iptables-legacy -vnL"), "its rules, and what they counted"))
        }
        if let director = directors.first {
            suggestions.append((shell(director, "ipvsadm -Ln"), "the director's table"))
        }
        if let filtering, let port = ports(of: filtering).first {
            suggestions.append((shell(filtering, "tcpdump -eni \(port)"), "what passes now"))
        }
        if let first = hosts.first {
            suggestions.append((shell(first, "ip netns list"), "all namespaces; ip netns exec NAME enters one"))
        }
        return suggestions
    }

    private func ports(of place: String) -> [String] {
        var ports = plan.captures.filter { $0.namespace == place }.map(\.interface)
        for operation in plan.setup where operation.namespace == place {
            if case .addAddress(_, let interface) = operation.action, !ports.contains(interface) {
                ports.append(interface)
            }
        }
        return ports
    }

    private func addresses(of port: String, in place: String) -> [String] {
        plan.setup.compactMap { operation in
            guard operation.namespace == place, case .addAddress(let prefix, port) = operation.action else {
                return nil
            }
            return "\(prefix)"
        }
    }
}

extension [(command: String, why: String)] {
    /// One a line, what they are for behind them.
    var lines: [String] {
        let width = map(\.command.count).max() ?? 0
        return map { "  \($0.command.padding(to: width))  # \($0.why)" }
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
