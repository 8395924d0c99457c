internal import CLinux
internal import Glibc

/// SIGINT (Ctrl-C), SIGTERM and SIGHUP to the front: laboratories are ended, what was found until then is reported.
public enum Interruption {
    /// From here on the first of these signals no longer ends the process by itself; a second one does.
    public static func watch() { _ = drb_watch_interruption() }

    /// The signal that came; nil if none has.
    public static var signal: Int32? {
        let number = drb_interruption_signal()
        return number == 0 ? nil : number
    }

    /// Makes as if no SIGINT (Ctrl-C) had come: it ended something, and drbench itself goes on. Other signals stay.
    public static func forgetKeyboard() {
        if signal == SIGINT { drb_forget_interruption() }
    }

    /// `SIGINT`.
    public static func name(of signal: Int32) -> String { Signal.name(signal) }

    /// Ends this process by the signal, so that a shell, `make` or a CI runner sees that it was interrupted (its status is
    /// 128 and the signal's number).
    public static func end(by signal: Int32) -> Never {
        _ = drb_end_by_signal(signal)
        exit(128 + signal)
    }

    /// Readable once a signal has come; -1 without `watch()`, which poll(2) passes over.
    static var descriptor: Int32 { drb_interruption_descriptor() }
}

enum Signal {
    /// `SIGSEGV`.
    static func name(_ number: Int32) -> String {
        sigabbrev_np(number).map { "SIG" + String(cString: $0) } ?? "signal \(number)"
    }
}
