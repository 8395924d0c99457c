internal import Evidence
public import Verdict

/// Journeys as a ladder: machines as columns, time downwards, one line for each stretch of a journey in one direction.
public struct Ladder {
    /// The machines, in the order in which packets pass them.
    let columns: [String]
    private let columnOf: [String: Int]
    private let width: Int
    private let margin = 24

    /// - Parameter width: characters in a line.
    public init(_ journeys: [Journey], width: Int = 100) {
        var names: [String] = []
        // In the order in which packets pass them: what is new stands behind what came before it on the way.
        for journey in journeys {
            var furthest: Int?
            for hop in journey.hops {
                if let known = names.firstIndex(of: hop.namespace) {
                    furthest = max(furthest ?? 0, known)
                } else {
                    let index = furthest.map { $0 + 1 } ?? names.count
                    names.insert(hop.namespace, at: index)
                    furthest = index
                }
            }
        }
        columns = names
        columnOf = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        self.width = max(6, min(13, (width - 24) / max(1, names.count)))
    }

    public func lines(_ journeys: [Journey], limit: Int = 60) -> [String] {
        var lines = [header]
        var skipped: [Journey] = []
        var last: String?
        func flush() {
            guard let final = skipped.last else { return }
            let text = skipped.count == 1 ? "1 more like it" : "\(skipped.count) more like it"
            lines.append(row(label: "  … \(text)", marks: [:]) + "  until \(time(final))")
            skipped = []
        }
        for journey in journeys {
            var rows = draw(journey)
            if rows.count > 12 {
                // A loop.
                let left = "  … \(rows.count - 8) more like it"
                rows = Array(rows.prefix(6)) + [row(label: left, marks: [:])] + Array(rows.suffix(2))
            }
            let shape = rows.map { String($0.dropFirst(13)) }.joined(separator: "\n")
            if shape == last {
                skipped.append(journey)
                continue
            }
            flush()
            last = shape
            if lines.count + rows.count > limit {
                lines.append("  … and more; name a packet or a filter to see them")
                return lines
            }
            lines += rows
        }
        flush()
        return lines
    }

    private var header: String {
        var line = String(repeating: " ", count: margin)
        for name in columns {
            let text = String(name.prefix(width - 1))
            let left = (width - text.count) / 2
            line +=
                String(repeating: " ", count: left) + text
                + String(repeating: " ", count: width - left - text.count)
        }
        return line.trimmedEnd
    }

    private func time(_ journey: Journey) -> String { journey.started.microseconds }

    /// The columns that a journey passes, cut where it turns.
    func stretches(of journey: Journey) -> [[Int]] {
        var stretches: [[Int]] = []
        for hop in journey.hops {
            guard let column = columnOf[hop.namespace] else { continue }
            guard var current = stretches.last else {
                stretches.append([column])
                continue
            }
            guard let at = current.last, at != column else { continue }
            let turns = current.count > 1 && (current[1] > current[0]) != (column > at)
            if turns {
                stretches.append([at, column])
            } else {
                current.append(column)
                stretches[stretches.count - 1] = current
            }
        }
        return stretches
    }

    private func draw(_ journey: Journey) -> [String] {
        let stretches = stretches(of: journey)
        var rows: [String] = []
        for (index, stretch) in stretches.enumerated() {
            let isLast = index == stretches.count - 1
            let label =
                index == 0 ? "\(time(journey).leftPadded(to: 12)) \(journey.short.padded(to: margin - 14)) " : ""
            let fails = isLast && !journey.end.isGood
            var line = row(label: label, stretch, fails: fails, startsHere: index == 0)
            if fails { line += " " + journey.reason }
            rows.append(line.trimmedEnd)
        }
        return rows
    }

    private func row(label: String, _ stretch: [Int], fails: Bool, startsHere: Bool) -> String {
        var marks: [Int: Character] = [:]
        guard let first = stretch.first, let last = stretch.last else { return label }
        let isRight = last >= first
        let low = min(first, last)
        let high = max(first, last)
        for position in centre(low)...centre(high) { marks[position] = "─" }
        for column in low...high { marks[centre(column)] = stretch.contains(column) ? (isRight ? "▶" : "◀") : "┼" }
        marks[centre(first)] = startsHere ? "●" : "○"
        if fails { marks[centre(last)] = "✗" }
        return row(label: label, marks: marks)
    }

    private func row(label: String, marks: [Int: Character]) -> String {
        var line = [Character](repeating: " ", count: width * columns.count)
        for column in columns.indices { line[centre(column)] = "│" }
        for (position, mark) in marks { line[position] = mark }
        return String(label.prefix(margin)).padded(to: margin) + String(line)
    }

    private func centre(_ column: Int) -> Int { column * width + width / 2 }
}

extension Journey {
    /// `SYN`, `data 40`: what fits beside a ladder.
    var short: String {
        switch `protocol` {
        case "tcp":
            if let octets = packet.text(behind: " data ", until: " ") { return "data \(octets)" }
            guard let flags = packet.text(behind: " tcp [", until: "]") else { return `protocol` }
            return switch flags {
            case "S": "SYN"
            case "S.": "SYN/ACK"
            case ".": "ACK"
            case "P.": "data"
            case "F.": "FIN"
            case "R", "R.": "RST"
            default: flags
            }
        case "arp", "ndp": return packet.text(behind: " who-has ", until: " ") == nil ? "arp !" : "arp ?"
        default: return `protocol`
        }
    }

    /// A word for beside the cross.
    var reason: String {
        if case .undecided = end { return "?" }
        guard let rule = blame?.rule else { return end.text }
        if rule.rule.contains("INVALID") { return "INVALID" }
        return end == .droppedBySpoofFilter ? "spoof filter" : "rule"
    }
}

extension String {
    /// What stands between an ASCII text and the next such octet, or the end; nil without that text. Octet by octet, for it
    /// is asked of every packet.
    func text(behind start: StaticString, until end: Unicode.Scalar) -> String? {
        var text = self
        return text.withUTF8 { text in
            start.withUTF8Buffer { start in
                guard let first = start.first, text.count >= start.count else { return nil }
                for position in 0...text.count - start.count where text[position] == first {
                    guard text[position..<position + start.count].elementsEqual(start) else { continue }
                    let found = text[(position + start.count)...].prefix { $0 != UInt8(ascii: end) }
                    return String(decoding: found, as: UTF8.self)
                }
                return nil
            }
        }
    }

    var trimmedEnd: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
