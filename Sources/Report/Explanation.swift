public import Evidence
internal import Net
public import Scenario
public import Verdict

/// What `drbench explain` says of a run: the ladder, and a block for each flow that failed.
public struct Explanation {
    private let scenario: Scenario
    private let evidence: Evidence
    let journeys: Journeys
    let diagnostician: Diagnostician
    private let width = 100

    public init(scenario: Scenario, evidence: Evidence, journeys: Journeys) {
        self.scenario = scenario
        self.evidence = evidence
        self.journeys = journeys
        diagnostician = Diagnostician(scenario: scenario, evidence: evidence, journeys: journeys)
    }

    /// - Parameters:
    ///   - chosen: the numbers of journeys to speak of; nil for the flows that failed, or, if none did, the first flow.
    ///   - folder: where the evidence is, for the reader to find it.
    public func text(of chosen: Set<Int>?, folder: String) -> String {
        var failing = failingFlows
        var shown: [Journey]
        if let chosen {
            shown = journeys.journeys.filter { chosen.contains($0.number) }
            failing = failing.filter { flow in (flow.forward + flow.reply).contains { chosen.contains($0 + 1) } }
        } else {
            let flows = failing.isEmpty ? Array(journeys.flows.prefix(1)) : Array(failing.prefix(2))
            let indices = Set(flows.flatMap { $0.forward + $0.reply })
            shown = journeys.journeys.enumerated().filter { indices.contains($0.offset) || isOddity($0.element) }
                .map(\.element)
        }
        var lines = ["\(scenario.fullName): \(scenario.title)", tally, ""]
        lines += Ladder(shown, width: width).lines(shown)
        let kinds = grouped(failing)
        for group in kinds { lines += [""] + block(group, folder: folder) }
        let strays = shown.filter { $0.flow == nil && !$0.end.isGood && isOddity($0) }
        var told: [String] = []
        for stray in strays {
            let key = "\(stray.blame?.place ?? "") \(stray.blame?.rule?.chain ?? "") \(stray.blame?.rule?.number ?? 0)"
            guard !told.contains(key), told.count < 4 else { continue }
            told.append(key)
            lines += [""] + block(stray, folder: folder)
        }
        if failing.isEmpty, strays.isEmpty, chosen == nil { lines += ["", "No flow failed."] }
        return lines.joined(separator: "\n")
    }

    /// The names of what made flows fail, each once; `?` for a flow whose failure nothing explains.
    public var reasons: [String] {
        var names: [String] = []
        for flow in failingFlows {
            let name = diagnostician.diagnosis(of: flow)?.name ?? "? (\(flow.text))"
            if !names.contains(name) { names.append(name) }
        }
        return names
    }

    /// ARP and the like that a rule dropped belong to the story.
    func isOddity(_ journey: Journey) -> Bool {
        journey.flow == nil && journey.blame.map { !$0.rules.isEmpty } ?? false
    }

    var tally: String {
        var counts: [String: Int] = [:]
        for journey in journeys.journeys { counts[journey.end.text, default: 0] += 1 }
        let parts = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" }
        return "\(journeys.journeys.count) packets: " + parts.joined(separator: ", ")
    }

    /// Those with a request that was not answered, or with a packet that met its end.
    var failingFlows: [Flow] {
        let unanswered = journeys.flows.filter { flow in
            transcript(of: flow).map { $0.outcome != .answered } ?? (firstDead(of: flow) != nil)
        }
        // Those that lost packets and came through nevertheless are told of behind them.
        return unanswered + journeys.flows.filter { !unanswered.contains($0) && firstDead(of: $0) != nil }
    }

    func transcript(of flow: Flow) -> Transcript? {
        evidence.steps.lazy.flatMap(\.transcripts).first {
            $0.source == flow.client && $0.destination == flow.server
        }
    }

    /// Flows that failed in the same way are told once.
    func grouped(_ flows: [Flow]) -> [[Flow]] {
        var groups: [[Flow]] = []
        var keys: [String] = []
        for flow in flows {
            let dead = firstDead(of: flow)
            let key = [
                transcript(of: flow)?.outcome.rawValue, dead?.end.text, dead?.blame?.place,
                dead?.blame?.rule?.chain, diagnostician.diagnosis(of: flow)?.because,
            ].map { $0 ?? "" }.joined(separator: "|")
            if let known = keys.firstIndex(of: key) {
                groups[known].append(flow)
            } else {
                keys.append(key)
                groups.append([flow])
            }
        }
        return groups
    }

    func firstDead(of flow: Flow) -> Journey? {
        (flow.forward + flow.reply).sorted().map { journeys.journeys[$0] }.first { !$0.end.isGood }
    }

    // MARK: Blocks

    private func block(_ flows: [Flow], folder: String) -> [String] {
        guard let flow = flows.first else { return [] }
        var head = flow.text
        if let transcript = transcript(of: flow) { head += ": \(transcript.outcome.rawValue)" }
        if flows.count > 1 { head += " (and \(flows.count - 1) more)" }
        var lines = [head]
        if let dead = firstDead(of: flow) {
            lines += hops(of: dead)
            let others = (flow.forward + flow.reply).sorted().map { journeys.journeys[$0] }
                .filter { !$0.end.isGood && $0.number != dead.number }
            if !others.isEmpty {
                lines.append(
                    "           and so \(others.prefix(8).map { "#\($0.number)" }.joined(separator: ", "))"
                        + (others.count > 8 ? " and \(others.count - 8) more" : ""))
            }
        } else if let last = (flow.forward + flow.reply).max() {
            lines += hops(of: journeys.journeys[last])
        }
        if let diagnosis = diagnostician.diagnosis(of: flow) { lines += said(diagnosis) }
        lines += evidenceLines(flow, folder: folder)
        return lines
    }

    private func block(_ journey: Journey, folder: String) -> [String] {
        var lines = [journey.packet] + hops(of: journey)
        if let diagnosis = diagnostician.diagnosis(of: journey) { lines += said(diagnosis) }
        return lines
    }

    private func hops(of journey: Journey) -> [String] {
        var lines = ["  journey  #\(journey.number) \(journey.packet)"]
        let ports = journey.hops.map(\.port.count).max() ?? 0
        for (index, hop) in journey.hops.enumerated() {
            if journey.hops.count > 18, (12..<journey.hops.count - 4).contains(index) {
                if index == 12 { lines.append("           … \(journey.hops.count - 16) more") }
                continue
            }
            let words = line(of: hop, ports: ports)
            lines.append(String(("           " + words).prefix(width)))
        }
        guard !journey.end.isGood else { return lines + ["  end      \(journey.end.text)"] }
        lines.append("  killed   \(journey.end.text)" + (journey.blame.map { ", at \($0.place)" } ?? ""))
        for rule in journey.blame?.rules ?? [] {
            lines += wrapped("\(rule.table) \(rule.chain) \(rule.number): \(rule.rule)", label: "")
        }
        for fact in journey.blame?.evidence ?? [] { lines += wrapped(fact, label: "") }
        return lines
    }

    /// `in  hv1:uplink  ttl  63  gw → lb  SYN_SENT [UNREPLIED]`.
    func line(of hop: Hop, ports: Int = 0) -> String {
        var words = ["\(hop.direction == .into ? "in " : "out") \(hop.port.padded(to: ports))"]
        if let ttl = hop.ttl { words.append("ttl \(String(ttl).leftPadded(to: 3))") }
        words.append("\(name(of: hop.sourceMAC)) → \(name(of: hop.destinationMAC))".padded(to: ports == 0 ? 0 : 13))
        if let wrapping = hop.wrapping { words.append(wrapping) }
        if let tunnel = hop.tunnel { words.append("in \(tunnel)") }
        if let conntrack = hop.conntrack { words.append(conntrack) }
        return words.joined(separator: "  ").trimmedEnd
    }

    /// The machine's, or the MAC address itself.
    func name(of mac: MACAddress) -> String {
        if mac == .broadcast { return "all" }
        return scenario.hosts.first { host in host.ports.contains { $0.macAddress == mac } }?.name ?? mac.description
    }

    private func said(_ diagnosis: Diagnosis) -> [String] {
        var lines = wrapped(diagnosis.because, label: "because")
        for (index, remedy) in diagnosis.remedies.enumerated() {
            lines += wrapped("\(remedy.text) (\(remedy.scenario))", label: index == 0 ? "try" : "")
        }
        return lines
    }

    private func evidenceLines(_ flow: Flow, folder: String) -> [String] {
        guard let journey = firstDead(of: flow) ?? (flow.forward + flow.reply).max().map({ journeys.journeys[$0] }),
            let hop = journey.lastHop
        else { return [] }
        var words = "frame \(hop.frame + 1) of \(folder)/capture.pcapng"
        if let place = journey.blame?.place, !(journey.blame?.rules.isEmpty ?? true) {
            words += "; \(folder)/rules, \(place)"
        }
        return wrapped(words, label: "see")
    }

    /// Lines of at most the width, behind a label.
    private func wrapped(_ text: String, label: String) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + word.count + 1 > width - 11 {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        lines.append(line)
        return lines.enumerated().map { index, line in
            "  " + (index == 0 ? label : "").padded(to: 9) + line
        }
    }
}
