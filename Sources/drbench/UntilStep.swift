import ArgumentParser
import Plan
import Reading
import Scenario

/// The step of a timeline that is the last one to be carried out: its number, from 1, or its name.
struct UntilStep: ExpressibleByArgument, Sendable {
    let text: String

    init?(argument: String) {
        guard !argument.isEmpty else { return nil }
        text = argument
    }

    /// How many steps of a scenario that means. Prints what is wrong and throws `ExitCode.invalid` if it has no such step.
    func count(in scenario: Scenario) throws -> Int {
        let names = scenario.timeline.map(\.name)
        if let index = names.firstIndex(of: text) { return index + 1 }
        if let number = Int(text), (1...max(1, names.count)).contains(number), !names.isEmpty { return number }
        let hint = NearestName.of(text, among: names).map { "; did you mean '\($0)'?" } ?? ""
        let most = 20
        let steps =
            names.prefix(most).enumerated().map { "\($0.offset + 1) '\($0.element)'" }.joined(separator: ", ")
            + (names.count > most ? ", … \(names.count)" : "")
        Console.error("drbench: \(scenario.fullName) has no step '\(text)'\(hint); its steps: \(steps)")
        throw ExitCode.invalid
    }
}

extension Scenario {
    /// The scenario up to a step: what is expected of the whole run is not expected of its beginning.
    func until(_ count: Int) -> Scenario {
        guard count < timeline.count else { return self }
        var scenario = self
        scenario.timeline = Array(timeline.prefix(count))
        scenario.expectations = []
        return scenario
    }

    /// What was not looked at for that reason; nil if nothing.
    func remark(until count: Int) -> String? {
        guard count < timeline.count, let last = timeline.prefix(count).last else { return nil }
        let later = timeline.dropFirst(count).reduce(0) { $0 + $1.expectations.count }
        return
            "stopped after step \(count) of \(timeline.count), '\(last.name)': skipped the expectations of later steps"
            + " (\(later)) and those about the whole run (\(expectations.count))"
    }
}
