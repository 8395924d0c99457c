import ArgumentParser
import Reading
import Scenario

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists scenarios and their variants.")

    @OptionGroup var selection: ScenarioSelection

    func run() throws {
        let scenarios = try selection.load()
        let width = scenarios.map { $0.listName.count }.max() ?? 0
        for scenario in scenarios {
            let name = scenario.listName
            let padding = String(repeating: " ", count: width - name.count)
            let tags =
                scenario.variant == nil && !scenario.tags.isEmpty ? "  [\(scenario.tags.joined(separator: ", "))]" : ""
            Console.output("\(name)\(padding)  \(scenario.title)\(tags)")
        }
    }
}

extension Scenario {
    /// A variant stands indented under its scenario.
    fileprivate var listName: String { variant == nil ? name : "  \(fullName)" }
}
