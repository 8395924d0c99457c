import ArgumentParser
import Engine

struct DownCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down",
        abstract: "Ends a lab that is up, and waits until its evidence is written.")

    @Argument(help: "The lab's name; may be left out if only one is up.")
    var lab: String?

    func validate() throws { try OptionChecks.words([lab].compactMap { $0 }, of: "a lab's name") }

    func run() throws {
        let card = try Labs.choose(lab)
        do {
            try ShellClient(lab: card.name, root: Labs.root).endLab()
        } catch {
            throw EnvironmentError("\(error)")
        }
    }
}
