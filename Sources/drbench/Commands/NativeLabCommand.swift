import ArgumentParser
import Engine

/// What the native engine starts inside its namespaces. Not for people.
struct NativeLabCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: NativeEngine.command, shouldDisplay: false)

    @Flag var probe = false
    @Argument var folder: String?

    func run() throws {
        guard probe || folder != nil else { throw ValidationError("a folder is missing") }
        throw ExitCode(NativeEngine.laboratory(folder: probe ? nil : folder))
    }
}
