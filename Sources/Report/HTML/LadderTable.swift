internal import Verdict

/// The ladder as a table: a row for each packet, machines as columns, time downwards.
struct LadderTable {
    private let ladder: Ladder
    private let journeys: [Journey]
    private static let column = 84
    private static let rung = 20
    /// Rows; what follows is left out.
    private static let limit = 300

    init(_ journeys: [Journey]) {
        self.journeys = journeys
        ladder = Ladder(journeys)
    }

    var markup: Markup {
        let columns = ladder.columns
        var rows: [Markup] = []
        var skipped: [Journey] = []
        var last: Shape?
        func flush() {
            guard let final = skipped.last else { return }
            rows.append(
                """
                <tr class="more"><td></td><td></td><td>… \(skipped.count) more</td>\
                <td class="rungs" colspan="\(columns.count)">\(svg(height: Self.rung, "", label: nil))</td>\
                <td class="end">until \(final.started.microseconds)</td></tr>

                """)
            skipped = []
        }
        var left = 0
        for (index, journey) in journeys.enumerated() {
            let shape = Shape(journey)
            if shape == last {
                skipped.append(journey)
                continue
            }
            flush()
            last = shape
            guard rows.count < Self.limit else {
                left = journeys.count - index
                break
            }
            rows.append(row(journey))
        }
        flush()
        let head =
            ["#", "time", "packet"].map { "<th scope=\"col\">\($0)</th>" as Markup }
            + columns.map { "<th scope=\"col\" class=\"host\">\($0)</th>" } + ["<th scope=\"col\">end</th>"]
        return """
            <div class="scroll tall" tabindex="0" role="region" aria-label="Sequence ladder"><table class="ladder">\
            <thead><tr>\(head)</tr></thead><tbody>
            \(rows)</tbody></table></div>
            \(.when(left > 0, "<p class=\"note\">\(left) more packets are in the capture.</p>"))
            """
    }

    /// What makes two rows look the same.
    private struct Shape: Equatable {
        var label: String
        var ports: [String]
        var reason: String?
        var flow: Int?

        init(_ journey: Journey) {
            label = journey.short
            ports = journey.hops.map { $0.port + $0.direction.rawValue }
            reason = journey.end.isGood ? nil : journey.reason
            flow = journey.flow
        }
    }

    private func row(_ journey: Journey) -> Markup {
        let good = journey.end.isGood
        let ways = journey.hops.map(\.namespace).reduce(into: [String]()) { if $0.last != $1 { $0.append($1) } }
        let spoken = ways.joined(separator: ", ") + (good ? "" : "; " + journey.end.text)
        return """
            <tr\(.when(!good, " class=\"fails\"")) data-n="\(journey.number)"><td class="num">\(journey.number)</td>\
            <td class="num">\(journey.started.microseconds)</td>\
            <td class="packet"><button type="button" class="pick" title="\(journey.packet)">\(journey.short)</button></td>\
            <td class="rungs" colspan="\(ladder.columns.count)">\(drawing(journey, spoken))</td>\
            <td class="end">\(good ? "" : "✗ \(journey.reason)")</td></tr>

            """
    }

    private func drawing(_ journey: Journey, _ spoken: String) -> Markup {
        var stretches = ladder.stretches(of: journey)
        // A loop.
        if stretches.count > 10 { stretches = Array(stretches.prefix(10)) }
        let height = max(1, stretches.count) * Self.rung + 6
        var lines: Markup = ""
        for (number, stretch) in stretches.enumerated() {
            guard let first = stretch.first, let last = stretch.last else { continue }
            let y = number * Self.rung + Self.rung / 2 + 3
            let isLast = number == stretches.count - 1
            let fails = isLast && !journey.end.isGood
            let ahead = last >= first ? 1 : -1
            let tip = fails || first == last ? centre(last) : centre(last) - ahead
            lines += "<path class=\"rung\" d=\"M\(centre(first)) \(y)H\(tip)\"/>"
            if number == 0 { lines += "<circle cx=\"\(centre(first))\" cy=\"\(y)\" r=\"3.5\"/>" }
            for column in stretch.dropFirst() {
                let x = centre(column)
                if column == last, fails { continue }
                lines += "<path class=\"tip\" d=\"M\(x) \(y)l\(-7 * ahead) -4v8z\"/>"
            }
            if fails { lines += "<path class=\"cross\" d=\"M\(centre(last) - 6) \(y - 6)l12 12m0 -12l-12 12\"/>" }
        }
        return svg(height: height, lines, label: spoken)
    }

    private func svg(height: Int, _ lines: Markup, label: String?) -> Markup {
        let poles = ladder.columns.indices.map { "M\(centre($0)) 0V\(height)" }.joined()
        return """
            <svg width="\(ladder.columns.count * Self.column)" height="\(height)" \
            \(label.map { "role=\"img\" aria-label=\"\($0)\"" } ?? "aria-hidden=\"true\"")>\
            <path class="pole" d="\(poles)"/>\(lines)</svg>
            """
    }

    private func centre(_ column: Int) -> Int { column * Self.column + Self.column / 2 }
}
