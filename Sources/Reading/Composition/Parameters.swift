internal import Scenario

/// A scenario's parameters: `$(name)` anywhere in its file stands for the value that `parameters` gives it.
///
/// A value that is `$(name)` and nothing else becomes whatever the parameter is, a list or a mapping as well; a list in
/// place of a list's element becomes its elements; within other text it becomes text. `$$(` is a `$(` that stands for itself. Files without parameters are left as they are, so that
/// a shell command may have variables of its own.
///
/// What they make is counted while it is made, and ends at `Limits.values` and `Limits.textBytes`.
struct Parameters {
    static let key = "parameters"
    private let values: [String: Tree.Entry]
    /// Their names in the order of the file.
    private let names: [String]
    private(set) var diagnostics: [Diagnostic] = []
    /// Those whose values are being put in: values may have parameters, but not themselves.
    private var underway: [String] = []
    private var valuesMade = 0
    private var bytesMade = 0
    /// Whether a limit was reached, and told: nothing more is put in.
    private var isExhausted = false

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
        let result = layers.map { layer in
            let tree = layer.without([key])
            return parameters.fill(tree, depth: 0) ?? tree
        }
        return (result, parameters.diagnostics)
    }

    private init(values: [Tree.Entry]) {
        self.values = Dictionary(values.map { ($0.key, $0) }) { first, _ in first }
        names = values.map(\.key)
    }

    /// nil if there is no parameter in it: it stays as it is, and takes no room of its own.
    private mutating func fill(_ tree: Tree, depth: Int) -> Tree? {
        valuesMade += 1
        guard !isExhausted, take(valuesMade <= Limits.values, "more than \(Limits.values) values", at: tree.location),
            take(depth <= Limits.depth, "more than \(Limits.depth) levels", at: tree.location)
        else { return nil }
        switch tree.content {
        case .null: return nil
        case .scalar(let text, let plain): return fill(text, plain: plain, of: tree, depth: depth)
        case .list(let elements):
            var filled: [Tree]?
            for (index, element) in elements.enumerated() {
                if let new = fill(element, depth: depth + 1) {
                    if filled == nil { filled = Array(elements[..<index]) }
                    // A list in place of a list's element becomes its elements: steps can be put together from parts.
                    if element.elements == nil, let parts = new.elements {
                        filled?.append(contentsOf: parts)
                    } else {
                        filled?.append(new)
                    }
                } else {
                    filled?.append(element)
                }
            }
            return filled.map { Tree(content: .list($0), location: tree.location) }
        case .map(let entries):
            var filled: [Tree.Entry]?
            for (index, entry) in entries.enumerated() {
                let key = self.text(of: entry.key, at: entry.keyLocation, depth: depth)
                let value = fill(entry.value, depth: depth + 1)
                guard value != nil || key != entry.key else { continue }
                if filled == nil { filled = entries }
                filled?[index].key = key
                if let value { filled?[index].value = value }
            }
            return filled.map { Tree(content: .map($0), location: tree.location) }
        }
    }

    /// Whether a limit is kept; otherwise says so, once.
    private mutating func take(_ isWithin: Bool, _ excess: String, at location: SourceLocation) -> Bool {
        if isWithin { return true }
        if !isExhausted { diagnostics.append(Diagnostic(at: location, "the parameters make \(excess)")) }
        isExhausted = true
        return false
    }

    private mutating func fill(_ text: String, plain: Bool, of tree: Tree, depth: Int) -> Tree? {
        guard text.utf8.contains(0x24), text.contains("$(") else { return nil }
        if text.hasPrefix("$("), text.hasSuffix(")"), text.firstIndex(of: ")") == text.index(before: text.endIndex) {
            return value(of: String(text.dropFirst(2).dropLast()), at: tree.location, depth: depth)
        }
        let filled = self.text(of: text, at: tree.location, depth: depth)
        return Tree(content: .scalar(filled, plain: plain), location: tree.location)
    }

    private mutating func text(of text: String, at location: SourceLocation, depth: Int) -> String {
        guard text.utf8.contains(0x24), text.contains("$(") else { return text }
        var result = ""
        var rest = text[...]
        while !isExhausted, let found = rest.firstRange(of: "$(") {
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
            guard let value = value(of: name, at: location, depth: depth + 1) else { continue }
            guard let words = value.text else {
                diagnostics.append(
                    Diagnostic(
                        at: location, "parameter '\(Tree.shortened(name))' is \(value.found), which is no text",
                        expected: "it alone in place of a value"))
                continue
            }
            guard takeText(words, at: location) else { break }
            result += words
        }
        return result + rest
    }

    private mutating func value(of name: String, at location: SourceLocation, depth: Int) -> Tree? {
        guard let entry = values[name] else {
            diagnostics.append(.unknown("parameter", name, at: location, known: names))
            // Enough to tell, and each looks at all names.
            if diagnostics.count > 10 * Limits.mistakes { isExhausted = true }
            return nil
        }
        guard !underway.contains(name) else {
            diagnostics.append(
                Diagnostic(at: entry.keyLocation, "parameter '\(Tree.shortened(name))' stands for itself"))
            return nil
        }
        guard take(underway.count < Limits.depth, "more than \(Limits.depth) levels", at: location) else { return nil }
        underway.append(name)
        defer { underway.removeLast() }
        let value = fill(entry.value, depth: depth) ?? entry.value
        // A plan has it wherever it stands.
        if let text = value.text, !takeText(text, at: location) { return nil }
        return value
    }

    private mutating func takeText(_ text: String, at location: SourceLocation) -> Bool {
        bytesMade += text.utf8.count
        return take(bytesMade <= Limits.textBytes, "more than \(Limits.textBytes) bytes of text", at: location)
    }
}
