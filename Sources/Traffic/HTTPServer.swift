internal import NIOCore
internal import NIOHTTP1
internal import Net

/// Answers the requests of one HTTP connection, each when it is complete. Stands behind NIO's pipelining assistance, so
/// that the next request comes when the last answer is written.
final class HTTPServer: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let host: ServingHost
    private var request: HTTPRequestHead?
    private var filler = Filler(octets: 0)
    private var isAnswering = false
    private var isPumping = false
    private var keepsConnection = true

    init(host: ServingHost) { self.host = host }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): request = head
        case .body: break
        case .end:
            guard let request else { return }
            self.request = nil
            answer(request, context: context)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        pump(context: context)
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset or a client that speaks no HTTP: what there is to say is in the client's transcript.
        context.close(promise: nil)
    }

    private func answer(_ request: HTTPRequestHead, context: ChannelHandlerContext) {
        guard let greeting = host.greet(.http, over: context.channel) else { return context.close(promise: nil) }
        let line = greeting.line
        filler = Filler(octets: Self.octets(of: request.uri))
        isAnswering = true
        keepsConnection = request.isKeepAlive
        var head = HTTPResponseHead(version: request.version, status: .ok)
        head.headers.add(name: "X-Drbench-Server", value: greeting.server)
        head.headers.add(name: "X-Drbench-Client", value: greeting.client.description)
        head.headers.add(name: "X-Drbench-Local", value: greeting.local.description)
        head.headers.add(name: "Content-Type", value: "text/plain")
        head.headers.add(name: "Content-Length", value: String(line.utf8.count + filler.remaining))
        if !keepsConnection {
            head.headers.add(name: "Connection", value: "close")
        } else if request.version == .http1_0 {
            head.headers.add(name: "Connection", value: "keep-alive")
        }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: line)))), promise: nil)
        pump(context: context)
    }

    /// Writes as much of the answer as the socket's buffer takes; the rest follows when it is writable again.
    private func pump(context: ChannelHandlerContext) {
        // A flush that makes the channel writable again calls back here: the loop below goes on by itself.
        guard !isPumping else { return }
        isPumping = true
        defer { isPumping = false }
        while isAnswering {
            guard filler.remaining == 0 || context.channel.isWritable else { return context.flush() }
            if let chunk = filler.next() {
                context.write(wrapOutboundOut(.body(.byteBuffer(chunk))), promise: nil)
                if !context.channel.isWritable { context.flush() }
            } else {
                isAnswering = false
                let written = context.writeAndFlush(wrapOutboundOut(.end(nil)))
                if !keepsConnection {
                    written.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
                }
            }
        }
    }

    /// `/bytes/1000` asks for 1000 octets; anything else for none.
    private static func octets(of uri: String) -> Int {
        let prefix = "/bytes/"
        guard uri.hasPrefix(prefix) else { return 0 }
        return Int(uri.dropFirst(prefix.count)) ?? 0
    }
}
