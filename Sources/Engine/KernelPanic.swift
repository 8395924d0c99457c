internal import Kernel
internal import Text

/// Why a guest kernel gave up, from its console.
struct KernelPanic: Equatable {
    /// What the kernel printed, without its mark.
    let text: String

    /// nil if the console tells of none.
    init?(console: ConsoleText) {
        let bytes = console.bytes
        guard let start = Self.start(in: bytes) else { return nil }
        text = String(escapingInvalid: bytes[start...].prefix { $0 != 0x0A && $0 != 0x0D })
    }

    /// Behind the first mark. Byte by byte: a console can have a million lines, and lines of text take their time.
    private static func start(in bytes: [UInt8]) -> Int? {
        let marks = ["Kernel panic - not syncing: ", "BUG: "].map { Array($0.utf8) }
        let first = Set(marks.compactMap(\.first))
        return bytes.withUnsafeBufferPointer { bytes in
            for index in bytes.indices where first.contains(bytes[index]) {
                for mark in marks where bytes[index...].starts(with: mark) { return index + mark.count }
            }
            return nil
        }
    }

    /// Linux says so when the simulated clock's next event is beyond all time (arch/um/kernel/time.c,
    /// time_travel_set_time()).
    var isDeadlock: Bool { text.contains("going to sleep forever") }

    /// - Parameter program: what the guest was to start as PID 1, which the kernel knows by another name.
    func description(program: String) -> String {
        // do_exit() of PID 1 (kernel/exit.c) prints its exit code as wait(2) would give it.
        if let status = number(after: "Attempted to kill init! exitcode=0x", radix: 16) {
            return status & 0x7F == 0
                ? "PID 1 of the guest ended with status \(status >> 8 & 0xFF)"
                : "PID 1 of the guest crashed with \(Signal.name(status & 0x7F))"
        }
        // kernel_init() (init/main.c)
        if text.hasPrefix("Requested init "), let code = number(after: "failed (error -", radix: 10) {
            return "the guest cannot execute \(program): \(Errno.name(code)) (\(Errno.message(code)))"
        }
        return text
    }

    private func number(after prefix: String, radix: Int) -> Int32? {
        guard let found = text.firstRange(of: prefix) else { return nil }
        let digits = text[found.upperBound...].prefix { $0.isHexDigit }
        return UInt32(digits, radix: radix).map { Int32(truncatingIfNeeded: $0) }
    }
}
