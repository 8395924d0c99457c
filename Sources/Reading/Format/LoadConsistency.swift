internal import Scenario

/// Whether what is expected of loads, and of runs without captures, can be judged.
extension Consistency {
    func checkLoads() {
        for step in scenario.timeline {
            check(step.expectations, loads: step.actions.count(where: \.isLoad), "in a step that makes none")
        }
        let loads = scenario.timeline.flatMap(\.actions).count(where: \.isLoad)
        check(scenario.expectations, loads: loads, "at the end of a scenario without one")
        guard !scenario.capture.isOn else { return }
        let expectations = scenario.timeline.flatMap(\.expectations) + scenario.expectations
        for expectation in expectations.flatMap(\.leaves) where expectation.check.needsCapture {
            reader.error(
                at: expectation.location, "nothing is captured, and no connections are listed, with 'capture: none'",
                expected: "expectations about loads, counters, rules or IPVS statistics")
        }
    }

    private func check(_ expectations: [Expectation], loads: Int, _ place: String) {
        for expectation in expectations.flatMap(\.leaves) {
            guard case .load = expectation.check, loads != 1 else { continue }
            if loads == 0 {
                reader.error(at: expectation.location, "a load expectation \(place)")
            } else {
                reader.error(
                    at: expectation.location, "\(loads) loads, and an expectation about one",
                    expected: "it in a step with one load")
            }
        }
    }
}

extension Step.Action {
    var isLoad: Bool {
        if case .load = self { true } else { false }
    }
}

extension Expectation.Check {
    /// Whether it looks at frames, or at the entries of tables of connections.
    fileprivate var needsCapture: Bool {
        switch self {
        case .conntrack: true
        case .ipvs(let ipvs): ipvs.entries != nil || ipvs.state != nil || ipvs.to != nil
        default: !ports.isEmpty
        }
    }
}
