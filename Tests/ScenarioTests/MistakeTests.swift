import Testing

@testable import Reading
@testable import Scenario

/// What somebody wrote below the two lines that every scenario has, and every line they must get.
struct Mistake: Sendable, CustomTestStringConvertible {
    var body: String
    var diagnostics: [String]

    init(_ body: String, _ diagnostics: String...) {
        self.body = body
        self.diagnostics = diagnostics
    }

    var testDescription: String { body }
}

/// By what they are made in; the lists are in the files beside this one.
enum Mistakes {}

@Suite("Every mistake is told with its place, what was expected and what was probably meant")
struct MistakeTests {
    private func check(_ mistake: Mistake) {
        let checks = ScenarioChecks(
            validateFilter: { $0 == "tpc" ? "syntax error" : nil }, knownNeeds: ["ipvs", "dummy", "zones"],
            releases: .init(
                exists: { ["2014.1.5", "2015.1.1", "9.4.1", "newton"].contains($0) },
                nearest: { $0 == "9.4.2" ? "9.4.1" : nil }, names: ["newton"], expected: "a release"))
        #expect(Sample.mistakes(mistake.body, checks: checks) == mistake.diagnostics)
        // A scenario with an error never reaches an engine; a warning does not keep it.
        let isError = mistake.diagnostics.contains { $0.contains(": error: ") }
        let isWhole = Sample.read(Sample.head + mistake.body, checks: checks).scenarios.contains { $0.variant == nil }
        #expect(isWhole != isError || mistake.body.hasPrefix("variants"))
    }

    @Test("in keys, types and values", arguments: Mistakes.keys) func keys(_ mistake: Mistake) { check(mistake) }

    @Test("in the network", arguments: Mistakes.names) func names(_ mistake: Mistake) { check(mistake) }

    @Test("in IPVS services", arguments: Mistakes.services) func services(_ mistake: Mistake) { check(mistake) }

    @Test("in the timeline", arguments: Mistakes.steps) func steps(_ mistake: Mistake) { check(mistake) }

    @Test("in expectations", arguments: Mistakes.expectations) func expectations(_ mistake: Mistake) { check(mistake) }

    @Test("in what happens over time, and in alternatives", arguments: Mistakes.overTime)
    func overTime(_ mistake: Mistake) { check(mistake) }

    @Test("in loads, and in what is expected of them", arguments: Mistakes.loads)
    func loads(_ mistake: Mistake) { check(mistake) }

    @Test("in variants", arguments: Mistakes.variants) func variants(_ mistake: Mistake) { check(mistake) }

    @Test("in the YAML itself", arguments: Mistakes.yaml) func yaml(_ mistake: Mistake) { check(mistake) }
}
