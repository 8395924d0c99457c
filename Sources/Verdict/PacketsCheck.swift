internal import Evidence
internal import Measurement
internal import Net
internal import Scenario

extension Expectation.Packets {
    func judged(in scope: Scope) throws(Unjudgeable) -> Finding {
        let port = try scope.names.port(at)
        let name = scope.portName(port)
        let frames = try scope.frames(at: port, matching: filter)
        // Without a count something must be there for the other conditions to speak of.
        let count = count ?? (bytes == nil && share == nil ? .some : nil)
        var finding = Finding(statement(at: name))
        var offending: [Seen] = []

        if let count {
            let holds = count.contains(frames.count)
            if !holds { offending += frames }
            let total = scope.frames(at: port).count
            finding.require(
                holds, expected: "\(count.of("frame")) matching '\(filter)' at \(name)",
                actual: frames.isEmpty ? "0 of the \(total.of("frame")) there" : "\(frames.count)")
        }
        if let bytes {
            let sum = frames.map(\.frame.wireLength).saturatingSum
            finding.require(
                bytes.contains(sum), expected: "\(bytes.of("octet")) in frames matching '\(filter)' at \(name)",
                actual: "\(sum.of("octet")) in \(frames.count.of("frame"))")
        }
        if let share, let of { try judge(share, of: of, frames, port: port, in: scope, &finding) }
        if let tcpTimestamps { offending += judge(tcpTimestamps, frames, at: name, &finding) }
        for (end, text, address) in [
            ("from", sourceMAC, \Headers.sourceMAC), ("to", destinationMAC, \Headers.destinationMAC),
        ] {
            guard let text else { continue }
            let macs = try scope.names.macs(text)
            let others = frames.filter { !macs.contains($0.headers?[keyPath: address] ?? .init(bits: 0)) }
            let seen = Set(others.compactMap { $0.headers?[keyPath: address] }).sorted().map {
                scope.names.name(of: $0)
            }
            offending += others
            finding.require(
                others.isEmpty, expected: "every frame matching '\(filter)' at \(name) \(end) the MAC of \(text)",
                actual: others.isEmpty
                    ? "all \(frames.count)"
                    : "\(others.count) of \(frames.count) \(end) \(seen.joined(separator: ", "))")
        }
        if let ttl {
            let others = frames.filter { $0.headers?.packet?.ttl != ttl }
            let seen = Set(others.compactMap { $0.headers?.packet?.ttl }).sorted().map(String.init)
            offending += others
            finding.require(
                others.isEmpty, expected: "every frame matching '\(filter)' at \(name) with TTL \(ttl)",
                actual: others.isEmpty
                    ? "all \(frames.count)"
                    : "\(others.count) of \(frames.count) with \(seen.isEmpty ? "none" : seen.joined(separator: ", "))")
        }
        var listed: Set<Int> = []
        finding.details = scope.run.text(offending.filter { listed.insert($0.index).inserted })
        try addControl(to: &finding, in: scope, port: port, found: frames.count)
        return finding
    }

    private func judge(
        _ share: Expectation.Count, of other: Control, _ frames: [Seen], port: Int, in scope: Scope,
        _ finding: inout Finding
    ) throws(Unjudgeable) {
        let otherPort = try other.at.map { name throws(Unjudgeable) in try scope.names.port(name) } ?? port
        let part = frames.map(\.frame.wireLength).saturatingSum
        let whole = try scope.frames(at: otherPort, matching: other.filter).map(\.frame.wireLength).saturatingSum
        let percent = whole == 0 ? nil : Int(saturating: Double(part) * 100_000 / Double(whole))
        finding.require(
            percent.map(share.contains) ?? false,
            expected: "\(share.percentWords) of the octets matching '\(other.filter)' at \(scope.portName(otherPort))",
            actual: percent.map { "\($0.percent), \(part) of \(whole.of("octet"))" } ?? "there are none")
    }

    /// The frames in whose order the timestamps fall, or that have none.
    private func judge(
        _ wanted: Timestamps, _ frames: [Seen], at name: String, _ finding: inout Finding
    ) -> [Seen] {
        let without = frames.filter { $0.headers?.packet?.timestamp == nil }
        var falls: [Seen] = []
        var last: UInt32?
        for frame in frames {
            guard let timestamp = frame.headers?.packet?.timestamp else { continue }
            // They count modulo 2 to the 32nd (RFC 7323, 5.2).
            if let last, Int32(bitPattern: timestamp &- last) < 0 { falls.append(frame) }
            last = timestamp
        }
        finding.require(
            without.isEmpty && falls.isEmpty == (wanted == .ascending),
            expected: "TCP timestamps of frames matching '\(filter)' at \(name) to be \(wanted.rawValue)",
            actual: !without.isEmpty
                ? "\(without.count) of \(frames.count.of("frame")) without one"
                : falls.isEmpty ? "ascending in \(frames.count.of("frame"))" : "\(falls.count) times one that is lower")
        return without.isEmpty ? wanted == .ascending ? falls : [] : without
    }

    /// Seeing nothing proves nothing unless the capture can see: then the control must have matched.
    private func addControl(
        to finding: inout Finding, in scope: Scope, port: Int, found: Int
    ) throws(Unjudgeable) {
        guard control != nil || found == 0 else { return }
        let control = try scope.control(control, at: port)
        finding.control = control.text
        guard !control.satisfied else { return }
        finding.require(
            false, expected: "a control that shows such frames can be seen at \(scope.portName(port))",
            actual: "unproven: control matched nothing (\(control.text))")
    }

    private func statement(at name: String) -> String {
        var parts: [String] = []
        if let sourceMAC { parts.append("from the MAC of \(sourceMAC)") }
        if let destinationMAC { parts.append("to the MAC of \(destinationMAC)") }
        if let ttl { parts.append("with TTL \(ttl)") }
        if let tcpTimestamps { parts.append("with TCP timestamps \(tcpTimestamps.rawValue)") }
        let all = parts.isEmpty ? "" : ", all \(parts.joined(separator: ", "))"
        if let share, let of {
            let place = of.at.map { " at \($0)" } ?? ""
            return "\(name) carries in frames matching '\(filter)' \(share.percentWords) of the octets matching "
                + "'\(of.filter)'\(place)\(all)"
        }
        if let bytes {
            let frames = count.map { " in \($0.of("frame"))" } ?? ""
            return "\(name) carries \(bytes.of("octet"))\(frames) matching '\(filter)'\(all)"
        }
        return "\(name) carries \((count ?? .some).of("frame")) matching '\(filter)'\(all)"
    }
}
