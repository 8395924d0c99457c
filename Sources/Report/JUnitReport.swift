internal import Evidence
internal import Measurement
internal import Text
internal import Verdict
internal import XMLCoder

/// `junit.xml`: the dialect that Jenkins, GitLab and GitHub's actions read, as junit-10.xsd of Jenkins' xUnit plugin has it. A
/// scenario is a test case; what the laboratory could not do is an `error`, not a `failure`.
func junitReport(_ result: RunResult, verbose: Bool) throws -> String {
    let encoder = XMLEncoder()
    // Adds white space around elements only: the texts of failures stay as they are.
    encoder.outputFormatting = [.prettyPrinted]
    let data = try encoder.encode(
        JUnit(result, verbose: verbose), withRootKey: "testsuites", header: XMLHeader(version: 1.0, encoding: "UTF-8"))
    return String(decoding: data, as: UTF8.self) + "\n"
}

/// The document's shape.
struct JUnit: Codable, Equatable, XMLAttributes {
    var name: String
    var tests: Int
    var failures: Int
    var errors: Int
    /// Seconds.
    var time: String?
    var testsuite: [Suite]

    static let elements = ["testsuite"]

    struct Suite: Codable, Equatable, XMLAttributes {
        var name: String
        var tests: Int
        var failures: Int
        var errors: Int
        var skipped: Int
        var time: String?
        var testcase: [Case]

        static let elements = ["testcase"]
    }

    struct Case: Codable, Equatable, XMLAttributes {
        var classname: String
        var name: String
        var time: String?
        var failure: Problem?
        var error: Problem?
        var skipped: Skipped?
        var output: String?

        static let elements = ["failure", "error", "skipped", "system-out"]

        enum CodingKeys: String, CodingKey {
            case classname, name, time, failure, error, skipped
            case output = "system-out"
        }
    }

    struct Problem: Codable, Equatable, XMLAttributes {
        var message: String
        var type: String
        var text: String

        static let elements = [""]

        enum CodingKeys: String, CodingKey {
            case message, type
            case text = ""
        }
    }

    struct Skipped: Codable, Equatable, XMLAttributes {
        var message: String

        static let elements: [String] = []
    }
}

/// An element whose values are attributes, but for some.
protocol XMLAttributes: DynamicNodeEncoding {
    static var elements: [String] { get }
}

extension XMLAttributes {
    static func nodeEncoding(for key: any CodingKey) -> XMLEncoder.NodeEncoding {
        elements.contains(key.stringValue) ? .element : .attribute
    }
}

extension JUnit {
    init(_ result: RunResult, verbose: Bool) {
        var suites: [String] = []
        for run in result.runs where !suites.contains(run.suite) { suites.append(run.suite) }
        let totals = result.totals
        self.init(
            name: "drbench", tests: result.runs.count, failures: totals.failed, errors: totals.errors,
            time: result.timing?.wall.milliseconds,
            testsuite: suites.map { name in
                Suite(name, result.runs.filter { $0.suite == name }, verbose: verbose)
            })
    }
}

extension JUnit.Suite {
    fileprivate init(_ name: String, _ runs: [ScenarioRun], verbose: Bool) {
        let totals = Totals(runs.map(\.verdict.status))
        let times = runs.compactMap { $0.timing?.wall }
        self.init(
            name: name.inXML, tests: runs.count, failures: totals.failed, errors: totals.errors,
            skipped: totals.skipped, time: times.isEmpty ? nil : times.saturatingSum.milliseconds,
            testcase: runs.map { JUnit.Case($0, verbose: verbose) })
    }
}

extension JUnit.Case {
    fileprivate init(_ run: ScenarioRun, verbose: Bool) {
        let verdict = run.verdict
        let bad = verdict.checks.filter { $0.status != .passed }
        let why = (run.failures ?? []).flatMap { failure in
            [failure.head] + failure.facts.map { "  \($0.label.padded(to: 9)) \($0.text)" }
        }
        let text = ((bad.isEmpty ? [verdict.reason] + (verdict.notes ?? []) : bad.flatMap(\.lines)) + why)
            .joined(separator: "\n").inXML
        let problem = JUnit.Problem(message: verdict.reason.inXML, type: verdict.status.rawValue, text: text)
        var output = verbose ? verdict.checks.filter { $0.status == .passed }.flatMap(\.lines) : []
        output += run.paths().map { "evidence: \($0)" }
        self.init(
            classname: run.suite.inXML, name: verdict.scenario.inXML, time: run.timing?.wall.milliseconds,
            failure: verdict.status == .failed ? problem : nil, error: verdict.status == .error ? problem : nil,
            skipped: verdict.status == .skipped ? JUnit.Skipped(message: verdict.reason.inXML) : nil,
            output: output.isEmpty ? nil : output.joined(separator: "\n").inXML)
    }
}

extension CheckResult {
    fileprivate var lines: [String] {
        ["\(location): \(place): \(statement)", "  expected  \(expected)", "  actual    \(actual)"]
            + [control.map { "  control   \($0)" }].compactMap(\.self) + details.map { "    \($0)" }
    }
}

extension String {
    /// Without the characters that XML 1.0 (2.2, Char) has no place for, such as a command's escape sequences; they and all
    /// others that are not printable are there as `<U+001B>`.
    fileprivate var inXML: String { printableText }
}
