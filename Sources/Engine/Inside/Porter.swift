internal import CLinux
internal import FoundationEssentials
internal import Glibc
internal import Kernel

/// Lets people into a laboratory: a process of its own inside it, which starts what they ask for and carries what it reads
/// and writes over one line to the front.
///
/// It is the parent of everything that they start, also of what loses its parent, and reaps it. It has one thread, so that
/// a child of its can enter a namespace before it becomes the program.
public enum Porter {
    /// What `drbench-lab` is called with to be the porter. The line is its standard input.
    public static let word = "--porter"

    /// Where the laboratory's namespaces are mounted by their names, for `ip netns` and for the porter.
    static let namespaces = "/run/netns"

    /// What frames about the line itself belong to: nobody's session.
    static let lineSession: UInt32 = 0

    /// Serves until the front says that it is enough, or is gone. The exit status.
    public static func serve() -> Int32 {
        let children = drb_watch_children()
        guard children >= 0 else {
            print("drbench: cannot watch children: \(Errno.message(-children))")
            return 3
        }
        var sessions: [UInt32: Session] = [:]
        var reader = FrameReader()
        while true {
            var polled = Polled()
            polled.add(STDIN_FILENO)
            polled.add(children)
            for session in sessions.values { session.add(to: &polled) }
            guard polled.wait() || errno == EINTR else { return 3 }
            if polled.isReadable(STDIN_FILENO) {
                guard case .octets(let octets) = Reading(STDIN_FILENO, atMost: 64 * 1024) else { return 0 }
                reader.append(octets)
                send(.credit(octets.count, session: lineSession))
                do {
                    while let frame = try reader.next() {
                        if frame.kind == .end {
                            for session in sessions.values { session.hangUp() }
                            return 0
                        }
                        take(frame, &sessions)
                    }
                } catch {
                    print("drbench: \(error)")
                    return 3
                }
            }
            if polled.isReadable(children) {
                drb_clear_signals(children)
                reap(&sessions)
            }
            for session in sessions.values { session.serve(polled, send: send) }
            for (number, session) in sessions {
                guard let status = session.status, session.finish(send: send) else { continue }
                send(Frame(session: number, kind: .exited, payload: [status]))
                sessions[number] = nil
            }
        }
    }

    private static func take(_ frame: Frame, _ sessions: inout [UInt32: Session]) {
        switch frame.kind {
        case .begin:
            do throws(Session.Refusal) {
                guard let errand = try? JSONDecoder().decode(Errand.self, from: Data(frame.payload)) else {
                    throw Session.Refusal(reason: "the request cannot be understood")
                }
                sessions[frame.session] = try Session(frame.session, errand)
            } catch {
                send(Frame(session: frame.session, kind: .refused, payload: Array(error.reason.utf8)))
            }
        case .hangUp: sessions.removeValue(forKey: frame.session)?.hangUp()
        default: sessions[frame.session]?.take(frame)
        }
    }

    private static func reap(_ sessions: inout [UInt32: Session]) {
        var status: Int32 = 0
        while true {
            let pid = waitpid(-1, &status, WNOHANG)
            guard pid > 0 else { return }
            // WIFEXITED and its like are function-like macros.
            let code = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + (status & 0x7F)
            sessions.values.first { $0.processID == pid }?.status = UInt8(truncatingIfNeeded: code)
        }
    }

    /// Waits for room on the line: the front always reads it.
    private static func send(_ frame: Frame) {
        var rest = frame.octets[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(STDIN_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
