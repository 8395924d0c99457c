internal import CLinux
internal import Glibc
internal import Synchronization

/// A process that was started, the read ends of its output and a pidfd.
final class ChildProcess: Sendable {
    enum Stream { case output, errors }

    private struct State {
        var output: KeptOutput
        var errors: KeptOutput
        /// From waitpid; from then on the id may be somebody else's.
        var ending: ProcessResult.Ending?
        var isReaped = false
        /// Whether the rest of the group dies with its leader.
        var killsGroup = false
    }

    let arguments: [String]
    let processID: Int32
    private let namespace: String
    /// Readable once the process has ended.
    private let processDescriptor: Int32
    private let output: Int32
    private let errors: Int32
    private let state: Mutex<State>

    private var operation: String { "run \(arguments.first ?? "nothing")" }

    init(
        _ arguments: [String], in namespace: NetworkNamespace, input: String?, showsOwnSys: Bool, keeping room: Int?
    ) throws(KernelError) {
        let operation = "run \(arguments.first ?? "nothing")"
        self.arguments = arguments
        self.namespace = namespace.name
        state = Mutex(State(output: KeptOutput(room: room), errors: KeptOutput(room: room)))
        do {
            let program = try Self.find(arguments.first ?? "")
            let standardInput = try input.map { try Descriptor.holding($0) }
            let output = try Descriptor.pipe()
            let errors = try Descriptor.pipe()
            processID = try namespace.run {
                try Self.spawn(
                    program, arguments, input: standardInput?.number, output: output.write.number,
                    errors: errors.write.number, showsOwnSys: showsOwnSys)
            }
            processDescriptor = drb_process_descriptor(processID)
            if processDescriptor < 0 {
                let code = errno
                Glibc.kill(-processID, SIGKILL)
                waitpid(processID, nil, 0)
                throw KernelError("open a pidfd", code: code)
            }
            self.output = output.read.release()
            self.errors = errors.read.release()
        } catch {
            let known = KernelError(error, during: operation, in: namespace.name)
            throw KernelError(operation, code: known.code, explanation: known.explanation, namespace: namespace.name)
        }
    }

    deinit {
        close(processDescriptor)
        close(output)
        close(errors)
    }

    /// Reads both streams until the process has ended and what it wrote is read, then reaps it. To be called once.
    func collect(timeLimit: Int64?) throws(KernelError) -> ProcessResult {
        var deadline = timeLimit.map { monotonicTime() + $0 }
        var timedOut = false
        var polls = [processDescriptor, output, errors].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while true {
            let count = poll(&polls, 3, milliseconds(until: deadline))
            if count < 0, errno != EINTR, errno != EAGAIN { break }
            if count == 0 {
                timedOut = true
                deadline = nil
                kill()
            }
            guard count > 0 else { continue }
            // poll looks at the process first, and what a process wrote is in the pipe when its end is seen: an end
            // without anything to read is the end.
            var isSilent = true
            for (position, stream) in [(1, Stream.output), (2, .errors)] where polls[position].revents != 0 {
                if read(polls[position].fd, into: stream) {
                    isSilent = false
                } else {
                    polls[position].fd = -1
                }
            }
            if polls[0].revents != 0, isSilent { break }
        }
        reap()
        return try result(timedOut: timedOut)
    }

    /// false at the end of the stream.
    private func read(_ descriptor: Int32, into stream: Stream) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 64 * 1024, alignment: 1) { buffer in
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            guard count > 0 else { return count < 0 && errno == EINTR }
            state.withLock { state in
                switch stream {
                case .output: state.output.append(buffer.prefix(count))
                case .errors: state.errors.append(buffer.prefix(count))
                }
            }
            return true
        }
    }

    private func reap() {
        state.withLock { state in
            // As long as its leader is not reaped the group's id is nobody else's.
            if state.killsGroup { Glibc.kill(-processID, SIGKILL) }
            var status: Int32 = 0
            var reaped: Int32
            repeat { reaped = waitpid(processID, &status, 0) } while reaped < 0 && errno == EINTR
            state.isReaped = true
            guard reaped == processID else { return }
            // WIFEXITED and its like are function-like macros.
            state.ending = status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .signalled(status & 0x7F)
        }
    }

    func result(timedOut: Bool) throws(KernelError) -> ProcessResult {
        let state = state.withLock { $0 }
        guard let ending = state.ending else {
            throw KernelError(
                operation, code: ECHILD, explanation: "its exit status was taken elsewhere", namespace: namespace)
        }
        return ProcessResult(
            arguments: arguments, ending: ending, output: state.output.text, errors: state.errors.text,
            timedOut: timedOut, leftOut: state.output.leftOut + state.errors.leftOut)
    }

    func text(of stream: Stream) -> String {
        state.withLock { stream == .output ? $0.output.text : $0.errors.text }
    }

    /// Bytes of both streams that are not kept.
    var leftOut: Int { state.withLock { $0.output.leftOut + $0.errors.leftOut } }

    /// Asks the process's group to end. Whatever is left of it when the process is reaped is killed: a member that was
    /// just being forked may have missed the signal.
    func terminate() { end(with: SIGTERM) }

    /// Kills the process's group, and whatever is left of it when the process is reaped.
    func kill() { end(with: SIGKILL) }

    private func end(with signal: Int32) {
        state.withLock { state in
            state.killsGroup = true
            if !state.isReaped { Glibc.kill(-processID, signal) }
        }
    }

    /// Whether the process ends within so many nanoseconds.
    func hasEnded(within limit: Int64) -> Bool {
        let deadline = monotonicTime() + limit
        var polled = pollfd(fd: processDescriptor, events: Int16(POLLIN), revents: 0)
        while true {
            let count = poll(&polled, 1, milliseconds(until: deadline))
            if count > 0 { return true }
            if count == 0 || errno != EINTR { return false }
        }
    }
}

extension ChildProcess {
    /// The program's path: the name itself if it has a slash, else the first executable of that name in the path.
    private static func find(_ name: String) throws(KernelError) -> String {
        if name.contains("/") { return name }
        for directory in ProcessRunner.path where !name.isEmpty {
            let candidate = "\(directory)/\(name)"
            if access(candidate, X_OK) == 0 { return candidate }
        }
        throw KernelError(
            "find \(name)", code: ENOENT, explanation: "not in \(ProcessRunner.path.joined(separator: ":"))")
    }

    /// Starts the program from the calling thread, whose namespaces it inherits. The process's id.
    private static func spawn(
        _ program: String, _ arguments: [String], input: Int32?, output: Int32, errors: Int32, showsOwnSys: Bool
    ) throws(KernelError) -> Int32 {
        let environment = ["PATH=" + ProcessRunner.path.joined(separator: ":"), "LC_ALL=C", "HOME=/"]
        let argumentList = arguments.map { strdup($0) }
        let environmentList = environment.map { strdup($0) }
        defer {
            for text in argumentList + environmentList { free(text) }
        }
        let processID = drb_spawn(
            program, argumentList + [nil], environmentList + [nil], [input ?? -1, output, errors],
            showsOwnSys ? 1 : 0)
        guard processID > 0 else { throw KernelError("run \(program)", code: -processID) }
        return processID
    }
}

/// A descriptor that is closed with its last reference, and is none of the three standard ones.
private final class Descriptor: Sendable {
    private let value: Mutex<Int32>

    /// Takes the descriptor over. Errors: those of fcntl(2).
    private init(taking number: Int32) throws(KernelError) {
        guard number <= STDERR_FILENO else {
            value = Mutex(number)
            return
        }
        // In a process without standard descriptors a pipe would get their numbers, and be overwritten in the child.
        let higher = fcntl(number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
        let code = errno
        close(number)
        guard higher >= 0 else { throw KernelError("duplicate a descriptor", code: code) }
        value = Mutex(higher)
    }

    deinit {
        let number = number
        if number >= 0 { close(number) }
    }

    var number: Int32 { value.withLock { $0 } }

    /// Gives the descriptor away.
    func release() -> Int32 {
        value.withLock { value in
            defer { value = -1 }
            return value
        }
    }

    static func pipe() throws(KernelError) -> (read: Descriptor, write: Descriptor) {
        var ends: [Int32] = [-1, -1]
        guard drb_pipe(&ends) == 0 else { throw KernelError("open a pipe", code: errno) }
        return (try Descriptor(taking: ends[0]), try Descriptor(taking: ends[1]))
    }

    /// A file in memory with this text, to be read from its start. Unlike a pipe it takes any length at once, and a
    /// reader that goes away early raises no SIGPIPE here.
    static func holding(_ text: String) throws(KernelError) -> Descriptor {
        let number = drb_memory_file("input")
        guard number >= 0 else { throw KernelError("create a file in memory", code: errno) }
        let descriptor = try Descriptor(taking: number)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let offset = off_t(rest.startIndex)
            let count = rest.withUnsafeBytes { pwrite(descriptor.number, $0.baseAddress, $0.count, offset) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                throw KernelError("write to a file in memory", code: errno)
            }
        }
        return descriptor
    }
}

/// CLOCK_MONOTONIC in nanoseconds.
private func monotonicTime() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// What poll(2) takes, rounded up; -1, for ever, without a deadline.
private func milliseconds(until deadline: Int64?) -> Int32 {
    guard let deadline else { return -1 }
    return Int32(clamping: (max(0, deadline - monotonicTime()) + 999_999) / 1_000_000)
}
