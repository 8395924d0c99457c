internal import FoundationEssentials
internal import Glibc
internal import Kernel
internal import Plan

/// The real programs of a run, by host and name.
final class RunningPrograms {
    private let clock: RunClock
    private var running: [String: RunningProcess] = [:]
    /// What each has printed, over all its lives, in the order of their first.
    private var logs: [(name: String, text: String)] = []

    init(clock: RunClock) { self.clock = clock }

    /// Starts a program and waits until it listens where it should.
    ///
    /// Errors: ENOENT for a program that is not there, ECANCELED for one that ended, ETIMEDOUT for one that did not
    /// listen in time; with what it printed.
    func start(_ program: Plan.ProgramPlan, in place: Place) throws {
        let name = "\(program.namespace).\(program.name)"
        let process = try ProcessRunner.start(Self.wrapped(program), in: place.namespace)
        running[name] = process
        if !logs.contains(where: { $0.name == name }) { logs.append((name, "")) }
        let deadline = clock.now() + 10_000_000_000
        while try !place.listens(on: program.listens) {
            guard process.isRunning else {
                throw failure("it ended", ECANCELED, program, process)
            }
            guard clock.now() < deadline else {
                throw failure("it does not listen on \(program.listens) after 10 s", ETIMEDOUT, program, process)
            }
            clock.sleep(5_000_000)
        }
    }

    /// What each has printed until now, by host and name; nil if there was none.
    var texts: [String: [String: String]]? {
        guard !logs.isEmpty else { return nil }
        var texts: [String: [String: String]] = [:]
        for log in logs {
            let parts = log.name.split(separator: ".", maxSplits: 1).map(String.init)
            let process = running[log.name]
            texts[parts[0], default: [:]][parts[1]] = log.text + (process.map { $0.output + $0.errors } ?? "")
        }
        return texts
    }

    /// Asks it to end and waits until it has.
    func stop(_ program: String, in namespace: String) throws {
        let name = "\(namespace).\(program)"
        guard let process = running.removeValue(forKey: name) else {
            throw KernelError("stop \(program)", code: ESRCH, explanation: "it is not running", namespace: namespace)
        }
        try end(process, name: name)
    }

    /// Ends all, the latest first.
    func stopAll() {
        for (name, process) in running.sorted(by: { $0.key > $1.key }) { try? end(process, name: name) }
        running = [:]
    }

    private func end(_ process: RunningProcess, name: String) throws {
        let result = try process.terminate()
        if let index = logs.firstIndex(where: { $0.name == name }) { logs[index].text += result.output + result.errors }
    }

    /// Writes what they printed, each to a file.
    func save(to folder: String) throws {
        for (name, text) in logs where !text.isEmpty {
            mkdir(folder, 0o755)
            try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name).log"))
        }
    }

    private func failure(
        _ what: String, _ code: Int32, _ program: Plan.ProgramPlan, _ process: RunningProcess
    ) -> KernelError {
        let printed = (process.output + process.errors).split(separator: "\n").suffix(10).joined(separator: "\n")
        return KernelError(
            "start \(program.name)", code: code, explanation: printed.isEmpty ? what : "\(what): \(printed)",
            namespace: program.namespace)
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
