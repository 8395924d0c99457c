import Foundation
import Glibc

/// How the program took an input.
struct Outcome {
    enum End: Equatable {
        case exited(Int32)
        case signalled(Int32)
        case hung
    }

    var end: End
    /// Standard output and standard error, at most a megabyte.
    var output: [UInt8]
}

enum Child {
    /// Runs a program in a process group of its own, which is gone when this returns.
    static func run(_ program: String, _ arguments: [String], environment: [String], seconds: Double) throws -> Outcome
    {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw POSIXError(.EMFILE) }
        defer { close(ends[0]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        let words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        let settings: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { for word in words + settings { free(word) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, program, &actions, &attributes, words, settings)
        close(ends[1])
        guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EIO) }
        let (output, isWhole) = read(ends[0], seconds)
        if !isWhole { kill(-child, SIGKILL) }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        kill(-child, SIGKILL)
        let signal = status & 0x7F
        let end: Outcome.End =
            !isWhole ? .hung : signal != 0 ? .signalled(signal) : .exited((status >> 8) & 0xFF)
        return Outcome(end: end, output: output)
    }

    private static func read(_ descriptor: Int32, _ seconds: Double) -> (output: [UInt8], isWhole: Bool) {
        let end = DispatchTime.now().uptimeNanoseconds + UInt64(seconds * 1e9)
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let now = DispatchTime.now().uptimeNanoseconds
            guard now < end else { return (output, false) }
            var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&poller, 1, Int32((end - now) / 1_000_000) + 1)
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { return (output, false) }
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return (output, true) }
            if output.count < 1_000_000 { output += buffer[..<count] }
        }
    }
}
