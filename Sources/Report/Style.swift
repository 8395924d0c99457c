internal import Evidence
internal import Verdict

extension Verdict.Status {
    /// How people's reports name it.
    var label: String {
        switch self {
        case .passed: "PASS"
        case .failed: "FAIL"
        case .skipped: "SKIP"
        case .error: "ERROR"
        }
    }

    /// The colour's SGR code (ECMA-48, 8.3.117).
    private var colour: Int {
        switch self {
        case .passed: 32
        case .failed: 31
        case .skipped: 33
        case .error: 35
        }
    }

    func label(coloured: Bool) -> String { coloured ? "\u{1B}[\(colour)m\(label)\u{1B}[0m" : label }
}

extension Nanoseconds {
    /// Seconds with two decimals: `0.41`.
    var roundedSeconds: String { decimal(places: 2) }
    /// Seconds with three decimals: `0.412`.
    var milliseconds: String { decimal(places: 3) }

    /// Seconds with six decimals.
    var microseconds: String { decimal(places: 6) }

    /// Of any number there is: what comes from a file may be less than nothing.
    private func decimal(places: Int) -> String {
        let scale = (0..<places).reduce(UInt64(1)) { product, _ in product * 10 }
        let unit = 1_000_000_000 / scale
        let rounded = magnitude / unit + (magnitude % unit >= (unit + 1) / 2 ? 1 : 0)
        let fraction = String(rounded % scale)
        return (self < 0 && rounded > 0 ? "-" : "") + "\(rounded / scale)."
            + String(repeating: "0", count: places - fraction.count) + fraction
    }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - count)) }
    func leftPadded(to width: Int) -> String { String(repeating: " ", count: Swift.max(0, width - count)) + self }
}
