internal import Glibc

/// Numbers as people read them.
enum NumberText {
    /// A value in the unit's own prefixes, with four digits at most: `1.234 ms`, `12.5 %`, `8.21 MB`, `12.3 k`.
    static func value(_ value: Double, unit: String) -> String {
        switch unit {
        case "seconds": scaled(value, [(1, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")])
        case "ratio": digits(value * 100, 4) + " %"
        case "bytes": scaled(value, [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "B")])
        case "bytes per second":
            scaled(value, [(1e12, "TB/s"), (1e9, "GB/s"), (1e6, "MB/s"), (1e3, "kB/s"), (1, "B/s")])
        default: scaled(value, [(1e9, "G"), (1e6, "M"), (1e3, "k"), (1, "")])
        }
    }

    /// A part as a percentage with its sign: `+9.13 %`.
    static func change(_ part: Double) -> String {
        part.isFinite ? signed(part * 100) + " %" : part > 0 ? "from nothing" : "to nothing"
    }

    /// With one decimal more than needed for two digits, and a sign: `+9.1`, `−0.02`.
    static func signed(_ value: Double) -> String {
        let places = abs(value) >= 9.995 ? 1 : abs(value) >= 0.0995 || value == 0 ? 2 : 3
        let text = fixed(abs(value), places: places)
        return (value < 0 ? "−" : "+") + text
    }

    /// A probability: `0.012`, `1.1e-05`.
    static func probability(_ p: Double) -> String {
        guard p > 0, p < 0.0001 else { return fixed(p, places: p < 0.01 ? 4 : 3) }
        var exponent = Int(floor(log10(p)))
        var mantissa = fixed(p / pow(10, Double(exponent)), places: 1)
        if mantissa == "10.0" { (mantissa, exponent) = ("1.0", exponent + 1) }
        return "\(mantissa)e\(exponent)"
    }

    private static func scaled(_ value: Double, _ units: [(factor: Double, name: String)]) -> String {
        // A value that would be rounded up to the next larger unit has that one.
        let fitting =
            units.first { abs(value) >= $0.factor * 0.99995 } ?? (value == 0 ? units.first { $0.factor == 1 } : nil)
        guard let unit = fitting ?? units.last else { return digits(value, 4) }
        let number = digits(value / unit.factor, 4)
        return unit.name.isEmpty ? number : "\(number) \(unit.name)"
    }

    /// So many digits that count, without zeros at the end of the decimals.
    static func digits(_ value: Double, _ count: Int) -> String {
        guard value != 0, value.isFinite else { return value == 0 ? "0" : "\(value)" }
        let magnitude = Int(floor(log10(abs(value))))
        let places = max(0, count - 1 - magnitude)
        guard places <= 12 else { return "\(value)" }
        var text = fixed(abs(value), places: places)
        if text.contains(".") {
            while text.hasSuffix("0") { text.removeLast() }
            if text.hasSuffix(".") { text.removeLast() }
        }
        return (value < 0 ? "−" : "") + text
    }

    /// - Precondition: not negative, and small enough to be a whole number when it is multiplied.
    static func fixed(_ value: Double, places: Int) -> String {
        let scale = pow(10, Double(places))
        let scaled = (value * scale).rounded()
        guard scaled < 9e15 else { return "\(value)" }
        let whole = UInt64(scaled)
        let unit = UInt64(scale)
        guard places > 0 else { return "\(whole)" }
        let fraction = "\(whole % unit)"
        return "\(whole / unit)." + String(repeating: "0", count: places - fraction.count) + fraction
    }
}

/// Seconds since 1970-01-01T00:00:00Z as a date of the Gregorian calendar in UTC.
struct DateText: CustomStringConvertible {
    private var day: (year: Int64, month: Int64, day: Int64)
    private var second: Int64

    /// Source: Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
    init(_ time: Int64) {
        // A calendar ends somewhere: what a file says is no later than the year 9999, and no earlier than its like.
        let seconds = min(max(time, -253_402_300_799), 253_402_300_799)
        let days = seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400
        second = seconds - days * 86400
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        day = (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private var date: String { "\(day.year)-\(Self.two(day.month))-\(Self.two(day.day))" }

    /// `2026-11-28T17:20:00Z`
    var description: String {
        "\(date)T\(Self.two(second / 3600)):\(Self.two(second / 60 % 60)):\(Self.two(second % 60))Z"
    }

    /// `2026-11-28 17:20`
    var short: String { "\(date) \(Self.two(second / 3600)):\(Self.two(second / 60 % 60))" }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
    func leftPadded(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
