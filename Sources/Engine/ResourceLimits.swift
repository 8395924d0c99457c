internal import Glibc

/// What limits of this process (ulimit, getrlimit(2)) a guest would run into, halfway and without saying so.
enum ResourceLimits {
    /// What a lab kernel maps beside its memory: itself, its stacks, views of this host's files.
    private static let besideMemory = 768
    /// Descriptors that drbench and a guest's kernel have open at a time, at least; the kernel keeps 512 files of its root open
    /// if it may, and closes some if it may not.
    private static let files = 64

    /// Which limit is too low for a guest with so many MiB, by its name and that of the shell's option; nil if none is.
    static func obstacle(toGuestOf mebibytes: Int) -> String? {
        let bytes = UInt64(mebibytes) << 20
        let needs: [(limit: __rlimit_resource, option: String, what: String, least: UInt64, unit: UInt64)] = [
            (RLIMIT_AS, "-v", "address space", bytes + UInt64(besideMemory) << 20, 1024),
            // The file that is the guest's memory.
            (RLIMIT_FSIZE, "-f", "size of files", bytes, 1024),
            (RLIMIT_NOFILE, "-n", "number of open files", UInt64(files), 1),
            // Timers and the signals of its processes wait in a queue.
            (__RLIMIT_SIGPENDING, "-i", "number of pending signals", 16, 1),
        ]
        for need in needs {
            var limit = rlimit()
            guard getrlimit(__rlimit_resource_t(need.limit.rawValue), &limit) == 0, limit.rlim_cur < need.least else {
                continue
            }
            let unit = need.unit == 1 ? "" : " KiB"
            let now = UInt64(limit.rlim_cur) / need.unit
            return "the limit on the \(need.what) is too low: ulimit \(need.option) is \(now)\(unit),"
                + " and a guest with \(mebibytes) MiB needs \(need.least / need.unit)\(unit)"
        }
        return nil
    }
}
