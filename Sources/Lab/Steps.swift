internal import Evidence
internal import Glibc
internal import Kernel
internal import Plan
internal import Traffic

/// A step, with what happens meanwhile.
extension Run {
    /// What waits for the end of something that was begun, and notes in the step's record what came of it.
    private typealias Ending = (inout StepRecord) throws -> Void

    /// The step's own action is begun; then this thread, which has nothing else to do, sleeps from one thing that happens
    /// meanwhile to the next. So at any time only this thread changes the network.
    func carryOut(_ step: Plan.StepPlan, record: inout StepRecord) throws {
        var endings = [try begin(step.action, named: step.name, isAlone: step.meanwhile.isEmpty)]
        for each in step.meanwhile {
            let wait = each.after - (clock.now() - record.started)
            if wait > 0 { clock.sleep(wait) }
            var happened = MeanwhileRecord(name: each.name, started: clock.now())
            if case .run(let namespace, let arguments, let mayFail) = each.action {
                happened.command = try run(arguments, mayFail: mayFail, in: namespace)
            } else {
                endings.append(try begin(each.action, named: each.name, isAlone: false))
            }
            record.meanwhile = (record.meanwhile ?? []) + [happened]
        }
        for end in endings { try end(&record) }
        // Requests of several clients, in the order of their start; at the same time, in that of the scenario.
        record.transcripts = record.transcripts.enumerated().sorted {
            ($0.element.started, $0.offset) < ($1.element.started, $1.offset)
        }.map(\.element)
    }

    /// Begins what takes time, and does what takes none.
    ///
    /// - Parameter isAlone: whether nothing else is to happen until it has ended.
    private func begin(_ action: Plan.StepPlan.Action, named name: String, isAlone: Bool) throws -> Ending {
        switch action {
        case .request(let request):
            return Self.ending(try clients.begin(ClientRequest(request, in: place(request.namespace))))
        case .load(let load): return try begin(load, name: name)
        case .open(let connection, let request):
            let request = try ClientRequest(request, in: place(request.namespace))
            return Self.ending(try clients.beginOpening(name: connection, request))
        case .use(let connection, let bytes, let timeout):
            return Self.ending(try clients.beginUse(name: connection, bytes: bytes, timeout: timeout))
        case .run(let namespace, let arguments, let mayFail):
            if isAlone {
                let result = try run(arguments, mayFail: mayFail, in: namespace)
                return { $0.command = result }
            }
            let end = try place(namespace).begin(arguments)
            return { record in
                record.command = try end()
                try Self.check(record.command, mayFail: mayFail, in: namespace)
            }
        case .wait(let duration):
            let end = clock.now() + duration
            return { [clock] _ in clock.sleep(max(0, end - clock.now())) }
        case .close(let connection): try clients.close(name: connection)
        case .operations(let operations): try change(operations)
        case .start(let program): try programs.start(program, in: place(program.namespace))
        case .stop(let namespace, let program): try programs.stop(program, in: namespace)
        case .powerOff(let hosts, let operations):
            try change(operations)
            for host in hosts { try programs.kill(on: host) }
        case .send(let namespace, let interface, let frames, let count, let interval):
            try send(frames, times: count, interval: interval, from: interface, in: place(namespace))
        }
        return { _ in }
    }

    private static func ending(_ traffic: PendingTraffic) -> Ending {
        { $0.transcripts += try traffic.wait() }
    }

    private func run(_ arguments: [String], mayFail: Bool, in namespace: String) throws -> CommandRecord {
        let result = try place(namespace).run(arguments)
        try Self.check(result, mayFail: mayFail, in: namespace)
        return result
    }

    private static func check(_ result: CommandRecord?, mayFail: Bool, in namespace: String) throws {
        guard let result, result.status != 0, !mayFail else { return }
        throw RunProblem(result, in: namespace)
    }

    private func change(_ operations: [Operation]) throws {
        try apply(operations)
        let isLink = operations.contains {
            switch $0.action {
            case .setUp, .setDown: true
            default: false
            }
        }
        // Both ends of a cable know of it now, not up to a second later: see RouteNetlink.awaitCarrier.
        guard isLink else { return }
        for place in places { try place.awaitCarriers() }
    }
}

extension Plan.StepPlan {
    /// Whether there may be more traffic than drbench's own clients and frames make, which drain captures as they go.
    var hasTrafficOfOthers: Bool {
        ([action] + meanwhile.map(\.action)).contains { action in
            switch action {
            case .load, .run, .wait, .start, .stop: true
            case .request, .open, .use, .close, .operations, .powerOff, .send: false
            }
        }
    }
}

extension ClientRequest {
    init(_ request: Plan.RequestPlan, in place: Place) {
        self.init(
            kind: TrafficKind(rawValue: request.kind) ?? .tcp, from: place.handle, to: request.to,
            count: request.count, interval: request.interval, sourcePort: request.sourcePort, bytes: request.bytes,
            timeout: request.timeout)
    }
}
