internal import Scenario

/// The format as JSON Schema (draft 2020-12), written from the same declarations that files are read with.
///
/// The schema says which keys there are and what their values look like. What it cannot say (names that must exist,
/// keys that a topology provides) only `ScenarioLibrary` checks: in a scenario file nothing of the network is required,
/// since the topology may have it.
public enum ScenarioSchema {
    /// For files in `Scenarios/`.
    public static var scenario: String {
        document(ScenarioFormat.scenario.schema, "A drbench scenario", overlaid: ScenarioFormat.sharedKeys)
    }

    /// For files in `netns/`.
    public static var topology: String {
        document(ScenarioFormat.topology.schema, "A drbench topology", overlaid: [])
    }

    private static func document(_ schema: Schema, _ title: String, overlaid: Set<String>) -> String {
        guard case .object(let root) = schema else { return "" }
        var writer = SchemaWriter(root: root)
        var pairs: [(key: String, value: JSONText)] = [
            ("$schema", .string("https://json-schema.org/draft/2020-12/schema")), ("title", .string(title)),
        ]
        pairs += writer.body(of: root, isOverlay: false) { overlaid.contains($0) }
        pairs.append(("$defs", .object(writer.takeDefinitions())))
        return JSONText.object(pairs).text() + "\n"
    }
}

/// Collects definitions while it writes.
private struct SchemaWriter {
    let root: Schema.Object
    private var definitions: [String: JSONText] = [:]

    init(root: Schema.Object) { self.root = root }

    /// Sorted by name.
    mutating func takeDefinitions() -> [(key: String, value: JSONText)] {
        definitions.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// `isOverlaid` says which fields have something below them.
    mutating func body(
        of object: Schema.Object, isOverlay: Bool, required: [String] = [], isOverlaid: (String) -> Bool
    ) -> [(key: String, value: JSONText)] {
        var properties: [(key: String, value: JSONText)] = []
        for field in object.fields {
            let overlay = isOverlaid(field.name)
            let value = parametrised(write(field.schema, overlay: overlay), field.schema)
            properties.append((field.name, documented(nullable(value, overlay), field.documentation)))
        }
        var result: [(key: String, value: JSONText)] = [
            ("description", .string(object.documentation)), ("type", .string("object")),
            ("properties", .object(properties)), ("additionalProperties", .boolean(false)),
        ]
        let required = isOverlay ? required : object.fields.filter(\.required).map(\.name)
        if !required.isEmpty { result.append(("required", .array(required.map(JSONText.string)))) }
        let rules = isOverlay ? [] : object.rules.map(write)
        if !rules.isEmpty { result.append(("allOf", .array(rules))) }
        return result
    }

    private func write(_ rule: Schema.Rule) -> JSONText {
        func having(_ keys: [String]) -> JSONText {
            .array(keys.map { .object([("required", .array([.string($0)]))]) })
        }
        return switch rule {
        case .exactlyOne(let keys, _): .object([("oneOf", having(keys))])
        case .atLeastOne(let keys): .object([("anyOf", having(keys))])
        case .needs(let key, let others):
            .object([
                ("if", .object([("required", .array([.string(key)]))])), ("then", .object([("anyOf", having(others))])),
            ])
        }
    }

    /// In an overlay a key without a value takes away what stands below it.
    private func nullable(_ value: JSONText, _ overlay: Bool) -> JSONText {
        overlay ? .object([("anyOf", .array([value, .object([("type", .string("null"))])]))]) : value
    }

    private func documented(_ value: JSONText, _ documentation: String) -> JSONText {
        guard case .object(let pairs) = value else { return value }
        return .object([("description", .string(documentation))] + pairs)
    }

    private mutating func reference(_ object: Schema.Object, overlay: Bool) -> JSONText {
        reference(overlay ? object.name + "Overlay" : object.name) {
            $0.body(of: object, isOverlay: overlay) { _ in overlay }
        }
    }

    private mutating func reference(_ overlay: Schema.Overlay) -> JSONText {
        reference(overlay.name) { writer in
            var object = writer.root
            object.fields = overlay.extra + object.fields.filter { !overlay.without.contains($0.name) }
            return writer.body(of: object, isOverlay: true, required: overlay.required) { _ in true }
        }
    }

    private mutating func reference(
        _ name: String, _ body: (inout SchemaWriter) -> [(key: String, value: JSONText)]
    ) -> JSONText {
        if definitions[name] == nil {
            // Before its body is written: a definition may name itself.
            definitions[name] = .object([])
            definitions[name] = .object(body(&self))
        }
        return .object([("$ref", .string("#/$defs/\(name)"))])
    }

    /// In a scenario any value may be a parameter's.
    private mutating func parametrised(_ value: JSONText, _ schema: Schema) -> JSONText {
        guard root.fields.contains(where: { $0.name == Parameters.key }) else { return value }
        if case .text(pattern: nil) = schema { return value }
        if case .anything = schema { return value }
        let parameter = reference("parameter") { _ in
            [
                ("description", .string("A parameter's value: $(name).")), ("type", .string("string")),
                ("pattern", .string("\\$\\([a-z][a-z0-9_-]*\\)")),
            ]
        }
        return .object([("anyOf", .array([value, parameter]))])
    }

    private mutating func write(_ schema: Schema, overlay: Bool) -> JSONText {
        switch schema {
        case .text(let pattern): return .object([("type", .string("string"))] + self.pattern(pattern))
        case .scalar(let pattern):
            let types: [JSONText] = [.string("string"), .string("number"), .string("boolean")]
            return .object([("type", .array(types))] + self.pattern(pattern))
        case .integer(let range):
            var pairs: [(key: String, value: JSONText)] = [
                ("type", .string("integer")), ("minimum", .integer(range.lowerBound)),
            ]
            if range.upperBound < .max { pairs.append(("maximum", .integer(range.upperBound))) }
            return .object(pairs)
        case .boolean: return .object([("type", .string("boolean"))])
        case .words(let words): return .object([("enum", .array(words.map(JSONText.string)))])
        case .list(let element, let minimum, let maximum):
            // Lists replace: what stands in one is never an overlay.
            var pairs: [(key: String, value: JSONText)] = [
                ("type", .string("array")), ("items", parametrised(write(element, overlay: false), element)),
            ]
            if minimum > 0 { pairs.append(("minItems", .integer(minimum))) }
            pairs.append(("maxItems", .integer(maximum)))
            return .object(pairs)
        case .keyed(let keyPattern, let element, let minimum, let maximum):
            var pairs: [(key: String, value: JSONText)] = [("type", .string("object"))]
            if let keyPattern { pairs.append(("propertyNames", .object([("pattern", .string(keyPattern))]))) }
            pairs.append(("additionalProperties", nullable(write(element, overlay: overlay), overlay)))
            if minimum > 0, !overlay { pairs.append(("minProperties", .integer(minimum))) }
            pairs.append(("maxProperties", .integer(maximum)))
            return .object(pairs)
        case .object(let object): return reference(object, overlay: overlay)
        case .any(let alternatives):
            return .object([("anyOf", .array(alternatives.map { write($0, overlay: overlay) }))])
        case .null: return .object([("type", .string("null"))])
        case .anything: return .boolean(true)
        case .overlay(let overlay): return reference(overlay)
        }
    }

    private func pattern(_ pattern: String?) -> [(key: String, value: JSONText)] {
        pattern.map { [("pattern", .string($0))] } ?? []
    }
}
