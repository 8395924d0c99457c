internal import CLinux
internal import Glibc
internal import Kernel
internal import Lab

/// A laboratory's process as its front sees it: an event channel, a console, a wall-clock limit.
///
/// It must be used by one thread only, the one that started it: the process is killed when that thread ends.
struct BoundProcess: ~Copyable {
    private let pid: pid_t
    /// A pidfd: readable once the process has ended, whoever still holds its pipes.
    private let ending: Int32
    private var events: Int32
    private var console: Int32
    private var eventLine: [UInt8] = []
    private(set) var consoleText = ConsoleText()

    /// How it ended.
    enum End: Equatable {
        case exited(Int32)
        case signalled(Int32)
        /// It went on past the limit.
        case outOfTime
        /// Nothing of it ran any more, and nothing ever would.
        case atRest
        /// This process got a signal to end.
        case interrupted(Int32)
    }

    /// What a laboratory that stood open gets to write what it has seen.
    static let secondsToEnd = 30.0

    /// The first descriptor behind the standard ones and the events'.
    static let firstOfFiles: Int32 = 4

    /// - Parameters:
    ///   - cloneFlags: CLONE_NEW* flags for the process itself.
    ///   - files: descriptors that it gets, too, from `firstOfFiles` on.
    ///   - stays: whether it keeps to one processor.
    ///   - rules: those of `WritableFiles`, or DRB_UNCONFINED.
    init(
        path: String, arguments: [String], environment: [String], directory: String, cloneFlags: UInt = 0,
        files: [Int32] = [], stays: Bool = false, rules: Int32 = DRB_UNCONFINED
    ) throws(RunFailure) {
        let eventPipe = try Self.pipe()
        let consolePipe: (read: Int32, write: Int32)
        do {
            consolePipe = try Self.pipe()
        } catch {
            close(eventPipe.read)
            close(eventPipe.write)
            throw error
        }
        let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
        var stage: UnsafePointer<CChar>?
        let pid = withStrings([path] + arguments) { argv in
            withStrings(environment) { envp in
                let fds = [null, consolePipe.write, consolePipe.write, eventPipe.write] + files
                return drb_spawn_bound(
                    path, argv, envp, directory, fds, Int32(fds.count), UInt(cloneFlags), stays ? 1 : 0, rules,
                    &stage)
            }
        }
        close(null)
        close(eventPipe.write)
        close(consolePipe.write)
        guard pid > 0 else {
            close(eventPipe.read)
            close(consolePipe.read)
            let what = stage.map { String(cString: $0) } ?? "start"
            throw RunFailure(
                .couldNotStart, "\(path): could not \(what): \(Errno.name(-pid)) (\(Errno.message(-pid)))")
        }
        self.pid = pid
        ending = drb_process_descriptor(pid)
        events = eventPipe.read
        console = consolePipe.read
    }

    deinit {
        for descriptor in [ending, events, console] where descriptor >= 0 { close(descriptor) }
    }

    /// Reads events and the console until the process ends or has to; then it is gone in either case, with its group.
    /// - Parameters:
    ///   - seconds: after which it is ended. Time that this process could not observe, because it was stopped (Ctrl-Z)
    ///     itself, does not count.
    ///   - restLimit: after so many seconds in which nothing of the process was even ready to run it is ended, too; nil if
    ///     it may wait for time to pass.
    ///   - relay: lets people in. While the laboratory stands open no limit holds, and a signal to end means that it is
    ///     enough; then `secondsToEnd` are left for the rest.
    mutating func wait(
        seconds: Double, restLimit: Double? = nil, relay: Relay? = nil, observe: (LabEvent) -> Void
    ) -> End {
        let checksForRest = 5
        let interval = (restLimit ?? 5) / Double(checksForRest)
        var end: End?
        var spent = 0.0
        var last = Self.now()
        var checksAtRest = 0
        var lastSeen: ProcessTree?
        var limit = seconds
        var wasOpen = false
        while end == nil {
            let isOpen = relay?.stage == .open
            var polled = Polled()
            for descriptor in [events, console, ending] { polled.add(descriptor) }
            // Once one has come its descriptor stays readable.
            if Interruption.signal == nil { polled.add(Interruption.descriptor) }
            relay?.add(to: &polled)
            let isSomething = polled.wait(milliseconds: isOpen ? -1 : Int32(interval * 1000))
            let now = Self.now()
            if !isOpen { spent += min(now - last, 2 * interval) }
            last = now
            if isSomething {
                checksAtRest = 0
                if polled.isReadable(events) { readEvents(observe) }
                if polled.isReadable(console) { readConsole() }
                // What it wrote before its end is in the pipes by now.
                if polled.isReadable(ending) { break }
                relay?.serve(polled)
            } else if !isOpen, !wasOpen, restLimit != nil {
                let seen = ProcessTree(of: pid)
                checksAtRest = seen.isAtRest && seen == lastSeen ? checksAtRest + 1 : 0
                lastSeen = seen
                if checksAtRest >= checksForRest { end = .atRest }
            }
            if relay?.stage == .open { wasOpen = true }
            if let signal = Interruption.signal, relay?.stage == .building || relay == nil {
                end = .interrupted(signal)
            } else if Interruption.signal != nil {
                relay?.end()
            }
            if wasOpen, relay?.stage == .ending, limit == seconds { limit = spent + Self.secondsToEnd }
            if spent > limit { end = end ?? .outOfTime }
        }
        if end != nil { kill(-pid, SIGKILL) }
        var status: Int32 = 0
        _ = drb_await_end(pid, &status)
        while events >= 0, Self.isReadable(events) { readEvents(observe) }
        while console >= 0, Self.isReadable(console) { readConsole() }
        if let end { return end }
        return status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .signalled(status & 0x7F)
    }

    private mutating func readEvents(_ observe: (LabEvent) -> Void) {
        guard let bytes = Self.readSome(events) else {
            close(events)
            events = -1
            return
        }
        eventLine += bytes
        while let newline = eventLine.firstIndex(of: 0x0A) {
            if let event = LabEvent(line: eventLine[..<newline]) { observe(event) }
            eventLine.removeSubrange(...newline)
        }
    }

    private mutating func readConsole() {
        guard let bytes = Self.readSome(console) else {
            close(console)
            console = -1
            return
        }
        consoleText.append(bytes)
    }

    private static func isReadable(_ descriptor: Int32) -> Bool {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&polled, 1, 0) > 0
    }

    /// nil at the end of the stream.
    private static func readSome(_ descriptor: Int32) -> [UInt8]? {
        let size = 65536
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = max(0, read(descriptor, buffer.baseAddress, size))
        }
        return bytes.isEmpty ? nil : bytes
    }

    private static func pipe() throws(RunFailure) -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        // Large: a guest that had to wait for its front would wait in virtual time, too.
        let status = drb_channel(&ends, 1 << 20)
        guard status == 0 else { throw RunFailure(.couldNotStart, "no pipe: \(Errno.name(-status))") }
        return (ends[0], ends[1])
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
