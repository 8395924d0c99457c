import Glibc

/// A program of this machine's own, run beside the lab. Nothing that a scenario or a folder names is ever run here: only what
/// root has put where systems have their programs, by its full path, without a shell and without the user's environment.
struct HostProgram {
    let path: String

    private static let folders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]

    /// nil if there is none, or if others than root may change it.
    init?(_ name: String) {
        guard !name.contains("/"), !name.isEmpty,
            let folder = Self.folders.first(where: { Self.isRoots($0) && Self.isRoots("\($0)/\(name)") })
        else { return nil }
        path = "\(folder)/\(name)"
        guard access(path, X_OK) == 0 else { return nil }
    }

    private static func isRoots(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_uid == 0 && status.st_mode & 0o022 == 0
    }

    /// What it prints, at most 64 KiB; nil if it cannot be started, takes more than 10 s, or its exit status is not 0.
    /// - Parameters:
    ///   - environment: beside PATH and LC_ALL.
    ///   - withErrors: what it writes to standard error, too, and whatever its exit status is.
    func output(_ arguments: [String], environment: [String: String] = [:], withErrors: Bool = false) -> String? {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        if withErrors {
            posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO)
        } else {
            posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        var variables = environment
        variables["PATH"] = Self.folders.joined(separator: ":")
        variables["LC_ALL"] = "C"
        let words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        let settings: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for word in words + settings { free(word) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, path, &actions, &attributes, words, settings)
        close(ends[1])
        guard code == 0 else { return nil }
        let (bytes, isWhole) = Self.read(ends[0], for: .seconds(10))
        // What it left in the background goes, too.
        kill(-child, SIGKILL)
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        guard isWhole, status == 0 || withErrors else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Until its writers have closed it; all is read, and the beginning kept.
    private static func read(_ descriptor: Int32, for limit: Duration) -> (bytes: [UInt8], isWhole: Bool) {
        let end = ContinuousClock.now + limit
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let left = (end - ContinuousClock.now).components
            guard left.seconds >= 0, left.attoseconds >= 0 else { return (bytes, false) }
            var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&poller, 1, Int32(left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000) + 1)
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { return (bytes, false) }
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return (bytes, count == 0) }
            if bytes.count < 65536 { bytes += buffer[..<count] }
        }
    }

    /// The first line of what it prints.
    func firstLine(_ arguments: [String], withErrors: Bool = false) -> String? {
        output(arguments, withErrors: withErrors)?.split(whereSeparator: \.isNewline).first.map(String.init)
    }
}
