internal import CLinux
internal import Glibc
internal import Kernel
internal import Lab
internal import Net

/// `drbench-lab` as PID 1 of a lab kernel.
public enum Guest {
    /// Where the run's folder of the host appears, the only writable part of the host's file system.
    public static let runFolder = "/run/drbench"

    /// The environment variable by which a front tells PID 1 of a lab kernel its work; the kernel hands words of the form
    /// NAME=VALUE that it does not know itself to init's environment.
    static let variable = "DRBENCH_GUEST"

    /// What a lab kernel's PID 1 is to do.
    struct Order: Equatable {
        /// The run's folder on the host.
        var folder: String
        /// Where the first of several plans is, below that folder; nil if there is one, in the folder itself.
        var first: String?
        /// nil in real time.
        var virtual: Virtual?

        struct Virtual: Equatable {
            var seed: UInt64
            /// Seconds of virtual time after which the guest must have ended; see `Plan.virtualTimeLimit`.
            var timeLimit: Int
        }

        /// As one word without spaces or quotes, which would break a kernel's command line.
        var text: String {
            let words = [folder] + (first.map { [$0] } ?? [])
            return
                (words.map { Hexadecimal.encode($0.utf8) }
                + (virtual.map { ["\($0.seed)", "\($0.timeLimit)"] } ?? [])).joined(separator: ":")
        }

        init(folder: String, first: String? = nil, virtual: Virtual?) {
            self.folder = folder
            self.first = first
            self.virtual = virtual
        }

        init?(_ text: String) {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            func word(_ part: String) -> String? {
                Hexadecimal.decode(part).flatMap { String(validating: $0, as: UTF8.self) }.flatMap {
                    $0.isEmpty ? nil : $0
                }
            }
            guard let folder = parts.first.flatMap(word) else { return nil }
            self.folder = folder
            if parts.count == 1 { return }
            if parts.count == 2 {
                // Plans take turns in real time only.
                guard let first = word(parts[1]) else { return nil }
                self.first = first
                return
            }
            guard parts.count == 3, let seed = UInt64(parts[1]), let limit = Int(parts[2]), limit > 0 else {
                return nil
            }
            virtual = Virtual(seed: seed, timeLimit: limit)
        }
    }

    /// If this process is PID 1 of a lab kernel, does its work and never returns. Must be the first thing in `main`:
    /// `CommandLine` has no arguments there, because /proc is not mounted yet.
    public static func runIfOrdered() {
        guard getpid() == 1, let word = getenv(variable) else { return }
        guard let order = Order(String(cString: word)) else {
            print("drbench: \(variable) is garbled")
            exit(2)
        }
        main(order)
    }

    /// Prepares the guest, carries the plan out and switches the guest off. Never returns.
    private static func main(_ order: Order) -> Never {
        var failures: [String] = []
        func mount(_ type: String, on target: String, data: String? = nil, make: Bool = false) {
            if make { mkdir(target, 0o755) }
            let status = drb_mount(type, target, type, 0, data)
            if status < 0 { failures.append("cannot mount \(type) on \(target): \(Errno.name(-status))") }
        }
        mount("proc", on: "/proc")
        // What is written here is memory, and together must not be all of it: the kernel could end nobody to get it back.
        mount("tmpfs", on: "/run", data: "size=20%")
        mount("tmpfs", on: "/tmp", data: "size=40%")
        // Without it only ps and top are worse off.
        _ = drb_end_cpuinfo()
        // What udev makes on other systems, and shells and servers count on.
        mount("tmpfs", on: "/dev/shm", data: "size=20%", make: true)
        symlink("/proc/self/fd", "/dev/fd")
        for (number, name) in ["stdin", "stdout", "stderr"].enumerated() {
            symlink("/proc/self/fd/\(number)", "/dev/\(name)")
        }
        mount("hostfs", on: runFolder, data: order.folder, make: true)
        let line = open("/dev/ttyS0", O_RDWR | O_NOCTTY | O_CLOEXEC)
        if line < 0 || drb_raw_terminal(line) < 0 {
            failures.append("no event channel: /dev/ttyS0: \(Errno.name(errno))")
        }
        let events = EventChannel(descriptor: line)
        if let virtual = order.virtual, line >= 0 {
            let message = String(decoding: LabEvent.clockRanOut(virtual.timeLimit).line(), as: UTF8.self)
            let status = drb_power_off_after(virtual.timeLimit, line, message)
            if status < 0 { failures.append("no timer: \(Errno.name(-status))") }
        }
        if failures.isEmpty {
            var next = order.first
            repeat {
                let folder = next.map { "\(runFolder)/\($0)" } ?? runFolder
                next =
                    Laboratory.run(folder: folder, engine: "uml", seed: order.virtual?.seed, events: events) { after in
                        OpenHouse(comeAfterEvidence: after) { () throws(KernelError) in
                            if order.virtual != nil { try leaveVirtualTime() }
                            return try openLine()
                        }
                    }.next
            } while next != nil
        } else {
            // The console has it, too, if there is no line.
            for failure in failures {
                events.send(.problem(failure))
                print("drbench: \(failure)")
            }
        }
        fflush(nil)
        _ = drb_power_off()
        exit(1)
    }

    /// Makes the guest's clock the host's, from where it stands: see netns/kernel/patches/0008.
    private static func leaveVirtualTime() throws(KernelError) {
        _ = drb_power_off_after(0, -1, "")
        let file = open("/proc/time_travel", O_WRONLY | O_CLOEXEC)
        defer { if file >= 0 { close(file) } }
        guard file >= 0, write(file, "off", 3) == 3 else {
            throw KernelError(
                "leave virtual time", code: errno,
                explanation:
                    "this lab kernel cannot: 'drbench kernel build' builds one that can, and --real-time needs none")
        }
    }

    private static func openLine() throws(KernelError) -> Int32 {
        // For terminals; only people need them.
        mkdir("/dev/pts", 0o755)
        let mounted = drb_mount("devpts", "/dev/pts", "devpts", 0, "mode=0620,ptmxmode=0666")
        guard mounted == 0 else { throw KernelError("mount /dev/pts", code: -mounted) }
        let line = open("/dev/ttyS1", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard line >= 0 else { throw KernelError("open /dev/ttyS1", code: errno) }
        let raw = drb_raw_terminal(line)
        guard raw == 0 else { throw KernelError("use /dev/ttyS1", code: -raw) }
        return line
    }
}
