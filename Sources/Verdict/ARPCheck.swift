internal import Evidence
internal import Net
internal import Scenario

extension Expectation.ARP {
    func judged(in scope: Scope) throws(Unjudgeable) -> Finding {
        let port = try scope.names.port(at)
        let name = scope.portName(port)
        let askers = try askedBy.map { host throws(Unjudgeable) in try scope.names.macs(host) }
        let frames = scope.frames(at: port)
        let questions = frames.filter { seen in
            guard let message = seen.headers?.neighbour, message.isRequest, message.target == whoHas,
                // An announcement (gratuitous ARP) asks nobody.
                !message.isAnnouncement || tell == whoHas, tell == nil || message.sender == tell
            else { return false }
            return askers?.contains(message.senderMAC) ?? true
        }
        let answers = frames.filter { seen in
            guard let message = seen.headers?.neighbour, !message.isRequest, !message.isAnnouncement else {
                return false
            }
            return message.sender == whoHas && (tell == nil || message.target == tell)
        }

        var finding = Finding(statement(at: name))
        finding.details = scope.run.text((questions + answers).sorted { $0.index < $1.index })
        let count = requests ?? .some
        let others = frames.compactMap { $0.headers?.neighbour }.filter { $0.isRequest && $0.target == whoHas }
        let otherwise =
            questions.isEmpty && !others.isEmpty
            ? " (\(others.map { "\(scope.names.name(of: $0.senderMAC)) asks, tell \($0.sender)" }.inline()))" : ""
        finding.require(
            count.contains(questions.count), expected: "\(count.of("request")) '\(question)' at \(name)",
            actual: "\(questions.count)\(otherwise)")
        if count.contains(0), questions.isEmpty {
            let control = try scope.control(nil, at: port)
            finding.control = control.text
            if !control.satisfied {
                finding.require(
                    false, expected: "a control that shows such frames can be seen at \(name)",
                    actual: "unproven: control matched nothing (\(control.text))")
            }
        } else {
            finding.control = "\(questions.count.of("request")) '\(question)' at \(name)"
        }
        if let answeredBy {
            let answering = Set(answers.compactMap { $0.headers?.neighbour }.map { scope.names.name(of: $0.senderMAC) })
            finding.require(
                answering == Set(answeredBy),
                expected: "'\(question)' answered by \(Self.list(answeredBy)) at \(name)",
                actual: answering.isEmpty ? "no answer" : "\(answers.count.of("answer")) by \(Self.list(answering))")
        }
        return finding
    }

    private var question: String {
        "who-has \(whoHas)" + (tell.map { " tell \($0)" } ?? "") + (askedBy.map { " from \($0)" } ?? "")
    }

    private func statement(at name: String) -> String {
        "\(name) sees \((requests ?? .some).of("request")) '\(question)'"
            + (answeredBy.map { ", answered by \(Self.list($0))" } ?? "")
    }

    private static func list(_ hosts: some Collection<String>) -> String {
        hosts.isEmpty ? "nobody" : hosts.sorted().joined(separator: ", ")
    }
}
