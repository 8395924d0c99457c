/// Arithmetic on numbers that come from outside, from a file or a guest: what does not fit is the greatest number there is, or
/// the least one, and never the end of the program.
extension Sequence where Element: FixedWidthInteger {
    /// The sum, or the greatest (least) number there is if it does not fit: of counts that come from outside.
    public var saturatingSum: Element { reduce(0) { $0.addingSaturated($1) } }
}

extension FixedWidthInteger {
    /// The sum, or the greatest (least) number there is if it does not fit.
    public func addingSaturated(_ other: Self) -> Self {
        let (sum, isTooGreat) = addingReportingOverflow(other)
        return isTooGreat ? (other < 0 ? .min : .max) : sum
    }

    /// The difference, or the least (greatest) number there is if it does not fit.
    public func subtractingSaturated(_ other: Self) -> Self {
        let (difference, isTooGreat) = subtractingReportingOverflow(other)
        return isTooGreat ? (Self.isSigned ? (other < 0 ? .max : .min) : .min) : difference
    }

    /// The product, or the greatest (least) number there is if it does not fit.
    public func multipliedSaturated(by other: Self) -> Self {
        let (product, isTooGreat) = multipliedReportingOverflow(by: other)
        return isTooGreat ? ((self < 0) == (other < 0) ? .max : .min) : product
    }
}

extension Int {
    /// The nearest whole number; the greatest or least there is if it does not fit, 0 for what is no number.
    public init(saturating value: Double) {
        let rounded = value.rounded()
        self = rounded.isNaN ? 0 : rounded >= 0x1p63 ? .max : rounded < -0x1p63 ? .min : Int(rounded)
    }
}
