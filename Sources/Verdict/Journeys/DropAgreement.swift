public import Evidence
internal import Net
public import Scenario

extension Journeys {
    /// Compares what journeys are blamed on with what the scenario's `drop` expectations say, one sentence for each
    /// difference: each packet that an expectation is about must end at its place, by its rule.
    public static func disagreements(scenario: Scenario, evidence: Evidence, frames: [RunFrame]) -> [String] {
        let run = Run(
            scenario: scenario, evidence: evidence, frames: frames,
            filter: { try compileFilter($0) })
        let journeys = Journeys(scenario: scenario, evidence: evidence, frames: frames)
        var byFrame: [Int: Journey] = [:]
        for journey in journeys.journeys {
            for hop in journey.hops { byFrame[hop.frame] = journey }
            for copy in journey.lostCopies ?? [] { byFrame[copy.frame] = journey }
        }
        var found: [String] = []
        let scopes =
            scenario.timeline.indices.map { (Scope(run, step: $0), scenario.timeline[$0].expectations) }
            + [(Scope(run), scenario.expectations)]
        for (scope, expectations) in scopes {
            for expectation in expectations {
                guard case .drop(let drop) = expectation.check else { continue }
                do throws(Unjudgeable) {
                    let crossing = try Crossing(from: drop.from, to: drop.to, filter: drop.packet, in: scope)
                    let chain = try scope.names.chain(drop.chain)
                    let rule = try scope.names.expandingTaps(drop.rule)
                    for seen in crossing.missing {
                        guard let journey = byFrame[seen.index] else {
                            found.append("frame \(seen.index + 1) is of no journey")
                            continue
                        }
                        let (end, blame) = journey.end(ofCopyFor: drop.to, scope.names, frame: seen.index)
                        let named =
                            blame?.rules.contains {
                                $0.chain == chain && CountedRules.text($0.rule, contains: rule)
                            } ?? false
                        if blame?.place != drop.on || !named {
                            found.append(
                                "#\(journey.number) \(journey.packet) \(end.text) "
                                    + "(\(blame?.rules.map(\.text).joined(separator: " → ") ?? "no blame")), "
                                    + "not by \(chain) \(rule)")
                        }
                    }
                    if crossing.missing.isEmpty, drop.count.minimum > 0 { found.append("nothing was dropped") }
                } catch {
                    found.append(error.description)
                }
            }
        }
        return found
    }
}

extension Journey {
    /// How the copy ended that was to leave by a port; how the journey did where there are no copies.
    fileprivate func end(ofCopyFor port: String, _ names: Names, frame: Int) -> (JourneyEnd, Blame?) {
        let name = (try? names.port(port)).map { names.ports[$0].name } ?? port
        let copy = lostCopies?.first { $0.frame == frame && $0.port == name }
        return copy.map { ($0.end, $0.blame) } ?? (end, blame)
    }
}
