internal import Evidence
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Net

/// One TCP connection of a client, and the requests made on it, one at a time.
///
/// Confined to its loop's thread, which is what makes it `Sendable`: every method is to be called there.
final class ClientConnection: @unchecked Sendable {
    private let loop: TrafficLoop
    private let request: ClientRequest
    private let surroundings: ClientSurroundings
    private let lineReader = LineAnswerReader()

    private var channel: (any Channel)?
    private var isConnected = false
    private var keepsOpen = false
    /// The request at hand, and who waits for its transcript.
    private var exchange: (transcript: Transcript, promise: EventLoopPromise<Transcript>)?
    /// A transcript that is complete but for the peer's close, which is waited for.
    private var closing: (transcript: Transcript, promise: EventLoopPromise<Transcript>)?
    private var deadline: Scheduled<Void>?
    /// The first thing that went wrong with the channel.
    private var failure: Failure?

    init(_ request: ClientRequest, on loop: TrafficLoop, surroundings: ClientSurroundings) {
        self.loop = loop
        self.request = request
        self.surroundings = surroundings
    }

    /// Connects and makes one request. The transcript comes when the connection is closed again, or, if it is to be kept
    /// open, with the answer.
    func start(name: String?, keepOpen: Bool) -> EventLoopFuture<Transcript> {
        keepsOpen = keepOpen
        let answered = begin(name: name)
        do {
            let address = try request.to.socketAddress()
            try bootstrap().connect(to: address).whenComplete { result in
                switch result {
                case .success(let channel): self.connected(channel)
                case .failure(let error): self.finish(Failure(error, connected: false))
                }
            }
        } catch {
            finish(Failure(error, connected: false))
        }
        return answered
    }

    /// Makes another request on the open connection.
    func use(name: String, bytes: Int, timeout: Nanoseconds) -> EventLoopFuture<Transcript> {
        let answered = begin(name: name)
        if channel?.isActive == true {
            send(bytes: bytes, timeout: timeout)
        } else {
            finish(failure ?? Failure(.closedEarly))
        }
        return answered
    }

    /// Closes the connection with a plain close(2): a FIN, unless the kernel has a reason for more.
    func close() {
        channel?.close(promise: nil)
    }

    private func begin(name: String?) -> EventLoopFuture<Transcript> {
        let promise = loop.eventLoop.makePromise(of: Transcript.self)
        let now = surroundings.clock()
        let transcript = Transcript(
            protocol: request.kind.rawValue, client: request.from.name, connection: name,
            source: Endpoint(channel?.localAddress), destination: request.to, started: now, ended: now,
            outcome: .failed)
        exchange = (transcript, promise)
        return promise.futureResult
    }

    private func bootstrap() throws -> ClientBootstrap {
        var bootstrap = ClientBootstrap(group: loop.eventLoop)
            .connectTimeout(.nanoseconds(request.timeout))
            .channelInitializer { channel in channel.eventLoop.makeCompletedFuture { try self.furnish(channel) } }
        if let port = request.sourcePort {
            bootstrap = try bootstrap.channelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(to: Endpoint.wildcard(request.to.address.family, port: port).socketAddress())
        }
        return bootstrap
    }

    private func furnish(_ channel: any Channel) throws {
        self.channel = channel
        try loop.adopt(channel)
        let pipeline = channel.pipeline.syncOperations
        let counter = OctetCounter(
            received: { [self] count in
                exchange?.transcript.receivedBytes += count
                surroundings.onBytes(count)
            },
            sent: { [self] count in exchange?.transcript.sentBytes += count })
        try pipeline.addHandler(counter)
        if request.kind == .http {
            try pipeline.addHTTPClientHandlers()
            try pipeline.addHandler(HTTPAnswerReader())
        } else {
            try pipeline.addHandler(lineReader)
        }
        try pipeline.addHandler(ClientConnectionEnd(self))
    }

    private func connected(_ channel: any Channel) {
        isConnected = true
        exchange?.transcript.connected = surroundings.clock()
        exchange?.transcript.source = Endpoint(channel.localAddress)
        send(bytes: request.bytes, timeout: request.timeout)
    }

    private func send(bytes: Int, timeout: Nanoseconds) {
        guard let channel else { return }
        deadline = loop.eventLoop.scheduleTask(in: .nanoseconds(timeout)) { self.expired() }
        let sent = loop.eventLoop.makePromise(of: Void.self)
        // NIO says of a failed write only here, not in `errorCaught`.
        sent.futureResult.whenFailure { self.failed($0) }
        switch request.kind {
        case .http:
            var head = HTTPRequestHead(
                version: .http1_1, method: .GET, uri: bytes == 0 ? "/" : "/bytes/\(bytes)")
            head.headers.add(name: "Host", value: request.to.description)
            channel.write(HTTPClientRequestPart.head(head), promise: nil)
            channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: sent)
        case .tcp, .udp:
            lineReader.expect(octets: bytes)
            channel.writeAndFlush(ByteBuffer(string: LineRequest(octets: bytes).line), promise: sent)
        }
    }

    func answered(_ answer: Answer) {
        guard case (var transcript, let promise)? = exchange else { return }
        exchange = nil
        transcript.outcome = .answered
        transcript.server = answer.server
        transcript.seenFrom = answer.seenFrom
        transcript.detail = answer.detail
        transcript.ended = surroundings.clock()
        if !keepsOpen && request.awaitsServerClose, let channel, channel.isActive {
            // The deadline stays: should the server not close, the client does.
            closing = (transcript, promise)
            channel.close(mode: .output, promise: nil)
            return
        }
        deadline?.cancel()
        if !keepsOpen { close() }
        promise.succeed(transcript)
    }

    func failed(_ error: any Error) {
        if failure == nil { failure = Failure(error, connected: isConnected) }
        // After an answer that cannot be read there is nothing more to wait for.
        if error is HTTPParserError { close() }
    }

    func ended() {
        if let (transcript, promise) = closing {
            closing = nil
            deadline?.cancel()
            promise.succeed(transcript)
        }
        if isConnected { finish(failure ?? Failure(.closedEarly)) }
    }

    private func expired() {
        failure = failure ?? Failure(.connectedThenSilent)
        // The close comes first, as part of what the transcript speaks of; `ended` does the rest.
        close()
    }

    private func finish(_ failure: Failure) {
        guard case (var transcript, let promise)? = exchange else { return }
        exchange = nil
        deadline?.cancel()
        // NIO forgets the address of a channel that has just closed only in its next turn (`BaseSocketChannel.close0`).
        if transcript.source == nil { transcript.source = Endpoint(channel?.localAddress) }
        transcript.outcome = failure.outcome
        transcript.detail = failure.detail
        transcript.ended = surroundings.clock()
        promise.succeed(transcript)
    }
}

/// The far end of a client's pipeline: tells the connection what became of it.
private final class ClientConnectionEnd: ChannelInboundHandler {
    typealias InboundIn = Answer

    private let connection: ClientConnection

    init(_ connection: ClientConnection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { connection.answered(unwrapInboundIn(data)) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { connection.failed(error) }

    func channelInactive(context: ChannelHandlerContext) { connection.ended() }
}
