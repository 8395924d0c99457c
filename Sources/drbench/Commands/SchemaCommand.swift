import ArgumentParser
import Reading
import Scenario
import Text

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Prints the JSON Schema of scenario files (or topology files), for editors.")

    enum Kind: String, ExpressibleByArgument, CaseIterable { case scenario, topology }

    @Argument(help: "Which files' schema.")
    var kind: Kind = .scenario

    func run() throws {
        let text =
            switch kind {
            case .scenario: ScenarioSchema.scenario
            case .topology: ScenarioSchema.topology
            }
        Console.write(text.hasSuffix("\n") ? text : text + "\n", as: .json)
    }
}
