internal import CLinux
internal import Evidence
internal import Glibc
internal import Kernel
internal import Net
internal import Plan
internal import Synchronization

/// Listens, from when rules that track connections are there, to what the kernel tells of them, and notes when it was.
///
/// A thread of its own collects it as it comes: it is to be of the moment, and no buffer is to overflow. In virtual time
/// the clock stands still meanwhile.
final class NetfilterWatch: Sendable {
    private struct State {
        var monitors: [(namespace: String, monitor: NetfilterMonitor)] = []
        /// Namespaces that are listened to, or cannot be.
        var known: Set<String> = []
        var records = NetfilterRecords()
        var thread: pthread_t?
    }

    private let state = Mutex(State())
    private let clock: RunClock
    /// Readable when there are other monitors, or none any more.
    private let changes: (read: Int32, write: Int32)
    private let isOver = Mutex(false)

    init(clock: RunClock) throws {
        self.clock = clock
        var ends: [Int32] = [-1, -1]
        guard drb_pipe(&ends) == 0 else { throw KernelError("make a pipe", code: errno) }
        changes = (ends[0], ends[1])
    }

    deinit {
        close(changes.read)
        close(changes.write)
    }

    /// Listens to those places whose rules now track connections; in a run that is traced, to all that have rules.
    func listen(_ places: [Place], _ snapshot: Snapshot, _ plan: Plan) throws {
        for place in places {
            let rules = snapshot.rules[place.name] ?? []
            guard plan.tracesRules ? !rules.isEmpty : rules.contains(where: \.tracksConnections) else { continue }
            if state.withLock({ $0.known.insert(place.name).inserted }) {
                begin(place, logsPackets: plan.tracesRules || !plan.asksForKernelLog)
                if plan.tracesRules {
                    try RuleTracing.begin(in: place.namespace)
                    state.withLock { $0.records.hasTraces = true }
                }
            }
        }
    }

    /// Listens to a namespace from now on. What cannot be listened to becomes a gap.
    ///
    /// - Parameter logsPackets: whether to become its packet log; INVALID packets are told of if its sysctl
    ///   `nf_conntrack_log_invalid` says so.
    private func begin(_ place: Place, logsPackets: Bool) {
        do {
            let monitor = try place.namespace.run { try NetfilterMonitor(logsPackets: logsPackets) }
            if logsPackets {
                try SystemControl.write("net.netfilter.nf_conntrack_log_invalid", "255", in: place.namespace)
            }
            state.withLock { state in
                state.monitors.append((place.name, monitor))
                state.records.hasEvents = true
                if logsPackets { state.records.hasLog = true }
            }
            try awaken()
        } catch {
            state.withLock { $0.records.gaps.append("\(place.name): \(error)") }
            // Without a log there are still events.
            if logsPackets { begin(place, logsPackets: false) }
        }
    }

    /// Takes what is left and ends. May be called again.
    func finish() -> NetfilterRecords {
        let thread = state.withLock { state in
            defer { state.thread = nil }
            return state.thread
        }
        if let thread {
            isOver.withLock { $0 = true }
            write(changes.write, [0], 1)
            pthread_join(thread, nil)
        }
        collect { _ in true }
        return state.withLock { state in
            state.monitors = []
            return state.records
        }
    }

    /// Starts the thread, or tells it that there is another monitor.
    private func awaken() throws {
        try state.withLock { state in
            if state.thread != nil {
                write(changes.write, [0], 1)
                return
            }
            let box = Unmanaged.passRetained(self)
            var thread = pthread_t()
            let code = pthread_create(
                &thread, nil,
                { argument in
                    if let argument { Unmanaged<NetfilterWatch>.fromOpaque(argument).takeRetainedValue().work() }
                    return nil
                }, box.toOpaque())
            guard code == 0 else {
                box.release()
                throw KernelError("start a thread", code: code)
            }
            state.thread = thread
        }
    }

    private func work() {
        // What happens is noted before the one that made it happen goes on, if that may be: see CaptureSession's ring watch.
        var parameters = sched_param(sched_priority: 1)
        _ = pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters)
        while !isOver.withLock({ $0 }) {
            var polls = [pollfd(fd: changes.read, events: Int16(POLLIN), revents: 0)]
            polls += state.withLock { state in
                state.monitors.map { pollfd(fd: $0.monitor.descriptor, events: Int16(POLLIN), revents: 0) }
            }
            guard poll(&polls, nfds_t(polls.count), -1) >= 0 || errno == EINTR else { return }
            if polls[0].revents != 0 {
                var octet: UInt8 = 0
                _ = read(changes.read, &octet, 1)
            }
            let ready = Set(polls.dropFirst().filter { $0.revents != 0 }.map(\.fd))
            if !ready.isEmpty { collect(ready.contains) }
        }
    }

    private func collect(_ isReady: (Int32) -> Bool) {
        let now = clock.now()
        state.withLock { state in
            for (namespace, monitor) in state.monitors where isReady(monitor.descriptor) {
                do {
                    for event in try monitor.drainEvents() { state.records.add(event, in: namespace, at: now) }
                } catch {
                    state.records.gaps.append("\(namespace): \(error)")
                }
            }
        }
    }
}

/// What was heard, as evidence has it.
struct NetfilterRecords {
    private(set) var conntrack: [ConntrackHistory] = []
    private(set) var invalid: [InvalidPacket] = []
    private(set) var traces: [TracedPacket] = []
    /// What was listened to, in any namespace.
    var hasEvents = false
    var hasLog = false
    var hasTraces = false
    var gaps: [String] = []
    /// By what no two entries of a table share at a time: the history that goes on.
    private var open: [Key: Int] = [:]
    /// By namespace: the traced packet whose rules are told now.
    private var latest: [String: Int] = [:]

    private struct Key: Hashable {
        var namespace: String
        var text: String

        init(_ namespace: String, _ entry: ConntrackEntry) {
            self.namespace = namespace
            let (one, other) = (entry.original, entry.reply)
            text =
                "\(entry.protocol) \(entry.zone) \(one.source) \(one.destination) \(one.sourcePort) "
                + "\(one.destinationPort) \(other.source) \(other.destination) \(other.sourcePort)"
        }
    }

    mutating func add(_ event: NetfilterEvent, in namespace: String, at time: Nanoseconds) {
        switch event {
        case .new(let entry): change(.new, entry, namespace, time)
        case .updated(let entry): change(.updated, entry, namespace, time)
        case .destroyed(let entry): change(.destroyed, entry, namespace, time)
        case .logged(let packet): add(packet, in: namespace, at: time)
        case .lost:
            gaps.append("\(namespace): what the kernel told at \(time) ns was lost: the socket's buffer was full")
        }
    }

    private mutating func change(
        _ kind: ConntrackHistory.Change.Kind, _ entry: ConntrackEntry, _ namespace: String, _ time: Nanoseconds
    ) {
        let key = Key(namespace, entry)
        let index: Int
        if kind != .new, let known = open[key] {
            index = known
        } else {
            index = conntrack.count
            conntrack.append(ConntrackHistory(namespace: namespace, entry: entry))
        }
        open[key] = kind == .destroyed ? nil : index
        conntrack[index].changes.append(.init(time: time, kind: kind, state: entry.state, flags: entry.flags))
    }

    private mutating func add(_ packet: LoggedPacket, in namespace: String, at time: Nanoseconds) {
        let octets = Hexadecimal.encode(packet.octets)
        let words = packet.prefix.trimmed
        if words == RuleTracing.startPrefix {
            traces.append(TracedPacket(namespace: namespace, time: time, octets: octets))
            latest[namespace] = traces.count - 1
            return
        }
        guard words.hasPrefix("TRACE: ") else {
            if words.hasPrefix("nf_ct_") {
                invalid.append(
                    InvalidPacket(
                        namespace: namespace, time: time, reason: words, octets: octets, entry: packet.entry))
            }
            return
        }
        guard let index = latest[namespace] else { return }
        traces[index].steps.append(.init(rule: String(words.dropFirst(7)), state: packet.state?.rawValue))
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = self[...]
        while text.last == " " || text.last == "\n" { text = text.dropLast() }
        return String(text)
    }
}
