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
            // A variant has no variants.
            if isOverlay, case .keyed(_, .variant, _) = field.schema { continue }
            let overlay = isOverlaid(field.name)
            let value = write(field.schema, overlay: overlay)
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

    private mutating func reference(_ object: Schema.Object, overlay: Bool, required: [String] = []) -> JSONText {
        let name = overlay ? object.name + "Overlay" : object.name
        if definitions[name] == nil {
            definitions[name] = .object(body(of: object, isOverlay: overlay, required: required) { _ in overlay })
        }
        return .object([("$ref", .string("#/$defs/\(name)"))])
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
        case .list(let element, let minimum):
            // Lists replace: what stands in one is never an overlay.
            var pairs: [(key: String, value: JSONText)] = [
                ("type", .string("array")), ("items", write(element, overlay: false)),
            ]
            if minimum > 0 { pairs.append(("minItems", .integer(minimum))) }
            return .object(pairs)
        case .keyed(let keyPattern, let element, let minimum):
            var pairs: [(key: String, value: JSONText)] = [("type", .string("object"))]
            if let keyPattern { pairs.append(("propertyNames", .object([("pattern", .string(keyPattern))]))) }
            pairs.append(("additionalProperties", nullable(write(element, overlay: overlay), overlay)))
            if minimum > 0, !overlay { pairs.append(("minProperties", .integer(minimum))) }
            return .object(pairs)
        case .object(let object): return reference(object, overlay: overlay)
        case .any(let alternatives):
            return .object([("anyOf", .array(alternatives.map { write($0, overlay: overlay) }))])
        case .variant(let required): return reference(root, overlay: true, required: required)
        }
    }

    private func pattern(_ pattern: String?) -> [(key: String, value: JSONText)] {
        pattern.map { [("pattern", .string($0))] } ?? []
    }
}
