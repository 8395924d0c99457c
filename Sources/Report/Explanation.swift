public import Evidence
internal import Net
public import Scenario
internal import Text
public import Verdict

/// What `drbench explain` says of a run: the ladder, and a block for each flow that failed.
public struct Explanation {
    let scenario: Scenario
    private let evidence: Evidence
    public let journeys: Journeys
    let diagnostician: Diagnostician
    /// The flows that failed.
    let failures: [Failure]
    private let names: [MACAddress: String]
    private let width = 100

    /// A flow with a request that was not answered, or with a packet that met its end.
    struct Failure {
        var flow: Flow
        /// What its client saw of it, of the request that failed.
        var transcript: Transcript?
        /// The first of its journeys that ended badly; of an open connection's request, that no retransmission replaced.
        var dead: Journey?
        /// The last of its journeys, of those of the request that failed.
        var last: Journey?
        var diagnosis: Diagnosis?

        /// The one that tells most.
        var telling: Journey? { dead ?? last }

        var journeys: [Int] { (flow.forward + flow.reply).sorted() }
    }

    public init(scenario: Scenario, evidence: Evidence, journeys: Journeys) {
        self.scenario = scenario
        self.evidence = evidence
        self.journeys = journeys
        diagnostician = Diagnostician(scenario: scenario, evidence: evidence, journeys: journeys)
        failures = Self.failures(evidence, journeys, diagnostician)
        let cards = scenario.hosts.flatMap { host in host.ports.map { ($0.macAddress, host.name) } }
        names = Dictionary(cards, uniquingKeysWith: { first, _ in first })
    }

    /// Those whose request was not answered first; behind them those that lost packets and came through nevertheless.
    private static func failures(
        _ evidence: Evidence, _ journeys: Journeys, _ diagnostician: Diagnostician
    ) -> [Failure] {
        var transcripts: [Endpoint: [Transcript]] = [:]
        for transcript in evidence.steps.flatMap(\.transcripts) {
            if let source = transcript.source { transcripts[source, default: []].append(transcript) }
        }
        var unanswered: [Failure] = []
        var answered: [Failure] = []
        for flow in journeys.flows {
            // A connection that stays open has several requests.
            let requests = (transcripts[flow.client] ?? []).filter { $0.destination == flow.server }
            let failed = requests.first { $0.outcome != .answered }
            let span = requests.count > 1 ? failed.map { $0.started...max($0.started, $0.ended) } : nil
            let all = journeys.journeys(of: flow, during: span)
            let died = all.filter { !$0.end.isGood }
            let dead = span == nil ? died.first : died.first { !$0.isReplaced(in: all) }
            let isUnanswered = failed != nil || requests.isEmpty && dead != nil
            guard isUnanswered || dead != nil else { continue }
            let failure = Failure(
                flow: flow, transcript: failed ?? requests.first, dead: dead, last: all.last,
                diagnosis: diagnostician.diagnosis(of: flow, during: span))
            if isUnanswered { unanswered.append(failure) } else { answered.append(failure) }
        }
        return unanswered + answered
    }

    /// - Parameters:
    ///   - chosen: the numbers of journeys to speak of; nil for the flows that failed, or, if none did, the first flow.
    ///   - folder: where the evidence is, for the reader to find it.
    public func text(of chosen: Set<Int>?, folder: String) -> String {
        var failing = failures
        var shown: [Journey]
        if let chosen {
            shown = journeys.journeys.filter { chosen.contains($0.number) }
            failing = failing.filter { $0.journeys.contains { chosen.contains($0 + 1) } }
        } else {
            let flows = failing.isEmpty ? Array(journeys.flows.prefix(1)) : failing.prefix(2).map(\.flow)
            let indices = Set(flows.flatMap { $0.forward + $0.reply })
            shown = journeys.journeys.enumerated().filter { indices.contains($0.offset) || isOddity($0.element) }
                .map(\.element)
        }
        var lines = ["\(scenario.fullName): \(scenario.title)", tally, ""]
        lines += Ladder(shown, width: width).lines(shown)
        let kinds = grouped(failing)
        for group in kinds { lines += [""] + block(group, folder: folder) }
        let inFlows = Set(failing.flatMap { $0.journeys.map { $0 + 1 } })
        let strays = shown.filter { journey in
            journey.flow == nil && !journey.end.isGood && isOddity(journey)
                || journey.lostCopies != nil && !inFlows.contains(journey.number)
                    && (chosen != nil || isOddity(journey))
        }
        var told: [String] = []
        for stray in strays {
            let blame = stray.blame ?? stray.lostCopies?.first?.blame
            let key = "\(blame?.place ?? "") \(blame?.rule?.chain ?? "") \(blame?.rule?.number ?? 0)"
            guard !told.contains(key), told.count < 4 else { continue }
            told.append(key)
            lines += [""] + block(stray, folder: folder)
        }
        if failing.isEmpty, strays.isEmpty, chosen == nil { lines += ["", "No flow failed."] }
        for silent in silentInvalids where chosen.map({ !$0.isDisjoint(with: silent.journeys) }) ?? true {
            lines += ["", "\(silent.diagnosis.name) at \(silent.place): \(silent.text)"] + said(silent.diagnosis)
            lines += wrapped(numbers(silent.journeys), label: "see")
        }
        return lines.map(\.printable).joined(separator: "\n")
    }

    /// What came through by luck.
    var silentInvalids: [SilentInvalid] { SilentInvalid.all(in: journeys.journeys) }

    /// `#12, #13 and 5 more`.
    func numbers(_ journeys: [Int]) -> String {
        journeys.prefix(8).map { "#\($0)" }.joined(separator: ", ")
            + (journeys.count > 8 ? " and \(journeys.count - 8) more" : "")
    }

    /// ARP and the like that a rule dropped belong to the story, and copies that somebody misses.
    func isOddity(_ journey: Journey) -> Bool {
        journey.flow == nil && journey.blame.map { !$0.rules.isEmpty } ?? false || !copyDiagnoses(of: journey).isEmpty
    }

    /// Why copies of a journey were lost, each reason once.
    func copyDiagnoses(of journey: Journey) -> [Diagnosis] {
        var found: [Diagnosis] = []
        for copy in journey.lostCopies ?? [] {
            guard let diagnosis = diagnostician.diagnosis(of: copy, of: journey),
                !found.contains(where: { $0.name == diagnosis.name })
            else { continue }
            found.append(diagnosis)
        }
        return found
    }

    var tally: String {
        var counts: [String: Int] = [:]
        for journey in journeys.journeys { counts[journey.end.text, default: 0] += 1 }
        let parts = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" }
        return "\(journeys.journeys.count) packets: " + parts.joined(separator: ", ")
    }

    /// Flows that failed in the same way are told once.
    func grouped(_ failures: [Failure]) -> [[Failure]] {
        var groups: [[Failure]] = []
        var known: [[String?]: Int] = [:]
        for failure in failures {
            let dead = failure.dead
            let key = [
                failure.transcript?.outcome.rawValue, dead?.end.text, dead?.blame?.place, dead?.blame?.rule?.chain,
                failure.diagnosis?.because,
            ]
            if let group = known[key] {
                groups[group].append(failure)
            } else {
                known[key] = groups.count
                groups.append([failure])
            }
        }
        return groups
    }

    // MARK: Blocks

    private func block(_ failures: [Failure], folder: String) -> [String] {
        guard let failure = failures.first else { return [] }
        var head = failure.flow.text
        if let transcript = failure.transcript { head += ": \(transcript.outcome.rawValue)" }
        if failures.count > 1 { head += " (and \(failures.count - 1) more)" }
        var lines = [head]
        if let dead = failure.dead {
            lines += hops(of: dead)
            let others = failure.journeys.map { journeys.journeys[$0] }
                .filter { !$0.end.isGood && $0.number != dead.number }
            if !others.isEmpty {
                lines.append(
                    "           and so \(numbers(others.map(\.number)))")
            }
        } else if let last = failure.last {
            lines += hops(of: last)
        }
        if let diagnosis = failure.diagnosis { lines += said(diagnosis) }
        lines += evidenceLines(failure, folder: folder)
        return lines
    }

    private func block(_ journey: Journey, folder: String) -> [String] {
        var lines = [journey.packet] + hops(of: journey)
        if let diagnosis = diagnostician.diagnosis(of: journey) {
            lines += said(diagnosis)
        } else {
            for diagnosis in copyDiagnoses(of: journey) { lines += said(diagnosis) }
        }
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
        let copies = copyLines(of: journey)
        guard !journey.end.isGood else { return lines + ["  end      \(journey.end.text)"] + copies }
        lines.append("  killed   \(journey.end.text)" + (journey.blame.map { ", at \($0.place)" } ?? ""))
        for rule in journey.blame?.rules ?? [] {
            lines += wrapped("\(rule.table) \(rule.chain) \(rule.number): \(rule.rule)", label: "")
        }
        for fact in journey.blame?.evidence ?? [] { lines += wrapped(fact, label: "") }
        return lines + copies
    }

    /// What became of copies that bridges made of it, those that met the same end together.
    private func copyLines(of journey: Journey) -> [String] {
        var groups: [(text: String, ports: [String])] = []
        for copy in journey.lostCopies ?? [] {
            let rule = copy.blame.rule.map { ", \($0.table) \($0.chain) \($0.number): \($0.rule)" } ?? ""
            let text = "\(copy.end.text), at \(copy.blame.place)\(rule)"
            if let known = groups.firstIndex(where: { $0.text == text }) {
                groups[known].ports.append(copy.port)
            } else {
                groups.append((text, [copy.port]))
            }
        }
        return groups.enumerated().flatMap { index, group in
            wrapped("for \(group.ports.joined(separator: ", ")): \(group.text)", label: index == 0 ? "copies" : "")
        }
    }

    /// `in  hv1:uplink  ttl  63  gw → lb  SYN_SENT [UNREPLIED]`.
    func line(of hop: Hop, ports: Int = 0) -> String {
        var line = hop.direction == .into ? "in  " : "out "
        line.reserveCapacity(80)
        line += hop.port.padded(to: ports)
        if let ttl = hop.ttl {
            line += "  ttl "
            line += String(ttl).leftPadded(to: 3)
        }
        line += "  "
        let from = name(of: hop.sourceMAC)
        let to = name(of: hop.destinationMAC)
        line += from
        line += " → "
        line += to
        if ports > 0 { line += String(repeating: " ", count: max(0, 10 - from.utf8.count - to.utf8.count)) }
        for word in [hop.wrapping, hop.tunnel.map { "in \($0)" }, hop.conntrack] {
            guard let word else { continue }
            line += "  "
            line += word
        }
        return ports > 0 ? line.trimmedEnd : line
    }

    /// The machine's, or the MAC address itself.
    func name(of mac: MACAddress) -> String {
        mac == .broadcast ? "all" : names[mac] ?? mac.description
    }

    private func said(_ diagnosis: Diagnosis) -> [String] {
        var lines = wrapped(diagnosis.because, label: "because")
        for (index, remedy) in diagnosis.remedies.enumerated() {
            lines += wrapped("\(remedy.text) (\(remedy.scenario))", label: index == 0 ? "try" : "")
        }
        return lines
    }

    private func evidenceLines(_ failure: Failure, folder: String) -> [String] {
        guard let journey = failure.telling, let hop = journey.lastHop else { return [] }
        var words = "frame \(hop.frame + 1) of \(folder)/capture.pcapng"
        if let place = journey.blame?.place, !(journey.blame?.rules.isEmpty ?? true) {
            words += "; \(folder)/rules, \(place)"
        }
        return wrapped(words, label: "see")
    }

    /// Lines of at most the width, behind a label.
    func wrapped(_ text: String, label: String) -> [String] {
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
