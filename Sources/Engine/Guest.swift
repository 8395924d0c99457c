internal import CLinux
internal import Glibc
internal import Kernel
public import Lab

/// drbench as PID 1 of a lab kernel.
public enum Guest {
    /// Where the run's folder of the host appears, the only writable part of the host's file system.
    static let runFolder = "/run/drbench"

    /// The arguments behind `--` on the kernel's command line if this process is PID 1 of a lab kernel, nil otherwise.
    ///
    /// Mounts /proc to read them: `CommandLine.arguments` is filled before `main` from /proc/self/cmdline and stays empty
    /// here.
    public static func arguments() -> [String]? {
        guard getpid() == 1, access("/proc/self/cmdline", R_OK) != 0,
            drb_mount("proc", "/proc", "proc", 0, nil) == 0
        else { return nil }
        let file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        let size = 65536
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = max(0, read(file, buffer.baseAddress, size))
        }
        return bytes.split(separator: 0).dropFirst().map { String(decoding: $0, as: UTF8.self) }
    }

    /// Prepares the guest, carries the plan out and switches the guest off. Never returns.
    /// - Parameters:
    ///   - folder: the run's folder on the host.
    ///   - lab: the laboratory.
    public static func main(folder: String, lab: (_ folder: String, _ events: EventChannel) -> Void) -> Never {
        var failures: [String] = []
        func mount(_ type: String, on target: String, data: String? = nil, make: Bool = false) {
            if make { mkdir(target, 0o755) }
            let status = drb_mount(type, target, type, 0, data)
            if status < 0 { failures.append("cannot mount \(type) on \(target): \(Errno.name(-status))") }
        }
        mount("tmpfs", on: "/run")
        mount("tmpfs", on: "/tmp")
        mount("hostfs", on: runFolder, data: folder, make: true)
        let line = open("/dev/ttyS0", O_RDWR | O_NOCTTY | O_CLOEXEC)
        if line < 0 || drb_raw_terminal(line) < 0 {
            failures.append("no event channel: /dev/ttyS0: \(Errno.name(errno))")
        }
        let events = EventChannel(descriptor: line)
        if failures.isEmpty {
            lab(runFolder, events)
        } else {
            for failure in failures { events.send(.problem(failure)) }
        }
        fflush(nil)
        _ = drb_power_off()
        exit(1)
    }
}
