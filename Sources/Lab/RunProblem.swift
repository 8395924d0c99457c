internal import Capture
internal import Evidence
internal import Scenario

/// What keeps a run from going on and is no request that the kernel refused, as a sentence.
struct RunProblem: Error, CustomStringConvertible {
    let description: String

    /// - Parameter namespace: where, if that is known.
    init(_ text: String, in namespace: String? = nil) {
        description = (namespace.map { "\($0): " } ?? "") + text
    }

    /// A command that did not end well.
    init(_ command: CommandRecord, in namespace: String) {
        let name = command.arguments.joined(separator: " ")
        let end =
            command.status < 0
            ? "was ended by signal \(-command.status)" : "ended with status \(command.status)"
        let words = command.errors.isEmpty ? command.output : command.errors
        self.init("the command '\(name.firstLines)' \(end)" + words.asReason, in: namespace)
    }

    /// Captures that have ended too early.
    init(_ losses: [(port: Int, condition: PortCapture.Condition)], of ports: [CaptureSession.Port]) {
        let texts = losses.map { loss in
            let name = ports[loss.port].name
            switch loss.condition {
            case .failed(let reason): return "\(name) is not captured any more (\(reason))"
            case .interfaceGone, .capturing, .closed:
                return
                    "\(name) is not captured any more: its interface was deleted or left its namespace, for a while at least"
            }
        }
        self.init(texts.joined(separator: "; ") + "; frames may be missing")
    }

    /// What went wrong in a step.
    init(_ error: any Error, inStep name: String) { self.init("step '\(name)': \(error)") }
}

extension String {
    /// Behind a sentence: what a program said, its first lines.
    var asReason: String { firstLines.isEmpty ? "" : ": \(firstLines)" }

    /// At most five, in one, of at most 1,000 characters.
    fileprivate var firstLines: String {
        let lines = split(whereSeparator: \.isNewline)
        let text = lines.prefix(5).joined(separator: "; ")
        return text.count > 1000 ? text.prefix(1000) + " …" : lines.count > 5 ? text + " …" : text
    }
}
