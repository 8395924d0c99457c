internal import Evidence
internal import Measurement
internal import Net
internal import Scenario

extension Expectation.Traffic {
    func judged(in scope: Scope) -> Finding {
        let transcripts = scope.transcripts
        var finding = Finding(statement)
        finding.details = transcripts.enumerated().map { "#\($0 + 1) \($1.text)" }.limited()
        guard !transcripts.isEmpty else {
            finding.require(false, expected: statement, actual: "no request \(scope.period)")
            return finding
        }
        if let outcomes {
            let matches =
                outcomes.count == transcripts.count
                && zip(outcomes, transcripts).allSatisfy { $1.isDescribed(by: $0) }
            finding.require(
                matches, expected: "the outcomes \(outcomes.inline(limit: 24, separator: ", "))",
                actual: transcripts.map(\.word).inline(limit: 24, separator: ", "))
        }
        if let all {
            let others = transcripts.filter { !$0.isDescribed(by: all) }
            let words = others.map(\.word).inline(limit: 24, separator: ", ")
            finding.require(
                others.isEmpty, expected: "all \(transcripts.count.of("request")) \(Self.phrase(all))",
                actual: others.isEmpty ? "all of them" : "\(others.count) of \(transcripts.count) otherwise: \(words)")
        }
        for (name, count) in answeredBy.sorted(by: { $0.key < $1.key }) {
            let answered = transcripts.filter { $0.outcome == .answered && (name == "total" || $0.server == name) }
            finding.require(
                count.contains(answered.count),
                expected: count.of("request") + " answered" + (name == "total" ? "" : " by \(name)"),
                actual: "\(answered.count) of \(transcripts.count)")
        }
        if let seenFrom {
            let seen = transcripts.filter { $0.outcome == .answered }.map(\.seenFrom?.address)
            let others = seen.filter { $0 != seenFrom }
            let addresses = Set(others.map { $0?.description ?? "nothing" }).sorted().joined(separator: ", ")
            finding.require(
                others.isEmpty && !seen.isEmpty, expected: "the servers to see the client as \(seenFrom)",
                actual: seen.isEmpty
                    ? "no request was answered" : others.isEmpty ? "\(seenFrom)" : "\(addresses) in \(others.count)")
        }
        if let outage {
            let (longest, from, to) = Self.outage(of: transcripts)
            finding.require(
                outage.contains(Int(longest)), expected: "an outage of \(outage.durationWords)",
                actual: "\(longest.seconds) s, from \(from.seconds) to \(to.seconds)")
        }
        if let error {
            let errors = transcripts.filter { $0.outcome != .answered }.compactMap(\.detail)
            let others = errors.filter { $0 != error }
            finding.require(
                others.isEmpty && !errors.isEmpty, expected: "the error \(error)",
                actual: errors.isEmpty
                    ? "no request with an error" : others.isEmpty ? error : others.inline(separator: ", "))
        }
        return finding
    }

    private var statement: String {
        var parts: [String] = []
        if let outcomes { parts.append("the requests end as \(outcomes.inline(limit: 24, separator: ", "))") }
        if let all { parts.append("all requests \(Self.phrase(all))") }
        for (name, count) in answeredBy.sorted(by: { $0.key < $1.key }) {
            parts.append("\(name == "total" ? "servers answer" : "\(name) answers") \(count.of("request"))")
        }
        if let seenFrom { parts.append("the servers see the client as \(seenFrom)") }
        if let error { parts.append("the error is \(error)") }
        if let outage { parts.append("the longest time without an answer is \(outage.durationWords)") }
        return parts.isEmpty ? "requests are made" : parts.joined(separator: " and ")
    }

    /// The longest time without an answer, and when it was; the first of several.
    private static func outage(
        of transcripts: [Transcript]
    ) -> (length: Nanoseconds, from: Nanoseconds, to: Nanoseconds) {
        let begin = transcripts.map(\.started).min() ?? 0
        let end = transcripts.map(\.ended).max() ?? 0
        let answers = transcripts.filter { $0.outcome == .answered }.map(\.ended).sorted()
        var longest = (length: Nanoseconds(-1), from: begin, to: begin)
        for (from, to) in zip([begin] + answers, answers + [end]) where to - from > longest.length {
            longest = (to - from, from, to)
        }
        return longest
    }

    /// `answered by rs1` or `connect timed out`.
    private static func phrase(_ word: String) -> String {
        Outcome(rawValue: word) == nil ? "answered by \(word)" : word
    }
}

extension Transcript {
    /// The host that answered, or how it ended without an answer.
    fileprivate var word: String { outcome == .answered ? server ?? outcome.rawValue : outcome.rawValue }

    fileprivate func isDescribed(by word: String) -> Bool {
        outcome.rawValue == word || (outcome == .answered && server == word)
    }

    fileprivate var text: String {
        let path = [source?.description ?? client, destination.description].joined(separator: " → ")
        let answer = outcome == .answered ? "answered" + (server.map { " by \($0)" } ?? "") : outcome.rawValue
        let why = detail.map { " (\($0))" } ?? ""
        let octets = "\(sentBytes) sent, \(receivedBytes) received"
        return
            "\(started.seconds) \(path) \(`protocol`) \(answer)\(why) after \(ended.subtractingSaturated(started).seconds) s, \(octets)"
    }
}
