internal import CLinux
internal import Glibc
internal import Kernel

/// What the servers' thread does.
struct LoadServerLoop: ~Copyable {
    struct Listener: Sendable {
        var host: String
        var file: Int32
        var isStream: Bool
    }

    private struct Connection {
        var isOpen = false
        var listener: Int32 = 0
        var closes = false
        /// The answer that is being sent, and how much of it is left.
        var answer: Int32 = 0
        var unsent = 0
        /// What is left of a request's body, and how much its answer will have.
        var undiscarded = 0
        var asked = 0
        var hasRequest = false
    }

    /// An answer's head and the beginning of its body; what follows is like that body.
    private struct Answer {
        var listener: Int32
        var asked: Int
        var closes: Bool
        var octets: UnsafeMutableRawBufferPointer
        var headLength: Int
        var whole: Int { headLength + asked }
    }

    private static let bufferSize = 65_536
    private static let worthDiscarding = 4_096
    /// Connections' tokens are their descriptors; listeners and the end are above.
    private static let firstListener: UInt64 = 1 << 32
    private static let stopToken = UInt64.max

    private let listeners: [Listener]
    /// How many connections each is expected to have waiting.
    private var bursts: [Int]
    private let stop: Int32
    private let poller: Poller
    private let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: bufferSize)
    /// By descriptor.
    private var connections: [Connection] = []
    /// One for each size that was asked of each host.
    private var answers: [Answer] = []
    private var partialHeads: [Int32: [UInt8]] = [:]

    init(_ listeners: [Listener], stop: Int32) throws(KernelError) {
        self.listeners = listeners
        self.stop = stop
        bursts = listeners.map { _ in 1 }
        poller = try Poller()
    }

    deinit {
        for (file, connection) in connections.enumerated() where connection.isOpen { close(Int32(file)) }
        for listener in listeners { close(listener.file) }
        for answer in answers { answer.octets.deallocate() }
        buffer.deallocate()
    }

    mutating func run() {
        _ = poller.watch(stop, token: Self.stopToken, edges: false)
        for (index, listener) in listeners.enumerated() {
            _ = poller.watch(listener.file, token: Self.firstListener + UInt64(index), edges: false)
        }
        while true {
            for event in poller.wait(atMost: nil) {
                if event.token == Self.stopToken { return }
                if event.token >= Self.firstListener {
                    listen(Int(event.token - Self.firstListener))
                } else {
                    handle(event, Int32(event.token))
                }
            }
        }
    }

    private mutating func listen(_ index: Int) {
        guard listeners[index].isStream else {
            // What is left makes the socket readable again.
            _ = drb_answer_datagrams(listeners[index].file, 32)
            return
        }
        // The next one is not asked for where none is expected: to hear that there is none costs as much as an accept.
        for _ in 0..<bursts[index] {
            let file = drb_accept(listeners[index].file)
            guard file >= 0 else {
                bursts[index] = 1
                return
            }
            while connections.count <= Int(file) { connections.append(Connection()) }
            connections[Int(file)] = Connection(isOpen: true, listener: Int32(index))
            if !poller.watch(file, token: UInt64(file), edges: true) { shut(file) }
        }
        bursts[index] = min(64, bursts[index] * 2)
    }

    private mutating func handle(_ event: drb_ready, _ file: Int32) {
        let index = Int(file)
        guard connections[index].isOpen else { return }
        if event.isWritable, connections[index].unsent > 0 { send(file) }
        if connections[index].isOpen, event.isReadable || event.isBroken { receive(file, untilEnd: event.isHungUp) }
    }

    private mutating func shut(_ file: Int32) {
        close(file)
        connections[Int(file)].isOpen = false
        if !partialHeads.isEmpty { partialHeads[file] = nil }
    }

    private mutating func receive(_ file: Int32, untilEnd: Bool) {
        let index = Int(file)
        while connections[index].isOpen {
            let left = connections[index].undiscarded
            let discards = left >= Self.worthDiscarding
            let wanted = discards ? left : Self.bufferSize
            let count = discards ? drb_discard(file, wanted) : drb_receive_some(file, buffer, wanted)
            guard count > 0 else {
                if count == 0 || errno != EAGAIN { shut(file) }
                return
            }
            if discards {
                connections[index].undiscarded -= count
                answerIfRead(file)
            } else {
                read(file, count)
            }
            if count < wanted, !untilEnd { return }
        }
    }

    /// Reads what came: the rest of a body, heads, bodies.
    private mutating func read(_ file: Int32, _ count: Int) {
        let index = Int(file)
        var start = 0
        while connections[index].isOpen, start < count {
            if connections[index].hasRequest {
                let part = min(connections[index].undiscarded, count - start)
                connections[index].undiscarded -= part
                start += part
            } else {
                let rest = UnsafeBufferPointer(start: buffer + start, count: count - start)
                let earlier = partialHeads.isEmpty ? nil : partialHeads.removeValue(forKey: file)
                let whole = earlier.map { $0 + rest }
                let parsed = whole.map { $0.withUnsafeBufferPointer { MessageHead($0) } } ?? MessageHead(rest)
                guard let head = parsed else {
                    let all = whole ?? Array(rest)
                    if all.count > Self.bufferSize { shut(file) } else { partialHeads[file] = all }
                    return
                }
                start += head.length - (earlier?.count ?? 0)
                connections[index].hasRequest = true
                connections[index].undiscarded = head.body
                connections[index].asked = head.asked
                connections[index].closes = head.closes
            }
            answerIfRead(file)
        }
    }

    private mutating func answerIfRead(_ file: Int32) {
        let index = Int(file)
        let connection = connections[index]
        // An answer that is still being sent comes first: a client that asks for another meanwhile is none of drbench's.
        guard connection.hasRequest, connection.undiscarded == 0, connection.unsent == 0 else { return }
        connections[index].hasRequest = false
        let answer = answer(listener: connection.listener, asked: connection.asked, closes: connection.closes)
        connections[index].answer = Int32(answer)
        connections[index].unsent = answers[answer].whole
        send(file)
    }

    private mutating func send(_ file: Int32) {
        let index = Int(file)
        let answer = answers[Int(connections[index].answer)]
        while connections[index].unsent > 0 {
            let done = answer.whole - connections[index].unsent
            let from = done < answer.octets.count ? done : answer.headLength
            let wanted = min(connections[index].unsent, answer.octets.count - from)
            let count = drb_send(file, answer.octets.baseAddress.map { $0 + from }, wanted, 0)
            guard count >= 0 else {
                if errno != EAGAIN { shut(file) }
                return
            }
            connections[index].unsent -= count
        }
        if connections[index].closes { shut(file) } else { answerIfRead(file) }
    }

    /// The number of the answer to give.
    private mutating func answer(listener: Int32, asked: Int, closes: Bool) -> Int {
        if let known = answers.firstIndex(where: { $0.listener == listener && $0.asked == asked && $0.closes == closes }
        ) {
            return known
        }
        let head = Array(
            ("HTTP/1.1 200 OK\r\nX-Drbench-Server: \(listeners[Int(listener)].host)\r\nContent-Length: \(asked)\r\n"
                + (closes ? "Connection: close\r\n" : "") + "\r\n").utf8)
        let octets = UnsafeMutableRawBufferPointer.allocate(
            byteCount: head.count + min(asked, 262_144), alignment: 1)
        octets.initializeMemory(as: UInt8.self, repeating: UInt8(ascii: "x"))
        octets.copyBytes(from: head)
        answers.append(
            Answer(listener: listener, asked: asked, closes: closes, octets: octets, headLength: head.count))
        return answers.count - 1
    }
}
