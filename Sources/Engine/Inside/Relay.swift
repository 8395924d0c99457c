internal import CLinux
internal import Glibc

/// The front's part of a laboratory that stands open: passes frames between its one line and the clients that connect.
///
/// Used by the thread that runs the engine, in the loop that also watches the laboratory's process.
final class Relay {
    private let folder: LabFolder
    /// What the laboratory's process gets of the line; -1 once it has it.
    private(set) var farEnd: Int32
    private var line: Int32
    private var listener: Int32 = -1
    private var fromLine = FrameReader()
    private var toLine = Outbox()
    /// How much more may be under way on the line.
    private var lineRoom = Relay.lineLimit
    private var clients: [UInt32: Client] = [:]
    private var lastSession: UInt32 = 0

    /// Octets on the line that the porter has not read. A terminal line of a User-Mode Linux kernel whose buffer of 4096
    /// fills up is throttled, and never let go again (line_throttle in arch/um/drivers/line.c switches its interrupt off,
    /// line_unthrottle does not switch it on).
    static let lineLimit = 2048

    enum Stage { case building, open, ending }
    private(set) var stage = Stage.building

    private struct Client {
        let socket: Int32
        var reader = FrameReader()
        var outbox = Outbox()
        /// Whether something of it may still run inside.
        var isInside = false
        /// Whether it has got its last frame.
        var isDone = false
    }

    init(_ folder: LabFolder) throws(RunFailure) {
        self.folder = folder
        var ends: [Int32] = [-1, -1]
        let status = drb_connection(&ends)
        guard status == 0 else { throw RunFailure(.couldNotStart, "no connection to the laboratory") }
        (line, farEnd) = (ends[0], ends[1])
    }

    deinit {
        for descriptor in [line, farEnd, listener] + clients.values.map(\.socket) where descriptor >= 0 {
            close(descriptor)
        }
    }

    func forgetFarEnd() {
        close(farEnd)
        farEnd = -1
    }

    /// The laboratory can be entered.
    func open() throws(LabFolder.Obstacle) {
        listener = try folder.listen()
        stage = .open
    }

    /// Tells the laboratory that it is enough. What it still has to do takes a moment.
    func end() {
        guard stage != .ending else { return }
        stage = .ending
        toLine.add(Frame(kind: .end).octets)
    }

    func add(to polled: inout Polled) {
        polled.add(line, writing: !toLine.isEmpty && lineRoom > 0)
        polled.add(listener)
        for client in clients.values { polled.add(client.socket, writing: !client.outbox.isEmpty) }
    }

    func serve(_ polled: Polled) {
        if line >= 0, polled.isReadable(line) { readLine() }
        for session in clients.keys.sorted() {
            guard let client = clients[session] else { continue }
            if polled.isReadable(client.socket) { readClient(session) }
        }
        if polled.isReadable(listener) { admit() }
        if line >= 0 {
            if let count = toLine.flush(to: line, isSocket: true, atMost: lineRoom) {
                lineRoom -= count
            } else {
                closeLine()
            }
        }
        for session in clients.keys.sorted() {
            guard var client = clients[session] else { continue }
            let isThere = client.outbox.flush(to: client.socket, isSocket: true) != nil
            clients[session] = client
            if !isThere || client.isDone && client.outbox.isEmpty { dismiss(session) }
        }
    }

    private func admit() {
        let socket = drb_door_accept(listener)
        guard socket >= 0 else { return }
        lastSession += 1
        clients[lastSession] = Client(socket: socket)
    }

    private func readLine() {
        guard case .octets(let octets) = Reading(line, atMost: 256 * 1024) else { return closeLine() }
        fromLine.append(octets)
        do {
            while var frame = try fromLine.next() {
                let session = frame.session
                if session == Porter.lineSession {
                    lineRoom = min(Self.lineLimit, lineRoom + Int(frame.number ?? 0))
                    continue
                }
                frame.session = 0
                clients[session]?.outbox.add(frame.octets)
                if frame.kind == .exited || frame.kind == .refused {
                    clients[session]?.isInside = false
                    clients[session]?.isDone = true
                }
            }
        } catch {
            closeLine()
        }
    }

    private func closeLine() {
        close(line)
        line = -1
        for session in clients.keys { clients[session]?.isInside = false }
    }

    private func readClient(_ session: UInt32) {
        guard var client = clients[session] else { return }
        guard case .octets(let octets) = Reading(client.socket, atMost: 64 * 1024) else { return dismiss(session) }
        client.reader.append(octets)
        do {
            while var frame = try client.reader.next() {
                switch frame.kind {
                case .end: end()
                case .begin where stage == .open:
                    client.isInside = true
                    frame.session = session
                    toLine.add(frame.octets)
                case .begin:
                    client.outbox.add(Frame(kind: .refused, payload: Array("the lab is ending".utf8)).octets)
                    client.isDone = true
                case .hangUp: break
                default:
                    frame.session = session
                    toLine.add(frame.octets)
                }
            }
            clients[session] = client
        } catch {
            dismiss(session)
        }
    }

    private func dismiss(_ session: UInt32) {
        guard let client = clients.removeValue(forKey: session) else { return }
        close(client.socket)
        if client.isInside { toLine.add(Frame(session: session, kind: .hangUp).octets) }
    }
}
