internal import CNetlink
public import Evidence
internal import Glibc
internal import Synchronization

/// The connection tracking table of one network namespace, all zones, IPv4 and IPv6.
///
/// A handle is one netlink socket, opened in the calling thread's network namespace and used from any thread afterwards;
/// calls wait for each other. Needs CAP_NET_ADMIN over the namespace.
public final class ConntrackHandle: Sendable {
    private let socket: Mutex<ConntrackSocket>

    /// Opens the calling thread's network namespace.
    public init() throws {
        socket = Mutex(try ConntrackSocket(groups: 0))
    }

    /// The table's entries, ordered by protocol, original tuple, zone and reply tuple: the kernel's own order is that of
    /// a hash with a random key.
    ///
    /// The same as `conntrack -L` shows, in two to three system calls per hundred entries.
    public func entries() throws -> [ConntrackEntry] {
        try dump { _, _ in }.sorted(by: ConntrackEntry.inOrder)
    }

    /// Deletes the entries that match, one by one (`conntrack -D`), and says how many it deleted. One that expires
    /// meanwhile (ENOENT) is not counted.
    @discardableResult
    public func delete(where matches: (ConntrackEntry) -> Bool) throws -> Int {
        var doomed: [OpaquePointer] = []
        defer { for entry in doomed { nfct_destroy(entry) } }
        try withoutActuallyEscaping(matches) { matches in
            _ = try dump { entry, conntrack in
                if matches(entry), let copy = nfct_clone(conntrack) { doomed.append(copy) }
            }
        }
        var deleted = 0
        for entry in doomed {
            let gone = try socket.withLock { socket in
                if nfct_query(socket.handle, NFCT_Q_DESTROY, UnsafeRawPointer(entry)) == 0 { return true }
                guard errno == ENOENT else { throw KernelError("delete a conntrack entry", code: errno) }
                return false
            }
            if gone { deleted += 1 }
        }
        return deleted
    }

    /// Deletes every entry of every zone (`conntrack -F`).
    public func flush() throws {
        try socket.withLock { socket in
            var family = UInt32(AF_UNSPEC)
            guard nfct_query(socket.handle, NFCT_Q_FLUSH, &family) == 0 else {
                throw KernelError("flush the conntrack table", code: errno)
            }
        }
    }

    private func dump(_ visit: @escaping (ConntrackEntry, OpaquePointer) -> Void) throws -> [ConntrackEntry] {
        try socket.withLock { socket in
            var entries: [ConntrackEntry] = []
            socket.receiver.receive = { _, entry, conntrack in
                entries.append(entry)
                visit(entry, conntrack)
            }
            defer { socket.receiver.receive = nil }
            // AF_UNSPEC: ctnetlink_dump_table filters by address family only if there is one.
            var family = UInt32(AF_UNSPEC)
            guard nfct_query(socket.handle, NFCT_Q_DUMP, &family) == 0 else {
                throw KernelError("dump the conntrack table", code: errno)
            }
            return entries
        }
    }
}

/// An nfct_handle and the Swift side of its callback.
///
/// Used under its owner's lock only.
private final class ConntrackSocket: @unchecked Sendable {
    final class Receiver {
        var receive: ((nf_conntrack_msg_type, ConntrackEntry, OpaquePointer) -> Void)?
    }

    let handle: OpaquePointer
    /// Kept here, for the C library holds only its address.
    let receiver = Receiver()

    init(groups: UInt32) throws {
        // The name is CONNTRACK in C: NFNL_SUBSYS_CTNETLINK.
        guard let handle = nfct_open(UInt8(NFNL_SUBSYS_CTNETLINK), groups) else {
            let why = errno == EPROTONOSUPPORT ? "this kernel has no nfnetlink" : nil
            throw KernelError("open the conntrack table", code: errno, explanation: why)
        }
        self.handle = handle
        let context = Unmanaged.passUnretained(receiver).toOpaque()
        let failed = nfct_callback_register2(
            handle, NFCT_T_ALL,
            { message, type, conntrack, context in
                guard let message, let conntrack, let context else { return Int32(NFCT_CB_CONTINUE) }
                let receiver = Unmanaged<Receiver>.fromOpaque(context).takeUnretainedValue()
                if let receive = receiver.receive, let entry = ConntrackEntry(conntrack, message: message) {
                    receive(type, entry, conntrack)
                }
                return Int32(NFCT_CB_CONTINUE)
            }, context)
        guard failed == 0 else { throw KernelError("register for conntrack entries", code: errno) }
    }

    deinit { nfct_close(handle) }
}
