internal import Evidence
internal import Scenario

extension Expectation.Order {
    /// At one instant only a port's own capture tells what was first: what two ports saw at the same time of the virtual
    /// clock is in no order.
    func judged(in scope: Scope) throws(Unjudgeable) -> Finding {
        var finding = Finding(
            "in this order: " + frames.map { "'\($0.filter)' at \($0.at)" }.joined(separator: ", then "))
        var last: (seen: Seen, port: Int)?
        for (position, frame) in frames.enumerated() {
            let port = try scope.names.port(frame.at)
            let subject = "a frame matching '\(frame.filter)' at \(scope.portName(port))"
            guard let first = try scope.frames(at: port, matching: frame.filter).first else {
                finding.require(
                    false, expected: subject,
                    actual: "0 of the \(scope.frames(at: port).count.of("frame")) there")
                last = nil
                continue
            }
            finding.details.append("\(scope.portName(port)): \(first.frame.text(first.headers, scope.names))")
            if let last {
                let isLater =
                    port == last.port
                    ? first.index > last.seen.index : first.frame.time > last.seen.frame.time
                let isSame = !isLater && first.frame.time == last.seen.frame.time
                finding.require(
                    isLater, expected: "\(subject) after one matching '\(frames[position - 1].filter)'",
                    actual: isLater
                        ? "at \(first.frame.time.seconds)"
                        : "the first at \(first.frame.time.seconds), "
                            + (isSame ? "at the same time" : "before \(last.seen.frame.time.seconds)"))
            }
            last = (first, port)
        }
        return finding
    }
}
