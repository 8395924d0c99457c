internal import CLinux
internal import Evidence
internal import Glibc
internal import Kernel
internal import Measurement
internal import Net
internal import Plan
internal import Synchronization
internal import Traffic

/// Loads, and what the kernel counts while they go on.
extension Run {
    /// Begins a load; what is returned waits for its end.
    func begin(_ plan: Plan.LoadPlan, name: String) throws -> (inout StepRecord) throws -> Void {
        let order = LoadOrder(
            name: name, kind: LoadOrder.Kind(rawValue: plan.kind) ?? .http,
            clients: try plan.namespaces.map { try place($0).handle }, to: plan.to, rate: plan.rate,
            connections: plan.connections, keepAlive: plan.keepAlive, request: plan.request, response: plan.response,
            warmUp: plan.warmUp, duration: plan.duration, timeout: plan.timeout,
            isVirtual: evidence.engine.virtualTime)
        let meter = LoadMeter(ports: plan.ports, try places.map { try $0.meter() }, servers: loadServers)
        let clock = clock
        let load = try RunningLoad(order) { clock.now() }
        let watch = try LoadWatch(meter, of: load, clock: clock)
        return { record in
            let measured = Result { try watch.wait() }
            var loadRecord = try load.wait()
            try measured.get().write(to: &loadRecord, isVirtual: order.isVirtual)
            loadRecord.clientPorts = plan.clientPorts
            loadRecord.directorPorts = plan.directorPorts
            record.loads = (record.loads ?? []) + [loadRecord]
        }
    }
}

/// A namespace's counters.
struct NamespaceMeter: Sendable {
    var name: String
    var route: RouteNetlink
    /// nil for what only bridges.
    var files: ProcNet?
    /// nil for a namespace without IPVS services.
    var ipvs: IPVSHandle?
}

/// Reads the counters of a whole network.
struct LoadMeter: Sendable {
    let ports: [Plan.CapturePoint]
    let namespaces: [NamespaceMeter]
    let servers: LoadServers

    init(ports: [Plan.CapturePoint], _ namespaces: [NamespaceMeter], servers: LoadServers) {
        self.ports = ports
        self.namespaces = namespaces
        self.servers = servers
    }

    struct Reading: Sendable {
        var ports: [String: PortTraffic] = [:]
        var retransmissions: [String: Int] = [:]
        var scheduled: Int?
        var clientTime: Int64
        var serverTime: Int64
        var laboratoryTime: Int64
    }

    func read(_ load: RunningLoad) throws -> Reading {
        var reading = Reading(
            clientTime: load.processorTime, serverTime: servers.processorTime ?? 0,
            laboratoryTime: drb_process_time())
        let wanted = Set(ports.map(\.name))
        for namespace in namespaces {
            for link in try namespace.route.links() {
                let port = "\(namespace.name):\(link.name)"
                guard wanted.contains(port) else { continue }
                reading.ports[port] = PortTraffic(
                    receivedPackets: Int(link.receivedPackets), receivedBytes: Int(link.receivedBytes),
                    sentPackets: Int(link.sentPackets), sentBytes: Int(link.sentBytes))
            }
            if let files = namespace.files { reading.retransmissions[namespace.name] = try files.retransmissions() }
            if let ipvs = namespace.ipvs { reading.scheduled = (reading.scheduled ?? 0) + (try ipvs.scheduled()) }
        }
        return reading
    }
}

/// What was counted from the beginning of a load's window to its end.
struct MeteredWindow: Sendable {
    var before: LoadMeter.Reading
    var after: LoadMeter.Reading

    func write(to record: inout LoadRecord, isVirtual: Bool) throws {
        for (port, end) in after.ports {
            // One that has moved here meanwhile has counted from nothing.
            let start = before.ports[port] ?? PortTraffic()
            record.ports[port] = PortTraffic(
                receivedPackets: end.receivedPackets - start.receivedPackets,
                receivedBytes: end.receivedBytes - start.receivedBytes,
                sentPackets: end.sentPackets - start.sentPackets, sentBytes: end.sentBytes - start.sentBytes)
        }
        for (host, end) in after.retransmissions {
            let count = end - (before.retransmissions[host] ?? 0)
            if count != 0 { record.retransmissions[host] = count }
        }
        record.scheduled = after.scheduled.map { $0 - (before.scheduled ?? 0) }
        guard !isVirtual else { return }
        record.clientTime = after.clientTime - before.clientTime
        record.serverTime = after.serverTime - before.serverTime
        record.laboratoryTime = after.laboratoryTime - before.laboratoryTime
    }
}

/// Waits for a load's window on a thread of its own, for meanwhile the run may change the network.
final class LoadWatch: Sendable {
    private let thread: OwnedThread
    private let window = Mutex<Result<MeteredWindow, any Error>?>(nil)

    init(_ meter: LoadMeter, of load: RunningLoad, clock: RunClock) throws {
        thread = try OwnedThread()
        thread.begin { [self] in
            let result = Result {
                clock.sleep(max(0, load.window.lowerBound - clock.now()))
                let before = try meter.read(load)
                clock.sleep(max(0, load.window.upperBound - clock.now()))
                return MeteredWindow(before: before, after: try meter.read(load))
            }
            window.withLock { $0 = result }
        }
    }

    func wait() throws -> MeteredWindow {
        thread.stop()
        guard let window = window.withLock({ $0 }) else { throw KernelError("read counters", code: ECANCELED) }
        return try window.get()
    }
}
