internal import Scenario

/// Real programs in a file.
enum ProgramFormat {
    private static let expectedPath = "a path below \(Program.folders.joined(separator: ", "))"

    private static let files = Shape<[Program.File]>(
        schema: .keyed(
            keyPattern: "^/(run|tmp|var/log|var/lib)/[^ ]+$", .text(pattern: nil), minimum: 0,
            maximum: Limits.partsOfHost),
        expected: "a mapping from each file's path to its text"
    ) { tree, reader in
        guard let entries = tree.entries else {
            reader.error(
                at: tree.location, "found \(tree.found)", expected: "a mapping from each file's path to its text")
            return nil
        }
        if entries.count > Limits.partsOfHost {
            reader.tooMany(
                entries.count, in: "mapping", at: entries[Limits.partsOfHost].keyLocation, limit: Limits.partsOfHost)
        }
        return entries.prefix(Limits.partsOfHost).compactMap { entry in
            let parts = entry.key.split(separator: "/", omittingEmptySubsequences: false)
            let isBelow = Program.folders.contains { entry.key.hasPrefix($0 + "/") && entry.key.count > $0.count + 1 }
            // Folder by folder, as Linux takes it: no empty name, and none that is the folder itself or the one above.
            let isPath = parts.dropFirst().allSatisfy { !["", ".", ".."].contains($0) }
            let isPrintable = entry.key.unicodeScalars.allSatisfy {
                !$0.properties.isWhitespace && $0 != "'" && $0.properties.generalCategory != .control
            }
            if !isBelow || !isPath || !isPrintable || entry.key.utf8.count > Limits.path {
                reader.error(
                    at: entry.keyLocation, "'\(Tree.shortened(entry.key))' is no place for a program's file",
                    expected: expectedPath)
                return nil
            }
            guard let text = entry.value.text else {
                reader.error(at: entry.value.location, "found \(entry.value.found)", expected: "the file's text")
                return nil
            }
            return Program.File(path: entry.key, text: text)
        }
    }

    private static let program = Shape<Program>.object(
        "program", "a program",
        "A real program with /run, /tmp, /var/log and /var/lib of its own; skipped where it is not installed.",
        blank: Program(name: "", command: []),
        fields: [
            Field(
                "command", \.command, StepFormat.command, required: true,
                "The program and its arguments; it must stay in the foreground."),
            Field("files", \.files, files, "Its files, by path: below /run, /tmp, /var/log or /var/lib."),
            Field("listens", \.listens, .oneOrMore(of: .port), "The TCP ports it listens on before the run goes on."),
            Field("starts", \.starts, .boolean, "Whether it runs from the beginning; true."),
        ])

    static let programs = Shape<[Program]>.keyed(
        by: .word, "program", program, maximum: Limits.partsOfHost
    ) { program, name, _, _ in
        program.name = name
    }

    static let log = Shape<Expectation.Log>.object(
        "log", "a log expectation", "What a program of a host has printed until then.",
        blank: .init(on: "", program: "", prints: []),
        fields: [
            Field("on", \.on, .name(of: .host), required: true, "The host."),
            Field(
                "program", \.program, .text("a program of the host", upTo: Limits.word), required: true,
                "The program's name there."),
            Field(
                "prints", \.prints, .oneOrMore(of: .anyScalar("a text")), required: true,
                "Texts that stand in what it printed."),
            Field("lines", \.lines, .count, "How many of its lines have each of them; at least one."),
        ],
        check: { log, tree, reader in check(log.program, of: log.on, tree, reader) })

    private static func check(_ program: String, of name: String, _ tree: Tree, _ reader: Reader) {
        guard let host = reader.names?.host(name), !host.programs.contains(program) else { return }
        reader.unknown(
            "program of \(host.name)", program, at: tree.valueLocation(of: ["program"]), known: host.programs)
    }

    struct Reference: Sendable {
        var on = ""
        var program = ""
    }

    /// What `start` and `stop` take.
    static func reference(_ name: String, _ noun: String, _ documentation: String) -> Shape<Reference> {
        .object(
            name, noun, documentation, blank: Reference(),
            fields: [
                Field("on", \.on, .name(of: .host), required: true, "The host."),
                Field(
                    "program", \.program, .text("a program of the host", upTo: Limits.word), required: true,
                    "The program's name there."),
            ],
            check: { reference, tree, reader in check(reference.program, of: reference.on, tree, reader) })
    }
}
