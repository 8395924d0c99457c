import ArgumentParser
import Glibc
import History

/// The command line.
struct DRBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drbench",
        abstract: "A test bench for IPVS Direct Routing: real IPVS, real conntrack, verdicts from packet captures.",
        discussion: """
            Exit status: 0 all scenarios that ran have passed, 1 an expectation failed, 2 wrong usage or an invalid \
            scenario, 3 the environment cannot run it, nothing ran, a run could not be judged, or standard output could \
            not be written. Ctrl-C (SIGINT) and SIGTERM end \
            what runs, report what was found until then and end drbench by that signal (130 and 143 in a shell).
            """,
        version: "0.1.0",
        subcommands: [
            RunCommand.self, BenchCommand.self, UpCommand.self, ShellCommand.self, DownCommand.self,
            ExplainCommand.self, ReportCommand.self, DiffCommand.self, ListCommand.self, GraphCommand.self,
            ValidateCommand.self, MutateCommand.self, CompareCommand.self, HistoryCommand.self, ImportCommand.self,
            DoctorCommand.self, KernelCommand.self, SchemaCommand.self,
        ])
}

@main
enum Main {
    static func main() {
        // A limit on the size of files (ulimit -f) is an error of the write that passes it, and has its message.
        signal(SIGXFSZ, SIG_IGN)
        let status = status()
        // Who reads it must not take a part for the whole.
        if let obstacle = Console.obstacle {
            Console.error("drbench: \(obstacle)")
            exit(ExitCode.cannotRun.rawValue)
        }
        exit(status.rawValue)
    }

    private static func status() -> ExitCode {
        do {
            var command = try DRBench.parseAsRoot()
            try command.run()
            return .success
        } catch let error as EnvironmentError {
            Console.error(lines: ["drbench: \(error.lines[0])"] + error.lines.dropFirst())
            return .cannotRun
        } catch let error as HistoryError {
            Console.error("drbench: \(error)")
            if case .invalid = error { return .invalid }
            return .cannotRun
        } catch {
            // ArgumentParser's own status for wrong usage is 64 (EX_USAGE); drbench promises 2. What it says repeats what the
            // user typed. Help, the version and completions are no failure.
            let status = DRBench.exitCode(for: error)
            let message = DRBench.fullMessage(for: error)
            if !message.isEmpty {
                if status.isSuccess { Console.write(message + "\n") } else { Console.writeError(message + "\n") }
            }
            return status == .validationFailure ? .invalid : status
        }
    }
}

extension ExitCode {
    /// An expectation failed.
    static let failed = ExitCode(1)
    /// Wrong usage, or a scenario that is not valid.
    static let invalid = ExitCode(2)
    /// The environment cannot run it, or a run could not be judged.
    static let cannotRun = ExitCode(3)
}
