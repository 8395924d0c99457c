internal import CLinux
internal import Glibc
internal import Kernel
public import Lab
internal import Plan

/// Runs plans on this host's own kernel, in private namespaces that die with their holder: nothing is left behind even
/// after `kill -9`. As an ordinary user it needs unprivileged user namespaces.
///
/// What runs there sees this host's files, read-only, but for /run, /tmp and /dev/shm of its own. If root starts it, its users
/// are nobody on this host (`firstUser` and on); otherwise they are the one user who started it.
public struct NativeEngine: Engine {
    public let name = "native"
    /// The program `drbench-lab`, which is started inside the namespaces.
    public var program: String

    public init(program: String) { self.program = program }

    /// What takes a run's folder's place in the program's command line if it is to probe only: names follow it.
    private static let probeWord = "--probe="

    /// Users of this host that nobody has: behind those that containers get (systemd's Users, Groups, UIDs and GIDs).
    private static let firstUser: UInt32 = 0x7000_0000
    private static let userCount: UInt32 = 65536

    public func run(_ request: RunRequest, observe: (LabEvent) -> Void) throws(RunFailure) {
        let folder = try RunFolder(request.directory)
        try folder.write(request.carriedOut(unconfined: nil))
        let relay = try request.visit.map { visit throws(RunFailure) in try Relay(visit.folder) }
        defer { folder.tidy() }
        let isRoot = geteuid() == 0
        try folder.makeWritable { descriptor, _ throws(RunFailure) in
            guard isRoot, fchown(descriptor, Self.firstUser, Self.firstUser) < 0 else { return }
            throw RunFailure(.couldNotStart, "cannot give \(request.directory) away: \(Errno.message(errno))")
        }
        defer { if isRoot { folder.adopt() } }
        try start(
            arguments: [request.directory], directory: request.directory, seconds: request.timeLimit, relay: relay,
            keep: { folder.write(console: $0) },
            observe: { event in
                observe(event)
                request.note(event, relay)
            })
    }

    /// What keeps this host from confining what runs; nil if nothing does.
    public func gap() throws(RunFailure) -> String? {
        var gap: String?
        try start(
            arguments: [Self.probeWord], directory: "/", seconds: 20, keep: { _ in },
            observe: { event in if case .unconfined(let why) = event { gap = why } })
        return gap
    }

    /// Finds out what this host's kernel has, by trying, in namespaces that are gone afterwards.
    /// - Parameter names: of `Capabilities.known`, those to look for; the result says nothing of others.
    public func probe(for names: Set<String> = Set(Capabilities.known.map(\.name))) throws(RunFailure) -> Capabilities {
        var found: Capabilities?
        try start(
            arguments: [Self.probeWord + names.sorted().joined(separator: ",")], directory: "/", seconds: 20,
            keep: { _ in },
            observe: { event in
                if case .capabilities(let reasons) = event { found = Capabilities(reasons: reasons) }
            })
        guard let found else { throw RunFailure(.ended, "the probe ended without a result") }
        return found
    }

    /// Starts the program in namespaces of its own and waits for its end.
    /// - Parameter keep: takes what it printed.
    private func start(
        arguments: [String], directory: String, seconds: Double, relay: Relay? = nil, keep: ([UInt8]) -> Void,
        observe: (LabEvent) -> Void
    ) throws(RunFailure) {
        // A PID namespace of its own: when its first process dies, everything that it started dies with it.
        var flags = UInt(drb_clone_newns() | drb_clone_newpid())
        let isRoot = geteuid() == 0
        if !isRoot { flags |= UInt(drb_clone_newuser()) }
        var process: BoundProcess
        do {
            process = try BoundProcess(
                path: program, arguments: arguments,
                environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "SWIFT_DETERMINISTIC_HASHING=1"],
                directory: directory, cloneFlags: flags, files: relay.map { [$0.farEnd] } ?? [])
            relay?.forgetFarEnd()
        } catch {
            throw RunFailure(
                error.kind,
                error.explanation
                    + (isRoot ? "; root needs CAP_SYS_ADMIN" : "; it needs root or user namespaces for all")
                    + " to make namespaces of its own")
        }
        var problems: [String] = []
        var stage = RunStage()
        let end = process.wait(seconds: seconds, relay: relay) { event in
            stage.note(event)
            if case .problem(let text) = event { problems.append(text) }
            observe(event)
        }
        keep(process.consoleText.bytes)
        let console = process.consoleText.tail(20)
        let because = problems.isEmpty ? "" : ": \(problems.joined(separator: "; "))"
        func failure(_ kind: RunFailure.Kind, _ why: String) -> RunFailure {
            RunFailure(kind, "\(why), \(stage.description)\(because)", console: console)
        }
        switch end {
        case .exited(0): return
        case .exited(let status): throw failure(.ended, "the laboratory ended with status \(status)")
        case .signalled(let signal): throw failure(.ended, "the laboratory was ended by \(Signal.name(signal))")
        case .interrupted(let signal): throw failure(.interrupted, "drbench got \(Signal.name(signal))")
        case .outOfTime, .atRest: throw failure(.hang, "not finished after \(Int(seconds.rounded())) s")
        }
    }

    /// The laboratory's side: file systems of its own, then the plan.
    /// - Parameter order: the run's folder, or what to probe for.
    /// - Returns: the process's exit status.
    public static func laboratory(_ order: String) -> Int32 {
        let events = EventChannel(descriptor: 3)
        _ = fcntl(3, F_SETFD, FD_CLOEXEC)
        let probed = order.hasPrefix(probeWord) ? order.dropFirst(probeWord.count) : nil
        let unconfined: String?
        do {
            unconfined = try NativeSurroundings.make(runFolder: probed == nil ? order : nil, firstUser, userCount)
        } catch {
            events.send(.problem("the laboratory could not \(error)"))
            return 3
        }
        if let unconfined { events.send(.unconfined(unconfined)) }
        if let probed {
            let names = probed.split(separator: ",").map(String.init)
            events.send(.capabilities(NativeProbe.reasons(for: Set(names))))
            return 0
        }
        let line = BoundProcess.firstOfFiles
        _ = fcntl(line, F_SETFD, FD_CLOEXEC)
        return Laboratory.run(
            folder: NativeSurroundings.runFolder, engine: "native", seed: nil, unconfined: unconfined, events: events
        ) { after in
            OpenHouse(comeAfterEvidence: after) { line }
        }.succeeded ? 0 : 1
    }
}
