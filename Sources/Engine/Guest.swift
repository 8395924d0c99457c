internal import CLinux
internal import Glibc
internal import Kernel
internal import Lab

/// drbench as PID 1 of a lab kernel.
public enum Guest {
    /// Where the run's folder of the host appears, the only writable part of the host's file system.
    static let runFolder = "/run/drbench"

    /// The environment variable by which a front tells PID 1 of a lab kernel its work; the kernel hands words of the form
    /// NAME=VALUE that it does not know itself to init's environment.
    static let variable = "DRBENCH_GUEST"

    /// What a lab kernel's PID 1 is to do.
    struct Order: Equatable {
        /// The run's folder on the host.
        var folder: String
        /// nil in real time.
        var seed: UInt64?

        /// As one word without spaces or quotes.
        var text: String { "\(Hex.encode(folder)):\(seed.map(String.init) ?? "real")" }

        init(folder: String, seed: UInt64?) {
            self.folder = folder
            self.seed = seed
        }

        init?(_ text: String) {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, let folder = Hex.decode(parts[0]) else { return nil }
            if parts[1] == "real" {
                seed = nil
            } else if let number = UInt64(parts[1]) {
                seed = number
            } else {
                return nil
            }
            self.folder = folder
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
        mount("tmpfs", on: "/run")
        mount("tmpfs", on: "/tmp")
        mount("hostfs", on: runFolder, data: order.folder, make: true)
        let line = open("/dev/ttyS0", O_RDWR | O_NOCTTY | O_CLOEXEC)
        if line < 0 || drb_raw_terminal(line) < 0 {
            failures.append("no event channel: /dev/ttyS0: \(Errno.name(errno))")
        }
        let events = EventChannel(descriptor: line)
        if failures.isEmpty {
            _ = Laboratory.run(folder: runFolder, engine: "uml", seed: order.seed, events: events)
        } else {
            for failure in failures { events.send(.problem(failure)) }
        }
        fflush(nil)
        _ = drb_power_off()
        exit(1)
    }
}
