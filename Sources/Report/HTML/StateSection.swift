internal import Evidence
internal import Measurement
internal import Net

/// Step by step: what clients saw, the conntrack tables, IPVS. What is new, different or gone since the step before is
/// marked; of what is as before, long tables repeat no more than a few rows.
struct StateSection {
    private let evidence: Evidence
    /// Rows of one table; what follows is left out.
    private static let limit = 150
    /// Rows of one table that are as they were.
    private static let same = 12

    init(_ evidence: Evidence) { self.evidence = evidence }

    private struct Row {
        /// What it is the state of.
        var key: ExactText
        var cells: [String]
        /// Whether the last cell is a timer: it runs, which is no change.
        var hasTimer = false

        var settled: ArraySlice<String> { hasTimer ? cells.dropLast() : cells[...] }

        func markup(_ className: String) -> Markup {
            """
            <tr\(.when(!className.isEmpty, " class=\"\(className)\""))>\(cells.map { "<td>\($0)</td>" as Markup })</tr>

            """
        }
    }

    var markup: Markup {
        var before = evidence.initial
        var parts: [Markup] = []
        for (index, step) in evidence.steps.enumerated() {
            parts.append(part(index, step, before))
            before = step.after
        }
        let end = tables(evidence.final, since: before)
        if !end.text.isEmpty {
            parts.append(
                """
                <details class="step"><summary><span class="num">\(evidence.ended.microseconds)</span> At the end</summary>
                \(end)</details>

                """)
        }
        guard !parts.isEmpty else { return "" }
        return """
            <p class="hint">Coloured rows are new, or different, since the step before; struck ones are gone.</p>
            \(parts)
            """
    }

    private func part(_ index: Int, _ step: StepRecord, _ before: Snapshot) -> Markup {
        """
        <details class="step" id="step-\(index)"\(.when(index == 0, " open"))><summary><span class="num">\
        \(step.started.microseconds)</span> \(step.name)</summary>
        \(command(step.command))\(transcripts(step.transcripts))\(tables(step.after, since: before))</details>

        """
    }

    private func command(_ command: CommandRecord?) -> Markup {
        guard let command else { return "" }
        let text = [command.output, command.errors].filter { !$0.isEmpty }.joined(separator: "\n")
        let cut = String(text.prefix(8_000)) + (text.count > 8_000 ? "\n…" : "")
        return """
            <p><code>\(command.arguments.joined(separator: " "))</code>: \
            \(command.status < 0 ? "ended by signal \(-command.status)" : "exit status \(command.status)")</p>
            \(.when(!cut.isEmpty, "<pre tabindex=\"0\">\(cut)</pre>\n"))
            """
    }

    private func transcripts(_ transcripts: [Transcript]) -> Markup {
        guard !transcripts.isEmpty else { return "" }
        let rows = transcripts.prefix(Self.limit).map { item in
            let source = item.source.map { "\($0)" } ?? item.client
            let took = item.ended.subtractingSaturated(item.started).microseconds
            let end =
                item.outcome == .answered
                ? item.server.map { "answered by \($0)" } ?? "answered" : item.outcome.rawValue
            return """
                <tr class="\(item.outcome == .answered ? "" : "fails")"><td class="num">\(item.started.microseconds)</td>\
                <td>\(item.protocol)</td><td class="num">\(source) → \("\(item.destination)")</td>\
                <td>\(end)\(item.detail.markup { " (\($0))" })</td><td class="num">\(took) s</td>\
                <td class="num">\(item.sentBytes)</td><td class="num">\(item.receivedBytes)</td></tr>

                """ as Markup
        }
        return """
            <h3>What clients saw</h3>
            \(scrollingTable("What clients saw", head: ["at", "", "connection", "end", "took", "sent", "received"], rows: rows))\
            \(leftOut(transcripts.count))
            """
    }

    private func leftOut(_ count: Int) -> Markup {
        .when(
            count > Self.limit, "<p class=\"note\">\(count - Self.limit) more are in <code>evidence.json</code>.</p>\n")
    }

    // MARK: Tables

    private func tables(_ snapshot: Snapshot, since before: Snapshot) -> Markup {
        var parts: [Markup] = []
        for (place, entries) in snapshot.conntrack.sorted(by: { $0.key < $1.key }) where !entries.isEmpty {
            parts.append(
                table(
                    "conntrack on \(place)",
                    ["", "original", "reply", "state", "flags", "zone", "mark", "expires"], entries.map(Self.row),
                    since: (before.conntrack[place] ?? []).map(Self.row)))
        }
        for (place, state) in snapshot.ipvs.sorted(by: { $0.key < $1.key }) {
            let old = before.ipvs[place]
            parts.append(
                table(
                    "IPVS services on \(place)",
                    ["service, real server", "", "weight", "active", "inactive", "connections", "in", "out"],
                    state.services.flatMap(Self.rows), since: (old?.services ?? []).flatMap(Self.rows)))
            if !state.connections.isEmpty {
                parts.append(
                    table(
                        "IPVS connections on \(place)", ["", "client", "virtual", "real server", "state", "expires"],
                        state.connections.map(Self.row), since: (old?.connections ?? []).map(Self.row)))
            }
        }
        return "\(parts)"
    }

    private func table(_ title: String, _ head: [String], _ rows: [Row], since old: [Row]) -> Markup {
        var known: [ExactText: Row] = [:]
        for row in old { known[row.key] = row }
        var shown: [Markup] = []
        var same = 0
        var left = 0
        for row in rows {
            let isSame = known.removeValue(forKey: row.key).map { $0.settled == row.settled } ?? false
            if isSame {
                same += 1
                if same > Self.same { continue }
            } else if shown.count >= Self.limit {
                left += 1
                continue
            }
            shown.append(row.markup(isSame ? "" : "fresh"))
        }
        let gone = old.filter { known[$0.key] != nil }
        shown += gone.prefix(Self.limit - min(shown.count, Self.limit)).map { $0.markup("gone") }
        let notes = [
            same > Self.same ? "\(same - Self.same) more are as they were" : nil,
            left > 0 ? "\(left) more are in evidence.json" : nil,
        ].compactMap { $0 }
        return """
            <h3>\(title)</h3>
            \(scrollingTable(title, head: head, rows: shown, className: "state"))\
            \(.when(!notes.isEmpty, "<p class=\"note\">\(notes.joined(separator: "; ")).</p>\n"))
            """
    }

    private static func row(_ entry: ConntrackEntry) -> Row {
        func text(_ tuple: ConntrackTuple) -> String {
            "\(Endpoint(tuple.source, port: tuple.sourcePort)) → \(Endpoint(tuple.destination, port: tuple.destinationPort))"
        }
        let original = text(entry.original)
        return Row(
            key: ExactText("\(entry.protocol) \(original) \(entry.zone)"),
            cells: [
                entry.protocol, original, text(entry.reply), entry.state ?? "", entry.flags.joined(separator: " "),
                entry.zone == 0 ? "" : String(entry.zone),
                entry.mark == 0 ? "" : "0x" + String(entry.mark, radix: 16), "\(entry.timeout) s",
            ], hasTimer: true)
    }

    private static func rows(_ service: IPVSService) -> [Row] {
        let endpoint = service.address.map { "\(Endpoint($0, port: service.port ?? 0))" } ?? ""
        let name = service.firewallMark.map { "mark \($0)" } ?? "\(service.protocol ?? "") \(endpoint)"
        func counts(_ statistics: IPVSStatistics) -> [String] {
            [String(statistics.connections), String(statistics.inPackets), String(statistics.outPackets)]
        }
        let head = Row(key: ExactText(name), cells: [name, service.scheduler, "", "", ""] + counts(service.statistics))
        return [head]
            + service.destinations.map { server in
                let address = "\(Endpoint(server.address, port: server.port))"
                return Row(
                    key: ExactText("\(name) \(address)"),
                    cells: [
                        "  → \(address)", server.forwarding, String(server.weight), String(server.activeConnections),
                        String(server.inactiveConnections),
                    ] + counts(server.statistics))
            }
    }

    private static func row(_ connection: IPVSConnection) -> Row {
        Row(
            key: ExactText("\(connection.protocol) \(connection.client) \(connection.virtual)"),
            cells: [
                connection.protocol, "\(connection.client)", "\(connection.virtual)", "\(connection.destination)",
                connection.state, "\(connection.expires) s",
            ], hasTimer: true)
    }
}
