internal import CPcap
internal import Glibc
internal import Synchronization

/// A live capture of one Ethernet interface with libpcap.
///
/// The kernel puts frames into a ring that is shared with this process (TPACKET_V2: "immediate mode", every frame is
/// readable at once and no timer runs, which matters in virtual time). Nothing wakes up per frame: `drain` takes out what
/// has come since the last time. A drain of a ring that holds frames makes no system call, of an empty one a single poll.
///
/// The interface is not made promiscuous. A packet socket sees a frame before anybody looks at its destination MAC
/// (`__netif_receive_skb_core` delivers to `ptype_all` first), and a veth or tap device has no hardware filter: frames to
/// other MACs are captured all the same. Promiscuous mode would only write to the kernel log, change how a captured bridge
/// device itself forwards, and make libpcap read this mount namespace's /sys for counters of a like-named interface.
///
/// Frames that leave and frames that enter through the interface are both captured.
///
/// Safe to use from any thread, also from other namespaces than the one it was opened in.
public final class PortCapture: Sendable {
    /// Octets of ring memory per port. A frame takes a slot of snapshot length + about 80 octets, two slots to a page, so
    /// 1 MiB holds about 620 frames at the default snapshot length, however small they are. In the lab kernel opening 20
    /// ports costs 17 ms with 256 KiB each, 20 ms with 512 KiB, 28 ms with 1 MiB, 70 ms with 2 MiB, 190 ms with 4 MiB.
    public static let defaultRingSize = 1 << 20
    /// What holds some dozens of frames of usual length.
    public static let leastRingSize = 1 << 17
    /// Octets kept of each frame: all of it, at Ethernet's MTU.
    public static let defaultSnapshotLength = 1600

    /// What has become of a capture.
    public enum Condition: Sendable, Equatable {
        case capturing
        /// The interface was deleted or moved to another namespace. Nothing more will come; what had come was delivered. To
        /// go on, open it anew where it is now.
        case interfaceGone
        /// libpcap's reason.
        case failed(String)
        case closed
    }

    /// What error texts call the port: `lb:eth0`.
    public let name: String
    public let snapshotLength: Int

    private struct State {
        var handle: OpaquePointer?
        var condition = Condition.capturing
        var statistics = PortStatistics()
    }
    private let state: Mutex<State>

    /// Starts to capture an interface of the calling thread's network namespace. The interface must be up: libpcap refuses
    /// one that is down (later it may go down and up again).
    ///
    /// Needs CAP_NET_RAW in that namespace. `filter` is a tcpdump expression; frames that came before it was in place are
    /// filtered as well (by libpcap, when they are drained). Throws `CaptureError`.
    public init(
        _ name: String, interface: String, snapshotLength: Int = defaultSnapshotLength,
        ringSize: Int = defaultRingSize, filter: String? = nil
    ) throws(CaptureError) {
        // Before anything is opened, so that a wrong filter is reported as that, whatever else is wrong.
        if let filter { _ = try PacketFilter(filter) }
        self.name = name
        self.snapshotLength = snapshotLength
        let handle = try Self.activate(
            name, interface: interface, snapshotLength: snapshotLength, ringSize: ringSize)
        do throws(CaptureError) {
            if let filter {
                var program = try PacketFilter.compile(filter, for: handle)
                defer { pcap_freecode(&program) }
                guard pcap_setfilter(handle, &program) == 0 else {
                    throw CaptureError.badFilter(filter, reason: String(cString: pcap_geterr(handle)))
                }
            }
        } catch {
            pcap_close(handle)
            throw error
        }
        state = Mutex(State(handle: handle))
    }

    deinit { close() }

    private static func activate(
        _ name: String, interface: String, snapshotLength: Int, ringSize: Int
    ) throws(CaptureError) -> OpaquePointer {
        var created: OpaquePointer?
        var text = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        created = pcap_create(interface, &text)
        guard let handle = created else {
            throw .cannotCapture(port: name, reason: Self.string(text))
        }
        pcap_set_snaplen(handle, Int32(clamping: snapshotLength))
        pcap_set_promisc(handle, 0)
        pcap_set_immediate_mode(handle, 1)
        pcap_set_buffer_size(handle, Int32(clamping: ringSize))
        pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO)
        var reason: String?
        let status = pcap_activate(handle)
        if status < 0 {
            let explanation = String(cString: pcap_geterr(handle))
            let meaning = String(cString: pcap_statustostr(status))
            if status == PCAP_ERROR {
                reason = explanation
            } else {
                reason = explanation.isEmpty || explanation == meaning ? meaning : "\(meaning) (\(explanation))"
            }
        } else if pcap_datalink(handle) != DLT_EN10MB {
            reason = "'\(interface)' is not an Ethernet interface"
        } else if pcap_get_tstamp_precision(handle) != PCAP_TSTAMP_PRECISION_NANO {
            reason = "no time stamps in nanoseconds"
        } else if pcap_setnonblock(handle, 1, &text) != 0 {
            reason = Self.string(text)
        }
        if let reason {
            pcap_close(handle)
            throw .cannotCapture(port: name, reason: reason)
        }
        return handle
    }

    private static func string(_ text: [CChar]) -> String {
        String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Appends everything that is in the ring and returns at once. `interfaceGone` shows when the ring is empty: at the
    /// latest in the drain after the one that emptied it.
    func drain(into buffer: inout FrameBuffer) -> Condition {
        state.withLock { state in
            guard let handle = state.handle, state.condition == .capturing else { return state.condition }
            let before = buffer.records.count
            let result = withUnsafeMutablePointer(to: &buffer) { pointer in
                // Returns when it finds the ring empty; only if it was empty at the start does libpcap poll (once, without
                // waiting), which is also where it learns that the interface is gone.
                pcap_dispatch(handle, -1, Self.deliver, UnsafeMutablePointer<UInt8>(OpaquePointer(pointer)))
            }
            state.statistics.delivered += buffer.records.count - before
            if result < 0 {
                state.condition =
                    Self.isDetached(handle) ? .interfaceGone : .failed(String(cString: pcap_geterr(handle)))
            }
            return state.condition
        }
    }

    private static let deliver: pcap_handler = { user, header, octets in
        guard let user, let header, let octets else { return }
        let time = header.pointee.ts
        UnsafeMutablePointer<FrameBuffer>(OpaquePointer(user)).pointee.append(
            // tv_usec holds nanoseconds: PCAP_TSTAMP_PRECISION_NANO.
            time: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_usec), wireLength: Int(header.pointee.len),
            octets: UnsafeBufferPointer(start: octets, count: Int(header.pointee.caplen)))
    }

    /// Whether the kernel has cut the packet socket from its interface, which it does for good when the interface leaves
    /// the namespace (`packet_notifier` in net/packet/af_packet.c, NETDEV_UNREGISTER). An interface that is only down
    /// keeps its sockets.
    private static func isDetached(_ handle: OpaquePointer) -> Bool {
        var address = sockaddr_ll()
        var length = socklen_t(MemoryLayout<sockaddr_ll>.size)
        let status = withUnsafeMutablePointer(to: &address) {
            getsockname(pcap_fileno(handle), UnsafeMutablePointer<sockaddr>(OpaquePointer($0)), &length)
        }
        return status == 0 && address.sll_ifindex == -1
    }

    /// Whether the interface was deleted or moved to another namespace, whatever came back since: what `drain` finds out only
    /// once the ring is empty. Costs one system call.
    var hasLostInterface: Bool {
        state.withLock { state in
            guard let handle = state.handle else { return state.condition == .interfaceGone }
            return state.condition == .interfaceGone || Self.isDetached(handle)
        }
    }

    /// Readable while the ring holds frames; nil after `close`, or when nothing more will come.
    var descriptor: Int32? {
        state.withLock { state in
            guard let handle = state.handle, state.condition == .capturing else { return nil }
            return pcap_get_selectable_fd(handle)
        }
    }

    /// What was captured and lost so far. Costs one system call; after `close`, what was true then.
    public func statistics() -> PortStatistics {
        state.withLock { state in
            Self.update(&state)
            return state.statistics
        }
    }

    private static func update(_ state: inout State) {
        var counts = pcap_stat()
        guard let handle = state.handle, pcap_stats(handle, &counts) == 0 else { return }
        state.statistics.dropped = Int(counts.ps_drop) + Int(counts.ps_ifdrop)
    }

    /// Stops capturing and gives the ring back. Frames that were not drained are lost (and not counted as dropped).
    public func close() {
        _ = statistics()
        release()
    }

    /// Does it for somebody who has asked for the statistics, and needs none of what came since.
    func release() {
        state.withLock { state in
            if let handle = state.handle { pcap_close(handle) }
            state.handle = nil
            state.condition = .closed
        }
    }
}
