import ArgumentParser
import Engine
import Glibc
import Reading

/// The labs that are up on this machine, as commands choose one.
enum Labs {
    static var root: String { LabFolder.root(environment: Environment.all) }

    /// The lab that is meant: by its name, or the only one. Prints what is wrong and throws an exit code if that is none.
    static func choose(_ name: String?) throws -> LabFolder.Card {
        let labs = LabFolder.all(root: root)
        guard !labs.isEmpty else {
            Console.error("drbench: no lab is up; 'drbench up NAME' brings a scenario's network up")
            throw ExitCode.cannotRun
        }
        let names = labs.map(\.name)
        guard let name else {
            if labs.count == 1 { return labs[0] }
            Console.error("drbench: several labs are up (\(names.joined(separator: ", "))): say which one")
            throw ExitCode.invalid
        }
        if let lab = labs.first(where: { $0.name == name }) { return lab }
        let hint = NearestName.of(name, among: names).map { "; did you mean '\($0)'?" } ?? ""
        Console.error("drbench: the lab '\(name)' is not up\(hint); up: \(names.joined(separator: ", "))")
        throw ExitCode.invalid
    }

    /// Takes a scenario's name for a lab of this process.
    static func claim(_ name: String, engine: String, places: [String]) throws -> LabFolder {
        do {
            return try LabFolder(
                claiming: .init(name: name, processID: getpid(), engine: engine, places: places), root: root)
        } catch {
            throw EnvironmentError("\(error)")
        }
    }
}
