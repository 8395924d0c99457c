internal import Evidence
public import Verdict

/// Why traffic of a run failed, in the words of its explanation: what every output format tells beside the checks.
public struct FlowFailure: Codable, Sendable, Equatable {
    /// `tcp 198.51.100.10:40312 → 203.0.113.2:80`; a packet of no flow as tcpdump writes it, and which copy of it.
    public var flow: String
    /// How its client saw it end: `connected then silent`.
    public var outcome: String?
    /// How many more flows failed in the same way.
    public var others: Int
    /// How its first packet that died ended, and where: `dropped by a rule about its conntrack state, at hv1`.
    public var end: String?
    /// The rule that did it: `filter neutron-linuxbri-i6c620000-0 1: -m state --state INVALID -j DROP`.
    public var rule: String?
    /// The mechanism, in a sentence.
    public var because: String?
    public var remedies: [Diagnosis.Remedy]
    /// That packet's frame in the capture, counting from 1 as Wireshark does: the last one that was seen.
    public var frame: Int?

    public init(
        flow: String, outcome: String? = nil, others: Int = 0, end: String? = nil, rule: String? = nil,
        because: String? = nil, remedies: [Diagnosis.Remedy] = [], frame: Int? = nil
    ) {
        self.flow = flow
        self.outcome = outcome
        self.others = others
        self.end = end
        self.rule = rule
        self.because = because
        self.remedies = remedies
        self.frame = frame
    }
}

extension Explanation {
    /// How flows failed, each way once, the most telling first; no more than `limit`.
    public func flowFailures(limit: Int = 5) -> [FlowFailure] {
        let groups = grouped(failures).prefix(limit).compactMap { group in
            group.first.map { first in
                FlowFailure(
                    first.dead, flow: first.flow.text, outcome: first.transcript?.outcome.rawValue,
                    others: group.count - 1, first.diagnosis)
            }
        }
        let strays = strays.prefix(limit - groups.count).map { stray in
            FlowFailure(stray.journey, flow: stray.name, outcome: nil, others: 0, stray.diagnosis)
        }
        return groups + strays
    }

    /// A packet of no flow that a rule dropped, or a copy of a flooded frame that somebody misses.
    struct Stray {
        /// As it ended; a copy's as that did.
        var journey: Journey
        /// The port that the copy was for.
        var port: String?
        var diagnosis: Diagnosis?

        /// The packet as tcpdump writes it, and which copy of it.
        var name: String { journey.packet + (port.map { ", its copy for \($0)" } ?? "") }
    }

    /// One for each rule; of a packet's copies one for each reason.
    var strays: [Stray] {
        let known = Set(failures.flatMap(\.journeys))
        var told: Set<String> = []
        var strays: [Stray] = []
        for (index, journey) in journeys.journeys.enumerated() where isOddity(journey) {
            if !journey.end.isGood {
                let rule = journey.blame?.rule
                let key = "\(journey.blame?.place ?? "") \(rule?.chain ?? "") \(rule?.number ?? 0)"
                guard journey.flow == nil, told.insert(key).inserted else { continue }
                strays.append(Stray(journey: journey, diagnosis: diagnostician.diagnosis(of: journey)))
                continue
            }
            for copy in known.contains(index) ? [] : journey.lostCopies ?? [] {
                guard let diagnosis = diagnostician.diagnosis(of: copy, of: journey),
                    told.insert("\(copy.blame.rule?.chain ?? "") \(diagnosis.name)").inserted
                else { continue }
                strays.append(Stray(journey: journey.ended(as: copy), port: copy.port, diagnosis: diagnosis))
            }
        }
        return Array(strays.prefix(4))
    }
}

extension FlowFailure {
    fileprivate init(_ dead: Journey?, flow: String, outcome: String?, others: Int, _ diagnosis: Diagnosis?) {
        let rule = dead?.blame?.rule
        self.init(
            flow: flow, outcome: outcome, others: others,
            end: dead.map { $0.end.text + ($0.blame.map { ", at \($0.place)" } ?? "") },
            rule: rule.map { "\($0.table) \($0.chain) \($0.number): \($0.rule)" }, because: diagnosis?.because,
            remedies: diagnosis?.remedies ?? [], frame: dead?.lastHop.map { $0.frame + 1 })
    }

    /// `tcp 198.51.100.10:40312 → 203.0.113.2:80: connected then silent (and 1 more)`.
    var head: String {
        flow + (outcome.map { ": \($0)" } ?? "") + (others > 0 ? " (and \(others) more)" : "")
    }

    /// What is known, each with its label, in the order in which it is told.
    var facts: [(label: String, text: String)] {
        [end.map { ("killed", $0) }, rule.map { ("by", $0) }, because.map { ("because", $0) }].compactMap { $0 }
            + remedies.map { ("try", "\($0.text) (\($0.scenario))") }
            + [frame.map { ("see", "frame \($0) of the capture") }].compactMap { $0 }
    }
}
