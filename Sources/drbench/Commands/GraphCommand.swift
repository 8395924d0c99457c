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

    @OptionGroup var folders: ScenarioFolders

    func run() throws {
        let one = try folders.load(only: scenario)
        try [one].checkPlans()
        Console.write(try Plan(one).networkGraph)
    }
}
