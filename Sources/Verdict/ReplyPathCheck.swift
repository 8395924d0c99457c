internal import Evidence
internal import Net
internal import Scenario

extension Expectation.ReplyPath {
    func judged(in scope: Scope) throws(Unjudgeable) -> Finding {
        let gateway = try scope.names.port(at)
        let replies = scope.frames(at: gateway).filter(isReply)
        var finding = Finding(statement)
        var controls = ["\(replies.count.of("reply", "replies")) at \(scope.portName(gateway))"]

        var macs: [MACAddress] = []
        for host in from { macs += try scope.names.macs(host) }
        let strays = replies.filter { !macs.contains($0.headers?.sourceMAC ?? .init(bits: 0)) }
        let servers = from.joined(separator: " or ")
        finding.require(
            strays.isEmpty && !replies.isEmpty,
            expected: "replies from \(vip) at \(scope.portName(gateway)), all with the MAC of \(servers)",
            actual: replies.isEmpty
                ? "unproven: no reply was seen there"
                : strays.isEmpty
                    ? tally(replies, scope) : "\(strays.count) of \(replies.count) otherwise: \(tally(strays, scope))")
        finding.details = scope.run.text(strays)

        if let notAcross {
            let director = try scope.names.port(notAcross)
            let name = scope.portName(director)
            let crossing = scope.frames(at: director).filter(isReply)
            let requests = scope.frames(at: director).filter { $0.headers?.packet?.destination == vip }.count
            controls.append("\(requests.of("request")) at \(name)")
            finding.require(
                crossing.isEmpty && requests > 0, expected: "no reply from \(vip) across \(name)",
                actual: !crossing.isEmpty
                    ? "\(crossing.count)" : requests > 0 ? "0" : "unproven: no request was seen there")
            finding.details += scope.run.text(crossing)
        }
        if let across {
            let director = try scope.names.port(across)
            let name = scope.portName(director)
            // The director sends the reply before the gateway gets it, so the whole run is looked at.
            let crossed = Set(scope.run.frames(at: director).compactMap { $0.headers?.packet.map(PacketIdentity.init) })
            let past = replies.filter { reply in
                reply.headers?.packet.map { !crossed.contains(PacketIdentity($0)) } ?? true
            }
            controls.append("\(crossed.count.of("packet")) at \(name)")
            finding.require(
                past.isEmpty && !replies.isEmpty, expected: "every reply from \(vip) across \(name)",
                actual: replies.isEmpty
                    ? "unproven: no reply was seen at all"
                    : past.isEmpty ? "all \(replies.count)" : "\(past.count) of \(replies.count) past it")
            finding.details += scope.run.text(past)
        }
        finding.control = controls.joined(separator: ", ")
        return finding
    }

    /// The director's neighbour advertisement for the VIP comes from the VIP, too, but answers no client.
    private func isReply(_ seen: Seen) -> Bool {
        seen.headers?.packet?.source == vip && seen.headers?.neighbour == nil
    }

    private var statement: String {
        var text = "replies from \(vip) reach \(at) from \(from.joined(separator: " or "))"
        if let notAcross { text += ", none across \(notAcross)" }
        if let across { text += ", all across \(across)" }
        return text
    }

    /// `4 from rs1, 2 from rs2`.
    private func tally(_ frames: [Seen], _ scope: Scope) -> String {
        let names = frames.compactMap { $0.headers.map { scope.names.name(of: $0.sourceMAC) } }
        let counts = Dictionary(names.map { ($0, 1) }, uniquingKeysWith: +)
        return counts.sorted { $0.key < $1.key }.map { "\($0.value) from \($0.key)" }.joined(separator: ", ")
    }
}
