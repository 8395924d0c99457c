public import Evidence
internal import Glibc
internal import Kernel
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
public import Net

/// A request that a server of ours answered.
public struct ServedRequest: Sendable, Codable, Equatable {
    /// The server's host: its namespace's name.
    public var server: String
    public var kind: TrafficKind
    /// The client's endpoint, as the server saw it.
    public var client: Endpoint
    /// The endpoint that the client had addressed, as the server saw it.
    public var local: Endpoint
    /// When the request had been read, just before the answer was written.
    public var time: Nanoseconds

    public init(server: String, kind: TrafficKind, client: Endpoint, local: Endpoint, time: Nanoseconds) {
        self.server = server
        self.kind = kind
        self.client = client
        self.local = local
        self.time = time
    }
}

/// Servers that listen in namespaces and answer every request with their host's name and the client's endpoint, so that
/// an answer says by itself which real server sent it, and what that server saw.
///
/// - http: 200 with the headers `X-Drbench-Server`, `X-Drbench-Client` and `X-Drbench-Local`, and the body
///   `rs1 saw 198.51.100.10:40000 at 203.0.113.2:80`; `/bytes/N` puts N octets behind that line. Connections are kept
///   as HTTP/1.1 has it.
/// - tcp and udp: see `TrafficKind`.
///
/// All of them listen on every address of their host, IPv6 included if the kernel has it.
public final class TrafficServers: Sendable {
    private let loops: TrafficLoops
    private let clock: @Sendable () -> Nanoseconds
    private let served = NIOLockedValueBox<[ServedRequest]>([])

    /// - Parameter clock: nanoseconds since the run's start; called on the servers' threads.
    public init(loops: TrafficLoops, clock: @escaping @Sendable () -> Nanoseconds) {
        self.loops = loops
        self.clock = clock
    }

    /// Every request that was answered so far, by time, then by server and client.
    public var log: [ServedRequest] {
        served.withLockedValue { $0 }
            .sorted { ($0.time, $0.server, $0.client, $0.local) < ($1.time, $1.server, $1.client, $1.local) }
    }

    /// Starts listening; the server is ready when this returns. It ends with `TrafficLoops.shutdown`.
    ///
    /// Needs CAP_SYS_ADMIN in the namespace's user namespace (and CAP_NET_BIND_SERVICE for ports below 1024). Throws
    /// `KernelError`: EADDRINUSE if something listens there already.
    public func start(_ kind: TrafficKind, port: UInt16, in namespace: NamespaceHandle) throws {
        let loop = try loops.loop(for: namespace)
        do {
            do {
                try listen(kind, .wildcard(.v6, port: port), on: loop).wait()
            } catch let error as IOError where error.errnoCode == EAFNOSUPPORT {
                // A kernel without IPv6 (ipv6.disable=1).
                try listen(kind, .wildcard(.v4, port: port), on: loop).wait()
            }
        } catch let error as IOError {
            throw KernelError("listen on \(kind.rawValue)/\(port)", code: error.errnoCode, namespace: namespace.name)
        }
    }

    /// `address` is a wildcard; the IPv6 one takes IPv4 too (NIO clears IPV6_V6ONLY: BaseSocket.makeSocket).
    private func listen(_ kind: TrafficKind, _ address: Endpoint, on loop: TrafficLoop) -> EventLoopFuture<Void> {
        let host = ServingHost(name: loop.name) { [clock, served] kind, client, local in
            let request = ServedRequest(server: loop.name, kind: kind, client: client, local: local, time: clock())
            served.withLockedValue { $0.append(request) }
        }
        return loop.run {
            do {
                let socketAddress = try address.socketAddress()
                return kind == .udp
                    ? DatagramServer.bind(socketAddress, host: host, on: loop)
                    : Self.bindStream(kind, socketAddress, host: host, on: loop)
            } catch {
                return loop.eventLoop.makeFailedFuture(error)
            }
        }
    }

    private static func bindStream(
        _ kind: TrafficKind, _ address: SocketAddress, host: ServingHost, on loop: TrafficLoop
    ) -> EventLoopFuture<Void> {
        ServerBootstrap(group: loop.eventLoop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // One accept4 per wake-up: epoll is level-triggered, and asking again would mostly find nothing.
            .serverChannelOption(.maxMessagesPerRead, value: 1)
            .serverChannelInitializer { channel in channel.eventLoop.makeCompletedFuture { try loop.adopt(channel) } }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try loop.adopt(channel)
                    let pipeline = channel.pipeline.syncOperations
                    switch kind {
                    case .http:
                        try pipeline.configureHTTPServerPipeline()
                        try pipeline.addHandler(HTTPServer(host: host))
                    case .tcp, .udp:
                        try pipeline.addHandler(LineServer(host: host))
                    }
                }
            }
            .bind(to: address)
            .map { _ in }
    }
}

/// The host that a server speaks for.
struct ServingHost: Sendable {
    var name: String
    /// Notes a request: its kind, the client's and the local endpoint.
    var served: @Sendable (TrafficKind, Endpoint, Endpoint) -> Void

    init(name: String, served: @escaping @Sendable (TrafficKind, Endpoint, Endpoint) -> Void) {
        self.name = name
        self.served = served
    }

    /// The greeting for a request that came over `channel`, which is noted; nil if the peer is gone.
    func greet(_ kind: TrafficKind, over channel: any Channel) -> Greeting? {
        guard let client = Endpoint(channel.remoteAddress), let local = Endpoint(channel.localAddress)
        else { return nil }
        return greet(kind, client: client, local: local)
    }

    func greet(_ kind: TrafficKind, client: Endpoint, local: Endpoint) -> Greeting {
        served(kind, client, local)
        return Greeting(server: name, client: client, local: local)
    }
}
