internal import NIOCore
internal import NIOHTTP1
internal import Net

/// What a client needs to know of a whole answer.
struct Answer: Equatable, Sendable {
    var server: String?
    var seenFrom: Endpoint?
    /// A status other than 200, or a line that is no greeting.
    var detail: String?

    init(server: String? = nil, seenFrom: Endpoint? = nil, detail: String? = nil) {
        self.server = server
        self.seenFrom = seenFrom
        self.detail = detail
    }

    /// The answer that a line of the tcp and udp protocols gives.
    init(line: some Sequence<UInt8>) {
        let text = String(decoding: line.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        let greeting = Greeting(text)
        self.init(
            server: greeting?.server, seenFrom: greeting?.client,
            detail: greeting == nil ? "not a greeting: \(text)" : nil)
    }
}

/// Makes an `Answer` of an HTTP response: from our servers' headers, without looking at the body.
final class HTTPAnswerReader: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias InboundOut = Answer

    private var answer = Answer()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            answer = Answer(
                server: head.headers.first(name: "X-Drbench-Server"),
                seenFrom: head.headers.first(name: "X-Drbench-Client").flatMap { Endpoint($0) },
                detail: head.status == .ok ? nil : "HTTP \(head.status.code)")
        case .body: break
        case .end: context.fireChannelRead(wrapInboundOut(answer))
        }
    }
}

/// Makes an `Answer` of the tcp protocol's line and the octets behind it, which are only counted.
final class LineAnswerReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = Answer

    /// A line that has no end by then is no greeting.
    private static let longestLine = 512

    private var line: [UInt8] = []
    private var answer: Answer?
    private var outstanding = 0

    /// Says how many octets the next answer has behind its line.
    func expect(octets: Int) {
        line = []
        answer = nil
        outstanding = octets
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        if answer == nil { readLine(&buffer) }
        guard let answer else { return }
        let taken = min(outstanding, buffer.readableBytes)
        outstanding -= taken
        if outstanding == 0 {
            self.answer = Answer()
            outstanding = .max
            context.fireChannelRead(wrapInboundOut(answer))
        }
    }

    private func readLine(_ buffer: inout ByteBuffer) {
        while answer == nil, let octet = buffer.readInteger(as: UInt8.self) {
            line.append(octet)
            guard octet == UInt8(ascii: "\n") || line.count >= Self.longestLine else { continue }
            answer = Answer(line: line)
        }
    }
}

/// Counts the octets that pass: those of the socket, for it stands next to it.
final class OctetCounter: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = IOData

    private let received: (Int) -> Void
    private let sent: (Int) -> Void

    init(received: @escaping (Int) -> Void, sent: @escaping (Int) -> Void) {
        self.received = received
        self.sent = sent
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received(unwrapInboundIn(data).readableBytes)
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        sent(unwrapOutboundIn(data).readableBytes)
        context.write(data, promise: promise)
    }
}
