internal import CLinux
internal import Glibc
internal import Kernel
internal import Lab

/// A laboratory's process as its front sees it: an event channel, a console, a wall-clock limit.
///
/// It must be used by one thread only, the one that started it: the process is killed when that thread ends.
struct BoundProcess: ~Copyable {
    private let pid: pid_t
    private var events: Int32
    private var console: Int32
    private var eventLine: [UInt8] = []
    private(set) var consoleText: [UInt8] = []

    /// How it ended, as waitpid(2) tells.
    enum End: Equatable {
        case exited(Int32)
        case signalled(Int32)
        case outOfTime(busy: Bool)
    }

    /// - Parameter cloneFlags: CLONE_NEW* flags for the process itself.
    init(
        path: String, arguments: [String], environment: [String], directory: String, cloneFlags: UInt = 0
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
        let pid = Self.withStrings([path] + arguments) { argv in
            Self.withStrings(environment) { envp in
                let fds = [null, consolePipe.write, consolePipe.write, eventPipe.write]
                return drb_spawn_bound(
                    path, argv, envp, directory, fds, Int32(fds.count), UInt(cloneFlags), &stage)
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
        events = eventPipe.read
        console = consolePipe.read
    }

    deinit {
        if events >= 0 { close(events) }
        if console >= 0 { close(console) }
    }

    /// Reads events and the console until the process ends or its time is over; then it is gone in either case.
    mutating func wait(seconds: Double, observe: (LabEvent) -> Void) -> End {
        let deadline = Self.now() + seconds
        /// Time without any processor use after which nothing is expected of it any more.
        let patience = 5.0
        var idleSince = Self.now()
        var used = Self.processorTime(of: pid)
        var end: End?
        while end == nil, events >= 0 || console >= 0 {
            var polls = [
                pollfd(fd: events, events: Int16(POLLIN), revents: 0),
                pollfd(fd: console, events: Int16(POLLIN), revents: 0),
            ]
            let ready = poll(&polls, 2, 1000)
            if ready > 0 {
                idleSince = Self.now()
                if polls[0].revents != 0 { readEvents(observe) }
                if polls[1].revents != 0 { readConsole() }
                continue
            }
            let usedNow = Self.processorTime(of: pid)
            if usedNow != used {
                used = usedNow
                idleSince = Self.now()
            }
            let idle = Self.now() - idleSince > patience
            if idle || Self.now() > deadline { end = .outOfTime(busy: !idle) }
        }
        if end != nil { kill(-pid, SIGKILL) }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        // Its group may hold more than the process itself.
        kill(-pid, SIGKILL)
        if let end { return end }
        return status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .signalled(status & 0x7F)
    }

    /// The last lines of the console, for a message.
    borrowing func consoleTail(_ count: Int = 20) -> [String] {
        String(decoding: consoleText, as: UTF8.self)
            .split(whereSeparator: \.isNewline).suffix(count).map(String.init)
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
        consoleText += bytes
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

    /// Fields 14 to 17 of /proc/PID/stat: the processor time of the process and its reaped children, in clock ticks.
    private static func processorTime(of pid: pid_t) -> [Substring] {
        let file = open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        guard let bytes = readSome(file) else { return [] }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.lastIndex(of: ")") else { return [] }
        return Array(text[end...].split(separator: " ").dropFirst(12).prefix(4))
    }

    private static func withStrings<R>(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R) -> R {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies + [nil])
    }
}
