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
        for journey in journeys.journeys { for hop in journey.hops { byFrame[hop.frame] = journey } }
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
                        let named =
                            journey.blame?.rules.contains {
                                $0.chain == chain && CountedRules.text($0.rule, contains: rule)
                            } ?? false
                        if journey.blame?.place != drop.on || !named {
                            found.append(
                                "#\(journey.number) \(journey.packet) \(journey.end.text) "
                                    + "(\(journey.blame?.rules.map(\.text).joined(separator: " → ") ?? "no blame")), "
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
