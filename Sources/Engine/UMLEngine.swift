internal import FoundationEssentials
internal import Glibc
internal import Kernel
public import Lab
internal import Plan

/// Runs plans in a lab kernel: Linux as an ordinary program (User-Mode Linux), with drbench as its PID 1 and this host's
/// file system, read-only, as its root. Needs no privileges.
public struct UMLEngine: Engine {
    public let name = "uml"
    public var kernel: LabKernel
    /// The drbench program that becomes PID 1.
    public var program: String
    /// The guest's memory in MiB.
    public var memory: Int

    public init(kernel: LabKernel, program: String, memory: Int = 512) {
        self.kernel = kernel
        self.program = program
        self.memory = memory
    }

    /// Where virtual time begins: 2017-03-24T00:00:00Z, the day of the seed article's update.
    static let epoch: Int64 = 1_490_313_600 * 1_000_000_000

    public func run(_ request: RunRequest, observe: (LabEvent) -> Void) throws(RunFailure) {
        try RunFolder(request.directory).write(request.plan)
        try linkProgram(in: request.directory)
        var arguments = [
            "mem=\(memory)M", "rootfstype=hostfs", "root=/dev/root", "ro", "init=\(Self.ownFolder)/\(Self.programLink)",
            "con=null", "con0=null,fd:1", "ssl=null", "ssl0=null,fd:3", "quiet", "loglevel=4", "panic=-1",
            // The guest's helper files: inside the run's folder and removed with it.
            "uml_dir=./\(Self.helperFolder)/", "umid=lab",
            // For PID 1's environment: hash order must not depend on addresses.
            "SWIFT_DETERMINISTIC_HASHING=1",
        ]
        if !request.realTime {
            arguments += ["time-travel=inf-cpu", "time-travel-start=\(Self.epoch)"]
        }
        let order = Guest.Order(folder: Self.ownFolder, seed: request.realTime ? nil : request.seed)
        arguments += ["random_seed=\(request.seed)", "\(Guest.variable)=\(order.text)"]
        var process = try BoundProcess(
            path: kernel.program, arguments: arguments, environment: ["TMPDIR=\(Self.memoryFolder)", "PATH=/usr/bin"],
            directory: request.directory)
        defer { RunFolder(request.directory).remove(Self.helperFolder) }
        var finished = false
        let end = process.wait(seconds: request.timeLimit) { event in
            if event == .finished { finished = true }
            observe(event)
        }
        RunFolder(request.directory).write(process.consoleText, to: RunFiles.console)
        if let failure = Self.failure(
            end, finished: finished, console: process.consoleTail(), limit: request.timeLimit,
            virtual: !request.realTime)
        {
            throw failure
        }
    }

    private static let helperFolder = ".guest"
    private static let programLink = helperFolder + "/init"
    /// The run's folder as the guest kernel's process, which is started in it, finds it through hostfs. Not by its path: a
    /// kernel mixes its command line into its randomness (random_init_early in drivers/char/random.c), so that a run in
    /// another folder, or by a program at another place, would be another run in spite of its seed.
    static let ownFolder = "/proc/self/cwd"

    private func linkProgram(in directory: String) throws(RunFailure) {
        let link = "\(directory)/\(Self.programLink)"
        mkdir("\(directory)/\(Self.helperFolder)", 0o755)
        unlink(link)
        guard symlink(program, link) == 0 else {
            throw RunFailure(.couldNotStart, "cannot make the link \(link): \(Errno.name(errno))")
        }
    }

    /// The guest's memory is a file, already unlinked: best in memory.
    private static var memoryFolder: String { access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp" }

    /// What a guest's end means; nil if it came to its end as it should.
    static func failure(
        _ end: BoundProcess.End, finished: Bool, console: [String], limit: Double, virtual: Bool
    ) -> RunFailure? {
        let panic = console.last { $0.contains("Kernel panic") || $0.contains("BUG:") }
        switch end {
        case _ where panic?.contains("going to sleep forever") == true:
            return RunFailure(
                .virtualDeadlock, "nothing in the guest could run and no timer was armed", console: console)
        case _ where panic != nil:
            return RunFailure(.panic, panic ?? "", console: console)
        case .outOfTime(busy: false):
            return RunFailure(
                virtual ? .virtualDeadlock : .hang,
                "nothing in the guest has run for 5 s" + (virtual ? ", so virtual time stands still" : ""),
                console: console)
        case .outOfTime(busy: true):
            return RunFailure(.hang, "not finished after \(Int(limit)) s of wall-clock time", console: console)
        case .signalled(let signal):
            return RunFailure(.ended, "the guest kernel was ended by signal \(signal)", console: console)
        case .exited(let status) where !finished:
            return RunFailure(.ended, "the guest ended without a result (status \(status))", console: console)
        case .exited:
            return nil
        }
    }
}
