internal import Evidence
public import Verdict

/// What a capture file can tell beside its frames: a comment where a packet met its end.
public struct PacketComments: Sendable, Equatable {
    /// By a frame's index in the capture.
    public private(set) var comments: [Int: String] = [:]

    public init(_ journeys: Journeys) {
        for journey in journeys.journeys {
            if let quoted = journey.quotes, let first = journey.hops.first {
                add("ICMP error about packet #\(quoted)", at: first.frame)
            }
            for copy in journey.lostCopies ?? [] {
                add("packet #\(journey.number), its copy for \(copy.port) \(Self.text(copy))", at: copy.frame)
            }
            guard !journey.end.isGood, let last = journey.lastHop else { continue }
            add(Self.comment(on: journey, last), at: last.frame)
        }
    }

    private mutating func add(_ comment: String, at frame: Int) {
        comments[frame] = comments[frame].map { "\($0)\n\(comment)" } ?? comment
    }

    /// `packet #11 dropped here: hv1 filter/neutron-linuxbri-i6c620000-0 rule 1 (-m state --state INVALID -j DROP), …`.
    private static func comment(on journey: Journey, _ last: Hop) -> String {
        let place = journey.blame?.place ?? last.namespace
        var text = "packet #\(journey.number) "
        text += Self.text(journey.end, journey.blame, at: place)
        if let conntrack = last.conntrack { text += "; conntrack \(conntrack)" }
        return text
    }

    private static func text(_ copy: Journey.LostCopy) -> String {
        text(copy.end, copy.blame, at: copy.blame.place)
    }

    private static func text(_ end: JourneyEnd, _ blame: Blame?, at place: String) -> String {
        guard let rule = blame?.rule else { return "ends here: \(end.text), at \(place)" }
        return "dropped here: \(place) \(rule.table)/\(rule.chain) "
            + (rule.number == 0 ? "(\(rule.rule))" : "rule \(rule.number) (\(rule.rule))")
    }
}
