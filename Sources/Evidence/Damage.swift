internal import Measurement

/// What cannot be in evidence that a laboratory wrote and nobody changed since: negative counters, an end before its beginning.
///
/// Whoever reads evidence asks for this first: what it lets pass is safe to calculate with, as long as differences are of times
/// and sums are `saturatingSum`.
extension Evidence {
    /// The greatest time that counts as one: 73 years, so that differences and sums of two of them are numbers, too.
    public static let greatestTime: Int64 = 1 << 61

    /// Many more than any laboratory can have. What is told of a run looks at ports in pairs.
    static let mostPorts = 20_000

    /// The first thing that is wrong, as a sentence with its place; nil if nothing is.
    ///
    /// Of evidence that is not complete less is asked: what was still going on has no end.
    public var damage: String? {
        var inspection = Inspection()
        inspection.check(self)
        return inspection.found
    }
}

/// Notes the first thing that is wrong.
private struct Inspection {
    private(set) var found: String?

    private mutating func note(_ text: @autoclosure () -> String) {
        if found == nil { found = text() }
    }

    private mutating func require(_ holds: Bool, _ text: @autoclosure () -> String) {
        if !holds { note(text()) }
    }

    mutating func check(_ evidence: Evidence) {
        require(
            evidence.version == Evidence.currentVersion,
            "it is of format \(evidence.version), not \(Evidence.currentVersion)")
        require(
            (0...2 * Evidence.greatestTime).contains(evidence.started),
            "'started' is \(evidence.started), which is no time that a run starts at")
        require(
            (0...Evidence.greatestTime).contains(evidence.ended),
            "'ended' is \(evidence.ended), which is no time that a run ends at")
        for port in evidence.ports {
            count(port.received, "the frames received at \(port.name)")
            count(port.dropped, "the frames dropped at \(port.name)")
        }
        require(evidence.ports.count <= Evidence.mostPorts, "it has \(evidence.ports.count) ports")
        let names = Set(evidence.ports.map(\.name))
        require(names.count == evidence.ports.count, "two ports have the same name")
        check(evidence.initial, "at the beginning")
        var last: Int64 = 0
        for step in evidence.steps {
            let place = "step '\(step.name)'"
            span(step.started, step.ended, place)
            require(step.started >= last, "\(place) starts before the one before it has ended")
            // What the kernel tells may be of the time behind the end, while the last of its state is read.
            if evidence.complete {
                require(step.ended <= evidence.ended, "\(place) has not ended before the run has")
            }
            last = step.ended
            check(step, place)
        }
        check(evidence.final, "at the end")
        for history in evidence.conntrack ?? [] {
            for change in history.changes { moment(change.time, "a change of conntrack in \(history.namespace)") }
        }
        for packet in evidence.invalid ?? [] { moment(packet.time, "an INVALID packet in \(packet.namespace)") }
        for packet in evidence.traces ?? [] { moment(packet.time, "a traced packet in \(packet.namespace)") }
    }

    private mutating func check(_ step: StepRecord, _ place: String) {
        for transcript in step.transcripts {
            let what = "a request of \(transcript.client) in \(place)"
            span(transcript.started, transcript.ended, what)
            if let connected = transcript.connected {
                span(transcript.started, connected, "the connecting of \(what)")
            }
            count(transcript.sentBytes, "the bytes sent by \(what)")
            count(transcript.receivedBytes, "the bytes received by \(what)")
        }
        for each in step.meanwhile ?? [] { moment(each.started, "'\(each.name)' in \(place)") }
        for load in step.loads ?? [] { check(load, "load '\(load.name)' in \(place)") }
        check(step.after, "after \(place)")
    }

    private mutating func check(_ load: LoadRecord, _ place: String) {
        span(load.from, load.to, place)
        for (outcome, number) in load.outcomes { count(number, "the requests '\(outcome)' of \(place)") }
        for number in [
            load.unfinished, load.answers, load.connections, load.sentBytes, load.receivedBytes, load.scheduled ?? 0,
        ] {
            count(number, "a count of \(place)")
        }
        for time in [load.clientTime, load.serverTime, load.laboratoryTime] {
            require((0...Evidence.greatestTime).contains(time ?? 0), "a processor time of \(place) is \(time ?? 0)")
        }
        for (name, traffic) in load.ports {
            for number in [
                traffic.receivedBytes, traffic.sentBytes, traffic.receivedPackets, traffic.sentPackets,
            ] {
                count(number, "the traffic of \(place) at \(name)")
            }
        }
        for (host, number) in load.retransmissions { count(number, "the retransmissions of \(host) in \(place)") }
    }

    private mutating func check(_ snapshot: Snapshot, _ place: String) {
        for (namespace, counters) in snapshot.counters {
            for (name, value) in counters { count(value, "\(name) in \(namespace) \(place)") }
        }
        for (namespace, rules) in snapshot.rules {
            for rule in rules {
                count(rule.packets, "the packets of a rule of \(rule.chain) in \(namespace) \(place)")
                count(rule.bytes, "the bytes of a rule of \(rule.chain) in \(namespace) \(place)")
                count(rule.number, "the number of a rule of \(rule.chain) in \(namespace) \(place)")
            }
        }
    }

    // MARK: Kinds of numbers

    private mutating func count(_ number: Int, _ what: @autoclosure () -> String) {
        require(number >= 0, "\(what()): \(number), which is no count")
    }

    private mutating func moment(_ time: Int64, _ what: @autoclosure () -> String) {
        require((0...Evidence.greatestTime).contains(time), "\(what()): at \(time) ns, which is no time of the run")
    }

    private mutating func span(_ from: Int64, _ to: Int64, _ what: @autoclosure () -> String) {
        moment(from, what())
        moment(to, what())
        require(from <= to, "\(what()): ended at \(to) ns, before it started (\(from) ns)")
    }
}
