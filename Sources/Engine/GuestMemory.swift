internal import CLinux
internal import Glibc
internal import Kernel
internal import Plan

/// Where a guest's memory lies: in a file without a name that its front makes, or, for a lab kernel without patch 0009, in one
/// that User-Mode Linux creates in $TMPDIR and unlinks at once.
enum GuestMemory {
    /// A file in memory, which may be executed from. The caller closes it.
    static func file(of mebibytes: Int) throws(RunFailure) -> Int32 {
        let file = drb_executable_memory("guest", Int64(mebibytes) << 20)
        guard file >= 0 else {
            throw RunFailure(
                .couldNotStart, "no \(mebibytes) MiB for the guest's memory (memfd_create): \(Errno.message(-file))")
        }
        return file
    }

    /// The first folder that will do: in memory, if possible. The guest executes from it, and a file system that fills up
    /// kills the guest in the midst of it; containers often have a /dev/shm that is too small or mounted `noexec`.
    static func folder(for mebibytes: Int) throws(RunFailure) -> String {
        var obstacles: [String] = []
        for folder in candidates {
            guard let obstacle = obstacle(to: folder, mebibytes: mebibytes) else { return folder }
            obstacles.append("\(folder) \(obstacle)")
        }
        throw RunFailure(
            .couldNotStart,
            "there is no place for the guest's memory (\(obstacles.joined(separator: ", "))); set TMPDIR to one")
    }

    private static var candidates: [String] {
        var folders = ["/dev/shm", "/tmp", "/var/tmp"]
        if let own = getenv("TMPDIR") { folders.insert(String(cString: own), at: 1) }
        return folders
    }

    static func obstacle(to folder: String, mebibytes: Int) -> String? {
        guard faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0 else {
            return errno == ENOENT ? "does not exist" : "cannot be written to"
        }
        var about = statvfs()
        guard statvfs(folder, &about) == 0 else { return "cannot be looked at" }
        if about.f_flag & drb_st_noexec() != 0 { return "is mounted noexec" }
        let free = (UInt64(about.f_bavail) * UInt64(about.f_frsize)) >> 20
        return free < UInt64(mebibytes) ? "has only \(free) MiB free of \(mebibytes)" : nil
    }
}

extension Plan {
    /// MiB. A kernel with drbench, and room for a network of usual size.
    static let leastGuestMemory = 256

    /// What a guest needs for this plan, in MiB; not as much as there may be, for a guest with 512 takes 10 ms longer to
    /// boot. Rings take one for each port, programs as many as they like, and what is transferred is kept at each port that
    /// it crosses.
    var guestMemory: Int {
        var octets = 0.0
        var programMemory = programs.isEmpty ? 0 : 256
        for action in actions {
            switch action {
            case .request(let request): octets += Double(request.bytes) * Double(request.count)
            // Sockets and their buffers, at both ends, and what is on its way.
            case .load: programMemory = max(programMemory, 512)
            case .open(_, let request): octets += Double(request.bytes)
            case .use(_, let bytes, _): octets += Double(bytes)
            case .run: programMemory = max(programMemory, 128)
            case .start: programMemory = 256
            case .wait, .stop, .send, .close, .operations, .powerOff: break
            }
        }
        let kept = octets / 1_048_576 * Double(captures.count)
        return Self.leastGuestMemory + programMemory + 4 * captures.count + Int(min(kept, 4096))
    }
}
