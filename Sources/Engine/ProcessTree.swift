internal import Glibc

/// A process with all that descends from it, as /proc shows them at one moment.
///
/// A lab kernel's own processor time says little: its user programs run in traced children, each with a time of its own.
struct ProcessTree: Equatable {
    /// Processor time in clock ticks, by process: user and system, with the children that were reaped.
    private(set) var ticks: [pid_t: UInt64] = [:]
    /// Whether all of them sleep until something happens, or are stopped by their tracer, as a lab kernel's user programs
    /// are whenever they do not run. Running, waiting for a disk or suspended by somebody is not at rest: it may go on.
    private(set) var isAtRest = true

    init(of root: pid_t) {
        var children: [pid_t: [Entry]] = [:]
        var waiting: [Entry] = []
        for entry in Self.all() {
            if entry.pid == root { waiting.append(entry) }
            children[entry.parent, default: []].append(entry)
        }
        while let entry = waiting.popLast() {
            ticks[entry.pid] = entry.ticks
            if !entry.isAtRest { isAtRest = false }
            waiting += children[entry.pid] ?? []
        }
    }

    private struct Entry {
        var pid: pid_t
        var parent: pid_t
        var ticks: UInt64
        var isAtRest: Bool

        /// Reads a line of /proc/PID/stat, proc_pid_stat(5); the name in it may hold spaces and parentheses.
        init?(_ line: String) {
            guard let space = line.firstIndex(of: " "), let pid = pid_t(line[..<space]),
                let end = line.lastIndex(of: ")")
            else { return nil }
            let fields = line[line.index(after: end)...].split(separator: " ")
            guard fields.count > 14, let parent = pid_t(fields[1]) else { return nil }
            self.pid = pid
            self.parent = parent
            isAtRest = ["S", "t", "Z", "X", "I"].contains(fields[0])
            ticks = fields[11...14].reduce(0) { $0 + (UInt64($1) ?? 0) }
        }
    }

    private static func all() -> [Entry] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var entries: [Entry] = []
        while let each = readdir(folder) {
            let name = withUnsafeBytes(of: each.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard pid_t(name) != nil, let line = read("/proc/\(name)/stat"), let entry = Entry(line) else { continue }
            entries.append(entry)
        }
        return entries
    }

    private static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        let bytes = [UInt8](unsafeUninitializedCapacity: 1024) { buffer, count in
            count = max(0, Glibc.read(file, buffer.baseAddress, buffer.count))
        }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }
}
