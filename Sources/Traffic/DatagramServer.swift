internal import CLinux
internal import Glibc
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOPosix
internal import Net

/// Answers each datagram with one datagram, from the address it was sent to: behind a director in DR mode that is the
/// VIP, and an answer from any other address would be refused by the client.
///
/// The socket is bound to the wildcard, so the kernel would choose the answer's source by its route. IP_PKTINFO tells the
/// address a datagram was sent to, and sets the answer's source (ip(7)). NIO reads the control message but cannot send one
/// (swift-nio 2.101, `UnsafeOutboundControlBytes` knows only ECN and segment size), so the answer is sent around NIO.
final class DatagramServer: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    /// The most octets that an IPv4 datagram takes: 65535 less 20 of IP and 8 of UDP.
    private static let longestDatagram = 65_507

    private let host: ServingHost

    private init(host: ServingHost) { self.host = host }

    /// Binds a socket; to be called on the loop's thread.
    static func bind(_ address: SocketAddress, host: ServingHost, on loop: TrafficLoop) -> EventLoopFuture<Void> {
        let made = NIOLockedValueBox<(any Channel)?>(nil)
        return DatagramBootstrap(group: loop.eventLoop)
            .channelInitializer { channel in
                made.withLockedValue { $0 = channel }
                return channel.eventLoop.makeCompletedFuture {
                    try loop.adopt(channel)
                    try channel.pipeline.syncOperations.addHandler(DatagramServer(host: host))
                }
            }
            .bind(to: address)
            .flatMap { channel in
                // Only now: NIO looks at the bound address to choose between IP_PKTINFO and IPV6_RECVPKTINFO.
                channel.setOption(.receivePacketInfo, value: true)
            }
            .flatMapErrorThrowing { error in
                // NIO leaves the channel of a failed datagram bind open (`DatagramBootstrap.withNewChannel`).
                made.withLockedValue { $0 }?.close(promise: nil)
                throw error
            }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        var line = String(buffer: envelope.data)
        if line.hasSuffix("\n") { line.removeLast() }
        guard let request = LineRequest(line), let destination = envelope.metadata?.packetInfo?.destinationAddress,
            let port = context.channel.localAddress?.port, let client = Endpoint(envelope.remoteAddress),
            let local = Endpoint(destination).map({ Endpoint($0.address, port: UInt16(truncatingIfNeeded: port)) })
        else { return }
        var answer = ByteBuffer(string: host.greet(.udp, client: client, local: local).line)
        let octets = min(request.octets, Self.longestDatagram - answer.readableBytes)
        answer.writeRepeatingByte(UInt8(ascii: "x"), count: octets)
        // A failure to send is a datagram lost, which UDP may do: the client says "no answer".
        try? context.channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            fd in
            Self.send(answer, to: envelope.remoteAddress, from: destination, over: fd)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // An ICMP error in answer to an answer concerns one client; the server goes on.
    }

    private static func send(_ answer: ByteBuffer, to: SocketAddress, from: SocketAddress, over fd: Int32) {
        answer.withUnsafeReadableBytes { octets in
            to.withSockAddr { to, length in
                from.withSockAddr { from, _ in
                    _ = drb_send_from(fd, octets.baseAddress, octets.count, to, socklen_t(length), from)
                }
            }
        }
    }
}
