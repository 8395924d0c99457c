public import Scenario

/// A scenario with one thing changed in its set-up, and the expectations as they were: it must fail.
public struct Mutant: Sendable, Equatable {
    /// The scenario's full name.
    public var original: String
    /// What was changed, for reports.
    public var change: String
    /// Its variant's name has a `+` and the change's name at its end.
    public var scenario: Scenario
}

/// A file's mutants.
///
/// A mutation is written under `mutations`: an overlay of the set-up with a title, in which `without` names steps, or
/// what happens meanwhile, that do not happen. Beside that, every other scenario of the file is one: this one's timeline and expectations in that
/// one's network must fail, too, or the variant shows nothing.
struct Mutations {
    static let key = "mutations"
    static let withoutKey = "without"
    /// What a scenario says of what happens and what must be seen; all other keys are its set-up.
    static let events: Set = ["timeline", "expect", "settle", "capture"]
    /// What a mutation cannot change: it is laid over the topology already.
    static let fixed = events.union([ScenarioFormat.topologyKey])
    /// Neither of both.
    private static let prose: Set = ["title", "description", "tags", "source"]

    struct Draft {
        var name: String
        var change: String
        var tree: Tree
        /// Whether somebody wrote it: its mistakes are theirs.
        var isWritten: Bool
    }

    private(set) var diagnostics: [Diagnostic] = []

    /// The mutations of a scenario of the file.
    /// - Parameters:
    ///   - tree: the scenario with its topology, without the key.
    ///   - written: what stands under the key, parameters put in.
    ///   - others: the other scenarios of the file, by what they are called there.
    mutating func drafts(of tree: Tree, written: Tree?, others: [(name: String, tree: Tree)]) -> [Draft] {
        var drafts: [Draft] = []
        if let written {
            guard let entries = written.entries else {
                report(
                    written.location, "found \(written.found)",
                    expected: "a mapping from each mutation's name to what it changes")
                return []
            }
            drafts = entries.compactMap { draft($0, of: tree) }
        }
        for other in others {
            let mixed = Self.mixed(setUp: other.tree, events: tree)
            guard !mixed.says(the: tree) else { continue }
            drafts.append(
                Draft(name: other.name, change: "the set-up of \(other.name)", tree: mixed, isWritten: false))
        }
        return drafts
    }

    private mutating func draft(_ entry: Tree.Entry, of tree: Tree) -> Draft? {
        if !NameForm.scenario.matches(entry.key) {
            report(
                entry.keyLocation, "'\(Tree.shortened(entry.key))' cannot be a mutation's name",
                expected: NameForm.scenario.expected)
        }
        guard let keys = entry.value.entries else {
            report(
                entry.value.location, "found \(entry.value.found)",
                expected: "a mutation (a mapping with title and what it changes)")
            return nil
        }
        for key in keys where Self.fixed.contains(key.key) {
            report(
                key.keyLocation, "a mutation changes the set-up, not the \(key.key)",
                expected: "'without', or keys of the network")
        }
        let title = entry.value[ScenarioFormat.titleKey]?.text
        if title == nil {
            report(
                entry.keyLocation, "mutation '\(Tree.shortened(entry.key))' needs 'title'", expected: "what it changes")
        }
        var mutated = tree.overlaid(by: entry.value.without([Self.withoutKey, ScenarioFormat.titleKey]))
        if let left = entry.value[Self.withoutKey] { mutated = without(left, in: mutated) }
        return Draft(name: entry.key, change: title ?? entry.key, tree: mutated, isWritten: true)
    }

    private mutating func report(_ place: SourceLocation, _ message: String, expected: String) {
        diagnostics.append(Diagnostic(at: place, message, expected: expected))
    }

    /// The scenario without some of its steps.
    private mutating func without(_ left: Tree, in tree: Tree) -> Tree {
        let names = (left.elements ?? [left]).compactMap { name in name.text.map { ($0, name.location) } }
        let steps = tree["timeline"]?.elements ?? []
        let all = steps.flatMap { [$0] + ($0["meanwhile"]?.elements ?? []) }
        let known = all.compactMap { $0["name"]?.text }
        for (name, place) in names where !known.contains(name) {
            diagnostics.append(.unknown("step", name, at: place, known: known))
        }
        let gone = Set(names.map(\.0))
        func kept(_ steps: [Tree]) -> [Tree] {
            steps.filter { step in step["name"]?.text.map { !gone.contains($0) } ?? true }
        }
        let timeline = kept(steps).map { step in
            guard let meanwhile = step["meanwhile"], let all = meanwhile.elements else { return step }
            let left = kept(all)
            return left.isEmpty
                ? step.without(["meanwhile"])
                : step.replacing("meanwhile", with: Tree(content: .list(left), location: meanwhile.location))
        }
        return tree.replacing("timeline", with: Tree(content: .list(timeline), location: left.location))
    }

    private static func mixed(setUp: Tree, events: Tree) -> Tree {
        let own = self.events.union(prose)
        let kept = (setUp.entries ?? []).filter { !own.contains($0.key) }
        let taken = (events.entries ?? []).filter { own.contains($0.key) }
        return Tree(content: .map(kept + taken), location: events.location)
    }
}

extension Tree {
    /// This mapping with another value for a key that it has.
    fileprivate func replacing(_ key: String, with value: Tree) -> Tree {
        guard var entries else { return self }
        for index in entries.indices where entries[index].key == key { entries[index].value = value }
        return Tree(content: .map(entries), location: location)
    }

    /// Whether both say the same, wherever it stands and in whatever order.
    fileprivate func says(the other: Tree) -> Bool {
        switch (content, other.content) {
        case (.null, .null): return true
        case (.scalar(let one, _), .scalar(let another, _)): return one == another
        case (.list(let one), .list(let another)):
            return one.count == another.count && zip(one, another).allSatisfy { $0.says(the: $1) }
        case (.map(let one), .map(let another)):
            return one.count == another.count
                && one.allSatisfy { entry in other[entry.key].map { entry.value.says(the: $0) } ?? false }
        default: return false
        }
    }
}
