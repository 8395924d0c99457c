public import Evidence
internal import Measurement
internal import Net
public import Verdict

/// What of a run can be compared with another run: no times, no port numbers that a kernel chose, nothing that a seed
/// decides.
public struct RunFacts: Sendable, Equatable {
    /// A kind of fact, in the order in which differences are told.
    public enum Kind: String, Codable, Sendable, CaseIterable {
        case verdict
        /// How requests of a step ended.
        case outcome
        /// Whether an expectation holds, and what was found.
        case expectation
        /// How many packets went a way and ended so.
        case journeys
        /// What a rule counted.
        case rule
        /// An SNMP counter's growth.
        case counter
        /// IPVS: connections and packets of services and real servers.
        case ipvs
        /// Entries in a state.
        case conntrack
    }

    /// What a fact is about, and what it says.
    struct Facts: Sendable, Equatable {
        private(set) var subjects: [String] = []
        private(set) var values: [String: Value] = [:]

        mutating func set(_ subject: String, _ value: Value) {
            if values.updateValue(value, forKey: subject) == nil { subjects.append(subject) }
        }

        mutating func count(_ subject: String, _ number: Int = 1) {
            if case .number(let known) = values[subject] {
                values[subject] = .number(known.addingSaturated(number))
            } else {
                set(subject, .number(number))
            }
        }
    }

    enum Value: Sendable, Equatable, CustomStringConvertible {
        case text(String)
        /// One that is not told is zero.
        case number(Int)

        var description: String {
            switch self {
            case .text(let text): text
            case .number(let number): String(number)
            }
        }
    }

    let scenario: String
    private(set) var facts: [Kind: Facts] = [:]

    /// - Parameters:
    ///   - evidence: nil if the run left none.
    ///   - journeys: nil if they could not be put together: the scenario's file is not there any more.
    public init(verdict: Verdict, evidence: Evidence?, journeys: Journeys?) {
        scenario = verdict.scenario
        facts[.verdict] = Self.facts { $0.set("", .text(verdict.status.rawValue)) }
        facts[.expectation] = Self.facts { facts in
            for check in verdict.checks {
                let place = check.place == "end" ? "" : "\(check.place): "
                // Of what holds, how exactly it does is no difference worth a line: the counters tell it.
                let found = check.status == .passed ? "holds" : "does not hold, \(check.actual)"
                facts.set(place + check.statement, .text(found))
            }
        }
        if let evidence {
            facts[.outcome] = Self.facts { Self.outcomes(evidence, &$0) }
            facts[.rule] = Self.facts { Self.rules(evidence, &$0) }
            facts[.counter] = Self.facts { Self.counters(evidence, &$0) }
            facts[.ipvs] = Self.facts { Self.ipvs(evidence, &$0) }
            facts[.conntrack] = Self.facts { Self.conntrack(evidence, &$0) }
        }
        if let journeys {
            facts[.journeys] = Self.facts { facts in
                for journey in journeys.journeys { facts.count(journey.kind) }
            }
        }
    }

    private static func facts(_ fill: (inout Facts) -> Void) -> Facts {
        var facts = Facts()
        fill(&facts)
        return facts
    }

    /// `rs2, rs1, connected then silent`; of many the counts.
    private static func outcomes(_ evidence: Evidence, _ facts: inout Facts) {
        for step in evidence.steps where !step.transcripts.isEmpty {
            let words = step.transcripts.map { transcript in
                transcript.outcome == .answered ? transcript.server ?? "answered" : transcript.outcome.rawValue
            }
            guard words.count > 12 else {
                facts.set(step.name, .text(words.joined(separator: ", ")))
                continue
            }
            var counts: [String: Int] = [:]
            for word in words { counts[word, default: 0] += 1 }
            let text = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" }
            facts.set(step.name, .text(text.joined(separator: ", ")))
        }
        for step in evidence.steps {
            guard let command = step.command else { continue }
            facts.set("\(step.name): \(command.arguments.joined(separator: " "))", .text("status \(command.status)"))
        }
    }

    private static func rules(_ evidence: Evidence, _ facts: inout Facts) {
        for (place, rules) in evidence.final.rules.sorted(by: { $0.key < $1.key }) {
            // By their texts, as a rule that was put in front of them changes nothing but their numbers.
            var ranks: [String: Int] = [:]
            for rule in rules {
                let subject = "\(place) \(rule.family) \(rule.table) \(rule.chain): \(rule.rule)"
                ranks[subject, default: 0] += 1
                let rank = ranks[subject, default: 1]
                facts.set(rank == 1 ? subject : "\(subject) (\(rank))", .number(rule.packets))
            }
        }
    }

    private static func counters(_ evidence: Evidence, _ facts: inout Facts) {
        for (place, counters) in evidence.final.counters.sorted(by: { $0.key < $1.key }) {
            let before = evidence.initial.counters[place] ?? [:]
            for (name, count) in counters.sorted(by: { $0.key < $1.key }) {
                facts.set("\(place) \(name)", .number(count.subtractingSaturated(before[name] ?? 0)))
            }
        }
    }

    private static func ipvs(_ evidence: Evidence, _ facts: inout Facts) {
        func set(_ subject: String, _ statistics: IPVSStatistics) {
            facts.set("\(subject) connections", .number(Int(clamping: statistics.connections)))
            facts.set("\(subject) incoming packets", .number(Int(clamping: statistics.inPackets)))
            facts.set("\(subject) outgoing packets", .number(Int(clamping: statistics.outPackets)))
        }
        for (place, state) in evidence.final.ipvs.sorted(by: { $0.key < $1.key }) {
            for service in state.services {
                let endpoint = service.address.map { "\(Endpoint($0, port: service.port ?? 0))" } ?? ""
                let name = service.firewallMark.map { "mark \($0)" } ?? "\(service.protocol ?? "") \(endpoint)"
                set("\(place) \(name)", service.statistics)
                for server in service.destinations {
                    set("\(place) \(name) → \(Endpoint(server.address, port: server.port))", server.statistics)
                }
            }
        }
    }

    private static func conntrack(_ evidence: Evidence, _ facts: inout Facts) {
        for (place, entries) in evidence.final.conntrack.sorted(by: { $0.key < $1.key }) {
            for entry in entries {
                let words =
                    [place, entry.protocol, entry.state].compactMap { $0 } + entry.flags.map { "[\($0)]" }
                    + (entry.zone == 0 ? [] : ["zone \(entry.zone)"])
                facts.count(words.joined(separator: " "))
            }
        }
    }
}

extension Journey {
    /// What two journeys have in common that a reader would call the same: `ACK client, gw, hv1: dropped by …, at hv1`.
    fileprivate var kind: String {
        let way = hops.map(\.namespace).reduce(into: [String]()) { if $0.last != $1 { $0.append($1) } }
        var text = "\(short) \(way.prefix(12).joined(separator: ", ")): \(end.text)"
        guard !end.isGood, let blame else { return text }
        text += ", at \(blame.place)"
        if let rule = blame.rule { text += ", by \(rule.table) \(rule.chain) \(rule.rule)" }
        return text
    }
}
