internal import Scenario

extension Diagnostic {
    /// With what would be right, unless the suggestion says as much: a long list is no help beside it.
    static func wrong(
        at location: SourceLocation, _ message: String, oneOf known: [String], suggestion: String?
    ) -> Diagnostic {
        let isPlenty = known.isEmpty || suggestion != nil && (known.count == 1 || known.count > 8)
        return Diagnostic(
            at: location, message, expected: isPlenty ? nil : Reader.oneOf(known), suggestion: suggestion)
    }

    /// Of a name that must be one of `known`. `kind` without an article: `host`.
    static func unknown(
        _ kind: String, _ name: String, at location: SourceLocation, known: [String]
    ) -> Diagnostic {
        wrong(
            at: location, "unknown \(kind) '\(Tree.shortened(name))'", oneOf: known,
            suggestion: NearestName.of(name, among: known))
    }
}

extension [Diagnostic] {
    /// The first of each file, and how many more there are: no more than somebody reads.
    func limited(to limit: Int = Limits.mistakes) -> [Diagnostic] {
        var counts: [String: Int] = [:]
        var result: [Diagnostic] = []
        var last: [String: Diagnostic] = [:]
        for diagnostic in self {
            let file = diagnostic.location.file
            counts[file, default: 0] += 1
            if counts[file, default: 0] <= limit {
                result.append(diagnostic)
            } else if last[file] == nil || diagnostic.severity == .error {
                last[file] = diagnostic
            }
        }
        for (file, diagnostic) in last.sorted(by: { $0.key < $1.key }) {
            let more = (counts[file] ?? limit) - limit
            result.append(
                Diagnostic(
                    diagnostic.severity, at: diagnostic.location,
                    "\(diagnostic.message) (\(more) mistakes of this file are told here as one)",
                    expected: diagnostic.expected, suggestion: diagnostic.suggestion))
        }
        return result
    }

    /// In the order of the files, each once: what a scenario has wrong is found again in every variant.
    func tidied() -> [Diagnostic] {
        var seen: Set<Diagnostic> = []
        return filter { seen.insert($0).inserted }
            .sorted { ($0.location, $0.message) < ($1.location, $1.message) }
    }
}
