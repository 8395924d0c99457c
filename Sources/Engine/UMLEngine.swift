internal import CLinux
internal import Glibc
internal import Kernel
public import Lab
internal import Plan

/// Runs plans in a lab kernel: Linux as an ordinary program (User-Mode Linux), with `drbench-lab` as its PID 1 and this host's
/// file system, read-only, as its root. Needs no privileges.
public struct UMLEngine: Engine {
    public let name = "uml"
    public var kernel: LabKernel
    /// The program `drbench-lab`, which becomes PID 1.
    public var program: String
    /// The guest's memory in MiB; nil for what a plan seems to need.
    public var memory: Int?
    /// Seconds after which a guest in virtual time of which nothing is even ready to run is given up.
    var restLimit = 5.0

    public init(kernel: LabKernel, program: String, memory: Int? = nil) {
        self.kernel = kernel
        self.program = program
        self.memory = memory
    }

    /// Where virtual time begins: 2017-03-24T00:00:00Z, the day of the seed article's update.
    static let epoch: Int64 = 1_490_313_600 * 1_000_000_000

    public func run(_ request: RunRequest, observe: (LabEvent) -> Void) throws(RunFailure) {
        let folder = try RunFolder(request.directory)
        try folder.write(request.carriedOut(unconfined: Confinement.ofThisHost.gap))
        let relay = try request.visit.map { visit throws(RunFailure) in try Relay(visit.folder) }
        var stage = RunStage()
        defer { folder.tidy() }
        let (end, console) = try boot(
            request, memory: request.plan.guestMemory, folder: folder, runs: [folder], first: nil, relay: relay
        ) { event in
            stage.note(event)
            observe(event)
            request.note(event, relay)
        }
        let usedUp = console.outOfMemory.map {
            "the guest's \(memory ?? request.plan.guestMemory) MiB are used up: its kernel ended \($0)"
        }
        // A problem, whatever it looks like inside, is one of memory then.
        if stage.hasProblem, let usedUp { observe(.problem(usedUp)) }
        guard var failure = Self.failure(end, stage: stage, console: console, request, program: program) else { return }
        if let usedUp { failure.explanation = "\(usedUp); \(failure.explanation)" }
        throw failure
    }

    public func runInTurn(
        _ requests: [RunRequest], in directory: String, ended: @escaping (Int, [String], RunFailure?) -> Void
    ) {
        guard var all = requests.first else { return }
        var turns = TurnsTaken(ended: ended)
        do throws(RunFailure) {
            let places = requests.map { String($0.directory.dropFirst(directory.count + 1)) }
            var runs: [RunFolder] = []
            for (request, next) in zip(requests, places.dropFirst().map(Optional.some) + [nil]) {
                let run = try RunFolder(request.directory)
                try run.write(request.carriedOut(next: next, unconfined: Confinement.ofThisHost.gap))
                runs.append(run)
            }
            defer { for run in runs { run.tidy() } }
            all.directory = directory
            all.timeLimit = requests.reduce(0) { $0 + $1.timeLimit }
            let memory = requests.map(\.plan.guestMemory).max() ?? 0
            let (end, console) = try boot(
                all, memory: memory, folder: try RunFolder(directory), runs: runs, first: places[0], relay: nil
            ) { turns.note($0) }
            turns.end(Self.failure(end, stage: turns.stage, console: console, all, program: program))
        } catch {
            turns.end(error)
        }
        for index in turns.count..<requests.count {
            ended(
                index, [], RunFailure(turns.failure?.kind ?? .ended, "not begun: \(turns.failure?.explanation ?? "")"))
        }
    }

    /// Starts a guest in the request's folder and waits for its end.
    /// - Parameters:
    ///   - folder: the request's.
    ///   - runs: the folders of the runs that it carries out, in it or the same.
    ///   - first: where the first of several is, below the folder.
    private func boot(
        _ request: RunRequest, memory needed: Int, folder: RunFolder, runs: [RunFolder], first: String?, relay: Relay?,
        observe: (LabEvent) -> Void
    ) throws(RunFailure) -> (BoundProcess.End, ConsoleText) {
        let memory = memory ?? needed
        if let obstacle = ResourceLimits.obstacle(toGuestOf: memory) { throw RunFailure(.couldNotStart, obstacle) }
        let writable = try WritableFiles()
        // Where the kernel's unused lines end.
        try writable.allow("/dev/null", DRB_FILE)
        for run in runs {
            try run.makeWritable { file, kind throws(RunFailure) in try writable.allow(file, kind) }
        }
        let program = open(program, O_RDONLY | O_CLOEXEC)
        guard program >= 0 else {
            throw RunFailure(.couldNotStart, "cannot open \(self.program): \(Errno.name(errno))")
        }
        defer { close(program) }
        var environment = ["PATH=/usr/bin"]
        var files = [program]
        /// Where a kernel makes files that cannot do without.
        var scratch: String?
        if kernel.makesNoFiles {
            files.append(try GuestMemory.file(of: memory))
            environment.append("UML_MEMORY_FD=\(Self.memoryFile)")
        } else {
            let folder = try GuestMemory.folder(for: memory)
            try writable.allow(folder, DRB_SCRATCH_FOLDER)
            scratch = folder
            // So that what follows has the same number.
            files.append(program)
            environment.append("TMPDIR=\(folder)")
        }
        defer { if files[1] != program { close(files[1]) } }
        // The kernel and its processes take turns: thousands of times a run one wakes the other, which on another processor
        // takes two to three times as long.
        var process = try BoundProcess(
            path: kernel.program,
            arguments: arguments(for: request, memory: memory, first: first, scratch: scratch),
            environment: environment, directory: request.directory, files: files + (relay.map { [$0.farEnd] } ?? []),
            stays: true, rules: writable.rules)
        relay?.forgetFarEnd()
        let end = process.wait(
            seconds: request.timeLimit, restLimit: request.realTime ? nil : restLimit, relay: relay, observe: observe)
        folder.write(console: process.consoleText.bytes)
        return (end, process.consoleText)
    }

    /// What keeps every guest from running here, as a sentence; nil if nothing does.
    public var obstacle: String? {
        for file in [kernel.program, program] {
            if let barrier = Barrier(to: file) { return "the lab kernel needs \(file), but \(barrier)" }
        }
        let memory = memory ?? Plan.leastGuestMemory
        if let obstacle = ResourceLimits.obstacle(toGuestOf: memory) { return obstacle }
        do {
            if kernel.makesNoFiles {
                close(try GuestMemory.file(of: memory))
            } else {
                _ = try GuestMemory.folder(for: memory)
            }
            return nil
        } catch {
            return error.explanation
        }
    }

    /// The run's folder as the guest kernel's process, which is started in it, finds it through hostfs. Not by its path: a
    /// kernel mixes its command line into its randomness (random_init_early in drivers/char/random.c), so that a run in
    /// another folder, or by a program at another place, would be another run in spite of its seed.
    static let ownFolder = "/proc/self/cwd"
    /// The program as that process has it open. Not by a link in the run's folder, either: each folder on the way to it
    /// would be an object in the guest's memory, and where things lie in memory shows (IPVS hashes with an address).
    static let ownProgram = "/proc/self/fd/\(BoundProcess.firstOfFiles)"
    /// The descriptor of the guest's memory there, and that of the line for people.
    private static let memoryFile = BoundProcess.firstOfFiles + 1
    private static let line = BoundProcess.firstOfFiles + 2

    private func arguments(for request: RunRequest, memory: Int, first: String?, scratch: String?) -> [String] {
        let order = Guest.Order(
            folder: Self.ownFolder, first: first,
            virtual: request.realTime ? nil : .init(seed: request.seed, timeLimit: request.plan.virtualTimeLimit))
        let clock = request.realTime ? [] : ["time-travel=inf-cpu", "time-travel-start=\(Self.epoch)"]
        return [
            "mem=\(memory)M", "rootfstype=hostfs", "root=/dev/root", "ro", "init=\(Self.ownProgram)",
            "con=null", "con0=null,fd:1", "ssl=null", "ssl0=null,fd:3",
            // The line for people; opened only if somebody may come, so that there need not be one.
            "ssl1=fd:\(Self.line)", "quiet", "loglevel=4", "panic=-1",
            // No folder with its process id, nothing to remove if it is killed.
            "uml_dir=\(scratch ?? "none")", "umid=\(scratch == nil ? "lab" : "lab-\(getpid())-\(pthread_self())")",
            // For PID 1's environment: hash order must not depend on addresses.
            "SWIFT_DETERMINISTIC_HASHING=1",
            // An arena for each thread is for many processors; here it is some hundred system calls and page faults more.
            "MALLOC_ARENA_MAX=1",
        ] + clock + ["random_seed=\(request.seed)", "\(Guest.variable)=\(order.text)"]
    }

    /// What a guest's end means; nil if it came to its end as it should.
    static func failure(
        _ end: BoundProcess.End, stage: RunStage, console: ConsoleText, _ request: RunRequest, program: String
    ) -> RunFailure? {
        func failure(_ kind: RunFailure.Kind, _ why: String) -> RunFailure {
            RunFailure(kind, "\(why), \(stage.description)", console: console.tail(20))
        }
        if console.endsWithRestart { return failure(.ended, "the guest restarted") }
        if let panic = KernelPanic(console: console) {
            return panic.isDeadlock
                ? failure(.virtualDeadlock, "nothing in the guest could run and no timer was armed")
                : failure(.panic, panic.description(program: program))
        }
        switch end {
        case .interrupted(let signal):
            return failure(.interrupted, "drbench got \(Signal.name(signal))")
        case .atRest:
            return failure(.virtualDeadlock, "nothing in the guest runs any more and virtual time stands still")
        case .outOfTime:
            return failure(.hang, "not finished after \(Int(request.timeLimit.rounded())) s of wall-clock time")
        case .signalled(let signal):
            return failure(.ended, "the guest kernel was ended by \(Signal.name(signal))")
        case .exited:
            if let seconds = stage.clockRanOut {
                return failure(
                    .virtualDeadlock, "everything in the guest waited in vain for \(seconds) s of virtual time")
            }
            if stage.hasFinished { return nil }
            if case .exited(let status) = end, !stage.hasStarted {
                return failure(.couldNotStart, "the guest ended with status \(status)")
            }
            return failure(.ended, "the guest switched itself off without a result")
        }
    }
}

/// Which of several runs of one guest has come how far, by its events: each begins with `started`.
private struct TurnsTaken {
    let ended: (Int, [String], RunFailure?) -> Void
    private(set) var stage = RunStage()
    /// How many have begun.
    private(set) var count = 0
    private var problems: [String] = []
    /// How the last one ended, if not as it should.
    private(set) var failure: RunFailure?

    init(ended: @escaping (Int, [String], RunFailure?) -> Void) { self.ended = ended }

    mutating func note(_ event: LabEvent) {
        if case .started = event {
            if count > 0 { close(nil) }
            count += 1
            stage = RunStage()
            problems = []
        }
        if case .problem(let text) = event { problems.append(text) }
        stage.note(event)
    }

    /// The guest's end.
    mutating func end(_ failure: RunFailure?) {
        self.failure = failure
        if count > 0 { close(failure) }
    }

    private func close(_ failure: RunFailure?) {
        let isLeft = failure == nil && !stage.hasFinished && problems.isEmpty
        ended(count - 1, problems, isLeft ? RunFailure(.ended, "it ended \(stage.description)") : failure)
    }
}
