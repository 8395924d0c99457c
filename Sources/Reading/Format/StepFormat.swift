internal import Net
internal import Scenario

/// The timeline in a file.
enum StepFormat {
    private static func requestFields(counted: Bool) -> [Field<Step.Request>] {
        let count = Field(
            "count", \Step.Request.count, .integer(1...Limits.requests), "How many, one after another; 1.")
        let interval = Field(
            "interval", \Step.Request.interval, .duration(),
            "From the beginning of one to that of the next, unless it takes longer; the next begins when one has ended."
        )
        return [
            Field("from", \.from, .name(of: .host), required: true, "The client's host."),
            Field("to", \.to, .endpoint, required: true, "The server's address and port."),
        ] + (counted ? [count, interval] : []) + [
            Field("source_port", \.sourcePort, .port, "The client's port; one that the kernel chooses if left out."),
            Field(
                "bytes", \.bytes, .size(upTo: Limits.requestBytes), "How much answer to ask for beyond the greeting; 0."
            ),
            Field(
                "timeout", \.timeout, .duration(upTo: Limits.timeout), "For connecting, and again for the answer; 2s."),
        ]
    }

    /// `single` for the one request that opens a connection.
    private static func request(_ kind: Step.Request.Kind, single: Bool) -> Shape<Step.Request> {
        .object(
            single ? "singleRequest" : "request", "a request", "What a client does.",
            blank: Step.Request(kind: kind, from: "", to: Endpoint(IPAddress(v4: 0), port: 0)),
            fields: requestFields(counted: !single))
    }

    private struct Open: Sendable {
        var connection = ""
        var request: Step.Request?
    }

    private struct Use: Sendable {
        var connection = ""
        var bytes = 0
        var timeout: Int64 = 2_000_000_000
    }

    private struct Move: Sendable {
        var host = ""
        var to = ""
    }

    private struct Run: Sendable {
        var on = ""
        var arguments: [String] = []
        var mayFail = false
    }

    private struct Setting: Sendable {
        var on = ""
        var sysctls: [Sysctl] = []
    }

    private static let newConnection = Shape<String>.text(
        "a connection's name", pattern: NameForm.word.pattern, matches: NameForm.word.matches
    ).checked { name, tree, reader in
        if let earlier = reader.connections[name], !earlier.closed {
            reader.error(at: tree.location, "connection '\(name)' is open already, since \(earlier.opened)")
            return
        }
        reader.connections[name] = (tree.location, closed: false)
    }

    private static let openConnection = Shape<String>(
        schema: .text(pattern: NameForm.word.pattern), expected: "an open connection's name"
    ) { tree, reader in
        guard let name = tree.text else {
            reader.error(at: tree.location, "found \(tree.found)", expected: "an open connection's name")
            return nil
        }
        if let connection = reader.connections[name] {
            if connection.closed { reader.error(at: tree.location, "connection '\(name)' is closed by now") }
        } else {
            let open = reader.openConnections
            reader.error(
                at: tree.location, "connection '\(Tree.shortened(name))' is not open",
                expected: open.isEmpty ? "an 'open' step before this one" : Reader.oneOf(open),
                suggestion: NearestName.of(name, among: open))
        }
        return name
    }

    private static let open = Shape<Open>.object(
        "open", "an opening", "Opens a connection, makes one request on it and keeps it open.", blank: Open(),
        fields: [Field("connection", \.connection, newConnection, required: true, "The name to call it by.")]
            + [Step.Request.Kind.http, .tcp].map { kind in
                Field(kind.rawValue, request(kind, single: true), "The request.") { $0.request = $1 }
            }, rules: [.exactlyOne(["http", "tcp"], of: "request")])

    private static let use = Shape<Use>.object(
        "use", "a use", "Another request on an open connection.", blank: Use(),
        fields: [
            Field("connection", \.connection, openConnection, required: true, "The connection's name."),
            Field(
                "bytes", \.bytes, .size(upTo: Limits.requestBytes), "How much answer to ask for beyond the greeting; 0."
            ),
            Field("timeout", \.timeout, .duration(upTo: Limits.timeout), "For the answer; 2s."),
        ])

    private static let move = Shape<Move>.object(
        "move", "a move", "Moves a host's ports to another hypervisor.", blank: Move(),
        fields: [
            Field("host", \.host, .name(of: .host), required: true, "The host."),
            Field("to", \.to, .name(of: .hypervisor), required: true, "The hypervisor it goes to."),
        ],
        check: { move, tree, reader in
            guard let names = reader.names, let host = names.host(move.host) else { return }
            if !host.cards.contains(where: { $0.on.map(names.hypervisors.contains) ?? false }) {
                reader.error(at: tree.valueLocation(of: ["host"]), "\(host.name) is on no hypervisor to be moved from")
            }
        })

    static let command = Shape<[String]>(
        schema: .any([.text(pattern: nil), .list(.scalar(pattern: nil), minimum: 1)]),
        expected: "a command such as \"ip neigh flush all\", or a list of its words"
    ) { tree, reader in
        if tree.elements != nil {
            return fitting(
                Shape<[String]>.list(of: .anyScalar("a word"), minimum: 1, maximum: Limits.arguments).read(
                    tree, reader),
                tree, reader)
        }
        guard let text = Shape<String>.text("a command, or a list of its words").read(tree, reader) else { return nil }
        do throws(ShellWords.Failure) {
            let words = try ShellWords.split(text)
            if words.isEmpty { reader.error(at: tree.location, "found no word", expected: "a command") }
            if words.count > Limits.arguments {
                reader.error(
                    at: tree.location, "a command of \(words.count) words", expected: "at most \(Limits.arguments)")
            }
            return fitting(words, tree, reader)
        } catch {
            switch error {
            case .unclosedQuote(let quote): reader.error(at: tree.location, "a quote (\(quote)) is not closed")
            case .special(let character):
                reader.error(
                    at: tree.location, "'\(character)' means nothing here, where no shell is",
                    expected: "quotes around it, or [sh, -c, \"…\"]")
            }
            return nil
        }
    }

    /// What a program can be started with: no more bytes than Linux takes, and none of them NUL, which ends an argument.
    private static func fitting(_ words: [String]?, _ tree: Tree, _ reader: Reader) -> [String]? {
        guard let words else { return nil }
        let size = words.reduce(0) { $0 + $1.utf8.count + 1 }
        if size > Limits.commandBytes {
            reader.error(
                at: tree.location, "a command of \(size) bytes", expected: "at most \(Limits.commandBytes)")
        }
        if words.contains(where: { $0.utf8.contains(0) }) {
            reader.error(at: tree.location, "a command with a NUL character", expected: "text without one")
        }
        return words
    }

    private static let run = Shape<Run>.object(
        "run", "a run", "Runs a program.", blank: Run(),
        fields: [
            Field("on", \.on, .name(of: .namespace), required: true, "Where."),
            Field(
                "command", \.arguments, command, required: true,
                "The program and its arguments: text is split as a shell splits words, a list is taken as it is."),
            Field("may_fail", \.mayFail, .boolean, "Whether the run goes on if its status is not 0; false."),
        ])

    private static let sysctl = Shape<Setting>.object(
        "sysctl", "a sysctl step", "Sets kernel parameters.", blank: Setting(),
        fields: [
            Field("on", \.on, .name(of: .namespace), required: true, "Where."),
            Field("set", \.sysctls, NetworkFormat.sysctls, required: true, "The settings, by sysctl(8)'s names."),
        ])

    struct Draft: Sendable {
        var name: String?
        var after: Int64 = 0
        var action: Step.Action?
        var meanwhile: [Step.Meanwhile] = []
        var expectations: [Expectation] = []
    }

    static let name = Shape<String>.text("a step's name", upTo: Limits.line)

    private static func action<Value>(
        _ key: String, _ shape: Shape<Value>, _ documentation: String,
        _ make: @escaping @Sendable (Value) -> Step.Action?
    ) -> Field<Draft> {
        Field(key, shape, documentation) { if $0.action == nil { $0.action = make($1) } }
    }

    static let actions: [Field<Draft>] =
        Step.Request.Kind.allCases.map { kind in
            action(
                kind.rawValue, request(kind, single: false),
                "\(kind.rawValue) requests, each on a connection of its own.",
                Step.Action.request)
        } + [
            action("load", LoadFormat.load, "Many requests, measured together.") { .load($0) },
            action("open", open, "Opens a connection and keeps it open.") { open in
                open.request.map { .open(connection: open.connection, $0) }
            },
            action("use", use, "Another request on an open connection.") {
                .use(connection: $0.connection, bytes: $0.bytes, timeout: $0.timeout)
            },
            action("close", openConnection.checked { name, _, reader in reader.close(name) }, "Closes a connection.") {
                Step.Action.close(connection: $0)
            },
            action("move", move, "Moves a host to another hypervisor.") { .move(host: $0.host, to: $0.to) },
            action("run", run, "Runs a program.") { .run(on: $0.on, arguments: $0.arguments, mayFail: $0.mayFail) },
            action(
                "start", ProgramFormat.reference("start", "a start", "Starts a program."),
                "Starts a program, and waits until it listens."
            ) { .start(on: $0.on, program: $0.program) },
            action("stop", ProgramFormat.reference("stop", "a stop", "Stops a program."), "Ends a program (SIGTERM).") {
                .stop(on: $0.on, program: $0.program)
            },
            action("link", FaultFormat.link, "Sets a port up or down (ip link set).") { link in
                .link(port: link.port, isUp: link.state == .up)
            },
            action(
                "power_off", .oneOrMore(of: .name(of: .machine)),
                "Machines lose their power: their ports go down at once, their programs are killed."
            ) { .powerOff($0) },
            action("send", CraftedPacketFormat.send, "Sends a packet that is written field by field.") { packet in
                packet.map(Step.Action.send)
            },
            action("sysctl", sysctl, "Sets kernel parameters.") { .sysctl(on: $0.on, $0.sysctls) },
            action(
                "flush_neighbours", Shape<[String]>.oneOrMore(of: .name(of: .namespace)),
                "Empties the neighbour tables of these hosts; permanent entries stay."
            ) { .flushNeighbours(on: $0) },
            action("wait", .duration(), "Lets time pass.") { .wait($0) },
        ]

    private static let draft = Shape<Draft>.object(
        "step", "a step", "One entry of the timeline: an action, and what must hold when it has ended.", blank: Draft(),
        fields: [Field("name", \.name, name, "Its name in reports; made of the action if left out.")] + actions + [
            Field(
                "meanwhile", \.meanwhile, MeanwhileFormat.meanwhile,
                "What happens while the action goes on; the step ends when all of it has."),
            Field("expect", \.expectations, ExpectationFormat.expectations, "What must hold, over this step alone."),
        ], rules: [.exactlyOne(actions.map(\.schema.name), of: "action")])

    private static let step = Shape<Step?>(schema: draft.schema, expected: "a step (a mapping with an action)") {
        tree, reader in
        guard let draft = draft.read(tree, reader), let action = draft.action else { return nil }
        let step = Step(
            name: draft.name ?? "", action: action, meanwhile: draft.meanwhile, expectations: draft.expectations,
            location: tree.location)
        MeanwhileFormat.check(step, tree, reader)
        return step
    }

    /// Names are unique: those given are checked, and those made up are counted (`wait 2s`, `wait 2s (2)`).
    static let timeline = Shape<[Step?]>.list(of: step, maximum: Limits.steps).map { $0.compactMap { $0 } }.checked {
        steps, tree, reader in
        var known: [String: SourceLocation] = [:]
        var places: [SourceLocation: SourceLocation]?
        for step in steps where !step.name.isEmpty {
            guard let earlier = known[step.name] else {
                known[step.name] = step.location
                continue
            }
            if places == nil {
                let named = (tree.elements ?? []).compactMap { one in one["name"].map { (one.location, $0.location) } }
                places = Dictionary(named) { first, _ in first }
            }
            reader.error(
                at: places?[step.location] ?? step.location,
                "a step named '\(Tree.shortened(step.name))' stands at \(earlier) already")
        }
    }.map { StepNames.complete($0) }
}

extension Reader {
    fileprivate func close(_ name: String) {
        connections[name]?.closed = true
    }
}
