import ArgumentParser
import Plan
import Scenario

struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Reports every mistake in scenario and topology files, without running anything.")

    @OptionGroup var selection: ScenarioSelection

    func run() throws {
        let scenarios = try selection.load()
        var invalid = 0
        for scenario in scenarios {
            do {
                _ = try Plan(scenario)
            } catch {
                invalid += 1
                Console.error("\(scenario.fullName): error: \(error)")
            }
        }
        guard invalid == 0 else { throw ExitCode.invalid }
        Console.output("\(scenarios.count) scenarios and variants are valid")
    }
}
