internal import Lab
internal import Plan

/// A laboratory that did not come to its end. What it left until then stays in the run's folder.
public struct RunFailure: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Kind: String, Sendable, Codable, CaseIterable {
        /// The laboratory could not be started at all.
        case couldNotStart = "could not start"
        /// The guest kernel panicked; PID 1 crashing is the usual reason.
        case panic
        /// It was not finished when its wall-clock limit had passed.
        case hang
        /// Everything in it waited for something that does not come, while virtual time ran on or stood still.
        case virtualDeadlock = "virtual deadlock"
        /// It ended without saying that it had finished.
        case ended = "ended early"
        /// Its front was told to end.
        case interrupted
    }

    public var kind: Kind
    /// Why, and how far it had come.
    public var explanation: String
    /// The last lines of the console that say something.
    public var console: [String]

    public init(_ kind: Kind, _ explanation: String, console: [String] = []) {
        self.kind = kind
        self.explanation = explanation
        self.console = console
    }

    public var description: String { "\(kind.rawValue): \(explanation)" }
}

/// How far a laboratory has come, by its events.
struct RunStage {
    private(set) var hasStarted = false
    private(set) var hasFinished = false
    private(set) var hasProblem = false
    private var isOpen = false
    /// The virtual time that it was given, if that has passed.
    private(set) var clockRanOut: Int?
    private var step: String?

    mutating func note(_ event: LabEvent) {
        switch event {
        case .started: hasStarted = true
        case .step(_, let name): step = name
        case .clockRanOut(let seconds): clockRanOut = seconds
        case .finished: hasFinished = true
        case .problem: hasProblem = true
        case .unconfined, .capabilities: break
        case .open: isOpen = true
        }
    }

    /// `in step 'gets'`.
    var description: String {
        if hasFinished { return "after its evidence was written" }
        if isOpen { return "while it stood open" }
        if let step { return "in step '\(step)'" }
        return hasStarted ? "while its network was built" : "before drbench had started in it"
    }
}
