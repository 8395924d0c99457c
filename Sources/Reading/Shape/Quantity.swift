internal import Scenario

/// The format's ways to write an amount.
enum Quantity {
    private static let durationUnits: [String: Int64] = [
        "ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "min": 60_000_000_000, "h": 3_600_000_000_000,
    ]

    private static let rateUnits: [String: Int64] = [
        "bit": 1, "kbit": 1_000, "Mbit": 1_000_000, "Gbit": 1_000_000_000,
    ]

    /// Whether a text is written as an amount of one of these kinds, but is more than any number here holds: nothing is wrong
    /// with it but its size.
    static func isBeyondNumbers(_ text: String) -> Bool {
        guard let (number, unit) = split(text),
            let factor = durationUnits[unit] ?? rateUnits[unit] ?? sizeUnits[unit].map({ Int64($0) }),
            number.count(where: { $0 == "." }) <= 1, let amount = Double(number)
        else { return false }
        return amount * Double(factor) >= Double(Int64.max)
    }

    /// `2s`, `1.5s`, `500ms`, `15min`, `1h`, in nanoseconds; nil for anything else, also for what does not fit.
    static func duration(_ text: String) -> Int64? {
        guard let (number, unit) = split(text), let factor = durationUnits[unit] else { return nil }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = Int64(parts[0]) else { return nil }
        let (product, overflow) = whole.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        guard parts.count == 2 else { return product }
        // Digit by digit, so that 1.5s is exact; more digits than the unit has nanoseconds are no duration.
        guard !parts[1].isEmpty, parts[1].utf8.count <= 13 else { return nil }
        var rest: Int64 = 0
        var digitValue = factor
        for digit in parts[1].utf8 {
            guard digitValue % 10 == 0 else { return nil }
            digitValue /= 10
            rest += Int64(digit - 0x30) * digitValue
        }
        let (sum, tooMuch) = product.addingReportingOverflow(rest)
        return tooMuch ? nil : sum
    }

    private static let sizeUnits = [
        "": 1, "B": 1, "kB": 1_000, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000,
        "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
    ]

    /// `1500`, `1MB`, `64KiB`, in bytes.
    static func size(_ text: String) -> Int? {
        guard let (number, unit) = split(text), let factor = sizeUnits[unit], let amount = Int(number) else {
            return nil
        }
        let (product, overflow) = amount.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }

    /// `5%`, `0.1%`, from 0 to 100.
    static func percent(_ text: String) -> Double? { percent(text, atMost: 100) }

    private static func percent(_ text: String, atMost limit: Double) -> Double? {
        guard let (number, unit) = split(text), unit == "%", let value = Double(number), (0...limit).contains(value)
        else { return nil }
        return value
    }

    /// `100kbit`, `10Mbit`, in bits per second; tc(8)'s words.
    static func rate(_ text: String) -> Int64? {
        guard let (number, unit) = split(text), let factor = rateUnits[unit], let amount = Int64(number), amount > 0
        else { return nil }
        let (product, overflow) = amount.multipliedReportingOverflow(by: factor)
        return overflow || product < 8 ? nil : product
    }

    /// `3`, `>= 1`, `> 5`, `<= 2`, `< 3`, `2..4`.
    static func count(_ text: String) -> Expectation.Count? {
        bounds(text) { text in
            guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            return Int(text)
        }
    }

    /// Bytes, each written as a size is: `1MB`, `<= 64KiB`, `1000..2kB`.
    static func sizes(_ text: String) -> Expectation.Count? { bounds(text, size) }

    /// Nanoseconds: `<= 3s`, `500ms..2s`. No clock measures exactly one.
    static func durations(_ text: String) -> Expectation.Count? {
        duration(text) == nil ? bounds(text) { duration($0).map { Int($0) } } : nil
    }

    /// Bits per second: `>= 900Mbit`. Nothing is measured to have exactly one.
    static func rates(_ text: String) -> Expectation.Count? {
        rate(text) == nil ? bounds(text) { rate($0).map { Int($0) } } : nil
    }

    /// Thousandths of a percent, of which there may be more than a hundred: `<= 5%`, `190%..210%`.
    static func percents(_ text: String) -> Expectation.Count? {
        bounds(text) { percent($0, atMost: 1_000_000).map { Int(($0 * 1000).rounded()) } }
    }

    private static func bounds(_ text: String, _ read: (String) -> Int?) -> Expectation.Count? {
        func number(_ text: some StringProtocol) -> Int? {
            read(String(text.drop { $0 == " " })).flatMap { $0 <= Limits.count ? $0 : nil }
        }
        if text.hasPrefix(">=") { return number(text.dropFirst(2)).map { .init(minimum: $0, maximum: .max) } }
        if text.hasPrefix("<=") { return number(text.dropFirst(2)).map { .init(minimum: 0, maximum: $0) } }
        if text.hasPrefix(">") {
            return number(text.dropFirst()).flatMap { $0 == .max ? nil : .init(minimum: $0 + 1, maximum: .max) }
        }
        if text.hasPrefix("<") {
            // Less than nothing is never true: no count.
            return number(text.dropFirst()).flatMap { $0 == 0 ? nil : .init(minimum: 0, maximum: $0 - 1) }
        }
        if let exact = number(text) { return .init(minimum: exact, maximum: exact) }
        guard let dots = text.firstRange(of: "..") else { return nil }
        let lower = text[..<dots.lowerBound]
        guard let minimum = number(lower.hasSuffix(" ") ? lower.dropLast() : lower),
            let maximum = number(text[dots.upperBound...]), minimum <= maximum
        else { return nil }
        return .init(minimum: minimum, maximum: maximum)
    }

    /// Digits (with at most a point) and what follows them, a space between them allowed.
    private static func split(_ text: String) -> (number: Substring, unit: String)? {
        let number = text.prefix { "0123456789.".contains($0) }
        guard let first = number.first, first != ".", number.last != "." else { return nil }
        let rest = text[number.endIndex...]
        return (number, String(rest.first == " " ? rest.dropFirst() : rest))
    }
}
