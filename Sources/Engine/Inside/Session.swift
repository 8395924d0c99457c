internal import CLinux
internal import FoundationEssentials
internal import Glibc
internal import Kernel

/// A program that somebody has running inside a laboratory, as its porter sees it.
final class Session {
    let number: UInt32
    let processID: Int32
    private let hasTerminal: Bool
    /// Its standard input's other end, or its terminal's master; -1 once it is over.
    private(set) var input: Int32
    /// The same for what it writes. With a terminal, `output` is `input`'s duplicate and there is no `errors`.
    private(set) var output: Int32
    private(set) var errors: Int32
    private var toInput = Outbox()
    private var inputEnds = false
    private var window = Window()
    /// Its end, once it is reaped.
    var status: UInt8?

    /// What keeps a program from running, and the status that a shell would give.
    struct Refusal: Error {
        var reason: String
    }

    /// Starts it. Errors: `Refusal`.
    init(_ number: UInt32, _ errand: Errand) throws(Refusal) {
        let words = errand.program { access($0, X_OK) == 0 }
        let path = try Self.find(words[0], on: errand.environment[0])
        // [ours, the program's] for input, output and errors.
        var ends: [[Int32]] = []
        defer { for pair in ends { close(pair[1]) } }
        if let terminal = errand.terminal {
            var pair: [Int32] = [-1, -1]
            let status = drb_open_terminal(&pair)
            guard status == 0 else { throw Refusal(reason: "no terminal: \(Errno.message(-status))") }
            _ = drb_set_window(pair[0], Int32(terminal.rows), Int32(terminal.columns))
            ends = [pair]
            (input, output, errors) = (pair[0], fcntl(pair[0], F_DUPFD_CLOEXEC, 0), -1)
        } else {
            for stream in 0..<3 {
                var pair: [Int32] = [-1, -1]
                let status = drb_program_pipe(&pair, stream == 0 ? 0 : 1)
                guard status == 0 else {
                    for pair in ends { close(pair[0]) }
                    throw Refusal(reason: "no pipe: \(Errno.message(-status))")
                }
                ends.append(pair)
            }
            (input, output, errors) = (ends[0][0], ends[1][0], ends[2][0])
        }
        let standard = (0..<3).map { ends[min($0, ends.count - 1)][1] }
        let hasTerminal = errand.terminal != nil
        let pid = withStrings(words) { argv in
            withStrings(errand.environment) { envp in
                drb_spawn_inside(
                    "\(Porter.namespaces)/\(errand.place)", path, argv, envp, standard, hasTerminal ? 1 : 0)
            }
        }
        self.number = number
        self.hasTerminal = hasTerminal
        processID = pid
        guard pid > 0 else { throw Refusal(reason: "\(words[0]): \(Errno.message(-pid))") }
    }

    deinit {
        for descriptor in [input, output, errors] where descriptor >= 0 { close(descriptor) }
    }

    private static func find(_ name: String, on variable: String) throws(Refusal) -> String {
        if name.contains("/") { return name }
        for folder in variable.dropFirst("PATH=".count).split(separator: ":") where !name.isEmpty {
            let candidate = "\(folder)/\(name)"
            if access(candidate, X_OK) == 0 { return candidate }
        }
        throw Refusal(reason: "\(name): not found")
    }

    // MARK: From its client

    func take(_ frame: Frame) {
        switch frame.kind {
        case .input: toInput.add(frame.payload)
        case .inputEnd: inputEnds = true
        case .credit: if let count = frame.number { window.granted(count) }
        case .window:
            if let number = frame.number, input >= 0 {
                _ = drb_set_window(input, Int32(number >> 16), Int32(number & 0xFFFF))
            }
        default: break
        }
    }

    /// Its client is gone: what a terminal's end does to its session, or, without one, the end of all of it.
    func hangUp() {
        for descriptor in [input, output, errors] where descriptor >= 0 { close(descriptor) }
        (input, output, errors) = (-1, -1, -1)
        if status == nil {
            kill(-processID, hasTerminal ? SIGHUP : SIGKILL)
            kill(-processID, SIGCONT)
        }
    }

    // MARK: Its descriptors

    func add(to polled: inout Polled) {
        polled.add(input, reading: false, writing: !toInput.isEmpty)
        for descriptor in [output, errors] { polled.add(descriptor, reading: window.room > 0) }
    }

    /// Moves what can be moved.
    func serve(_ polled: Polled, send: (Frame) -> Void) {
        if input >= 0, !toInput.isEmpty, polled.isWritable(input) || hasTerminal { passInput(send) }
        if inputEnds, toInput.isEmpty, input >= 0 { endInput() }
        if output >= 0, polled.isReadable(output) { pass(&output, as: .output, send) }
        if errors >= 0, polled.isReadable(errors) { pass(&errors, as: .errors, send) }
    }

    /// Once it has ended: passes on what it had written. Whether that was all; what it left running in the background may
    /// still hold its output open and is not waited for.
    func finish(send: (Frame) -> Void) -> Bool {
        while output >= 0, window.room > 0, pass(&output, as: .output, send) {}
        while errors >= 0, window.room > 0, pass(&errors, as: .errors, send) {}
        return window.room > 0 || output < 0 && errors < 0
    }

    private func passInput(_ send: (Frame) -> Void) {
        // A program that reads no more is no reason to hold its client up: what it would get is dropped.
        guard let count = toInput.flush(to: input) else {
            toInput = Outbox()
            inputEnds = true
            return
        }
        if count > 0 { send(.credit(count, session: number)) }
    }

    /// A terminal's input has no end but the character for it.
    private func endInput() {
        inputEnds = false
        if hasTerminal {
            toInput.add([4])
        } else {
            close(input)
            input = -1
        }
    }

    /// Whether there was something.
    @discardableResult
    private func pass(_ descriptor: inout Int32, as kind: Frame.Kind, _ send: (Frame) -> Void) -> Bool {
        guard window.room > 0 else { return false }
        switch Reading(descriptor, atMost: window.nextCount) {
        case .octets(let octets):
            window.sent(octets.count)
            send(Frame(session: number, kind: kind, payload: octets))
            return true
        case .nothing: return false
        case .end:
            close(descriptor)
            descriptor = -1
            return false
        }
    }
}
