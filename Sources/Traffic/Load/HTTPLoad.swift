internal import CLinux
internal import Evidence
internal import Glibc
internal import Kernel
internal import Net

/// The clients of an HTTP load: all of them on one thread, which waits for what is ready of all connections at once.
///
/// Made for as few system calls as there can be, of which a lab kernel takes 60 µs each: a request on a kept connection takes
/// a send and a receive, and its part of an epoll_pwait2. Nothing is allocated for a request.
struct HTTPLoad: ~Copyable {
    enum Stage: UInt8 {
        case closed, connecting
        /// Open, and free for a request.
        case ready
        case sending
        /// The answer's head has not come yet.
        case waiting
        case receiving
    }

    struct Slot {
        var file: Int32 = -1
        var stage = Stage.closed
        /// Whether it has a request.
        var isTaken = false
        /// Whether the server closes it behind this answer.
        var closes = false
        /// Counts up with every connection, and with every request: what speaks of an earlier one is stale.
        var generation: UInt32 = 0
        var turn: UInt32 = 0
        var planned: Nanoseconds = 0
        /// Octets of the request to be sent, and of the answer's body to come.
        var unsent = 0
        var remaining = 0
    }

    /// How long a connection that failed rests in a closed loop.
    private static let rest: Nanoseconds = 10_000_000
    static let bufferSize = 65_536
    /// From so many octets on an answer's body is thrown away in the kernel.
    static let worthDiscarding = 4_096

    let order: LoadOrder
    let clock: @Sendable () -> Nanoseconds
    private let poller: Poller
    let slots: UnsafeMutableBufferPointer<Slot>
    let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: bufferSize)
    /// The request's head and the beginning of its body; what follows is like that body.
    let message: UnsafeMutableBufferPointer<UInt8>
    let headLength: Int
    private let address: [UInt8]
    var tally: LoadTally
    let schedule: RequestSchedule?
    private let end: Nanoseconds

    /// Slots that can take a request, the one first that has been free for the longest time.
    var free = Queue<Int32>()
    private var resting = Queue<(until: Nanoseconds, slot: Int32)>()
    private var deadlines = Queue<(time: Nanoseconds, slot: Int32, turn: UInt32)>()
    var partialHeads: [Int32: [UInt8]] = [:]
    /// The schedule's next request, and its time.
    private var next = 0
    private var nextTime: Nanoseconds = 0
    var taken = 0
    var now: Nanoseconds
    /// The host whose namespace the thread is in.
    private var place = -1
    var timeless = TimelessLoop()
    var problem: KernelError?
    /// How many of the window's two ends have been noted.
    private var edges = 0

    /// - Parameter start: the load's beginning.
    init(_ order: LoadOrder, start: Nanoseconds, clock: @escaping @Sendable () -> Nanoseconds) throws {
        self.order = order
        self.clock = clock
        now = start
        end = start + order.warmUp + order.duration
        poller = try Poller()
        slots = .allocate(capacity: order.connections)
        slots.initialize(repeating: Slot())
        address = order.to.address.octets
        tally = LoadTally(window: start + order.warmUp..<end)
        schedule = order.schedule(from: start)
        nextTime = start
        let path = order.response > 0 ? "/bytes/\(order.response)" : "/"
        let head =
            "\(order.request > 0 ? "POST" : "GET") \(path) HTTP/1.1\r\nHost: \(order.to)\r\n"
            + (order.request > 0 ? "Content-Length: \(order.request)\r\n" : "")
            + (order.keepAlive ? "" : "Connection: close\r\n") + "\r\n"
        headLength = head.utf8.count
        message = .allocate(capacity: headLength + min(order.request, 262_144))
        message.initialize(repeating: UInt8(ascii: "x"))
        _ = message.update(fromContentsOf: head.utf8)
    }

    deinit {
        for slot in slots where slot.file >= 0 { close(slot.file) }
        slots.deallocate()
        buffer.deallocate()
        message.deallocate()
    }

    /// Blocks the thread until the load has come to its end. The thread is in one of the clients' namespaces then.
    ///
    /// Errors: `KernelError` of a socket that could not even be made, and of a load that does not let virtual time pass.
    mutating func run() throws -> LoadRecord {
        // Each is opened by the first request that takes it: a thousand handshakes at once would only fill queues.
        for index in slots.indices { free.append(Int32(index)) }
        now = clock()
        while problem == nil {
            if !order.isVirtual { now = clock() }
            noteEdges()
            expire()
            issue()
            if isOver { break }
            let events = poller.wait(atMost: pause)
            // In virtual time only waiting takes time, and in a lab kernel a look at the clock is as dear as an answer. In
            // real time the clock is read again for each of them.
            if order.isVirtual { now = clock() }
            for event in events where problem == nil {
                let slot = Int32(truncatingIfNeeded: event.token)
                guard slots[Int(slot)].generation == UInt32(event.token >> 32) else { continue }
                handle(event, slot)
            }
        }
        if let problem { throw problem }
        let planned = schedule?.count ?? 0
        while next < planned {
            tally.failed(planned: nextTime, because: LoadTally.notSent)
            advance()
        }
        for slot in slots where slot.isTaken {
            if schedule == nil {
                tally.cut(planned: slot.planned)
            } else {
                tally.failed(planned: slot.planned, because: LoadTally.unfinished)
            }
        }
        return tally.record(name: order.name)
    }

    // MARK: Time

    private var isOver: Bool {
        guard let schedule else { return now >= end }
        return next == schedule.count && taken == 0 || now >= end + order.timeout
    }

    /// How long there is nothing to do but what becomes ready.
    private var pause: Int64 {
        var wake = schedule == nil || now < end ? end : end + order.timeout
        if now < tally.window.lowerBound { wake = tally.window.lowerBound }
        if let schedule, next < schedule.count, !free.isEmpty { wake = min(wake, nextTime) }
        if let first = resting.first { wake = min(wake, first.until) }
        if let first = deadlines.first { wake = min(wake, first.time) }
        return max(0, wake - now)
    }

    /// At the window's beginning and end: see `LoadTally.sentLater`. Small requests are acknowledged as soon as they are sent.
    private mutating func noteEdges() {
        guard order.request >= Self.worthDiscarding, edges < 2 else { return }
        let edge = edges == 0 ? tally.window.lowerBound : tally.window.upperBound
        guard now >= edge else { return }
        var held = 0
        for slot in slots where slot.file >= 0 { held += drb_unacknowledged(slot.file) }
        tally.sentLater(edges == 0 ? held : -held)
        edges += 1
    }

    private mutating func advance() {
        next += 1
        if let schedule { nextTime = schedule.time(of: next) }
    }

    private mutating func issue() {
        guard let schedule else {
            while now < end, let slot = free.popFirst() { begin(slot, planned: now) }
            return
        }
        while next < schedule.count, nextTime <= now, let slot = free.popFirst() {
            let planned = nextTime
            advance()
            begin(slot, planned: planned)
        }
    }

    private mutating func expire() {
        while let first = resting.first, first.until <= now {
            _ = resting.popFirst()
            free.append(first.slot)
        }
        while let first = deadlines.first {
            let slot = slots[Int(first.slot)]
            if slot.turn == first.turn, slot.stage != .ready {
                guard first.time <= now else { return }
                fail(first.slot, slot.stage == .connecting ? .connectTimedOut : .connectedThenSilent)
            }
            _ = deadlines.popFirst()
        }
    }

    // MARK: Connections

    private mutating func begin(_ slot: Int32, planned: Nanoseconds) {
        let index = Int(slot)
        slots[index].isTaken = true
        slots[index].planned = planned
        taken += 1
        guard slots[index].stage == .ready else { return open(slot) }
        slots[index].turn &+= 1
        watchTime(slot)
        startSending(slot)
    }

    private mutating func watchTime(_ slot: Int32) {
        deadlines.append((now + order.timeout, slot, slots[Int(slot)].turn))
    }

    mutating func open(_ slot: Int32) {
        let index = Int(slot)
        let host = index % order.clients.count
        if host != place {
            guard drb_setns(order.clients[host].fileDescriptor) == 0 else {
                problem = KernelError(
                    "enter the network namespace", code: errno, namespace: order.clients[host].name)
                return
            }
            place = host
        }
        let file = drb_load_socket(order.to.address.family == .v6 ? 6 : 4, 1)
        guard file >= 0 else {
            problem = KernelError("open a client's socket", code: errno, namespace: order.clients[host].name)
            return
        }
        slots[index].file = file
        slots[index].stage = .connecting
        slots[index].generation &+= 1
        slots[index].turn &+= 1
        watchTime(slot)
        let status = drb_load_connect(file, order.to.address.family == .v6 ? 6 : 4, address, order.to.port)
        guard status == 0 || status == -EINPROGRESS else {
            return fail(slot, Failure(errno: -status, connected: false))
        }
        let token = UInt64(slots[index].generation) << 32 | UInt64(slot)
        if !poller.watch(file, token: token, edges: true) {
            problem = KernelError("watch a client's socket", code: errno)
        }
    }

    private mutating func handle(_ event: drb_ready, _ slot: Int32) {
        let index = Int(slot)
        switch slots[index].stage {
        case .closed: break
        case .connecting:
            guard event.isWritable || event.isBroken else { return }
            let code = event.isBroken ? drb_socket_error(slots[index].file) : 0
            guard code == 0 else { return fail(slot, Failure(errno: code, connected: false)) }
            tally.connected(at: now)
            startSending(slot)
        case .ready:
            // The server has closed it: the next request opens another.
            if event.isReadable || event.isBroken { shut(slot) }
        case .sending:
            if event.isWritable { send(slot) }
            if slots[index].stage == .sending, event.isBroken { receive(slot, untilEnd: true) }
        case .waiting, .receiving:
            if event.isReadable || event.isBroken { receive(slot, untilEnd: event.isHungUp) }
        }
    }

    mutating func shut(_ slot: Int32) {
        let index = Int(slot)
        if slots[index].file >= 0 { close(slots[index].file) }
        slots[index].file = -1
        slots[index].stage = .closed
        slots[index].generation &+= 1
        slots[index].turn &+= 1
        if !partialHeads.isEmpty { partialHeads[slot] = nil }
    }

    mutating func fail(_ slot: Int32, _ failure: Failure) {
        end(slot, failure.outcome == .failed ? failure.detail ?? failure.outcome.rawValue : failure.outcome.rawValue)
    }

    mutating func fail(_ slot: Int32, _ outcome: Outcome) { end(slot, outcome.rawValue) }

    mutating func end(_ slot: Int32, _ reason: String) {
        let index = Int(slot)
        slots[index].isTaken = false
        taken -= 1
        tally.failed(planned: slots[index].planned, because: reason)
        shut(slot)
        // A closed loop would fail again at once, and so for ever where that takes no time.
        if schedule != nil { free.append(slot) } else { resting.append((now + Self.rest, slot)) }
    }
}
