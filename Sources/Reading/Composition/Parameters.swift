internal import Scenario

/// A scenario's parameters: `$(name)` anywhere in its file stands for the value that `parameters` gives it.
///
/// A value that is `$(name)` and nothing else becomes whatever the parameter is, a list or a mapping as well; a list in
/// place of a list's element becomes its elements; within other text it becomes text. `$$(` is a `$(` that stands for itself. Files without parameters are left as they are, so that
/// a shell command may have variables of its own.
struct Parameters {
    static let key = "parameters"
    private let values: [Tree.Entry]
    private(set) var diagnostics: [Diagnostic] = []
    /// Those whose values are being put in: values may have parameters, but not themselves.
    private var underway: [String] = []

    /// Trees that lie one over another, lowest first, with their parameters put in and the key taken off.
    static func filled(_ layers: [Tree]) -> ([Tree], [Diagnostic]) {
        let parameters = layers.compactMap { $0[key] }
        guard let lowest = parameters.first else { return (layers, []) }
        if let wrong = parameters.first(where: { $0.entries == nil }) {
            let problem = Diagnostic(
                at: wrong.location, "found \(wrong.found)",
                expected: "a mapping from each parameter's name to its value")
            return (layers.map { $0.without([key]) }, [problem])
        }
        return filled(layers, with: parameters.dropFirst().reduce(lowest) { $0.overlaid(by: $1) }.entries ?? [])
    }

    private static func filled(_ layers: [Tree], with values: [Tree.Entry]) -> ([Tree], [Diagnostic]) {
        var parameters = Parameters(values: values)
        for value in values where !NameForm.word.matches(value.key) {
            parameters.diagnostics.append(
                Diagnostic(
                    at: value.keyLocation, "'\(Tree.shortened(value.key))' cannot be a parameter's name",
                    expected: NameForm.word.expected))
        }
        let result = layers.map { parameters.fill($0.without([key])) }
        return (result, parameters.diagnostics)
    }

    private init(values: [Tree.Entry]) { self.values = values }

    private mutating func fill(_ tree: Tree) -> Tree {
        switch tree.content {
        case .null: return tree
        case .scalar(let text, let plain): return fill(text, plain: plain, of: tree)
        case .list(let elements): return Tree(content: .list(elements.flatMap { spliced($0) }), location: tree.location)
        case .map(let entries):
            let filled = entries.map { entry in
                var entry = entry
                entry.key = self.text(of: entry.key, at: entry.keyLocation)
                entry.value = fill(entry.value)
                return entry
            }
            return Tree(content: .map(filled), location: tree.location)
        }
    }

    /// A list in place of a list's element becomes its elements, so that steps can be put together from parts.
    private mutating func spliced(_ element: Tree) -> [Tree] {
        let filled = fill(element)
        if element.elements == nil, let parts = filled.elements { return parts }
        return [filled]
    }

    private mutating func fill(_ text: String, plain: Bool, of tree: Tree) -> Tree {
        guard text.contains("$(") else { return tree }
        if text.hasPrefix("$("), text.hasSuffix(")"), text.firstIndex(of: ")") == text.index(before: text.endIndex) {
            return value(of: String(text.dropFirst(2).dropLast()), at: tree.location) ?? tree
        }
        return Tree(content: .scalar(self.text(of: text, at: tree.location), plain: plain), location: tree.location)
    }

    private mutating func text(of text: String, at location: SourceLocation) -> String {
        guard text.contains("$(") else { return text }
        var result = ""
        var rest = text[...]
        while let found = rest.firstRange(of: "$(") {
            result += rest[..<found.lowerBound]
            rest = rest[found.upperBound...]
            if result.hasSuffix("$") {
                result += "("
                continue
            }
            guard let end = rest.firstIndex(of: ")") else {
                diagnostics.append(
                    Diagnostic(at: location, "'$(' without ')'", expected: "a parameter such as $(name)"))
                return text
            }
            let name = String(rest[..<end])
            rest = rest[rest.index(after: end)...]
            guard let value = value(of: name, at: location) else { continue }
            guard let words = value.text else {
                diagnostics.append(
                    Diagnostic(
                        at: location, "parameter '\(Tree.shortened(name))' is \(value.found), which is no text",
                        expected: "it alone in place of a value"))
                continue
            }
            result += words
        }
        return result + rest
    }

    private mutating func value(of name: String, at location: SourceLocation) -> Tree? {
        if let entry = values.first(where: { $0.key == name }) {
            guard !underway.contains(name) else {
                diagnostics.append(Diagnostic(at: entry.keyLocation, "parameter '\(name)' stands for itself"))
                return nil
            }
            underway.append(name)
            defer { underway.removeLast() }
            return fill(entry.value)
        }
        diagnostics.append(.unknown("parameter", name, at: location, known: values.map(\.key)))
        return nil
    }
}
