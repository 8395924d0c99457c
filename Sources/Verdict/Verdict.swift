public import Evidence
public import Scenario

/// What a run means: every expectation of a scenario, judged by the evidence.
public struct Verdict: Codable, Sendable, Equatable {
    public enum Status: String, Codable, Sendable, CaseIterable {
        case passed
        case failed
        /// The scenario did not run, because the engine lacks something that it needs.
        case skipped
        /// The laboratory failed, or an expectation cannot be judged: nothing is known about the network.
        case error
    }

    /// The scenario's full name, `name/variant`.
    public var scenario: String
    public var title: String
    public var status: Status
    /// One line: why it is not `passed`, or how much was checked.
    public var reason: String
    /// In the order of the scenario: each step's expectations, then those about the whole run.
    public var checks: [CheckResult]
    /// The kernel that the run used, with its seed; nil if nothing ran.
    public var engine: EngineRecord?
    /// With `error`: where the step stands in the scenario's file that went wrong; nil if no step did.
    public var location: SourceLocation?
    /// With `error`: what else helps to understand it, one item a line, such as the console's last lines.
    public var notes: [String]?

    public init(
        scenario: String, title: String, status: Status, reason: String, checks: [CheckResult] = [],
        engine: EngineRecord? = nil
    ) {
        self.scenario = scenario
        self.title = title
        self.status = status
        self.reason = reason
        self.checks = checks
        self.engine = engine
    }

    /// The verdict on a scenario that the engine could not run.
    public static func skipped(_ scenario: Scenario, because reason: String) -> Verdict {
        Verdict(scenario: scenario.fullName, title: scenario.title, status: .skipped, reason: reason)
    }

    /// The verdict on a scenario whose run failed, or left no evidence to judge by.
    public static func error(_ scenario: Scenario, because reason: String, engine: EngineRecord? = nil) -> Verdict {
        Verdict(scenario: scenario.fullName, title: scenario.title, status: .error, reason: reason, engine: engine)
    }
}

/// One expectation, judged.
public struct CheckResult: Codable, Sendable, Equatable {
    public enum Status: String, Codable, Sendable {
        case passed
        case failed
        /// It cannot be judged: a port that was not captured, a filter that libpcap refuses.
        case error
    }

    /// `end`, or the name of the step that it is about.
    public var place: String
    /// Where it stands in the scenario's file.
    public var location: SourceLocation
    /// What is expected, as a sentence.
    public var statement: String
    public var status: Status
    public var expected: String
    public var actual: String
    /// What was looked at, one item a line: offending frames, the conntrack table, the chain.
    public var details: [String]
    /// What the positive control saw; nil for a check that needs none.
    public var control: String?

    /// `expected …; found …`, in one line.
    public var message: String { status == .error ? actual : "expected \(expected); found \(actual)" }

    public init(
        place: String, location: SourceLocation, statement: String, status: Status, expected: String, actual: String,
        details: [String] = [], control: String? = nil
    ) {
        self.place = place
        self.location = location
        self.statement = statement
        self.status = status
        self.expected = expected
        self.actual = actual
        self.details = details
        self.control = control
    }

    private enum CodingKeys: String, CodingKey {
        case place = "where"
        case location, statement, status, expected, actual, details, control
    }
}

/// Why an expectation cannot be judged, as a sentence.
struct Unjudgeable: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// The judgement of one expectation while it grows: its parts, each with what was expected and what was found.
struct Finding {
    var statement: String
    var details: [String] = []
    var control: String?
    private var parts: [(holds: Bool, expected: String, actual: String)] = []

    init(_ statement: String) { self.statement = statement }

    var holds: Bool { parts.allSatisfy(\.holds) }

    mutating func require(_ holds: Bool, expected: String, actual: String) {
        parts.append((holds, expected, actual))
    }

    /// A failed finding speaks of the parts that do not hold, a passed one of all.
    func result(place: String, location: SourceLocation) -> CheckResult {
        let spoken = holds ? parts : parts.filter { !$0.holds }
        return CheckResult(
            place: place, location: location, statement: statement, status: holds ? .passed : .failed,
            expected: spoken.map(\.expected).joined(separator: " and "),
            actual: spoken.map(\.actual).joined(separator: "; "), details: details, control: control)
    }
}
