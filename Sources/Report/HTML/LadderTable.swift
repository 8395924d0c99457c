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

    /// The distinct drawings, each once in the page: hundreds of packets go a handful of ways.
    private struct Drawings {
        private(set) var definitions: [Markup] = []
        private var known: [Key: Int] = [:]

        struct Key: Hashable {
            var stretches: [[Int]]
            var fails: Bool
        }

        mutating func number(of key: Key, _ draw: () -> Markup) -> Int {
            if let number = known[key] { return number }
            let number = definitions.count
            known[key] = number
            definitions.append(
                "<g id=\"r\(number)\"\(.when(key.fails, " class=\"fails\""))>\(draw())</g>\n")
            return number
        }
    }

    var markup: Markup {
        let columns = ladder.columns
        var drawings = Drawings()
        var rows: [Markup] = []
        var skipped: [Journey] = []
        var last: Journey?
        var lastWord = ""
        let pause = svg(height: Self.rung, drawings.number(of: .init(stretches: [], fails: false)) { poles(Self.rung) })
        func flush() {
            guard let final = skipped.last else { return }
            rows.append(
                """
                <tr class="more"><td></td><td></td><td>… \(skipped.count) more</td>\
                <td colspan="\(columns.count)">\(pause)</td>\
                <td>until \(final.started.microseconds)</td></tr>

                """)
            skipped = []
        }
        var left = 0
        for (index, journey) in journeys.enumerated() {
            let word = journey.short
            if let last, word == lastWord, Self.lookSame(journey, last) {
                skipped.append(journey)
                continue
            }
            flush()
            (last, lastWord) = (journey, word)
            guard rows.count < Self.limit else {
                left = journeys.count - index
                break
            }
            rows.append(row(journey, word, &drawings))
        }
        flush()
        let head =
            ["#", "time", "packet"].map { "<th scope=\"col\">\($0)</th>" as Markup }
            + columns.map { "<th scope=\"col\" class=\"host\">\($0)</th>" } + ["<th scope=\"col\">end</th>"]
        return """
            <div class="scroll tall" tabindex="0" role="region" aria-label="Sequence ladder">
            <svg class="drawings" width="0" height="0" aria-hidden="true"><defs>
            \(drawings.definitions)</defs></svg><table class="ladder">\
            <thead><tr>\(head)</tr></thead><tbody>
            \(rows)</tbody></table></div>
            \(.when(left > 0, "<p class=\"note\">\(left) more packets are in the capture.</p>"))
            """
    }

    /// Whether two rows with the same word differ in nothing but their time.
    private static func lookSame(_ one: Journey, _ other: Journey) -> Bool {
        one.flow == other.flow && one.end.isGood == other.end.isGood
            && one.hops.elementsEqual(other.hops) { $0.direction == $1.direction && $0.port == $1.port }
            && (one.end.isGood || one.reason == other.reason)
    }

    private func row(_ journey: Journey, _ word: String, _ drawings: inout Drawings) -> Markup {
        let good = journey.end.isGood
        var stretches = ladder.stretches(of: journey)
        // A loop.
        if stretches.count > 10 { stretches = Array(stretches.prefix(10)) }
        let height = max(1, stretches.count) * Self.rung + 6
        let number = drawings.number(of: .init(stretches: stretches, fails: !good)) {
            "\(poles(height))\(lines(stretches, fails: !good))"
        }
        let ways = stretches.reduce(into: [Int]()) { $0 += $0.isEmpty ? $1 : Array($1.dropFirst()) }
        let spoken = ways.map { ladder.columns[$0] }.joined(separator: ", ") + (good ? "" : "; " + journey.end.text)
        return """
            <tr\(.when(!good, " class=\"fails\"")) data-n="\(journey.number)"><td>\(journey.number)</td>\
            <td>\(journey.started.microseconds)</td>\
            <td><button class="pick">\(word)</button></td>\
            <td colspan="\(ladder.columns.count)">\(svg(height: height, number, label: spoken))</td>\
            <td>\(good ? "" : "✗ \(journey.reason)")</td></tr>

            """
    }

    private func lines(_ stretches: [[Int]], fails: Bool) -> Markup {
        var lines: Markup = ""
        for (number, stretch) in stretches.enumerated() {
            guard let first = stretch.first, let last = stretch.last else { continue }
            let y = number * Self.rung + Self.rung / 2 + 3
            let endsHere = fails && number == stretches.count - 1
            let ahead = last >= first ? 1 : -1
            let tip = endsHere || first == last ? centre(last) : centre(last) - ahead
            lines += "<path class=\"rung\" d=\"M\(centre(first)) \(y)H\(tip)\"/>"
            if number == 0 { lines += "<circle class=\"dot\" cx=\"\(centre(first))\" cy=\"\(y)\" r=\"3.5\"/>" }
            for column in stretch.dropFirst() {
                let x = centre(column)
                if column == last, endsHere { continue }
                lines += "<path class=\"tip\" d=\"M\(x) \(y)l\(-7 * ahead) -4v8z\"/>"
            }
            if endsHere { lines += "<path class=\"x\" d=\"M\(centre(last) - 6) \(y - 6)l12 12m0 -12l-12 12\"/>" }
        }
        return lines
    }

    private func poles(_ height: Int) -> Markup {
        "<path class=\"pole\" d=\"\(ladder.columns.indices.map { "M\(centre($0)) 0V\(height)" }.joined())\"/>"
    }

    private func svg(height: Int, _ drawing: Int, label: String? = nil) -> Markup {
        let role: Markup = label.map { "role=\"img\" aria-label=\"\($0)\"" } ?? "aria-hidden=\"true\""
        return """
            <svg width="\(ladder.columns.count * Self.column)" height="\(height)" \(role)>\
            <use href="#r\(drawing)"/></svg>
            """
    }

    private func centre(_ column: Int) -> Int { column * Self.column + Self.column / 2 }
}
