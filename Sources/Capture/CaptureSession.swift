internal import Synchronization

/// The captures of a run: a fixed list of ports, and everything that was seen at them until `finish`.
///
/// Ports are known by their index in the list, which is their interface number in the capture file. They may be opened in
/// any order, each on a thread that is in its namespace; drained from any thread.
public final class CaptureSession: Sendable {
    /// A port to capture.
    public struct Port: Sendable, Equatable {
        /// What the capture file's interface block calls it: `lb:eth0`.
        public var name: String
        /// The interface's name in its namespace: `eth0`.
        public var interface: String
        /// A remark for the interface block, such as what the port is connected to.
        public var description: String?

        public init(name: String, interface: String, description: String? = nil) {
            self.name = name
            self.interface = interface
            self.description = description
        }
    }

    public let ports: [Port]
    public let snapshotLength: Int
    public let ringSize: Int
    public let filter: String?
    /// What addresses are called, for readers of the file.
    private let names: [(address: [UInt8], name: String)]

    private struct State {
        var captures: [PortCapture?]
        var buffers: [FrameBuffer]
        /// Of captures that are over, because their interface went away or the session has ended.
        var past: [PortStatistics]
        /// Whose interfaces leave because somebody who knows of the session makes them.
        var leaving: Set<Int> = []
        /// How captures ended that nobody wanted to end, the first time each.
        var losses: [Int: PortCapture.Condition] = [:]

        mutating func note(_ condition: PortCapture.Condition, of port: Int) {
            guard condition != .capturing, condition != .closed else { return }
            if condition == .interfaceGone, leaving.contains(port) { return }
            losses[port] = losses[port] ?? condition
        }
    }
    private let state: Mutex<State>

    /// Nothing is captured yet. `filter` holds for all ports; throws `CaptureError.badFilter` if it does not compile.
    ///
    /// - Parameter names: IPv4 and IPv6 addresses, as octets, and what Wireshark is to call them.
    public init(
        ports: [Port], snapshotLength: Int = PortCapture.defaultSnapshotLength,
        ringSize: Int = PortCapture.defaultRingSize, filter: String? = nil,
        names: [(address: [UInt8], name: String)] = []
    ) throws(CaptureError) {
        if let filter { _ = try PacketFilter(filter) }
        self.ports = ports
        self.snapshotLength = snapshotLength
        self.ringSize = ringSize
        self.filter = filter
        self.names = names
        state = Mutex(
            State(
                captures: Array(repeating: nil, count: ports.count),
                buffers: Array(repeating: FrameBuffer(), count: ports.count),
                past: Array(repeating: PortStatistics(), count: ports.count)))
    }

    /// Starts to capture a port whose interface is in the calling thread's network namespace, and is up; needs CAP_NET_RAW
    /// there.
    ///
    /// For a port that is being captured already this starts anew, keeping what was seen: to be called when the interface
    /// has arrived in another namespace and been set up, before it gets a bridge or an address, so that no frame comes
    /// earlier. Throws `CaptureError.cannotCapture`.
    public func open(_ index: Int) throws(CaptureError) {
        let port = ports[index]
        let capture = try PortCapture(
            port.name, interface: port.interface, snapshotLength: snapshotLength, ringSize: ringSize, filter: filter)
        state.withLock { state in
            Self.takeOut(index, of: &state)?.release()
            state.leaving.remove(index)
            state.captures[index] = capture
        }
    }

    /// Takes everything out of all rings, without waiting. One system call for each ring that was empty, none for others.
    ///
    /// Returns the ports that are no longer captured, by index in ascending order: their interfaces are gone, or libpcap
    /// failed. A port that was never opened is not among them.
    @discardableResult
    public func drain() -> [(port: Int, condition: PortCapture.Condition)] {
        state.withLock { state in
            var stopped: [(port: Int, condition: PortCapture.Condition)] = []
            for (index, capture) in state.captures.enumerated() {
                guard let capture else { continue }
                let condition = capture.drain(into: &state.buffers[index])
                state.note(condition, of: index)
                if condition != .capturing { stopped.append((index, condition)) }
            }
            return stopped
        }
    }

    /// To be called before a port's interface is deleted or moved on purpose: that its capture ends then is no loss, until it
    /// is opened anew.
    public func expectsToLeave(_ index: Int) { state.withLock { _ = $0.leaving.insert(index) } }

    /// The ports whose captures have ended though nobody wanted it, and how, in the order of ports: their interfaces left, also
    /// if they came back since, or libpcap failed. From then on frames may be missing. Costs a system call for each port that
    /// is captured.
    public func losses() -> [(port: Int, condition: PortCapture.Condition)] {
        state.withLock { state in
            for (index, capture) in state.captures.enumerated() where state.losses[index] == nil {
                if capture?.hasLostInterface == true { state.note(.interfaceGone, of: index) }
            }
            return state.losses.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        }
    }

    /// Those of the ports that are being captured, readable while their rings hold frames.
    var descriptors: [Int32] { state.withLock { $0.captures.compactMap { $0?.descriptor } } }

    /// Takes out what is left, ends all captures and returns what each port counted, over all its captures.
    ///
    /// Frames that arrive while this runs may or may not be in.
    ///
    /// - Parameter close: gives the rings back, by carrying out what it is given once for each port's index, in any order,
    ///   on any threads, now or later. On a kernel with several processors closing one takes 10 ms and more, and many at the
    ///   same time take no longer.
    @discardableResult
    public func finish(
        close: (_ ports: [Int], _ close: @escaping @Sendable (Int) -> Void) -> Void = { $0.forEach($1) }
    ) -> [PortStatistics] {
        let (captures, statistics) = state.withLock { state in
            let captures = state.captures.indices.map { Self.takeOut($0, of: &state) }
            return (captures, state.past)
        }
        close(captures.indices.filter { captures[$0] != nil }) { captures[$0]?.release() }
        return statistics
    }

    /// Octets of ring memory for each of this many ports. The kernel clears all of it before the first frame, which for a
    /// hundred ports of a MiB each takes as long as all else that they need: together they have 64 MiB or so.
    public static func ringSize(ports: Int) -> Int {
        max(PortCapture.leastRingSize, min(PortCapture.defaultRingSize, (64 << 20) / max(1, ports)))
    }

    /// Ends a capture, all but for giving its ring back: nothing that comes from now on counts.
    private static func takeOut(_ index: Int, of state: inout State) -> PortCapture? {
        guard let capture = state.captures[index] else { return nil }
        state.note(capture.drain(into: &state.buffers[index]), of: index)
        if capture.hasLostInterface { state.note(.interfaceGone, of: index) }
        state.past[index] = state.past[index] + capture.statistics()
        state.captures[index] = nil
        return capture
    }

    /// What each port has counted so far, over all its captures.
    public func statistics() -> [PortStatistics] { state.withLock { Self.statistics($0) } }

    private static func statistics(_ state: State) -> [PortStatistics] {
        state.past.indices.map { state.past[$0] + (state.captures[$0]?.statistics() ?? PortStatistics()) }
    }

    /// Frames taken out of a port's rings so far.
    public func frameCount(of index: Int) -> Int {
        state.withLock { $0.buffers[index].records.count }
    }

    /// Everything captured so far as one pcapng file: frames of all ports in the order of their time stamps; at the same
    /// time, in the order of the ports, and within a port as they came. Statistics are complete after `finish`.
    public func pcapng() -> [UInt8] {
        var writer = PcapNGWriter()
        emit { $0(&writer) }
        return writer.octets
    }

    /// Writes what `pcapng` returns to a file descriptor, without ever holding all of it. Throws `CaptureError.file`.
    public func write(to descriptor: Int32) throws(CaptureError) {
        var writer = PcapNGWriter()
        var failure: CaptureError?
        emit { addBlock in
            guard failure == nil else { return }
            addBlock(&writer)
            guard writer.octets.count >= Self.writeSize else { return }
            do throws(CaptureError) { try writer.flush(to: descriptor) } catch { failure = error }
        }
        if let failure { throw failure }
        try writer.flush(to: descriptor)
    }

    /// Octets to gather before a write.
    private static let writeSize = 1 << 20

    /// Hands out, block by block, what adds it to a writer.
    private func emit(_ visit: ((inout PcapNGWriter) -> Void) -> Void) {
        let (buffers, statistics) = state.withLock { ($0.buffers, Self.statistics($0)) }
        for port in ports {
            visit {
                $0.addInterface(
                    name: port.name, description: port.description, snapshotLength: snapshotLength, filter: filter)
            }
        }
        if !names.isEmpty { visit { $0.addNames(names) } }
        for (port, record) in Self.merge(buffers) {
            let buffer = buffers[port]
            let frame = buffer.records[record]
            visit {
                $0.addFrame(
                    port: port, time: frame.time, wireLength: frame.wireLength, octets: buffer.octets[frame.range])
            }
        }
        for (port, counts) in statistics.enumerated() { visit { $0.addStatistics(port: port, counts) } }
    }

    /// Port and record numbers in the order of (time, port, record).
    private static func merge(_ buffers: [FrameBuffer]) -> [(port: Int, record: Int)] {
        var order: [(time: Int64, port: Int, record: Int)] = []
        order.reserveCapacity(buffers.reduce(0) { $0 + $1.records.count })
        for (port, buffer) in buffers.enumerated() {
            for (number, record) in buffer.records.enumerated() { order.append((record.time, port, number)) }
        }
        order.sort { $0 < $1 }
        return order.map { ($0.port, $0.record) }
    }
}
