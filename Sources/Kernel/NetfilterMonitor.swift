internal import CLinux
internal import CNetlink
public import Evidence
internal import Glibc
internal import Synchronization

/// Something that the kernel tells of connections and packets.
public enum NetfilterEvent: Sendable, Equatable {
    /// A conntrack entry came into its table: its first packet has passed all rules.
    case new(ConntrackEntry)
    case updated(ConntrackEntry)
    /// The timeout is what was left of it, 0 if it had expired. Kernels before 5.11 do not say the last state.
    case destroyed(ConntrackEntry)
    case logged(LoggedPacket)
    /// The kernel could not deliver what belongs here, because it was not collected in time (ENOBUFS).
    case lost
}

/// What happens to the conntrack table of one network namespace and, if asked for, what the kernel logs of packets there:
/// those that conntrack calls INVALID, with its reason (`nf_conntrack_log_invalid`), and the rules that traced packets
/// meet (`-j TRACE`). Collected on demand, in the order in which it happened.
///
/// While one exists the kernel reports into its socket's buffer. Entries that are older than the first listener have no
/// event record unless net.netfilter.nf_conntrack_events is 1: of them nothing is reported. With packets logged, the
/// kernel's own log of IPv4 and IPv6 packets in the namespace comes here (nfnetlink_log, group 0) instead of into the
/// kernel's ring; `-j LOG`, and `-j NFLOG` to other groups, are not concerned (nf_log_packet, nf_log_trace in
/// net/netfilter/nf_log.c).
///
/// Used from any thread; calls wait for each other.
public final class NetfilterMonitor: Sendable {
    /// Octets of each logged packet that are kept: headers, and what tells datagrams apart.
    public static let packetLength = 256
    private static let slotSize = 8 * 1024
    private static let slotCount = 16

    /// A socket and its receive slots, used under the lock only. The kernel unbinds the log's group with the socket
    /// (nfulnl_rcv_nl_event).
    private struct Socket: ~Copyable {
        let descriptor: Int32
        nonisolated(unsafe) let slots: UnsafeMutableRawPointer

        deinit {
            close(descriptor)
            slots.deallocate()
        }
    }

    /// Readable while something waits. Valid as long as the monitor is.
    public let descriptor: Int32
    /// Whether logged packets come with their conntrack entries and states; not every kernel can
    /// (CONFIG_NETFILTER_NETLINK_GLUE_CT).
    public var logsEntries: Bool { entriesAreLogged.withLock { $0 } }
    private let entriesAreLogged = Mutex(false)
    private let socket: Mutex<Socket>
    private static let operation = "listen to conntrack"

    /// Begins to listen in the calling thread's network namespace.
    ///
    /// Privileges: CAP_NET_ADMIN over the namespace. Errors: EPROTONOSUPPORT in a kernel without nfnetlink; with packets
    /// logged also ENOENT in one without nfnetlink_log, EBUSY when somebody else reads group 0.
    /// - Parameters:
    ///   - logsPackets: whether to become the namespace's packet log.
    ///   - bufferSize: octets to ask for as the socket's receive buffer; an event takes up about 1 KiB of it, a logged
    ///     packet 4 to 8 KiB.
    public init(logsPackets: Bool = false, bufferSize: Int = 16 << 20) throws {
        descriptor = drb_socket(AF_NETLINK, drb_sock_raw(), NETLINK_NETFILTER)
        guard descriptor >= 0 else {
            throw KernelError(
                Self.operation, code: errno,
                explanation: errno == EPROTONOSUPPORT ? "this kernel has no nfnetlink" : nil)
        }
        socket = Mutex(
            Socket(
                descriptor: descriptor,
                slots: .allocate(byteCount: Self.slotSize * Self.slotCount, alignment: 16)))
        var size = Int32(clamping: bufferSize)
        let length = socklen_t(MemoryLayout<Int32>.size)
        // SO_RCVBUFFORCE passes over net.core.rmem_max, but needs CAP_NET_ADMIN over the initial user namespace.
        if setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, length) < 0 {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, length)
        }
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        address.nl_groups =
            UInt32(NF_NETLINK_CONNTRACK_NEW) | UInt32(NF_NETLINK_CONNTRACK_UPDATE)
            | UInt32(NF_NETLINK_CONNTRACK_DESTROY)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
            }
        }
        guard bound == 0 else { throw KernelError(Self.operation, code: errno) }
        if logsPackets { try becomePacketLog() }
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 else {
            throw KernelError(Self.operation, code: errno)
        }
    }

    private func becomePacketLog() throws(KernelError) {
        do throws(KernelError) {
            try configure(withEntries: true)
            entriesAreLogged.withLock { $0 = true }
        } catch  where error.code == EOPNOTSUPP {
            try configure(withEntries: false)
        }
    }

    private func configure(withEntries: Bool) throws(KernelError) {
        let requests = try PacketLogMessage.configuration(
            packetLength: Self.packetLength, withEntries: withEntries)
        let datagram = requests.flatMap { $0 + [UInt8](repeating: 0, count: -$0.count & 3) }
        guard Glibc.send(descriptor, datagram, datagram.count, 0) == datagram.count else {
            throw KernelError(Self.operation, code: errno)
        }
        var codes: [Int32] = []
        while codes.count < requests.count {
            for reply in try receive() where Int32(reply.type) == NLMSG_ERROR {
                codes.append(-(reply.payload.load(Int32.self) ?? 0))
            }
        }
        guard let code = codes.first(where: { $0 != 0 }) else { return }
        throw KernelError(
            Self.operation, code: code, explanation: code == ENOENT ? "this kernel has no nfnetlink_log" : nil)
    }

    /// What has happened since the last call, in the order in which it happened. Returns at once. `.lost` stands where
    /// something is missing.
    ///
    /// One system call for up to 16 events, and at most one more.
    public func drainEvents() throws -> [NetfilterEvent] {
        var events: [NetfilterEvent] = []
        while true {
            do throws(KernelError) {
                let replies = try receive()
                events += replies.compactMap(NetfilterEvent.init)
                // Fewer than there was room for: nothing else waits.
                if replies.count < Self.slotCount { return events }
            } catch {
                switch error.code {
                case EAGAIN: return events
                case ENOBUFS: events.append(.lost)
                default: throw error
                }
            }
        }
    }

    private func receive() throws(KernelError) -> [NetlinkReply] {
        try socket.withLock { (socket) throws(KernelError) in
            var lengths = [Int32](repeating: 0, count: Self.slotCount)
            var count: Int32
            repeat {
                count = drb_receive(
                    socket.descriptor, socket.slots, UInt32(Self.slotSize), &lengths, UInt32(Self.slotCount))
            } while count < 0 && errno == EINTR
            guard count >= 0 else { throw KernelError(Self.operation, code: errno) }
            var replies: [NetlinkReply] = []
            for (slot, length) in lengths.prefix(Int(count)).enumerated() {
                guard length >= 0 else { throw KernelError(Self.operation, code: EMSGSIZE) }
                let octets = UnsafeRawBufferPointer(
                    start: socket.slots + slot * Self.slotSize, count: Int(length))
                replies += NetlinkReply.all(in: Array(octets))
            }
            return replies
        }
    }
}

extension NetfilterEvent {
    /// Reads a message; nil if it tells of something else.
    init?(_ reply: NetlinkReply) {
        let kind = Int32(reply.type) & 0xFF
        switch Int32(reply.type) >> 8 {
        case NFNL_SUBSYS_ULOG:
            guard let packet = PacketLogMessage.packet(reply) else { return nil }
            self = .logged(packet)
        case NFNL_SUBSYS_CTNETLINK:
            guard let header = reply.payload.load(nfgenmsg.self),
                let entry = ConntrackEntry(
                    attributes: Array(reply.payload.dropFirst(MemoryLayout<nfgenmsg>.size)),
                    family: header.nfgen_family)
            else { return nil }
            if kind == Int32(IPCTNL_MSG_CT_DELETE.rawValue) {
                self = .destroyed(entry)
            } else if kind == Int32(IPCTNL_MSG_CT_NEW.rawValue) {
                // ctnetlink_conntrack_event: a new entry's message says that it creates it.
                self = reply.flags & UInt16(NLM_F_CREATE) != 0 ? .new(entry) : .updated(entry)
            } else {
                return nil
            }
        default: return nil
        }
    }
}
