internal import CLinux
internal import Glibc
internal import Kernel

/// What a laboratory on this host's kernel sees of the host, made by its first process: everything, read-only, but for places
/// of its own.
enum NativeSurroundings {
    /// Where the first process finds the run's files: links to descriptors that only it has.
    static let runFolder = "/run/drbench"
    /// What is the laboratory's own, and empty. /run also for the lock file of iptables, which must not be the host's.
    private static let own = ["/run", "/tmp", "/dev/shm"]

    /// What could not be done, and why.
    struct Obstacle: Error, CustomStringConvertible {
        var what: String
        var status: Int32
        var description: String { "\(what): \(Errno.name(-status)) (\(Errno.message(-status)))" }
    }

    /// - Parameters:
    ///   - folder: the run's, on the host; nil if there is none.
    ///   - first: of `count` users that the laboratory's are on the host, if it may choose.
    /// - Returns: what keeps it from being confined; nil if nothing does.
    static func make(runFolder folder: String?, _ first: UInt32, _ count: UInt32) throws(Obstacle) -> String? {
        try attempt("make its mounts private", drb_mount(nil, "/", nil, drb_ms_private_recursive(), nil))
        let files = try folder.map { folder throws(Obstacle) in try open(folder) } ?? []
        _ = chdir("/")
        // /sys shows a namespace its own devices only where it can be mounted anew, and that wants to find it as it is now.
        try attempt("make its files read-only", drb_make_read_only("/sys"))
        // For its own PIDs. Its files belong to whom they are about.
        try attempt("mount /proc", drb_mount("proc", "/proc", "proc", drb_ms_nosuid_nodev_noexec(), nil))
        // Twice: what is below must stay out of sight of whoever unmounts what is above.
        try mountOwn()
        let status = drb_leave_host(first, count)
        var gap: String?
        if status < 0 {
            guard geteuid() == 0, drb_unshare_net() == 0 else { throw Obstacle(what: "leave the host", status: status) }
            gap =
                "no user namespace could be made (\(Errno.message(-status))): what runs as root here can undo that this"
                + " host's files are read-only"
        }
        try mountOwn()
        if !files.isEmpty {
            mkdir(runFolder, 0o755)
            for (name, descriptor) in files { symlink("/proc/self/fd/\(descriptor)", "\(runFolder)/\(name)") }
        }
        return gap
    }

    private static func mountOwn() throws(Obstacle) {
        for folder in own where access(folder, F_OK) == 0 {
            try attempt("mount \(folder)", drb_mount("tmpfs", folder, "tmpfs", drb_ms_nosuid_nodev(), nil))
        }
    }

    /// The run's files, each behind a mount that leads nowhere else: the plan to read, the others to write.
    private static func open(_ folder: String) throws(Obstacle) -> [(name: String, descriptor: Int32)] {
        let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Obstacle(what: "open \(folder)", status: -errno) }
        defer { close(descriptor) }
        var files: [(name: String, descriptor: Int32)] = []
        for name in [RunFiles.plan] + RunFiles.ofLaboratory + RunFiles.foldersOfLaboratory {
            let mount = drb_detached_mount(descriptor, name)
            try attempt("open \(folder)/\(name)", min(mount, 0))
            files.append((name, mount))
        }
        return files
    }

    private static func attempt(_ what: String, _ status: Int32) throws(Obstacle) {
        guard status < 0 else { return }
        throw Obstacle(what: what, status: status)
    }
}
