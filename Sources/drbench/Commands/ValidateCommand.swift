import ArgumentParser
import Reading
import Scenario

struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Reports every mistake in scenario and topology files, without running anything.")

    @OptionGroup var selection: ScenarioSelection

    func run() throws {
        let scenarios = try selection.load(judgement: .validated)
        try scenarios.checkPlans()
        Console.output("\(scenarios.count) scenarios and variants are valid")
    }
}
