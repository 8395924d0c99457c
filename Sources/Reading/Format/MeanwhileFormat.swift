internal import Scenario

/// What happens while a step's action goes on.
enum MeanwhileFormat {
    /// Its times are what `after` says.
    private static let actions = StepFormat.actions.filter { $0.schema.name != "wait" }

    private static let draft = Shape<StepFormat.Draft>.object(
        "meanwhile", "something meanwhile", "An action at a time of its own, while the step's action goes on.",
        blank: .init(),
        fields: [
            Field("name", \.name, StepFormat.name, "Its name, for a mutation's 'without'."),
            Field("after", \.after, .duration(), required: true, "When: so long after the step's beginning."),
        ] + actions, rules: [.exactlyOne(actions.map(\.schema.name), of: "action")])

    private static let one = Shape<Step.Meanwhile?>(
        schema: draft.schema, expected: "something meanwhile (a mapping with 'after' and an action)"
    ) { tree, reader in
        guard let draft = draft.read(tree, reader), let action = draft.action else { return nil }
        return Step.Meanwhile(
            name: draft.name ?? StepNames.describe(action), after: draft.after, action: action,
            location: tree.location)
    }

    static let meanwhile = Shape<[Step.Meanwhile?]>.list(of: one, minimum: 1, maximum: Limits.meanwhile).map {
        $0.compactMap { $0 }
    }

    /// What only the step as a whole shows.
    static func check(_ step: Step, _ tree: Tree, _ reader: Reader) {
        guard !step.meanwhile.isEmpty else { return }
        let entry = tree.entry("meanwhile")
        guard step.action.takesTime else {
            reader.error(
                at: entry?.keyLocation ?? step.location, "'meanwhile' in a step that is over at once",
                expected: "it in one with http, tcp, udp, load, open, use, run or wait")
            return
        }
        var last: Int64 = 0
        let places = Dictionary((entry?.value.elements ?? []).map { ($0.location, $0) }) { first, _ in first }
        for each in step.meanwhile {
            let place = places[each.location] ?? tree
            if each.after < last {
                reader.error(
                    at: place.valueLocation(of: ["after"]), "this happens before what stands above it",
                    expected: "a list in the order of time")
            }
            last = max(last, each.after)
            if let longest = step.action.longest, each.after > longest {
                reader.error(
                    at: place.valueLocation(of: ["after"]),
                    "this happens after the step, which lasts \(StepNames.duration(longest)) at most")
            }
        }
        // A connection makes one request at a time.
        var busy: Set<String> = []
        for (action, location) in [(step.action, step.location)] + step.meanwhile.map({ ($0.action, $0.location) }) {
            guard let connection = action.connection, !busy.insert(connection).inserted else { continue }
            reader.error(at: location, "connection '\(connection)' is busy in this step")
        }
    }
}

extension Step.Action {
    var takesTime: Bool {
        switch self {
        case .request, .load, .open, .use, .run, .wait: true
        default: false
        }
    }

    /// How long it can take, if anything says so; in nanoseconds.
    var longest: Int64? {
        // As long for connecting as for the answer.
        func longest(_ request: Step.Request, count: Int) -> Int64 {
            let (one, isTooLong) = request.timeout.multipliedReportingOverflow(by: 2)
            let (all, areTooLong) = max(request.interval, one).multipliedReportingOverflow(by: Int64(count))
            return isTooLong || areTooLong ? .max : all
        }
        return switch self {
        case .request(let request): longest(request, count: request.count)
        case .open(_, let request): longest(request, count: 1)
        case .use(_, _, let timeout): timeout
        case .load(let load): load.longest
        case .wait(let duration): duration
        default: nil
        }
    }

    fileprivate var connection: String? {
        switch self {
        case .open(let connection, _), .use(let connection, _, _), .close(let connection): connection
        default: nil
        }
    }
}
