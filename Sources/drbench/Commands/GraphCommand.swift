import ArgumentParser
import Plan
import Scenario

struct GraphCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graph", abstract: "Prints a scenario's network for Graphviz.",
        discussion: """
            Every namespace, interface, address and cable as they are when the timeline begins. 'drbench graph NAME | dot \
            -Tsvg >network.svg' draws it. The diagram in a run's report.html shows the same network with each packet's way \
            on it.
            """)

    @Argument(help: "A scenario, NAME/VARIANT for one variant, or a YAML file.", completion: .scenarios)
    var scenario: String

    func run() throws {
        let chosen = try ScenarioSelection.parse([scenario]).load()
        // A scenario's name stands for its variants, too; here for itself alone.
        guard let one = chosen.first(where: { $0.fullName == scenario }) ?? chosen.first else { return }
        try [one].checkPlans()
        Console.write(try Plan(one).networkGraph)
    }
}
