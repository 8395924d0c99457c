public import Evidence
internal import NIOConcurrencyHelpers
internal import NIOCore

/// Clients that make requests from within namespaces, and say of each how it ended.
///
/// Every function comes twice: one that blocks its thread, and one for asynchronous callers. In a guest in virtual time
/// take the first: the second starts Swift's concurrency pool, whose libdispatch then wakes up every second for ever, and
/// every idle second of virtual time costs. A request that fails is no
/// error but a transcript; thrown are `KernelError` (the namespace cannot be entered, which needs CAP_SYS_ADMIN) and
/// `TrafficError`.
public final class TrafficClients: Sendable {
    private let loops: TrafficLoops
    private let surroundings: ClientSurroundings
    private let kept = NIOLockedValueBox<[String: (connection: ClientConnection, loop: TrafficLoop)]>([:])

    /// - Parameters:
    ///   - clock: nanoseconds since the run's start; called on the clients' threads.
    ///   - onBytes: told the number of octets whenever a client has received some, on the client's thread, which waits
    ///     for it: the place to drain captures before they overflow.
    public init(
        loops: TrafficLoops, clock: @escaping @Sendable () -> Nanoseconds,
        onBytes: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.loops = loops
        surroundings = ClientSurroundings(clock: clock, onBytes: onBytes)
    }

    /// Makes `request.count` requests one after another, each on a connection of its own; one transcript for each.
    ///
    /// When the answer is there, the client closes: FIN. With a source port it also waits for the server's FIN, so that the
    /// next connection can have the port; one that cannot is `failed`, with EADDRNOTAVAIL or EADDRINUSE.
    @available(*, noasync)
    public func request(_ request: ClientRequest) throws -> [Transcript] {
        try requests(request).wait()
    }

    public func request(_ request: ClientRequest) async throws -> [Transcript] {
        try await requests(request).get()
    }

    /// Begins what `request` does, and returns at once.
    public func begin(_ request: ClientRequest) throws -> PendingTraffic {
        PendingTraffic(try requests(request))
    }

    /// Connects, makes one request (whatever `request.count` is) and, if it was answered, keeps the connection open
    /// under a name.
    @available(*, noasync)
    public func open(name: String, _ request: ClientRequest) throws -> Transcript {
        try opening(name, request).wait()
    }

    public func open(name: String, _ request: ClientRequest) async throws -> Transcript {
        try await opening(name, request).get()
    }

    /// Begins what `open` does, and returns at once.
    public func beginOpening(name: String, _ request: ClientRequest) throws -> PendingTraffic {
        PendingTraffic(try opening(name, request).map { [$0] })
    }

    /// Makes another request on an open connection. Its transcript has no `connected`.
    ///
    /// The client closes the connection when no answer comes in time; a later use then says the same outcome, as it does
    /// after the peer has closed or reset it.
    @available(*, noasync)
    public func use(name: String, bytes: Int, timeout: Nanoseconds) throws -> Transcript {
        try using(name, bytes: bytes, timeout: timeout).wait()
    }

    public func use(name: String, bytes: Int, timeout: Nanoseconds) async throws -> Transcript {
        try await using(name, bytes: bytes, timeout: timeout).get()
    }

    /// Begins what `use` does, and returns at once.
    public func beginUse(name: String, bytes: Int, timeout: Nanoseconds) throws -> PendingTraffic {
        PendingTraffic(try using(name, bytes: bytes, timeout: timeout).map { [$0] })
    }

    /// Closes an open connection (FIN) and forgets its name. Returns when close(2) has.
    @available(*, noasync)
    public func close(name: String) throws {
        try closing(name).wait()
    }

    public func close(name: String) async throws {
        try await closing(name).get()
    }

    private func requests(_ request: ClientRequest) throws -> EventLoopFuture<[Transcript]> {
        let loop = try loops.loop(for: request.from)
        return loop.run { [surroundings] in
            Self.series(request, before: [], on: loop, surroundings: surroundings)
        }
    }

    /// The rest of a series of requests, of which some are made.
    private static func series(
        _ request: ClientRequest, before: [Transcript], on loop: TrafficLoop, surroundings: ClientSurroundings
    ) -> EventLoopFuture<[Transcript]> {
        guard before.count < request.count else { return loop.eventLoop.makeSucceededFuture(before) }
        let transcript =
            request.kind == .udp
            ? DatagramExchange(request, on: loop, surroundings: surroundings).start()
            : ClientConnection(request, on: loop, surroundings: surroundings).start(name: nil, keepOpen: false)
        // By way of the task queue: requests that fail at once must not nest as deep as the series is long.
        return transcript.flatMap { transcript in
            let made = before + [transcript]
            let pause = request.interval - (surroundings.clock() - transcript.started)
            guard pause > 0, made.count < request.count else {
                return loop.eventLoop.flatSubmit {
                    series(request, before: made, on: loop, surroundings: surroundings)
                }
            }
            return loop.eventLoop.flatScheduleTask(in: .nanoseconds(pause)) {
                series(request, before: made, on: loop, surroundings: surroundings)
            }.futureResult
        }
    }

    private func opening(_ name: String, _ request: ClientRequest) throws -> EventLoopFuture<Transcript> {
        guard request.kind != .udp else { throw TrafficError.notAConnection(request.kind) }
        let loop = try loops.loop(for: request.from)
        let connection = ClientConnection(request, on: loop, surroundings: surroundings)
        try kept.withLockedValue { kept in
            guard kept[name] == nil else { throw TrafficError.connectionExists(name) }
            kept[name] = (connection, loop)
        }
        return loop.run { connection.start(name: name, keepOpen: true) }.map { [kept] transcript in
            if transcript.outcome != .answered {
                connection.close()
                kept.withLockedValue { kept in kept[name] = nil }
            }
            return transcript
        }
    }

    private func using(_ name: String, bytes: Int, timeout: Nanoseconds) throws -> EventLoopFuture<Transcript> {
        guard let (connection, loop) = kept.withLockedValue({ $0[name] }) else {
            throw TrafficError.noSuchConnection(name)
        }
        return loop.run { connection.use(name: name, bytes: bytes, timeout: timeout) }
    }

    private func closing(_ name: String) throws -> EventLoopFuture<Void> {
        guard let (connection, loop) = kept.withLockedValue({ $0.removeValue(forKey: name) }) else {
            throw TrafficError.noSuchConnection(name)
        }
        return loop.eventLoop.submit { connection.close() }
    }
}

/// Traffic that was begun.
public struct PendingTraffic: Sendable {
    private let transcripts: EventLoopFuture<[Transcript]>

    init(_ transcripts: EventLoopFuture<[Transcript]>) { self.transcripts = transcripts }

    /// Blocks until all of it has come to its end.
    @available(*, noasync)
    public func wait() throws -> [Transcript] { try transcripts.wait() }
}
