public import Evidence
public import Verdict

/// What one invocation of drbench found: the one model that every output format renders.
///
/// Two invocations with one seed give equal results, apart from `timing`.
public struct RunResult: Codable, Sendable, Equatable {
    /// The version of this format; it changes when a reader of the old one would misread the new one.
    public static let currentVersion = 1

    public var version = RunResult.currentVersion
    /// Which engine was taken, and why.
    public var engine: String
    /// What the lab kernels' randomness came from; nil if it was the host's.
    public var seed: UInt64?
    /// In the order in which the scenarios were given.
    public var runs: [ScenarioRun]
    public var totals: Totals
    /// nil where only the reproducible part is wanted.
    public var timing: Timing?

    public init(engine: String, seed: UInt64? = nil, runs: [ScenarioRun], timing: Timing? = nil) {
        self.engine = engine
        self.seed = seed
        self.runs = runs
        totals = Totals(runs.map(\.verdict.status))
        self.timing = timing
    }

    /// The result without wall-clock times: what two runs with one seed have in common, to the byte.
    public var withoutTiming: RunResult {
        var result = self
        result.timing = nil
        for index in result.runs.indices { result.runs[index].timing = nil }
        return result
    }

    /// Whether nothing failed; skipped scenarios do not count as failures.
    public var succeeded: Bool { totals.failed == 0 && totals.errors == 0 }
}

/// A scenario's verdict, and what belongs to its run.
public struct ScenarioRun: Codable, Sendable, Equatable {
    /// What the scenario is grouped under in JUnit: its folder.
    public var suite: String
    public var verdict: Verdict
    /// Where the evidence and the capture lie; nil if nothing was kept. Relative, if results are to be reproducible.
    public var directory: String?
    /// What is in the directory, in the order in which one looks at it; nil if nothing was kept.
    public var artefacts: [String]?
    /// Why traffic failed, where expectations did not hold; nil where nobody asks.
    public var failures: [FlowFailure]?
    public var timing: Timing?

    public init(
        suite: String = "scenarios", verdict: Verdict, directory: String? = nil, artefacts: [String]? = nil,
        failures: [FlowFailure]? = nil, timing: Timing? = nil
    ) {
        self.suite = suite
        self.verdict = verdict
        self.directory = directory
        self.artefacts = artefacts
        self.failures = failures
        self.timing = timing
    }

    /// The artefacts with their directory, which is below `folder` if that is given.
    func paths(below folder: String? = nil) -> [String] {
        guard let directory else { return [] }
        let base = folder.map { "\($0)/\(directory)" } ?? directory
        return (artefacts ?? []).isEmpty ? [base] : (artefacts ?? []).map { "\(base)/\($0)" }
    }
}

/// How long something took. Never part of what is compared.
public struct Timing: Codable, Sendable, Equatable {
    /// By the wall clock.
    public var wall: Nanoseconds
    /// By the clock of the kernel under test, which may be virtual.
    public var guest: Nanoseconds?

    public init(wall: Nanoseconds, guest: Nanoseconds? = nil) {
        self.wall = wall
        self.guest = guest
    }
}

public struct Totals: Codable, Sendable, Equatable {
    public var passed = 0
    public var failed = 0
    public var skipped = 0
    public var errors = 0

    public init(_ statuses: some Sequence<Verdict.Status>) {
        for status in statuses {
            switch status {
            case .passed: passed += 1
            case .failed: failed += 1
            case .skipped: skipped += 1
            case .error: errors += 1
            }
        }
    }
}
