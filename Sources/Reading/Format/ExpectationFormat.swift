internal import Net
internal import Scenario

/// What must be seen, in a file. The checks themselves are in the files beside this one.
enum ExpectationFormat {
    typealias Check = Expectation.Check

    private static func check<Value>(
        _ key: String, _ shape: Shape<Value>, _ documentation: String, _ make: @escaping @Sendable (Value) -> Check
    ) -> Field<Check?> {
        Field(key, shape, documentation) { if $0 == nil { $0 = make($1) } }
    }

    private static let checks: [Field<Check?>] = [
        check("traffic", TrafficFormat.traffic, "What became of the requests.", Check.traffic),
        check("packets", PacketFormat.packets, "Frames at a captured port.", Check.packets),
        check("reply_path", PacketFormat.replyPath, "Which way the replies went.", Check.replyPath),
        check("arp", PacketFormat.arp, "An ARP question and who answered it.", Check.arp),
        check("conntrack", TableFormat.conntrack, "Entries of a conntrack table.", Check.conntrack),
        check("rule", TableFormat.rule, "What rules counted.", Check.rule),
        check("ipvs", TableFormat.ipvs, "IPVS statistics and connections.", Check.ipvs),
        check("neighbour", TableFormat.neighbour, "A neighbour table entry.", Check.neighbour),
        check("counter", TableFormat.counter, "How much a kernel counter has grown.", Check.counter),
        check("drop", PacketFormat.drop, "A drop, and the rule that made it.", Check.drop),
        check("command", TrafficFormat.command, "What the step's command printed.", Check.command),
        check("log", ProgramFormat.log, "What a program has printed until then.", Check.log),
        check("load", LoadFormat.expectation, "What a load's measurement gave.", Check.load),
        check("order", PacketFormat.order, "Frames in this order, of each the first one.", Check.order),
    ]

    private static func expectation(_ name: String, _ checks: [Field<Check?>]) -> Shape<Expectation?> {
        let draft = Shape<Check?>.object(
            name, "an expectation", "Something that must be seen.", blank: nil, fields: checks,
            rules: [.exactlyOne(checks.map(\.schema.name), of: "check")])
        return Shape<Expectation?>(schema: draft.schema, expected: "an expectation (a mapping with a check)") {
            tree, reader in
            guard let check = draft.read(tree, reader) else { return nil }
            return check.map { Expectation($0, location: tree.location) }
        }
    }

    private static let anyOf = check(
        "any_of",
        Shape<[[Expectation]]>.list(
            of: Shape<[Expectation?]>.oneOrMore(of: expectation("alternative", checks)).map { $0.compactMap { $0 } },
            minimum: 2),
        "Alternatives, each an expectation or a list of them: all of at least one must hold.", Check.anyOf)

    static let expectations = Shape<[Expectation?]>.list(of: expectation("expectation", checks + [anyOf])).map {
        $0.compactMap { $0 }
    }
}

/// Expectations about clients and commands.
enum TrafficFormat {
    private static let expectedOutcome = "a host's name or \(Reader.oneOf(Vocabulary.outcomes))"

    private static let outcome = Shape<String>(schema: .text(pattern: nil), expected: expectedOutcome) { tree, reader in
        guard let word = tree.text, !word.isEmpty else {
            reader.error(at: tree.location, "found \(tree.found)", expected: expectedOutcome)
            return nil
        }
        if !Vocabulary.outcomes.contains(word), let names = reader.names, names.host(word) == nil {
            let suggestion = NearestName.of(word, among: Vocabulary.outcomes + names.known(.host))
            reader.error(
                at: tree.location, "unknown outcome '\(Tree.shortened(word))'",
                expected: suggestion == nil ? expectedOutcome : nil, suggestion: suggestion)
        }
        return word
    }

    private struct Answers: Sendable {
        var host = ""
        var count: Expectation.Count
    }

    private static let answeredBy = Shape<[Answers]>.keyed(
        by: .namespace, "host", Shape<Expectation.Count>.count.map { Answers(count: $0) }, minimum: 1
    ) { answers, host, entry, reader in
        answers.host = host
        guard host != Vocabulary.total, let names = reader.names, names.host(host) == nil else { return }
        reader.unknown("host", host, at: entry.keyLocation, known: names.known(.host) + [Vocabulary.total])
    }.map { list in Dictionary(list.map { ($0.host, $0.count) }) { first, _ in first } }

    static let traffic = Shape<Expectation.Traffic>.object(
        "traffic", "a traffic expectation", "What became of the step's, or the run's, requests.",
        blank: Expectation.Traffic(),
        fields: [
            Field(
                "outcomes", \.outcomes, .list(of: outcome),
                "One entry for each request: the host that answered, or what happened instead."),
            Field("all", \.all, outcome, "What all of them must be."),
            Field("answered_by", \.answeredBy, answeredBy, "How many each host answered; 'total' for all hosts."),
            Field("seen_from", \.seenFrom, .address, "The client's address as the servers saw it."),
            Field(
                "error", \.error,
                .text(
                    "an errno's name such as EHOSTUNREACH", pattern: "^E[A-Z0-9]+$",
                    matches: { text in
                        text.count > 1 && text.first == "E"
                            && text.utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) }
                    }),
                "The error of every request that has one."),
            Field("outage", \.outage, .durations, "The longest time without an answer."),
        ], rules: [.atLeastOne(["outcomes", "all", "answered_by", "seen_from", "error", "outage"])])

    static let command = Shape<Expectation.Command>.object(
        "command", "a command expectation", "What the step's command left.", blank: Expectation.Command(),
        fields: [
            Field("status", \.status, Shape<Int>.integer(0...255).map { Int32($0) }, "Its exit status."),
            Field("prints", \.prints, .oneOrMore(of: .anyScalar("text")), "Texts that its output must contain."),
        ], rules: [.atLeastOne(["status", "prints"])])
}
