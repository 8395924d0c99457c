public import Evidence
public import Scenario

/// Judges a run by what it left. Pure: the same arguments give the same verdict.
///
/// - Parameters:
///   - frames: every captured frame, those of one port in the order of their capture.
///   - filter: compiles tcpdump filters.
public func judge(
    scenario: Scenario, evidence: Evidence, frames: [RunFrame], filter: FrameFilter = compileFilter
) -> Verdict {
    if let obstacle = obstacle(scenario: scenario, evidence: evidence, frames: frames) {
        return .error(scenario, because: obstacle, engine: evidence.engine)
    }
    return withoutActuallyEscaping(filter) { filter in
        let run = Run(scenario: scenario, evidence: evidence, frames: frames, filter: filter)
        var checks: [CheckResult] = []
        for (index, step) in scenario.timeline.enumerated() {
            let scope = Scope(run, step: index)
            checks += step.expectations.map { scope.judge($0) }
        }
        let end = Scope(run)
        checks += scenario.expectations.map { end.judge($0) }
        return verdict(scenario: scenario, evidence: evidence, checks: checks)
    }
}

/// Why a run cannot be judged at all; nil if it can.
private func obstacle(scenario: Scenario, evidence: Evidence, frames: [RunFrame]) -> String? {
    var obstacles = evidence.problems
    if !evidence.complete { obstacles.append("the run did not come to its end") }
    for port in evidence.ports where port.dropped > 0 {
        obstacles.append("capture at \(port.name) lost \(port.dropped.of("frame"))")
    }
    if obstacles.isEmpty {
        if evidence.scenario != scenario.fullName {
            obstacles.append("this is the evidence of \(evidence.scenario), not of \(scenario.fullName)")
        } else if evidence.steps.count != scenario.timeline.count {
            obstacles.append("the evidence has \(evidence.steps.count) of \(scenario.timeline.count.of("step"))")
        } else if let (seen, wanted) = zip(evidence.steps, scenario.timeline).first(where: { $0.name != $1.name }) {
            obstacles.append("the evidence has step '\(seen.name)' in place of '\(wanted.name)'")
        }
        if let stray = frames.first(where: { !evidence.ports.indices.contains($0.port) }) {
            obstacles.append("a frame names port \(stray.port) of \(evidence.ports.count)")
        }
        if scenario.expectsNothing { obstacles.append("the scenario expects nothing") }
    }
    return obstacles.isEmpty ? nil : obstacles.joined(separator: "; ")
}

private func verdict(scenario: Scenario, evidence: Evidence, checks: [CheckResult]) -> Verdict {
    let broken = checks.filter { $0.status == .error }
    let failed = checks.filter { $0.status == .failed }
    let worst = broken.isEmpty ? failed : broken
    var reason = checks.count == 1 ? "the 1 check holds" : "all \(checks.count) checks hold"
    if let first = worst.first {
        let others = broken.count + failed.count - 1
        reason = "\(first.place): \(first.message)" + (others > 0 ? " (and \(others) more)" : "")
    }
    return Verdict(
        scenario: scenario.fullName, title: scenario.title,
        status: !broken.isEmpty ? .error : failed.isEmpty ? .passed : .failed, reason: reason, checks: checks,
        engine: evidence.engine)
}

extension Scope {
    func judge(_ expectation: Expectation) -> CheckResult {
        if case .anyOf(let alternatives) = expectation.check {
            return judge(anyOf: alternatives, at: expectation.location)
        }
        do throws(Unjudgeable) {
            return try finding(expectation.check).result(place: place, location: expectation.location)
        } catch {
            return CheckResult(
                place: place, location: expectation.location, statement: "\(expectation.check.kind) cannot be judged",
                status: .error, expected: "an expectation that can be judged", actual: error.description)
        }
    }

    private func finding(_ check: Expectation.Check) throws(Unjudgeable) -> Finding {
        switch check {
        case .traffic(let traffic): traffic.judged(in: self)
        case .packets(let packets): try packets.judged(in: self)
        case .replyPath(let replyPath): try replyPath.judged(in: self)
        case .conntrack(let conntrack): try conntrack.judged(in: self)
        case .rule(let rule): try rule.judged(in: self)
        case .ipvs(let ipvs): try ipvs.judged(in: self)
        case .arp(let arp): try arp.judged(in: self)
        case .neighbour(let neighbour): try neighbour.judged(in: self)
        case .counter(let counter): try counter.judged(in: self)
        case .drop(let drop): try drop.judged(in: self)
        case .command(let command): try command.judged(in: self)
        case .log(let log): try log.judged(in: self)
        case .load(let load): try load.judged(in: self)
        case .order(let order): try order.judged(in: self)
        case .anyOf: throw Unjudgeable("alternatives within alternatives")
        }
    }
}

extension Expectation.Check {
    /// What the expectation is about, as its key in a scenario's file has it.
    fileprivate var kind: String {
        switch self {
        case .traffic: "traffic"
        case .packets: "packets"
        case .replyPath: "reply_path"
        case .conntrack: "conntrack"
        case .rule: "rule"
        case .ipvs: "ipvs"
        case .arp: "arp"
        case .neighbour: "neighbour"
        case .counter: "counter"
        case .drop: "drop"
        case .command: "command"
        case .log: "log"
        case .load: "load"
        case .order: "order"
        case .anyOf: "any_of"
        }
    }
}
