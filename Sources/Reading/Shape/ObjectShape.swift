internal import Scenario

/// One key of an object: how its value is read into the object, and what the schema says of it.
struct Field<Object>: Sendable {
    let schema: Schema.Field
    let expected: String
    fileprivate let read: @Sendable (Tree, inout Object, Reader) -> Void

    init<Value>(
        _ name: String, _ shape: Shape<Value>, required: Bool = false, _ documentation: String,
        set: @escaping @Sendable (inout Object, Value) -> Void
    ) {
        schema = Schema.Field(name: name, documentation: documentation, required: required, schema: shape.schema)
        expected = shape.expected
        read = { tree, object, reader in
            if let value = shape.read(tree, reader) { set(&object, value) }
        }
    }

    init<Value>(
        _ name: String, _ path: any WritableKeyPath<Object, Value> & Sendable, _ shape: Shape<Value>,
        required: Bool = false, _ documentation: String
    ) {
        self.init(name, shape, required: required, documentation) { $0[keyPath: path] = $1 }
    }

    /// For what the model holds as an optional: nil is what no file can write.
    init<Value>(
        _ name: String, _ path: any WritableKeyPath<Object, Value?> & Sendable, _ shape: Shape<Value>,
        required: Bool = false, _ documentation: String
    ) {
        self.init(name, shape, required: required, documentation) { $0[keyPath: path] = $1 }
    }
}

extension Shape {
    /// A mapping with known keys. `noun` has its article (`a port`); `blank` is what the keys are read into.
    static func object(
        _ name: String, _ noun: String, _ documentation: String, blank: Value, fields: [Field<Value>],
        rules: [Schema.Rule] = [], check: @escaping @Sendable (Value, Tree, Reader) -> Void = { _, _, _ in }
    ) -> Shape where Value: Sendable {
        let expected = "\(noun) (a mapping with \(fields.prefix(4).map(\.schema.name).joined(separator: ", "))…)"
        let schema = Schema.Object(
            name: name, documentation: documentation, fields: fields.map(\.schema), rules: rules)
        return Shape(schema: .object(schema), expected: fields.count > 4 ? expected : expected.replacing("…", with: ""))
        {
            tree, reader in
            guard let entries = tree.entries else {
                reader.error(at: tree.location, "found \(tree.found)", expected: noun + ", which is a mapping")
                return nil
            }
            var value = blank
            var complete = true
            for entry in entries {
                if let field = fields.first(where: { $0.schema.name == entry.key }) {
                    field.read(entry.value, &value, reader)
                } else {
                    reader.unknownKey(entry, in: noun, known: fields.map(\.schema.name))
                }
            }
            for field in fields where field.schema.required && tree[field.schema.name] == nil {
                reader.error(at: tree.location, "\(noun) needs '\(field.schema.name)'", expected: field.expected)
                complete = false
            }
            for rule in rules { reader.check(rule, of: noun, in: tree, &complete) }
            if complete { check(value, tree, reader) }
            return value
        }
    }
}

extension Reader {
    fileprivate func unknownKey(_ entry: Tree.Entry, in noun: String, known: [String]) {
        let suggestion = NearestName.of(entry.key, among: known)
        error(
            at: entry.keyLocation, "unknown key '\(Tree.shortened(entry.key))' in \(noun)",
            expected: suggestion == nil ? Self.oneOf(known) : nil, suggestion: suggestion)
    }

    fileprivate func check(_ rule: Schema.Rule, of noun: String, in tree: Tree, _ complete: inout Bool) {
        func given(_ keys: [String]) -> [Tree.Entry] {
            (tree.entries ?? []).filter { keys.contains($0.key) }
        }
        switch rule {
        case .exactlyOne(let keys, let kind):
            let found = given(keys)
            if found.isEmpty {
                complete = false
                // A misspelt one was reported as an unknown key; it is not missing as well.
                let all = tree.entries ?? []
                if !all.contains(where: { NearestName.of($0.key, among: keys) != nil }) {
                    error(at: tree.location, "\(noun) has no \(kind)", expected: Self.oneOf(keys))
                }
            }
            for entry in found.dropFirst() {
                error(
                    at: entry.keyLocation, "\(noun) has both '\(found[0].key)' and '\(entry.key)'",
                    expected: "only one \(kind)")
                complete = false
            }
        case .atLeastOne(let keys):
            if given(keys).isEmpty {
                error(at: tree.location, "\(noun) asks for nothing", expected: "at least \(Self.oneOf(keys))")
                complete = false
            }
        case .needs(let key, let others):
            if let entry = tree.entry(key), given(others).isEmpty {
                error(at: entry.keyLocation, "'\(key)' without \(others.map { "'\($0)'" }.joined(separator: " or "))")
                complete = false
            }
        }
    }
}
