internal import Capture
internal import Evidence
internal import FoundationEssentials
internal import Glibc
internal import Kernel
internal import Net
internal import Plan
internal import Scenario
internal import Synchronization
internal import Traffic

/// One plan being carried out: the namespaces, what watches them, and the evidence so far.
final class Run {
    let plan: Plan
    let folder: String
    let events: EventChannel
    let clock = RunClock()
    /// In the plan's order.
    var places: [Place] = []
    var placeByName: [String: Place] = [:]
    let captures: CaptureSession
    let servers: TrafficServers
    let clients: TrafficClients
    let loops = TrafficLoops()
    var evidence: Evidence
    /// How many steps' evidence has been written to the folder.
    private var savedSteps = 0
    let programs: RunningPrograms
    private let watch: NetfilterWatch
    let loadServers = LoadServers()
    /// Gives back the rings of captures that are over.
    private var closing: OwnedThread?
    /// What was found wrong behind the last step, where evidence is written before people come.
    private var lateProblem: String?

    /// Octets that clients receive between two readings of the capture rings: a fraction of what a ring holds, since
    /// each octet crosses a port as part of a frame and in virtual time no clock tells when a ring fills.
    static let octetsBetweenDrains = 96 * 1024

    init(_ plan: Plan, engine: EngineRecord, folder: String, events: EventChannel) throws {
        self.plan = plan
        self.folder = folder
        self.events = events
        evidence = Evidence(scenario: plan.scenario, engine: engine, started: clock.start)
        let captures = try CaptureSession(
            ports: plan.captures.map { .init(name: $0.name, interface: $0.interface) },
            snapshotLength: plan.snapshotLength, ringSize: CaptureSession.ringSize(ports: plan.captures.count),
            names: plan.names.map { (address: $0.address.octets, name: $0.name) })
        self.captures = captures
        programs = RunningPrograms(clock: clock)
        watch = try NetfilterWatch(clock: clock)
        let clock = clock
        servers = TrafficServers(loops: loops, clock: { clock.now() })
        let received = Mutex(0)
        clients = TrafficClients(
            loops: loops, clock: { clock.now() },
            onBytes: { count in
                let drain = received.withLock { sum in
                    sum += count
                    guard sum >= Self.octetsBetweenDrains else { return false }
                    sum = 0
                    return true
                }
                if drain { captures.drain() }
            })
    }

    /// Builds, runs, watches and writes. Returns what went wrong, or nil.
    func carryOut(visitors: () -> (any Visitors)?) -> String? {
        var problem: String?
        defer { closing?.stop() }
        do {
            try build()
            if evidence.engine.virtualTime {
                // A kernel younger than one second has no timestamp by which TIME_WAIT could free a port
                // (tcp_twsk_unique); here waiting costs nothing.
                clock.sleep(2_000_000_000)
            }
            for program in plan.programs { try programs.start(program, in: place(program.namespace)) }
            evidence.initial = try snapshot()
            for (index, step) in plan.steps.enumerated() {
                try keepWhatIsSeen(before: index)
                events.send(.step(index, name: step.name))
                do {
                    try carryOut(step)
                } catch {
                    throw RunProblem(error, inStep: step.name)
                }
            }
            clock.sleep(plan.settle)
            evidence.ended = clock.now()
            // Where nothing has happened since, the state after the last step is the state at the end.
            let isSettled = plan.settle == 0 && plan.steps.last?.awaitsIPVSStatistics == plan.awaitsIPVSStatistics
            evidence.final =
                try isSettled
                ? evidence.steps.last?.after ?? snapshot()
                : snapshot(awaitingIPVS: plan.awaitsIPVSStatistics)
            if let visitors = visitors() {
                // Evidence that was complete when they came is not written again.
                if try receive(visitors) { return lateProblem }
            }
        } catch {
            problem = "\(error)"
            evidence.problems.append("\(error)")
        }
        programs.stopAll()
        loadServers.stop()
        do {
            let loss = try writeEvidence(complete: problem == nil)
            problem = problem ?? loss
        } catch {
            problem = problem ?? "\(error)"
        }
        try? loops.closeAll()
        return problem
    }

    /// Ends what would outlive the run, for another one in this process.
    func endThreads() throws { try loops.shutdown() }

    /// Returns what was found wrong behind the last step, or nil.
    private func writeEvidence(complete: Bool) throws -> String? {
        if evidence.ended == 0 { evidence.ended = clock.now() }
        evidence.take(watch.finish())
        describePorts(captures.finish { end($0, $1) })
        var problem: String?
        if complete, let loss = captureLoss ?? clockJump {
            problem = loss.description
            evidence.problems.append(loss.description)
        }
        evidence.complete = complete && problem == nil
        try programs.save(to: "\(folder)/programs")
        try saveRules()
        try save()
        return problem
    }

    /// Captures that have ended though nobody wanted it; nil if none has.
    private var captureLoss: RunProblem? {
        let losses = captures.losses()
        return losses.isEmpty ? nil : RunProblem(losses, of: captures.ports)
    }

    /// That somebody has set the clock; nil if nobody has. All that the evidence tells of times would be wrong.
    private var clockJump: RunProblem? {
        let jump = clock.jump
        // In real time a machine's clock is also adjusted.
        let tolerance: Int64 = evidence.engine.virtualTime ? 1_000_000 : 500_000_000
        guard jump.magnitude > tolerance.magnitude else { return nil }
        let seconds = (Double(jump.magnitude) / 1e9 * 1000).rounded() / 1000
        return RunProblem("the clock was set \(jump < 0 ? "back" : "forward") by \(seconds) s")
    }

    // MARK: Visitors

    /// Lets people in and waits until they have gone. Whether the evidence was written before.
    private func receive(_ visitors: any Visitors) throws -> Bool {
        let namespaces = places.map { ($0.name, $0.namespace.fileDescriptor) }
        if visitors.comeAfterEvidence {
            lateProblem = try writeEvidence(complete: true)
            if lateProblem == nil { try visitors.receive(namespaces: namespaces) { events.send(.open) } }
            programs.stopAll()
            loadServers.stop()
            try? loops.closeAll()
            return true
        }
        // In case this laboratory is not left to end by itself.
        describePorts(captures.statistics())
        try save()
        try captures.emptyingRings {
            try visitors.receive(namespaces: namespaces) { events.send(.open) }
        }
        evidence.ended = clock.now()
        captures.drain()
        evidence.final = try snapshot()
        return false
    }

    // MARK: Building

    private func build() throws {
        allowDescriptors(16 * plan.namespaces.count + 2 * plan.captures.count + 256)
        for (namespace, made) in zip(
            plan.namespaces, try NetworkNamespace.create(named: plan.namespaces.map(\.name)))
        {
            let place = try Place(namespace, in: made)
            places.append(place)
            placeByName[namespace.name] = place
        }
        try apply(plan.setup)
        for place in places { try place.awaitCarriers() }
        try openCaptures(Array(plan.captures.indices))
        for server in plan.servers {
            if let kind = TrafficKind(rawValue: server.kind) {
                try servers.start(kind, port: server.port, in: place(server.namespace).handle)
            } else {
                try loadServers.listen(port: server.port, in: place(server.namespace).namespace)
            }
        }
        try loadServers.start()
    }

    /// Raises this process's limit of open files if it is lower. What it starts has that limit, too, and so it stays as it is
    /// where it will do. That it cannot be raised shows when a file cannot be opened.
    private func allowDescriptors(_ count: Int) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < count else {
            return
        }
        // A lab kernel's own limit is 4096; who may, raises that, too.
        var raised = rlimit(rlim_cur: rlim_t(count), rlim_max: max(rlim_t(count), limit.rlim_max))
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) != 0 else { return }
        limit.rlim_cur = min(rlim_t(count), limit.rlim_max)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    func place(_ name: String) throws -> Place {
        guard let place = placeByName[name] else {
            throw RunProblem("the plan has no namespace '\(name)'")
        }
        return place
    }

    /// Starts capturing those of the ports whose interfaces are in their namespaces now; a host may move there later.
    func openCaptures(_ indices: [Int]) throws {
        let captures = captures
        try NetworkNamespace.runAll(
            indices.compactMap { port in
                let point = plan.captures[port]
                guard let place = placeByName[point.namespace], place.interfaces.contains(point.interface) else {
                    return nil
                }
                return (place.namespace, { try captures.open(port) })
            })
    }

    /// Gives rings back, which takes time: where there are several processors, while the evidence is written. What fails shows
    /// in what they counted.
    private func end(_ ports: [Int], _ close: @escaping @Sendable (Int) -> Void) {
        let giveBack = { @Sendable in
            try? Workers.forEach(ports.count, threads: Workers.waiting) { close(ports[$0]) }
        }
        closing = Workers.processors > 1 ? try? OwnedThread() : nil
        if let closing { closing.begin { _ = giveBack() } } else { _ = giveBack() }
    }

    private func describePorts(_ statistics: [PortStatistics]) {
        evidence.ports = zip(plan.captures, statistics).map { point, counted in
            CapturePort(
                name: point.name, namespace: point.namespace, interface: point.interface,
                mac: placeByName[point.namespace]?.macs[point.interface], received: counted.delivered,
                dropped: counted.dropped)
        }
    }

    // MARK: Steps

    /// Before and after a step, so that no instant belongs to two: in virtual time the clock stands still while anything
    /// runs. In real time it does not, and what a step has started, such as the last FIN and its ACK, must have come to its
    /// end on a busy machine, too.
    private func pause(after: Bool) {
        if evidence.engine.virtualTime {
            clock.sleep(1_000_000)
        } else if after {
            captures.awaitQuiet(milliseconds: Self.quietTime, limit: Self.quietTime * 5)
        }
    }
    private static let quietTime: Int32 = 20

    private func carryOut(_ step: Plan.StepPlan) throws {
        pause(after: false)
        var record = StepRecord(name: step.name, started: clock.now())
        if step.hasTrafficOfOthers {
            try captures.emptyingRings { try carryOut(step, record: &record) }
        } else {
            try carryOut(step, record: &record)
        }
        pause(after: true)
        record.ended = clock.now()
        captures.drain()
        if let problem = captureLoss ?? clockJump { throw problem }
        record.after = try snapshot(awaitingIPVS: step.awaitsIPVSStatistics)
        evidence.steps.append(record)
    }

    // MARK: Evidence

    /// - Parameter awaitingIPVS: whether to wait until IPVS has summed up its statistics, which its estimator does for all
    ///   readers (ipvsadm, too) every two seconds.
    private func snapshot(awaitingIPVS: Bool = false) throws -> Snapshot {
        if awaitingIPVS {
            let deadline = clock.now() + 3_000_000_000
            while try !places.allSatisfy({ try $0.ipvsStatisticsAreCurrent() }), clock.now() < deadline {
                clock.sleep(100_000_000)
            }
        }
        var snapshot = Snapshot()
        for place in places where place.role != .switch {
            // Where frames are not captured there are too many connections to list, too.
            try place.observe(into: &snapshot, listsConnections: !plan.captures.isEmpty)
        }
        let hosts = places.filter { $0.role == .host }
        for (host, counters) in zip(hosts, try ProcNet.counters(of: hosts.map { try $0.files() }))
        where !counters.isEmpty { snapshot.counters[host.name] = counters }
        snapshot.logs = programs.texts
        snapshot.logsLeftOut = programs.leftOut
        if !plan.captures.isEmpty { try watch.listen(places, snapshot, plan) }
        return snapshot
    }

    /// What the kernel holds at the end, as iptables-save and its relatives print it.
    private func saveRules() throws {
        for place in places where place.hasRules {
            for family in RuleFamily.allCases {
                let text = try place.savedRules(family)
                guard !text.isEmpty else { continue }
                mkdir("\(folder)/rules", 0o755)
                try writeFile("\(folder)/rules/\(place.name).\(family.rawValue).rules", text.utf8)
            }
        }
    }

    /// Saves what was seen until now, in case the run never comes to its end: a kernel that panics, a program that hangs.
    /// The more there is already, the more must have come since, so that all of this writes a few times the whole.
    private func keepWhatIsSeen(before step: Int) throws {
        guard step - savedSteps >= savedSteps / 8 else { return }
        savedSteps = step
        describePorts(captures.statistics())
        try save()
    }

    private func save() throws {
        let capture = open("\(folder)/capture.pcapng", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard capture >= 0 else { throw KernelError("create capture.pcapng", code: errno) }
        defer { close(capture) }
        try captures.write(to: capture)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        try writeFile("\(folder)/evidence.json", try encoder.encode(evidence))
    }
}
