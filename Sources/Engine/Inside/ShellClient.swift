internal import CLinux
internal import FoundationEssentials
internal import Glibc
internal import Kernel

/// What a client of a laboratory that stands open does: connects, has something run inside, and passes its own standard
/// streams on.
public struct ShellClient: ~Copyable {
    private let lab: String
    private let root: String
    private let socket: Int32
    private var reader = FrameReader()
    private var toSocket = Outbox()
    private var window = Window()
    private var inputIsOpen = true

    public enum End: Equatable, Sendable {
        /// As a shell gives it: 128 and the signal's number if one ended the program.
        case exited(UInt8)
        /// It could not be started.
        case refused(String)
        /// The laboratory ended first.
        case labEnded
        /// This process got a signal to end. `Interruption.watch()` must have been called.
        case interrupted(Int32)
    }

    /// - Throws: `LabFolder.Obstacle` if the lab cannot be entered.
    public init(lab: String, root: String) throws(LabFolder.Obstacle) {
        self.lab = lab
        self.root = root
        socket = try LabFolder.connect(to: lab, root: root)
        _ = fcntl(socket, F_SETFL, O_NONBLOCK)
    }

    deinit { close(socket) }

    /// Whether a person sits at both ends, so that what runs should have a terminal.
    public static var hasTerminal: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 }

    /// This process's terminal, as a program inside is to have it.
    public static var terminal: Errand.Terminal {
        var rows: Int32 = 0
        var columns: Int32 = 0
        _ = drb_window(STDIN_FILENO, &rows, &columns)
        let kind = getenv("TERM").map { String(cString: $0) } ?? "dumb"
        return .init(kind: kind, rows: UInt16(clamping: rows), columns: UInt16(clamping: columns))
    }

    /// Asks the laboratory to end, and waits until it has.
    public consuming func endLab() {
        toSocket.add(Frame(kind: .end).octets)
        while true {
            var polled = Polled()
            polled.add(socket, writing: !toSocket.isEmpty)
            guard polled.wait() || errno == EINTR, toSocket.flush(to: socket, isSocket: true) != nil else { break }
            if polled.isReadable(socket), case .end = Reading(socket, atMost: Frame.limit) { break }
        }
        LabFolder.awaitEnd(of: lab, root: root)
    }

    /// Has the errand run, and returns when it has ended. A terminal is in raw mode meanwhile.
    public consuming func run(_ errand: Errand) -> End {
        guard let request = try? JSONEncoder().encode(errand), request.count <= Frame.limit else {
            return .refused("the command is too long")
        }
        toSocket.add(Frame(kind: .begin, payload: Array(request)).octets)
        let windowSignals = errand.terminal == nil ? -1 : drb_watch_window()
        let before = errand.terminal == nil ? nil : drb_enter_raw_mode(STDIN_FILENO)
        defer {
            if let before { drb_restore_terminal(STDIN_FILENO, before) }
            if windowSignals >= 0 { close(windowSignals) }
        }
        while true {
            var polled = Polled()
            polled.add(socket, writing: !toSocket.isEmpty)
            polled.add(windowSignals)
            polled.add(Interruption.descriptor)
            polled.add(STDIN_FILENO, reading: inputIsOpen && window.room > 0)
            guard polled.wait() || errno == EINTR else { return .labEnded }
            if let signal = Interruption.signal { return .interrupted(signal) }
            if windowSignals >= 0, polled.isReadable(windowSignals) {
                drb_clear_signals(windowSignals)
                let terminal = Self.terminal
                toSocket.add(Frame.window(rows: terminal.rows, columns: terminal.columns).octets)
            }
            if inputIsOpen, window.room > 0, polled.isReadable(STDIN_FILENO) { readInput() }
            if polled.isReadable(socket) {
                switch Reading(socket, atMost: 64 * 1024) {
                case .octets(let octets): reader.append(octets)
                case .nothing: break
                case .end: return .labEnded
                }
                do {
                    while let frame = try reader.next() {
                        if let end = take(frame) { return end }
                    }
                } catch {
                    return .refused("the lab's drbench speaks another language: \(error)")
                }
            }
            if toSocket.flush(to: socket, isSocket: true) == nil, !polled.isReadable(socket) { return .labEnded }
        }
    }

    private mutating func readInput() {
        switch Reading(STDIN_FILENO, atMost: window.nextCount) {
        case .octets(let octets):
            window.sent(octets.count)
            toSocket.add(Frame(kind: .input, payload: octets).octets)
        case .nothing: break
        case .end:
            inputIsOpen = false
            toSocket.add(Frame(kind: .inputEnd).octets)
        }
    }

    private mutating func take(_ frame: Frame) -> End? {
        switch frame.kind {
        case .output, .errors:
            Self.write(frame.payload, to: frame.kind == .output ? STDOUT_FILENO : STDERR_FILENO)
            toSocket.add(Frame.credit(frame.payload.count).octets)
        case .credit: if let count = frame.number { window.granted(count) }
        case .exited: return .exited(frame.payload.first ?? 255)
        case .refused: return .refused(String(decoding: frame.payload, as: UTF8.self))
        default: break
        }
        return nil
    }

    /// Waits for whoever reads it: so long the program inside waits, too.
    private static func write(_ octets: [UInt8], to descriptor: Int32) {
        var rest = octets[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EAGAIN {
                var polled = Polled()
                polled.add(descriptor, reading: false, writing: true)
                _ = polled.wait()
                continue
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
