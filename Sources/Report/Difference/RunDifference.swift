internal import Verdict

/// What two runs of a scenario do not have in common.
public struct RunDifference: Codable, Sendable, Equatable {
    public enum State: String, Codable, Sendable, CaseIterable {
        case changed
        /// Nothing that is compared differs; times and numbers that a kernel chose may.
        case same
        /// Evidence and capture are the same to the byte.
        case identical
        case onlyBefore = "only before"
        case onlyAfter = "only after"
    }

    public struct Change: Codable, Sendable, Equatable {
        public var kind: RunFacts.Kind
        /// What changed; empty where the kind says it all.
        public var subject: String
        /// nil if there was no such thing.
        public var before: String?
        public var after: String?
    }

    /// Of two runs of different scenarios, both names.
    public var scenario: String
    public var state: State
    /// In the order of their kinds.
    public var changes: [Change] = []
    /// What could not be compared, and why.
    public var note: String?

    public init(scenario: String, state: State, note: String? = nil) {
        self.scenario = scenario
        self.state = state
        self.note = note
    }

    public init(scenario: String, _ before: RunFacts, _ after: RunFacts, note: String? = nil) {
        for kind in RunFacts.Kind.allCases {
            // What one of them lacks altogether is not known to differ.
            guard let one = before.facts[kind], let other = after.facts[kind] else { continue }
            let subjects = one.subjects + other.subjects.filter { one.values[$0] == nil }
            for subject in subjects {
                let (old, new) = (one.values[subject], other.values[subject])
                guard old != new, !(old.isZero && new.isZero) else { continue }
                // Another scenario has expectations of its own, which is no news.
                if kind == .expectation, before.scenario != after.scenario, old == nil || new == nil { continue }
                changes.append(
                    Change(
                        kind: kind, subject: subject, before: Self.text(old, else: new),
                        after: Self.text(new, else: old)))
            }
        }
        self.scenario = scenario
        self.note = note
        state = changes.isEmpty ? .same : .changed
    }

    /// What is not there is zero where the other is a number.
    private static func text(_ value: RunFacts.Value?, else other: RunFacts.Value?) -> String? {
        if let value { return value.description }
        if case .number = other { return "0" }
        return nil
    }
}

extension RunFacts.Value? {
    fileprivate var isZero: Bool { self == nil || self == .number(0) }
}

/// What the results of two invocations do not have in common.
public struct ResultDifference: Codable, Sendable, Equatable {
    /// The version of this format; it changes when a reader of the old one would misread the new one.
    public static let currentVersion = 1

    /// One of the two sides.
    public struct Side: Codable, Sendable, Equatable {
        public var folder: String
        public var engine: String
        public var seed: UInt64?

        public init(folder: String, engine: String, seed: UInt64?) {
            self.folder = folder
            self.engine = engine
            self.seed = seed
        }
    }

    public var version = ResultDifference.currentVersion
    public var before: Side
    public var after: Side
    public var runs: [RunDifference]

    public init(before: Side, after: Side, runs: [RunDifference]) {
        self.before = before
        self.after = after
        self.runs = runs
    }

    /// Whether anything that is compared differs.
    public var isEmpty: Bool { runs.allSatisfy { $0.state == .same || $0.state == .identical } }
}
