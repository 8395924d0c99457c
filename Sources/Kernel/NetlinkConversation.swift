internal import CLinux
internal import CNetlink
internal import Glibc
internal import Synchronization

/// Where datagrams of netlink messages go, and come from: the kernel, or a test.
protocol NetlinkTransport: Sendable {
    /// The namespace that answers, for errors.
    var namespace: String? { get }
    func send(_ datagram: [UInt8]) throws(KernelError)
    /// Waits for a datagram and returns it with what else has come.
    func receive() throws(KernelError) -> [[UInt8]]
}

/// A netlink socket of the kernel, in the namespace in which it was opened, which it keeps alive.
final class NetlinkSocket: NetlinkTransport {
    /// The kernel fills dumps up to 32 KiB a datagram if the reader has the room (netlink_dump).
    private static let slotSize = 32 * 1024
    private static let slotCount = 8

    let namespace: String?
    private let descriptor: Int32
    /// The receive slots. One conversation has the socket, and one exchange at a time the conversation. Memory that is
    /// not touched costs nothing, and few answers need more than the first page: in the lab kernel page faults are dear.
    private nonisolated(unsafe) let slots: UnsafeMutableRawPointer

    /// Errors: those of socket(2); EPROTONOSUPPORT for a protocol that the kernel was built without.
    init(protocol: Int32, in namespace: NetworkNamespace) throws(KernelError) {
        descriptor = try namespace.openSocket(
            domain: AF_NETLINK, type: drb_sock_raw(), protocol: `protocol`)
        self.namespace = namespace.name
        slots = .allocate(byteCount: Self.slotSize * Self.slotCount, alignment: 16)
        // The kernel's own words for what it refuses (NLMSGERR_ATTR_MSG). libnl 3.7 would only print them.
        var on: Int32 = 1
        guard setsockopt(descriptor, SOL_NETLINK, NETLINK_EXT_ACK, &on, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw KernelError("ask for extended acks", code: errno, namespace: namespace.name)
        }
    }

    deinit {
        slots.deallocate()
        close(descriptor)
    }

    func send(_ datagram: [UInt8]) throws(KernelError) {
        // Unbound and without a destination the message goes to the kernel, and the socket binds itself.
        while Glibc.send(descriptor, datagram, datagram.count, 0) < 0 {
            guard errno == EINTR else {
                throw KernelError("send to netlink", code: errno, namespace: namespace)
            }
        }
    }

    func receive() throws(KernelError) -> [[UInt8]] {
        var lengths = [Int32](repeating: 0, count: Self.slotCount)
        var count: Int32
        repeat {
            count = drb_receive(descriptor, slots, UInt32(Self.slotSize), &lengths, UInt32(Self.slotCount))
        } while count < 0 && errno == EINTR
        guard count >= 0 else { throw KernelError("receive from netlink", code: errno, namespace: namespace) }
        var datagrams: [[UInt8]] = []
        for (slot, length) in lengths.prefix(Int(count)).enumerated() {
            guard length >= 0 else {
                throw KernelError(
                    "receive from netlink", code: EMSGSIZE, explanation: "a datagram beyond \(Self.slotSize) octets",
                    namespace: namespace)
            }
            datagrams.append(Array(UnsafeRawBufferPointer(start: slots + slot * Self.slotSize, count: Int(length))))
        }
        return datagrams
    }
}

/// What the kernel made of one request.
struct NetlinkAnswer {
    /// Positive errno; 0 if the request was carried out.
    var code: Int32 = 0
    /// NLMSGERR_ATTR_MSG.
    var explanation: String?
    var replies: [NetlinkReply] = []
}

/// Requests and answers over a transport, one exchange at a time.
///
/// Many requests travel in one datagram: the kernel carries them out in order before the system call returns
/// (netlink_rcv_skb), reports each failure, and acknowledges the last. A system call costs 60 to 75 µs in the lab
/// kernel, so that is what there should be few of.
final class NetlinkConversation: Sendable {
    /// The kernel's reports must fit the socket's receive buffer (212992 octets by default, about 1 KiB each).
    private static let requestsPerDatagram = 64
    /// How often a dump that something changed under is begun anew.
    private static let dumpAttempts = 4

    private let transport: any NetlinkTransport
    private let sequence = Mutex<UInt32>(0)

    init(over transport: any NetlinkTransport) {
        self.transport = transport
    }

    var namespace: String? { transport.namespace }

    /// Sends the requests and waits for their answers, which come in the same order. The kernel tries every request
    /// whatever becomes of the others.
    func exchange(_ requests: [[UInt8]]) throws(KernelError) -> [NetlinkAnswer] {
        var answers: [NetlinkAnswer] = []
        var rest = requests[...]
        while !rest.isEmpty {
            answers += try exchangeDatagram(Array(rest.prefix(Self.requestsPerDatagram)))
            rest = rest.dropFirst(Self.requestsPerDatagram)
        }
        return answers
    }

    private func exchangeDatagram(_ requests: [[UInt8]]) throws(KernelError) -> [NetlinkAnswer] {
        try sequence.withLock { (sequence) throws(KernelError) in
            let first = sequence &+ 1
            var datagram: [UInt8] = []
            for (index, request) in requests.enumerated() {
                sequence &+= 1
                let flags = index == requests.count - 1 ? NLM_F_ACK : 0
                datagram += request.stamped(sequence: sequence, flags: UInt16(flags))
                // A request's length counts without its padding.
                datagram += [UInt8](repeating: 0, count: -request.count & 3)
            }
            try transport.send(datagram)
            var answers = [NetlinkAnswer](repeating: NetlinkAnswer(), count: requests.count)
            while true {
                for datagram in try transport.receive() {
                    for reply in NetlinkReply.all(in: datagram) {
                        // Anything else is left from an exchange that failed midway.
                        let index = Int(reply.sequence &- first)
                        guard answers.indices.contains(index) else { continue }
                        if Int32(reply.type) == NLMSG_ERROR {
                            answers[index].read(error: reply)
                            if index == answers.count - 1 { return answers }
                        } else {
                            answers[index].replies.append(reply)
                        }
                    }
                }
            }
        }
    }

    /// Asks for a whole table. Begins anew when the table changed on the way, and gives what it has after some attempts.
    ///
    /// Errors: the kernel's, about `operation`.
    func dump(_ request: [UInt8], operation: String) throws(KernelError) -> [NetlinkReply] {
        var replies: [NetlinkReply] = []
        for _ in 0..<Self.dumpAttempts {
            var interrupted = false
            (replies, interrupted) = try dumpOnce(request, operation: operation)
            if !interrupted { break }
        }
        return replies
    }

    private func dumpOnce(
        _ request: [UInt8], operation: String
    ) throws(KernelError) -> (replies: [NetlinkReply], interrupted: Bool) {
        try sequence.withLock { (sequence) throws(KernelError) in
            sequence &+= 1
            try transport.send(request.stamped(sequence: sequence, flags: UInt16(NLM_F_ROOT | NLM_F_MATCH)))
            var replies: [NetlinkReply] = []
            var interrupted = false
            while true {
                for datagram in try transport.receive() {
                    for reply in NetlinkReply.all(in: datagram) where reply.sequence == sequence {
                        interrupted = interrupted || reply.flags & UInt16(NLM_F_DUMP_INTR) != 0
                        switch Int32(reply.type) {
                        case NLMSG_ERROR, NLMSG_DONE:
                            var answer = NetlinkAnswer()
                            answer.read(error: reply)
                            guard answer.code == 0 else {
                                throw KernelError(
                                    operation, code: answer.code, explanation: answer.explanation,
                                    namespace: namespace)
                            }
                            return (replies, interrupted)
                        default: replies.append(reply)
                        }
                    }
                }
            }
        }
    }
}

extension NetlinkAnswer {
    /// Reads NLMSG_ERROR, or NLMSG_DONE: a negative errno, in NLMSG_ERROR the request (only its header when
    /// NLM_F_CAPPED), then, with NLM_F_ACK_TLVS, attributes.
    mutating func read(error reply: NetlinkReply) {
        guard let error = reply.payload.load(Int32.self) else { return }
        code = -error
        guard reply.flags & UInt16(NLM_F_ACK_TLVS) != 0 else { return }
        var rest = reply.payload.dropFirst(MemoryLayout<Int32>.size)
        if Int32(reply.type) == NLMSG_ERROR, let request = rest.load(nlmsghdr.self) {
            let capped = reply.flags & UInt16(NLM_F_CAPPED) != 0
            let length = capped ? MemoryLayout<nlmsghdr>.size : Int(request.nlmsg_len)
            rest = rest.dropFirst((length + 3) & ~3)
        }
        explanation = NetlinkAttributes(rest).string(NLMSGERR_ATTR_MSG.rawValue)
    }
}

extension [UInt8] {
    /// A message with its sequence number, and with more flags.
    fileprivate func stamped(sequence: UInt32, flags: UInt16) -> [UInt8] {
        guard var header = self[...].load(nlmsghdr.self) else { return self }
        header.nlmsg_seq = sequence
        header.nlmsg_flags |= flags
        return Swift.withUnsafeBytes(of: header) { Array($0) } + dropFirst(MemoryLayout<nlmsghdr>.size)
    }
}
