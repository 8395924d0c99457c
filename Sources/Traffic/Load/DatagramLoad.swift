internal import CLinux
internal import Evidence
internal import Glibc
internal import Kernel
internal import Net

/// The clients of a UDP load, all of them on one thread. A datagram carries the time at which it was to be sent, and the
/// server sends it back: nothing is kept of those under way.
struct DatagramLoad: ~Copyable {
    private static let mark: [UInt8] = Array("drbl".utf8)
    private static let headLength = 16

    private struct Socket {
        var file: Int32
        /// Sent and not answered; a closed loop's next datagram waits for it.
        var awaited: Nanoseconds?
    }

    private let order: LoadOrder
    private let clock: @Sendable () -> Nanoseconds
    private let poller: Poller
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 8)
    private let message: UnsafeMutableRawBufferPointer
    private var sockets: [Socket] = []
    private var tally: LoadTally
    private let schedule: RequestSchedule?
    private let end: Nanoseconds
    private var next = 0
    private var sent = 0
    private var answered = 0
    private var refused = 0
    private var now: Nanoseconds
    private var timeless = TimelessLoop()
    private var problem: KernelError?

    init(_ order: LoadOrder, start: Nanoseconds, clock: @escaping @Sendable () -> Nanoseconds) throws {
        self.order = order
        self.clock = clock
        now = start
        end = start + order.warmUp + order.duration
        poller = try Poller()
        tally = LoadTally(window: start + order.warmUp..<end)
        schedule = order.schedule(from: start)
        message = .allocate(byteCount: max(Self.headLength, order.request), alignment: 8)
        message.initializeMemory(as: UInt8.self, repeating: UInt8(ascii: "x"))
        message.copyBytes(from: Self.mark)
        message.storeBytes(of: UInt32(order.response).bigEndian, toByteOffset: 4, as: UInt32.self)
    }

    deinit {
        for socket in sockets { close(socket.file) }
        buffer.deallocate()
        message.deallocate()
    }

    /// Blocks the thread until the load has come to its end. The thread is in one of the clients' namespaces then.
    ///
    /// Errors: `KernelError` of a socket that could not be made, and of a load that does not let virtual time pass.
    mutating func run() throws -> LoadRecord {
        for host in order.clients.indices { try openSockets(of: host) }
        now = clock()
        if schedule == nil { for index in sockets.indices { send(index, planned: now) } }
        while true {
            if !order.isVirtual { now = clock() }
            if let schedule {
                while next < schedule.count, schedule.time(of: next) <= now {
                    send(next % sockets.count, planned: schedule.time(of: next))
                    next += 1
                }
            } else {
                for index in sockets.indices where now < end {
                    if let time = sockets[index].awaited, time + order.timeout <= now { send(index, planned: now) }
                }
            }
            guard now < end || answered + refused < sent && now < end + order.timeout else { break }
            let events = poller.wait(atMost: pause)
            if order.isVirtual { now = clock() }
            for event in events { receive(Int(event.token)) }
            if let problem { throw problem }
        }
        tally.fail(missing: Outcome.noAnswer.rawValue)
        return tally.record(name: order.name)
    }

    private var pause: Int64 {
        var wake = now < end ? end : end + order.timeout
        if let schedule, next < schedule.count { wake = min(wake, schedule.time(of: next)) }
        if schedule == nil { wake = min(wake, sockets.compactMap(\.awaited).min().map { $0 + order.timeout } ?? wake) }
        return max(0, wake - now)
    }

    private mutating func openSockets(of host: Int) throws {
        let client = order.clients[host]
        guard drb_setns(client.fileDescriptor) == 0 else {
            throw KernelError("enter the network namespace", code: errno, namespace: client.name)
        }
        let family: Int32 = order.to.address.family == .v6 ? 6 : 4
        for index in 0..<order.connections where index % order.clients.count == host {
            let file = drb_load_socket(family, 0)
            guard file >= 0 else { throw KernelError("open a client's socket", code: errno, namespace: client.name) }
            sockets.append(Socket(file: file))
            let status = drb_load_connect(file, family, order.to.address.octets, order.to.port)
            guard status == 0 else {
                throw KernelError("connect a client's socket", code: -status, namespace: client.name)
            }
            guard poller.watch(file, token: UInt64(sockets.count - 1), edges: false) else {
                throw KernelError("watch a client's socket", code: errno, namespace: client.name)
            }
        }
    }

    private mutating func send(_ index: Int, planned: Nanoseconds) {
        message.storeBytes(of: planned, toByteOffset: 8, as: Nanoseconds.self)
        tally.planned(planned)
        sent += 1
        sockets[index].awaited = planned
        let count = drb_send(sockets[index].file, message.baseAddress, message.count, 0)
        if count > 0 { tally.sent(count, at: now) } else { refuse(planned: planned) }
    }

    /// A datagram that the kernel did not take, or an ICMP error that came for an earlier one.
    private mutating func refuse(planned: Nanoseconds) {
        refused += 1
        tally.failed(planned: planned, because: Failure(errno: errno, connected: false).outcome.rawValue)
    }

    private mutating func receive(_ index: Int) {
        while problem == nil {
            let count = drb_receive_some(sockets[index].file, buffer.baseAddress, buffer.count)
            guard count >= 0 else {
                guard errno != EAGAIN, let planned = sockets[index].awaited else { return }
                refuse(planned: planned)
                continue
            }
            guard count >= Self.headLength, buffer.starts(with: Self.mark) else { continue }
            if !order.isVirtual { now = clock() }
            let planned = buffer.loadUnaligned(fromByteOffset: 8, as: Nanoseconds.self)
            tally.received(count, at: now)
            guard now - planned <= order.timeout else { continue }
            answered += 1
            tally.answered(planned: planned, at: now)
            guard schedule == nil, sockets[index].awaited == planned, now < end else { continue }
            if order.isVirtual { problem = timeless.answered(planned: planned, at: now, of: order) }
            send(index, planned: now)
        }
    }
}
