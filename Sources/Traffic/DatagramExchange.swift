internal import Evidence
internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import Net

/// One datagram of a client and what came of it, over a socket of its own.
///
/// The socket is made here and only read by NIO, as a pipe: NIO's own datagram channel asks for SO_ERROR, which clears it,
/// and then traps when the socket has nothing to read (swift-nio 2.101, `DatagramChannel.error`, `readEOF0`), as after an
/// ICMP error other than "port unreachable". As a pipe, the error is simply what read(2) returns.
///
/// Confined to its loop's thread, which is what makes it `Sendable`.
final class DatagramExchange: @unchecked Sendable {
    private let loop: TrafficLoop
    private let request: ClientRequest
    private let surroundings: ClientSurroundings
    private let promise: EventLoopPromise<Transcript>
    private var transcript: Transcript
    private var isFinished = false
    private var channel: (any Channel)?
    private var deadline: Scheduled<Void>?

    init(_ request: ClientRequest, on loop: TrafficLoop, surroundings: ClientSurroundings) {
        self.loop = loop
        self.request = request
        self.surroundings = surroundings
        promise = loop.eventLoop.makePromise()
        let now = surroundings.clock()
        transcript = Transcript(
            protocol: request.kind.rawValue, client: request.from.name, destination: request.to, started: now,
            ended: now, outcome: .failed)
    }

    func start() -> EventLoopFuture<Transcript> {
        do {
            let fd = try send()
            NIOPipeBootstrap(group: loop.eventLoop)
                .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 65_536))
                .channelInitializer { channel in
                    self.channel = channel
                    return channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(DatagramExchangeEnd(self))
                    }
                }
                .takingOwnershipOfDescriptor(input: fd)
                .whenFailure { error in
                    Glibc.close(fd)
                    self.finish(Failure(error, connected: false))
                }
            if !isFinished {
                deadline = loop.eventLoop.scheduleTask(in: .nanoseconds(request.timeout)) {
                    self.finish(Failure(.noAnswer))
                }
            }
        } catch {
            finish(Failure(error, connected: false))
        }
        return promise.futureResult
    }

    /// Makes a connected socket, so that ICMP errors reach it, and sends the request. The descriptor is the caller's.
    private func send() throws -> Int32 {
        let isV4 = request.to.address.family == .v4
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let fd = socket(isV4 ? AF_INET : AF_INET6, type, 0)
        guard fd >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
        do {
            // Without it only "hard" errors arrive: a router's "host unreachable" would look like silence (udp(7)).
            try set(fd, isV4 ? Int32(IPPROTO_IP) : Int32(IPPROTO_IPV6), isV4 ? IP_RECVERR : IPV6_RECVERR)
            if let port = request.sourcePort {
                try set(fd, SOL_SOCKET, SO_REUSEADDR)
                let wildcard = Endpoint.wildcard(request.to.address.family, port: port)
                try wildcard.socketAddress().withSockAddr { try check("bind", bind(fd, $0, socklen_t($1))) }
            }
            try request.to.socketAddress().withSockAddr { try check("connect", connect(fd, $0, socklen_t($1))) }
            transcript.source = try Endpoint(localAddress(of: fd))
            let line = LineRequest(octets: request.bytes).line
            try check("send", Glibc.send(fd, line, line.utf8.count, Int32(MSG_NOSIGNAL)))
            transcript.sentBytes = line.utf8.count
        } catch {
            Glibc.close(fd)
            throw error
        }
        return fd
    }

    private func set(_ fd: Int32, _ level: Int32, _ option: Int32) throws {
        var on: Int32 = 1
        try check("setsockopt", setsockopt(fd, level, option, &on, socklen_t(MemoryLayout<Int32>.size)))
    }

    private func check(_ operation: String, _ result: some BinaryInteger) throws {
        if result < 0 { throw IOError(errnoCode: errno, reason: operation) }
    }

    private func localAddress(of fd: Int32) throws -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return try withUnsafeMutablePointer(to: &storage) { storage in
            try storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try check("getsockname", getsockname(fd, $0, &length))
            }
            let raw = UnsafeRawPointer(storage)
            return switch Int32(storage.pointee.ss_family) {
            case AF_INET: SocketAddress(raw.load(as: sockaddr_in.self))
            case AF_INET6: SocketAddress(raw.load(as: sockaddr_in6.self))
            default: nil
            }
        }
    }

    func received(_ datagram: ByteBuffer) {
        surroundings.onBytes(datagram.readableBytes)
        guard !isFinished else { return }
        transcript.receivedBytes += datagram.readableBytes
        let answer = Answer(line: datagram.readableBytesView)
        transcript.server = answer.server
        transcript.seenFrom = answer.seenFrom
        finish(Failure(.answered, answer.detail))
    }

    func failed(_ error: any Error) { finish(Failure(error, connected: false)) }

    /// An empty datagram reads as an end of file; it is an answer all the same.
    func ended() { finish(Failure(.answered)) }

    private func finish(_ result: Failure) {
        guard !isFinished else { return }
        isFinished = true
        deadline?.cancel()
        transcript.outcome = result.outcome
        transcript.detail = result.detail
        transcript.ended = surroundings.clock()
        channel?.close(promise: nil)
        promise.succeed(transcript)
    }
}

/// The far end of a datagram socket's pipeline.
private final class DatagramExchangeEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let exchange: DatagramExchange

    init(_ exchange: DatagramExchange) { self.exchange = exchange }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { exchange.received(unwrapInboundIn(data)) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { exchange.failed(error) }

    func channelInactive(context: ChannelHandlerContext) { exchange.ended() }
}
