internal import CPcap
internal import Glibc

extension CaptureSession {
    /// Empties the rings as they fill, on a thread of its own, until `body` returns: for as long as traffic goes on of which
    /// nobody here knows, a program's or the kernel's own.
    ///
    /// Ports that are opened meanwhile are watched from the next frame on that any port sees. Throws what `body` throws, and
    /// `CaptureError.watch` if there can be no thread.
    public func emptyingRings<Result>(_ body: () throws -> Result) throws -> Result {
        let watch = try RingWatch(self)
        defer { watch.stop() }
        return try body()
    }

    /// Waits until no frame has come to any port for a while, emptying the rings.
    ///
    /// - Parameters:
    ///   - milliseconds: how long nothing must come.
    ///   - limit: how long to wait at most, however much comes.
    public func awaitQuiet(milliseconds: Int32, limit: Int32) {
        let end = ContinuousClock.now + .milliseconds(Int(limit))
        var rings = RingPolls()
        while ContinuousClock.now < end {
            drain()
            var polls = rings.polls(of: self)
            guard poll(&polls, nfds_t(polls.count), milliseconds) > 0 else { return }
            rings.note(polls)
        }
    }
}

/// A session's rings as poll(2) is asked about them.
private struct RingPolls {
    /// What is readable for another reason than a frame stays so: an interface that is gone.
    private var given: Set<Int32> = []

    func polls(of session: CaptureSession) -> [pollfd] {
        session.descriptors.filter { !given.contains($0) }.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    }

    mutating func note(_ polls: some Sequence<pollfd>) {
        for entry in polls where entry.revents != 0 && entry.revents & Int16(POLLIN) == 0 { given.insert(entry.fd) }
    }
}

/// Waits for frames in a session's rings and takes them out.
private final class RingWatch: Sendable {
    private let session: CaptureSession
    /// Readable when it is time to stop.
    private let ending: (read: Int32, write: Int32)
    private let thread: pthread_t

    init(_ session: CaptureSession) throws(CaptureError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .watch(code: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        self.session = session
        ending = (ends[0], ends[1])
        let box = Unmanaged.passRetained(Work(session: session, ending: ends[0]))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().carryOut() }
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            box.release()
            for end in ends { close(end) }
            throw .watch(code: code)
        }
        self.thread = thread
    }

    func stop() {
        close(ending.write)
        pthread_join(thread, nil)
        close(ending.read)
    }

    private final class Work: Sendable {
        let session: CaptureSession
        let ending: Int32

        init(session: CaptureSession, ending: Int32) {
            self.session = session
            self.ending = ending
        }

        func carryOut() {
            // In virtual time a program that only sends is never interrupted by time, and no thread of its own class gets
            // a turn before it waits for something. Without the privilege, which a lab kernel's PID 1 has, it is a machine
            // with several processors.
            var parameters = sched_param(sched_priority: 1)
            _ = pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters)
            var rings = RingPolls()
            while true {
                var polls = [pollfd(fd: ending, events: Int16(POLLIN), revents: 0)] + rings.polls(of: session)
                guard poll(&polls, nfds_t(polls.count), -1) >= 0 || errno == EINTR else { return }
                if polls[0].revents != 0 { return }
                rings.note(polls)
                session.drain()
            }
        }
    }
}
