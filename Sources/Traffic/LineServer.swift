internal import NIOCore

/// Answers the lines of one TCP connection, one after another, until the client closes it.
final class LineServer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// No request is longer.
    private static let longestLine = 64

    private let host: ServingHost
    private var received = ByteBuffer()
    private var filler = Filler(octets: 0)
    private var isPumping = false

    init(host: ServingHost) { self.host = host }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        received.writeBuffer(&buffer)
        pump(context: context)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        pump(context: context)
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What there is to say of a reset is in the client's transcript.
        context.close(promise: nil)
    }

    /// Writes the answer at hand as far as the socket's buffer takes it, then turns to the next line.
    private func pump(context: ChannelHandlerContext) {
        // A flush that makes the channel writable again calls back here: the loop below goes on by itself.
        guard !isPumping else { return }
        isPumping = true
        defer { isPumping = false }
        while context.channel.isActive {
            guard filler.remaining == 0 || context.channel.isWritable else { return context.flush() }
            if let chunk = filler.next() {
                context.write(wrapOutboundOut(chunk), promise: nil)
                if !context.channel.isWritable { context.flush() }
            } else if let line = nextLine() {
                guard let request = LineRequest(line), let greeting = host.greet(.tcp, over: context.channel)
                else { return context.close(promise: nil) }
                filler = Filler(octets: request.octets)
                context.write(wrapOutboundOut(ByteBuffer(string: greeting.line)), promise: nil)
            } else {
                if received.readableBytes > Self.longestLine { return context.close(promise: nil) }
                return context.flush()
            }
        }
    }

    /// The next whole line, without its line feed.
    private func nextLine() -> String? {
        guard
            let length = received.readableBytesView.firstIndex(of: UInt8(ascii: "\n")).map({
                $0 - received.readerIndex
            })
        else { return nil }
        defer { received.discardReadBytes() }
        let line = received.readString(length: length)
        received.moveReaderIndex(forwardBy: 1)
        return line
    }
}
