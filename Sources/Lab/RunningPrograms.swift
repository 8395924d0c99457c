internal import FoundationEssentials
internal import Glibc
internal import Kernel
internal import Plan
internal import Scenario

/// The real programs of a run.
final class RunningPrograms {
    private struct Entry {
        var host: String
        var name: String
        /// nil while it is stopped.
        var process: RunningProcess?
        /// What it printed in its earlier lives.
        private var past = KeptOutput(room: KeptOutput.ofCommands)
        private var pastLeftOut = 0

        init(host: String, name: String) {
            self.host = host
            self.name = name
        }

        var text: String { past.text + (process.map { $0.output + $0.errors } ?? "") }
        /// Bytes of it that are not kept.
        var leftOut: Int { past.leftOut + pastLeftOut + (process?.leftOut ?? 0) }

        mutating func keep(_ text: String, leftOut: Int) {
            past.append(Array(text.utf8))
            pastLeftOut += leftOut
        }
    }

    private let clock: RunClock
    /// In the order of their first start.
    private var entries: [Entry] = []

    init(clock: RunClock) { self.clock = clock }

    /// Starts a program and waits until it listens where it should.
    ///
    /// Throws `KernelError` for a program that is not there, `RunProblem` for one that ended, or did not listen in time, with
    /// what it printed.
    func start(_ program: Plan.ProgramPlan, in place: Place) throws {
        let process = try ProcessRunner.start(
            Self.wrapped(program), in: place.namespace, showsOwnSys: true, keeping: KeptOutput.ofCommands)
        let index = index(of: program.name, on: program.namespace) ?? entries.endIndex
        if index == entries.endIndex { entries.append(Entry(host: program.namespace, name: program.name)) }
        // One that ended by itself may start again without a stop.
        if let before = entries[index].process {
            entries[index].keep(before.output + before.errors, leftOut: before.leftOut)
        }
        entries[index].process = process
        let deadline = clock.now() + 10_000_000_000
        while try !place.listens(on: program.listens) {
            guard process.isRunning else {
                throw failure("ended before it could be used", program, process)
            }
            guard clock.now() < deadline else {
                let ports = program.listens.map(String.init).joined(separator: ", ")
                throw failure("does not listen on port \(ports) after 10 s", program, process)
            }
            // Nothing tells when a socket of another program begins to listen; asleep, virtual time goes on.
            clock.sleep(5_000_000)
        }
    }

    private func index(of program: String, on host: String) -> Int? {
        entries.firstIndex { $0.host == host && $0.name == program }
    }

    /// What each has printed until now, by host and name; nil if there was none.
    var texts: [String: [String: String]]? {
        guard !entries.isEmpty else { return nil }
        return entries.reduce(into: [:]) { $0[$1.host, default: [:]][$1.name] = $1.text }
    }

    /// How many bytes of it are not kept, by host and name; nil if all are.
    var leftOut: [String: [String: Int]]? {
        let cut = entries.filter { $0.leftOut > 0 }
        guard !cut.isEmpty else { return nil }
        return cut.reduce(into: [:]) { $0[$1.host, default: [:]][$1.name] = $1.leftOut }
    }

    /// Asks it to end and waits until it has.
    func stop(_ program: String, in namespace: String) throws {
        guard let index = index(of: program, on: namespace), let process = entries[index].process else {
            throw RunProblem("\(program) cannot be stopped: it does not run", in: namespace)
        }
        entries[index].process = nil
        let result = try process.terminate()
        entries[index].keep(result.output + result.errors, leftOut: result.leftOut)
    }

    /// Ends the programs of a host that has lost its power.
    func kill(on host: String) throws {
        for index in entries.indices where entries[index].host == host {
            guard let process = entries[index].process else { continue }
            entries[index].process = nil
            let result = try process.kill()
            entries[index].keep(result.output + result.errors, leftOut: result.leftOut)
        }
    }

    /// Ends all that still run, in the opposite order of their names, whatever order they were started in.
    func stopAll() {
        let running = entries.filter { $0.process != nil }
        for entry in running.sorted(by: { ($0.host, $0.name) > ($1.host, $1.name) }) {
            try? stop(entry.name, in: entry.host)
        }
    }

    /// Writes what they printed, each to a file.
    func save(to folder: String) throws {
        for entry in entries where !entry.text.isEmpty {
            mkdir(folder, 0o755)
            try writeFile("\(folder)/\(entry.host).\(entry.name).log", entry.text.utf8)
        }
    }

    private func failure(_ what: String, _ program: Plan.ProgramPlan, _ process: RunningProcess) -> RunProblem {
        let printed = (process.output + process.errors).split(separator: "\n").suffix(5).joined(separator: "\n")
        return RunProblem("\(program.name) \(what)\(printed.asReason)", in: program.namespace)
    }

    /// In a mount namespace of its own: unshare(1) makes it, a shell fills it and becomes the program.
    private static func wrapped(_ program: Plan.ProgramPlan) -> [String] {
        var script = "set -e\n"
        for folder in program.folders { script += "mount -t tmpfs tmpfs \(folder)\n" }
        for (number, file) in program.files.enumerated() {
            let parent = file.path.split(separator: "/").dropLast().map { "/" + $0 }.joined()
            // The quoted mark keeps the shell's hands off the text; what follows a command substitution has no final
            // newline, but a document has.
            script += "mkdir -p '\(parent)'\ncat > '\(file.path)' <<'end of file \(number)'\n\(file.text)"
            script += (file.text.hasSuffix("\n") ? "" : "\n") + "end of file \(number)\n"
        }
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script + "exec \"$@\"", "sh"]
            + program.arguments
    }
}
