internal import Text

/// A mistake in a file, as compilers print one: `file:line:column: error: message, expected …; did you mean 'x'?`.
public struct Diagnostic: Sendable, Hashable, CustomStringConvertible {
    public enum Severity: String, Sendable, CaseIterable { case error, warning }

    public var severity: Severity
    public var location: SourceLocation
    /// What is wrong, without a full stop.
    public var message: String
    /// What would be right: `a duration such as 2s`.
    public var expected: String?
    /// The existing name that was probably meant.
    public var suggestion: String?
    /// The line that `location` points into, for the excerpt; nil where there is none.
    public var sourceLine: String?

    public init(
        _ severity: Severity = .error, at location: SourceLocation, _ message: String, expected: String? = nil,
        suggestion: String? = nil, sourceLine: String? = nil
    ) {
        self.severity = severity
        self.location = location
        self.message = message
        self.expected = expected
        self.suggestion = suggestion
        self.sourceLine = sourceLine
    }

    /// One line, printable.
    public var description: String {
        var text = "\(location): \(severity.rawValue): \(message)"
        if let expected { text += ", expected \(expected)" }
        if let suggestion { text += "; did you mean '\(suggestion)'?" }
        return text.printable
    }

    /// The line of `description`, and below it the line of the file with a caret under the column.
    public var excerpt: String {
        guard let sourceLine else { return description }
        // Of a long line what is around the column.
        let scalars = sourceLine.unicodeScalars
        let column = max(location.column - 1, 0)
        let start = scalars.count > Self.excerptLength ? max(0, min(column, scalars.count) - Self.excerptLength / 2) : 0
        let part = scalars.dropFirst(start).prefix(Self.excerptLength)
        let before = start > 0 ? "…" : ""
        let behind = part.endIndex < scalars.endIndex ? "…" : ""
        // A tab stays a tab, so that the caret stands right whatever a terminal makes of it.
        let margin = String(String.UnicodeScalarView(part.prefix(column - start))).printable.unicodeScalars
            .map { $0 == "\t" ? "\t" : " " }
        let line = "\(before)\(String(String.UnicodeScalarView(part)).printable)\(behind)"
        return "\(description)\n    \(line)\n    \(before.isEmpty ? "" : " ")\(margin.joined())^"
    }

    /// Characters of a line in an excerpt.
    private static let excerptLength = 160
}

extension [Diagnostic] {
    public var hasErrors: Bool { contains { $0.severity == .error } }
}
