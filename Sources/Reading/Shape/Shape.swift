internal import Scenario

/// How a value of the format is read, and how it is described: one declaration for both.
struct Shape<Value>: Sendable {
    let schema: Schema
    /// For messages, with its article: `a duration such as 2s, 500ms or 15min`.
    let expected: String
    /// Reports what is wrong; nil if nothing can be made of the tree. What it returns beside a reported error is for
    /// looking further only.
    let read: @Sendable (Tree, Reader) -> Value?

    /// The same, as another type.
    func map<Other>(_ transform: @escaping @Sendable (Value) -> Other) -> Shape<Other> {
        Shape<Other>(schema: schema, expected: expected) { tree, reader in read(tree, reader).map(transform) }
    }

    /// The same, with a further look at what was read.
    func checked(_ check: @escaping @Sendable (Value, Tree, Reader) -> Void) -> Shape {
        Shape(schema: schema, expected: expected) { tree, reader in
            let value = read(tree, reader)
            if let value { check(value, tree, reader) }
            return value
        }
    }
}

/// What one reading has found so far. A reader belongs to one thread and one scenario.
final class Reader {
    private(set) var diagnostics: [Diagnostic] = []
    /// The names that exist; nil where the topology could not be read, and no name can be called unknown.
    let names: Names?
    let checks: ScenarioChecks
    /// Connections in the timeline so far: where each was opened, and whether it was closed again.
    var connections: [String: (opened: SourceLocation, closed: Bool)] = [:]
    /// Those that are open, in the order of their opening.
    var openConnections: [String] {
        connections.filter { !$0.value.closed }.sorted { ($0.value.opened, $0.key) < ($1.value.opened, $1.key) }.map(
            \.key)
    }
    /// What files that all scenarios of one file name have said already.
    let memory: ReadingMemory

    init(names: Names?, checks: ScenarioChecks, memory: ReadingMemory = ReadingMemory()) {
        self.memory = memory
        self.names = names
        self.checks = checks
    }

    func error(
        at location: SourceLocation, _ message: String, expected: String? = nil, suggestion: String? = nil
    ) {
        note(Diagnostic(at: location, message, expected: expected, suggestion: suggestion))
    }

    /// Whether anything has more entries than may be: then nothing is looked at as a whole.
    private(set) var hasTooMany = false

    func tooMany(_ count: Int, in kind: String, at location: SourceLocation, limit: Int) {
        hasTooMany = true
        error(at: location, "the \(kind) has \(count) entries", expected: "at most \(limit)")
    }

    /// Somebody who has more mistakes than are told needs no more of them.
    private func note(_ diagnostic: Diagnostic) {
        if diagnostics.count <= 10 * Limits.mistakes { diagnostics.append(diagnostic) }
    }

    func warning(at location: SourceLocation, _ message: String, expected: String? = nil) {
        note(Diagnostic(.warning, at: location, message, expected: expected))
    }

    func unknown(_ kind: String, _ name: String, at location: SourceLocation, known: [String]) {
        // Beyond what is told, nobody needs the name that was meant.
        guard diagnostics.count <= Limits.mistakes else {
            return note(Diagnostic(at: location, "unknown \(kind) '\(Tree.shortened(name))'"))
        }
        note(.unknown(kind, name, at: location, known: known))
    }

    func error(at location: SourceLocation, _ message: String, oneOf known: [String], suggestion: String?) {
        note(.wrong(at: location, message, oneOf: known, suggestion: suggestion))
    }

    /// The words, or the first of very many.
    static func oneOf(_ words: [String]) -> String {
        guard words.count != 1 else { return "'\(words[0])'" }
        let most = 40
        let rest = words.count > most ? " and \(words.count - most) more" : ""
        return "one of \(words.prefix(most).joined(separator: ", "))\(rest)"
    }
}

/// What the format cannot know by itself.
public struct ScenarioChecks: Sendable {
    /// Says what is wrong with a pcap filter; nil if nothing is.
    public var validateFilter: @Sendable (String) -> String?
    /// What engines can have (`needs:`); nil to take any word.
    public var knownNeeds: [String]?
    /// Neutron's releases; nil to take any.
    public var releases: Releases?

    public struct Releases: Sendable {
        public var exists: @Sendable (String) -> Bool
        /// The version that was probably meant; nil if that cannot be told by its number.
        public var nearest: @Sendable (String) -> String?
        /// The series' names.
        public var names: [String]
        /// What would be right, for messages.
        public var expected: String

        public init(
            exists: @escaping @Sendable (String) -> Bool, nearest: @escaping @Sendable (String) -> String?,
            names: [String], expected: String
        ) {
            self.exists = exists
            self.nearest = nearest
            self.names = names
            self.expected = expected
        }
    }

    public init(
        validateFilter: @escaping @Sendable (String) -> String? = { _ in nil }, knownNeeds: [String]? = nil,
        releases: Releases? = nil
    ) {
        self.validateFilter = validateFilter
        self.knownNeeds = knownNeeds
        self.releases = releases
    }
}
