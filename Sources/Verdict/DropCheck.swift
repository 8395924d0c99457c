internal import Evidence
internal import Net
internal import Scenario

extension Expectation.Drop {
    func judged(in scope: Scope) throws(Unjudgeable) -> Finding {
        let crossing = try Crossing(from: from, to: to, filter: packet, in: scope)
        let dropped = crossing.missing
        let counted = try countedRules(of: dropped, in: scope)
        var finding = Finding(
            "\(on) drops \(count.of("packet")) '\(packet)' between \(from) and \(to) by '\(rule)' in \(table) "
                + "\(counted.chain)" + (conntrack.map { ", conntrack state \($0)" } ?? ""))
        finding.control =
            "\(crossing.entered.of("packet")) '\(packet)' came in by \(from), \(crossing.passed) left by \(to)"
        finding.require(
            count.contains(dropped.count), expected: "\(count.of("packet")) '\(packet)' lost between \(from) and \(to)",
            actual: "\(dropped.count) of \(crossing.entered)")
        if crossing.entered == 0, count.contains(0) {
            finding.require(
                false, expected: "a control that shows such packets come in by \(from)",
                actual: "unproven: control matched nothing")
        }
        finding.require(
            !counted.rules.isEmpty && counted.explains(dropped.count) && (counted.packets >= 1 || count.maximum == 0),
            expected: "the drop counted by '\(rule)' in \(table) \(counted.chain) on \(on)",
            actual: "\(dropped.count.of("packet")) lost, \(counted.actual) counted")
        finding.details = scope.run.text(dropped)
        counted.describe(in: &finding)
        if let conntrack, !dropped.isEmpty {
            try judgeConntrack(conntrack, of: dropped, in: scope, finding: &finding)
        }
        return finding
    }

    /// The rules of the family of what was dropped; chains of iptables and ip6tables often have one name. Else those of
    /// the family that has such rules.
    private func countedRules(of dropped: [Seen], in scope: Scope) throws(Unjudgeable) -> CountedRules {
        let isIPv6 = dropped.contains { $0.headers?.packet?.source.family == .v6 }
        let families = isIPv6 ? ["ipv6", "ipv4", "bridge", "arp"] : ["ipv4", "ipv6", "bridge", "arp"]
        let first = try CountedRules(on: on, family: families[0], table: table, chain: chain, rule: rule, in: scope)
        guard first.rules.isEmpty else { return first }
        for family in families.dropFirst() {
            let other = try CountedRules(on: on, family: family, table: table, chain: chain, rule: rule, in: scope)
            if !other.rules.isEmpty { return other }
        }
        return first
    }

    /// Every dropped packet's connection must be in the state, by the first snapshot after the drop.
    private func judgeConntrack(
        _ wanted: String, of dropped: [Seen], in scope: Scope, finding: inout Finding
    ) throws(Unjudgeable) {
        let namespace = try scope.names.namespace(on)
        var otherwise: [String] = []
        var matching = 0
        for seen in dropped {
            guard let packet = seen.headers?.packet else {
                // ARP and other protocols beside IP have no connection.
                if wanted == "none" { matching += 1 } else { otherwise.append("none for a frame without IP") }
                continue
            }
            let entries = (scope.run.snapshot(after: seen.frame.time).conntrack[namespace] ?? []).filter {
                $0.concerns(packet)
            }
            // UNREPLIED is all that conntrack says of a UDP flow.
            let fits =
                wanted == "none"
                ? entries.isEmpty : entries.contains { $0.state == wanted || $0.flags.contains(wanted) }
            if fits { matching += 1 }
            if !fits { otherwise += entries.isEmpty ? ["none for \(packet.text)"] : entries.map(\.text) }
        }
        var distinct: [String] = []
        for text in otherwise where !distinct.contains(text) { distinct.append(text) }
        finding.require(
            otherwise.isEmpty && matching > 0, expected: "conntrack state \(wanted) on \(on)",
            actual: distinct.isEmpty ? wanted : distinct.inline())
    }
}

extension ConntrackEntry {
    /// Whether a packet is one of this connection, in either direction; of ICMP, whether its addresses are.
    fileprivate func concerns(_ packet: Packet) -> Bool {
        guard packet.protocolName == `protocol` || String(packet.protocolNumber) == `protocol` else { return false }
        return [original, reply].contains { tuple in
            tuple.source == packet.source && tuple.destination == packet.destination
                && (packet.sourcePort == nil || tuple.sourcePort == packet.sourcePort)
                && (packet.destinationPort == nil || tuple.destinationPort == packet.destinationPort)
        }
    }
}

extension Run {
    /// The first state that was recorded after a moment: the one behind the step it lies in (or in the pause behind it).
    func snapshot(after time: Nanoseconds) -> Snapshot {
        let steps = evidence.steps
        if let last = steps.last, time > last.ended { return evidence.final }
        let index = steps.lastIndex { $0.started <= time } ?? 0
        return steps.indices.contains(index) ? steps[index].after : evidence.final
    }
}
