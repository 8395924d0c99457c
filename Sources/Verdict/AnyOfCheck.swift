internal import Scenario

extension Scope {
    /// Judges alternatives: one of which everything holds is enough.
    func judge(anyOf alternatives: [[Expectation]], at location: SourceLocation) -> CheckResult {
        let judged = alternatives.map { $0.map { judge($0) } }
        let statement = "any of: " + judged.map { $0.map(\.statement).joined(separator: " and ") }.listed(by: "or")
        guard let fitting = judged.firstIndex(where: { $0.allSatisfy { $0.status == .passed } }) else {
            let isBroken = judged.joined().contains { $0.status == .error }
            let missed = judged.map { $0.filter { $0.status != .passed } }
            return CheckResult(
                place: place, location: location, statement: statement, status: isBroken ? .error : .failed,
                expected: missed.map { $0.map(\.expected).joined(separator: " and ") }.listed(by: "or"),
                actual: missed.map { $0.map(\.actual).joined(separator: "; ") }.listed(by: "and"),
                details: missed.enumerated().flatMap { number, checks in
                    checks.flatMap { check in ["(\(number + 1)) \(check.message)"] + check.details }
                })
        }
        let checks = judged[fitting]
        return CheckResult(
            place: place, location: location, statement: statement, status: .passed,
            expected: checks.map(\.expected).joined(separator: " and "),
            actual: "(\(fitting + 1)) " + checks.map(\.actual).joined(separator: "; "),
            details: checks.flatMap(\.details),
            control: checks.compactMap(\.control).isEmpty
                ? nil : checks.compactMap(\.control).joined(separator: "; "))
    }
}

extension [String] {
    /// `(1) one, or (2) another`.
    fileprivate func listed(by word: String) -> String {
        enumerated().map { "(\($0 + 1)) \($1)" }.joined(separator: ", \(word) ")
    }
}
