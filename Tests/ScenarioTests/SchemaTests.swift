import FoundationEssentials
import Testing

@testable import Reading
@testable import Scenario

@Suite("The JSON Schema")
struct SchemaTests {
    private static let files = [
        "Scenarios/schema.json": ScenarioSchema.scenario, "netns/schema.json": ScenarioSchema.topology,
    ]

    private func file(_ path: String) throws -> String {
        try TextFile.read("\(repository)/\(path)").get()
    }

    private func tree(_ text: String) throws -> Tree {
        let (tree, diagnostics) = YAMLReader.read(text, file: "f")
        #expect(diagnostics == [])
        return try #require(tree)
    }

    /// DRBENCH_WRITE_SCHEMA=1 writes the files anew.
    @Test("the files under version control are what the declarations say", arguments: files.keys.sorted())
    func checkedIn(_ path: String) throws {
        let expected = try #require(Self.files[path])
        if ProcessInfo.processInfo.environment["DRBENCH_WRITE_SCHEMA"] != nil {
            try Data(expected.utf8).write(to: URL(filePath: "\(repository)/\(path)"))
        }
        #expect(try file(path) == expected, "DRBENCH_WRITE_SCHEMA=1 swift test --filter SchemaTests writes them anew")
    }

    /// Every property's name of every object of a schema, as `object.key`.
    private func keys(_ schema: Tree) -> Set<String> {
        var result: Set<String> = []
        func collect(_ object: Tree, _ name: String) {
            for entry in object["properties"]?.entries ?? [] { result.insert("\(name).\(entry.key)") }
        }
        collect(schema, "")
        for definition in schema["$defs"]?.entries ?? [] where !definition.key.hasSuffix("Overlay") {
            collect(definition.value, definition.key)
        }
        return result
    }

    @Test("the format's whole sample, which the decoder takes, has every key of the schema, and the schema takes it")
    func everyKey() throws {
        let samples = [
            (try tree(ScenarioSchema.scenario), try tree(Everything.scenario)),
            (try tree(ScenarioSchema.scenario), try tree(Everything.composed)),
            (try tree(ScenarioSchema.topology), try tree(Everything.topology)),
        ]
        for (schema, sample) in samples {
            var validator = SchemaValidator(root: schema)
            validator.validate(sample)
            #expect(validator.problems == [])
        }
        var written: Set<String> = []
        func collect(_ tree: Tree) {
            for entry in tree.entries ?? [] {
                written.insert(entry.key)
                collect(entry.value)
            }
            for element in tree.elements ?? [] { collect(element) }
        }
        for (_, sample) in samples { collect(sample) }
        for (schema, _) in samples {
            let unused = keys(schema).filter { key in
                !written.contains(String(key.split(separator: ".", maxSplits: 1).last ?? ""))
            }
            #expect(unused.sorted() == [])
        }
    }

    @Test("an overlay has the keys of its object")
    func overlays() throws {
        let definitions = try #require(try tree(ScenarioSchema.scenario)["$defs"]?.entries)
        let topology = try #require(try tree(ScenarioSchema.topology)["$defs"]?.entries)
        for overlay in definitions where overlay.key.hasSuffix("Overlay") && overlay.key != "scenarioOverlay" {
            let name = String(overlay.key.dropLast("Overlay".count))
            // What only a topology requires is defined in its schema alone.
            guard let whole = (definitions + topology).first(where: { $0.key == name }) else { continue }
            #expect(overlay.value["properties"]?.entries?.map(\.key) == whole.value["properties"]?.entries?.map(\.key))
            #expect(overlay.value["required"] == nil)
        }
    }

    @Test("every shipped file is valid")
    func shippedFiles() throws {
        for (folder, schema) in [("Scenarios", ScenarioSchema.scenario), ("netns", ScenarioSchema.topology)] {
            let files = try ScenarioLibrary.yamlFiles(below: "\(repository)/\(folder)").get()
            #expect(!files.isEmpty)
            for file in files {
                var validator = SchemaValidator(root: try tree(schema))
                validator.validate(try tree(try TextFile.read(file).get()))
                #expect(validator.problems == [], "\(file)")
            }
        }
    }

    @Test(
        "what is wrong by itself is wrong for the schema",
        arguments: Mistakes.keys.filter { !$0.body.contains("release: 9.4.2") && !$0.body.contains("newtown") }.prefix(
            10) + Mistakes.steps.prefix(2) + Mistakes.variants.prefix(5))
    func wrongFiles(_ mistake: Mistake) throws {
        var validator = SchemaValidator(root: try tree(ScenarioSchema.scenario))
        validator.validate(try tree(Sample.head + mistake.body))
        #expect(validator.problems != [])
    }
}

/// As much of JSON Schema as the schemas use, for trees.
struct SchemaValidator {
    let root: Tree
    private(set) var problems: [String] = []

    init(root: Tree) { self.root = root }

    mutating func validate(_ value: Tree) { problems = check(value, root) }

    private func types(of value: Tree) -> [String] {
        switch value.content {
        case .null: return ["null"]
        case .list: return ["array"]
        case .map: return ["object"]
        case .scalar(let text, let plain):
            switch plain ? Tree.kind(ofPlain: text) : .text {
            case .number: return Int(text) == nil ? ["number"] : ["number", "integer"]
            case .boolean: return ["boolean"]
            case .null: return ["null"]
            case .text: return ["string"]
            }
        }
    }

    private func check(_ value: Tree, _ schema: Tree) -> [String] {
        var found: [String] = []
        for entry in schema.entries ?? [] { found += check(value, entry.key, entry.value, schema) }
        return found
    }

    private func check(_ value: Tree, _ keyword: String, _ argument: Tree, _ schema: Tree) -> [String] {
        func problem(_ isWrong: Bool) -> [String] { isWrong ? ["\(value.location): \(keyword) \(value.found)"] : [] }
        let number = types(of: value).contains("number") ? value.text.flatMap { Double($0) } : nil
        switch keyword {
        case "$schema", "$defs", "title", "description", "then": return []
        case "$ref":
            let name = argument.text.map { String($0.split(separator: "/").last ?? "") } ?? ""
            return root["$defs"]?[name].map { check(value, $0) } ?? ["no definition \(name)"]
        case "type":
            let wanted = argument.elements?.compactMap(\.text) ?? argument.text.map { [$0] } ?? []
            return problem(!types(of: value).contains { wanted.contains($0) })
        case "enum":
            return problem(!(argument.elements ?? []).contains { $0.text == value.text })
        case "pattern":
            guard types(of: value) == ["string"], let text = value.text, let pattern = argument.text else { return [] }
            return problem((try? Regex(pattern).firstMatch(in: text)) == nil)
        case "minimum": return problem(number.map { $0 < Double(argument.text ?? "") ?? 0 } ?? false)
        case "maximum": return problem(number.map { $0 > Double(argument.text ?? "") ?? 0 } ?? false)
        case "items": return (value.elements ?? []).flatMap { check($0, argument) }
        case "minItems": return problem(value.elements.map { $0.count < Int(argument.text ?? "") ?? 0 } ?? false)
        case "maxItems": return problem(value.elements.map { $0.count > Int(argument.text ?? "") ?? 0 } ?? false)
        case "maxProperties": return problem(value.entries.map { $0.count > Int(argument.text ?? "") ?? 0 } ?? false)
        case "minProperties": return problem(value.entries.map { $0.count < Int(argument.text ?? "") ?? 0 } ?? false)
        case "required":
            guard let entries = value.entries else { return [] }
            return problem(!(argument.elements ?? []).allSatisfy { key in entries.contains { $0.key == key.text } })
        case "propertyNames":
            return (value.entries ?? []).flatMap { entry in
                check(Tree(content: .scalar(entry.key, plain: false), location: entry.keyLocation), argument)
            }
        case "properties":
            return (value.entries ?? []).flatMap { entry in argument[entry.key].map { check(entry.value, $0) } ?? [] }
        case "additionalProperties":
            let others = (value.entries ?? []).filter { schema["properties"]?[$0.key] == nil }
            return argument.text == "false" ? problem(!others.isEmpty) : others.flatMap { check($0.value, argument) }
        case "anyOf": return problem(!(argument.elements ?? []).contains { check(value, $0).isEmpty })
        case "oneOf": return problem((argument.elements ?? []).filter { check(value, $0).isEmpty }.count != 1)
        case "allOf": return (argument.elements ?? []).flatMap { check(value, $0) }
        case "if":
            guard check(value, argument).isEmpty, let then = schema["then"] else { return [] }
            return check(value, then)
        default: return ["the validator does not know '\(keyword)'"]
        }
    }
}
