internal import Evidence
internal import Measurement
internal import Net
internal import Scenario

/// A frame with its headers read, and its place in the capture.
struct Seen {
    var index: Int
    var frame: RunFrame
    var headers: Headers?
}

/// A whole run, prepared for looking things up.
struct Run {
    let scenario: Scenario
    let evidence: Evidence
    let names: Names
    private let byPort: [[Seen]]
    private let filter: FrameFilter

    init(scenario: Scenario, evidence: Evidence, frames: [RunFrame], filter: @escaping FrameFilter) {
        self.scenario = scenario
        self.evidence = evidence
        self.filter = filter
        names = Names(scenario: scenario, ports: evidence.ports)
        var byPort = [[Seen]](repeating: [], count: evidence.ports.count)
        for (index, frame) in frames.enumerated() {
            byPort[frame.port].append(Seen(index: index, frame: frame, headers: Headers(frame.octets.span)))
        }
        self.byPort = byPort
    }

    /// All frames that a port captured.
    func frames(at port: Int) -> [Seen] { byPort[port] }

    /// Those of them that match a filter in tcpdump's language.
    func frames(at port: Int, matching text: String) throws(Unjudgeable) -> [Seen] {
        do {
            let matches = try filter(text)
            return byPort[port].filter { matches($0.frame) }
        } catch {
            throw Unjudgeable("\(error)")
        }
    }

    func text(_ frames: [Seen]) -> [String] {
        frames.map { $0.frame.text($0.headers, names) }.limited()
    }
}

/// What an expectation looks at: one step, or the whole run.
///
/// A step's frames are those captured from its start to its end, both included; a frame at an instant that two steps
/// share belongs to both, and one between a step's end and the next one's start to neither. A step's counters are what
/// they grew from the snapshot before it to the snapshot behind it; its tables are the snapshot behind it.
/// The whole run has all frames, the tables at the end, and counters added up from snapshot to snapshot, so that what a
/// rule counted before its rule set was loaded anew is not lost.
struct Scope {
    let run: Run
    /// `end`, or the step's name.
    let place: String
    let transcripts: [Transcript]
    let command: CommandRecord?
    let loads: [LoadRecord]
    /// In order of time: what counters are counted from, then every later one; never empty.
    let snapshots: [Snapshot]
    private let window: ClosedRange<Nanoseconds>?
    let isStep: Bool

    init(_ run: Run) {
        let evidence = run.evidence
        self.run = run
        place = "end"
        transcripts = evidence.steps.flatMap(\.transcripts)
        command = nil
        loads = evidence.steps.flatMap { $0.loads ?? [] }
        snapshots = [evidence.initial] + evidence.steps.map(\.after) + [evidence.final]
        window = nil
        isStep = false
    }

    init(_ run: Run, step index: Int) {
        let steps = run.evidence.steps
        let step = steps[index]
        self.run = run
        place = step.name
        transcripts = step.transcripts
        command = step.command
        loads = step.loads ?? []
        snapshots = [index == 0 ? run.evidence.initial : steps[index - 1].after, step.after]
        window = step.started...max(step.started, step.ended)
        isStep = true
    }

    var names: Names { run.names }
    /// The state that expectations about tables speak of.
    var state: Snapshot { snapshots.last ?? Snapshot() }
    /// `in this step` or `in the run`.
    var period: String { isStep ? "in this step" : "in the run" }

    func contains(_ time: Nanoseconds) -> Bool { window?.contains(time) ?? true }

    func frames(at port: Int) -> [Seen] { run.frames(at: port).filter { contains($0.frame.time) } }

    func frames(at port: Int, matching text: String) throws(Unjudgeable) -> [Seen] {
        try run.frames(at: port, matching: text).filter { contains($0.frame.time) }
    }

    func portName(_ index: Int) -> String { run.evidence.ports[index].name }

    /// The positive control of an absence at `port`: the control that the scenario names, or that the port captured
    /// anything. It looks at the whole run. Its text for the report, and whether it saw something.
    func control(
        _ control: Expectation.Packets.Control?, at port: Int
    ) throws(Unjudgeable) -> (text: String, satisfied: Bool) {
        guard let control else {
            let count = run.frames(at: port).count
            return ("\(portName(port)) captured \(count.of("frame")) in the run", count > 0)
        }
        let controlPort = try control.at.map { name throws(Unjudgeable) in try names.port(name) } ?? port
        let count = try run.frames(at: controlPort, matching: control.filter).count
        return ("'\(control.filter)' matched \(count.of("frame")) at \(portName(controlPort)) in the run", count > 0)
    }
}

/// What counters grew, added up over snapshots.
struct Growth {
    var value = 0
    /// Whether a count became smaller: what it counted before was lost, and it was counted from 0 again.
    var restarted = false
    private var last: Int?

    init(baseline: Int?) { last = baseline }

    /// The next snapshot's count; nil if what counts is not there.
    mutating func follow(_ count: Int?) {
        if let count {
            if let last, count < last { restarted = true }
            let before = last.map { count < $0 ? 0 : $0 } ?? 0
            value = value.addingSaturated(count.subtractingSaturated(before))
        }
        last = count
    }
}
