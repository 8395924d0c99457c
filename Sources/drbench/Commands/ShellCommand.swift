import ArgumentParser
import Engine
import Reading

struct ShellCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shell",
        abstract: "Opens a shell in a host, hypervisor or switch of a lab that is up.",
        discussion: """
            Behind '--' a command runs instead of the shell; its exit status is drbench's. With a terminal at both ends it \
            gets one, too; otherwise its standard streams are pipes.
            """)

    @Option(help: ArgumentHelp("Which lab, if several are up.", valueName: "name"))
    var lab: String?

    @Argument(help: "A host, hypervisor or switch.")
    var host: String

    @Argument(
        parsing: .postTerminator, help: ArgumentHelp("Behind '--': a program and its arguments.", valueName: "command"))
    var command: [String] = []

    func validate() throws { try OptionChecks.words([lab, host].compactMap { $0 }, of: "a lab's or host's name") }

    func run() throws {
        let card = try Labs.choose(lab)
        guard card.places.contains(host) else {
            let hint = NearestName.of(host, among: card.places).map { "; did you mean '\($0)'?" } ?? ""
            Console.error(
                "drbench: \(card.name) has no '\(host)'\(hint); it has \(card.places.joined(separator: ", "))")
            throw ExitCode.invalid
        }
        Interruption.watch()
        let errand = Errand(
            place: host, arguments: command, terminal: ShellClient.hasTerminal ? ShellClient.terminal : nil,
            lab: card.name)
        let end: ShellClient.End
        do {
            end = try ShellClient(lab: card.name, root: Labs.root).run(errand)
        } catch {
            throw EnvironmentError("\(error)")
        }
        switch end {
        case .exited(0): return
        case .exited(let status): throw ExitCode(Int32(status))
        case .refused(let reason):
            Console.error("drbench: \(reason)")
            // As shells do for a program that is not there.
            throw ExitCode(127)
        case .labEnded: throw EnvironmentError("\(card.name) has ended")
        case .interrupted(let signal): Interruption.end(by: signal)
        }
    }
}
