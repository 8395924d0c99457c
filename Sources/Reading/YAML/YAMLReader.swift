internal import Scenario
internal import Yams

/// Text to `Tree`, with every error of the YAML itself as a diagnostic.
///
/// Limits stand before the parser, so that a hostile or wrong file ends in a diagnostic: `Limits` has them (an
/// alias counts as what it stands for).
struct YAMLReader {
    let file: String
    private(set) var diagnostics: [Diagnostic] = []
    private var nodes = 0
    private var textBytes = 0
    /// Keys that stand twice, by the stand-in that took the place of the first.
    private var duplicates: [String: String] = [:]

    private init(file: String) { self.file = file }

    /// nil for the tree if there is none that could be looked at further.
    static func read(_ text: String, file: String) -> (tree: Tree?, diagnostics: [Diagnostic]) {
        var reader = YAMLReader(file: file)
        let tree = reader.read(text)
        return (tree, reader.diagnostics)
    }

    private mutating func read(_ source: String) -> Tree? {
        guard source.utf8.count <= Limits.fileBytes else {
            report(1, 1, "the file has \(source.utf8.count) bytes", expected: "at most \(Limits.fileBytes)")
            return nil
        }
        // libyaml takes a byte order mark for text when it is told the encoding.
        var text = source.unicodeScalars.first == "\u{FEFF}" ? String(source.unicodeScalars.dropFirst()) : source
        // Each round takes one duplicate key out; a file with more than this many is no file to read further.
        for round in 0..<50 {
            do {
                // The default resolver runs regular expressions over every scalar; `Tree` decides what a scalar is.
                let parser = try Parser(yaml: text, resolver: .basic)
                guard let root = try parser.singleRoot() else {
                    report(1, 1, "the file is empty", expected: "a mapping")
                    return nil
                }
                return convert(root, depth: 0)
            } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
                guard let key = keys.first, let replaced = replace(key, at: context.mark, in: text, round: round) else {
                    report(
                        context.mark.line, context.mark.column,
                        "key '\(Tree.shortened(keys.first ?? ""))' stands twice in one mapping")
                    return nil
                }
                text = replaced
            } catch let error as YamlError {
                report(error)
                return nil
            } catch {
                report(1, 1, "\(error)")
                return nil
            }
        }
        return nil
    }

    /// Yams stops at a duplicate key and tells one of its places. With a stand-in of private-use characters, as long as
    /// the key, the file can be read on, and the tree shows both places.
    private mutating func replace(_ key: String, at mark: Mark, in text: String, round: Int) -> String? {
        let length = key.unicodeScalars.count
        guard length > 0, let standIn = Unicode.Scalar(UInt32(0xE000 + round)) else { return nil }
        var scalars = Array(text.unicodeScalars)
        var line = 1
        var position = 0
        while line < mark.line, position < scalars.count {
            let scalar = scalars[position]
            position += 1
            if scalar == "\n" || scalar == "\r" {
                if scalar == "\r", position < scalars.count, scalars[position] == "\n" { position += 1 }
                line += 1
            }
        }
        position += mark.column - 1
        if position < scalars.count, scalars[position] == "\"" || scalars[position] == "'" { position += 1 }
        guard position + length <= scalars.count,
            scalars[position..<position + length].elementsEqual(key.unicodeScalars)
        else { return nil }
        scalars.replaceSubrange(position..<position + length, with: Array(repeating: standIn, count: length))
        duplicates[String(String.UnicodeScalarView(Array(repeating: standIn, count: length)))] = key
        return String(String.UnicodeScalarView(scalars))
    }

    private mutating func convert(_ node: Node, depth: Int) -> Tree? {
        nodes += 1
        let location = SourceLocation(file: file, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
        guard depth <= Limits.depth, nodes <= Limits.values else {
            // Once is enough: everything further in is too deep or too much as well.
            if diagnostics.isEmpty {
                let (line, column) = (location.line, location.column)
                if depth > Limits.depth {
                    report(line, column, "nested too deeply", expected: "at most \(Limits.depth) levels")
                } else {
                    report(line, column, "too many values", expected: "at most \(Limits.values)")
                }
            }
            return nil
        }
        switch node {
        case .scalar(let scalar):
            textBytes += scalar.string.utf8.count
            guard textBytes <= Limits.textBytes else {
                if diagnostics.isEmpty {
                    report(
                        location.line, location.column, "too much text, each alias counted as what it stands for",
                        expected: "at most \(Limits.textBytes) bytes")
                }
                return nil
            }
            let plain = scalar.style == .plain || scalar.style == .any
            if plain, Tree.kind(ofPlain: scalar.string) == .null { return Tree(content: .null, location: location) }
            return Tree(content: .scalar(scalar.string, plain: plain), location: location)
        case .sequence(let sequence):
            var elements: [Tree] = []
            for element in sequence {
                guard let tree = convert(element, depth: depth + 1) else { return nil }
                elements.append(tree)
            }
            return Tree(content: .list(elements), location: location)
        case .mapping(let mapping):
            return convert(mapping, at: location, depth: depth)
        case .alias:
            // Yams' parser puts the anchor's node in an alias' place; this case exists for its emitter.
            report(location.line, location.column, "an alias without its anchor")
            return nil
        }
    }

    private mutating func convert(_ mapping: Node.Mapping, at location: SourceLocation, depth: Int) -> Tree? {
        var entries: [Tree.Entry] = []
        var merged: [Tree.Entry] = []
        var standIns: [(key: String, location: SourceLocation)] = []
        for (key, value) in mapping {
            let place = SourceLocation(
                file: file, line: key.mark?.line ?? location.line, column: key.mark?.column ?? location.column)
            guard case .scalar(let scalar) = key else {
                report(place.line, place.column, "found a list or a mapping as a key", expected: "a word")
                continue
            }
            guard let tree = convert(value, depth: depth + 1) else { return nil }
            if scalar.string == "<<", scalar.style == .plain || scalar.style == .any {
                merged += merge(tree)
                continue
            }
            if let original = duplicates[scalar.string] {
                standIns.append((original, place))
            } else {
                entries.append(Tree.Entry(key: scalar.string, keyLocation: place, value: tree))
            }
        }
        // Of three equal keys two have stand-ins: each is told apart from the next.
        for (index, standIn) in standIns.enumerated() {
            let later =
                standIns[(index + 1)...].first { $0.key == standIn.key }?.location
                ?? entries.first { $0.key == standIn.key }?.keyLocation
            guard let later else { continue }
            report(
                later.line, later.column,
                "key '\(Tree.shortened(standIn.key))' stands twice in one mapping, first at \(standIn.location)")
        }
        var known = merged.isEmpty ? [] : Set(entries.map(\.key))
        for entry in merged where known.insert(entry.key).inserted { entries.append(entry) }
        return Tree(content: .map(entries), location: location)
    }

    /// What a merge key (`<<: *anchor`, `<<: [*a, *b]`) brings along: a mapping's own keys, and those of a mapping that
    /// stands earlier, go before.
    private mutating func merge(_ tree: Tree) -> [Tree.Entry] {
        (tree.elements ?? [tree]).flatMap { source in
            if let entries = source.entries { return entries }
            report(
                source.location.line, source.location.column, "found \(source.found) behind '<<'",
                expected: "a mapping, or a list of mappings, whose keys are taken over")
            return []
        }
    }

    private mutating func report(_ line: Int, _ column: Int, _ message: String, expected: String? = nil) {
        let location = SourceLocation(file: file, line: line, column: column)
        diagnostics.append(Diagnostic(at: location, message, expected: expected))
    }

    private mutating func report(_ error: YamlError) {
        let tooDeep = ("nested too deeply", "at most \(Limits.depth) levels")
        switch error {
        case .parser(_, let problem, let mark, _) where problem.hasPrefix("Maximum nesting level"):
            // libyaml's own limit; its advice is for programmers.
            report(mark.line, mark.column, tooDeep.0, expected: tooDeep.1)
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let doing = context.map { "\($0.text): " } ?? ""
            report(mark.line, mark.column, "not YAML: \(doing)\(problem)")
        case .reader(let problem, let offset, let value, let yaml):
            var (line, column) = (1, 1)
            for character in yaml.prefix(offset ?? 0) {
                (line, column) = character.isNewline ? (line + 1, 1) : (line, column + character.unicodeScalars.count)
            }
            let which = value >= 0 ? " (U+\(hexadecimal(value)))" : ""
            report(line, column, "not YAML: \(problem)\(which)")
        case .memory:
            // Also what libyaml says beyond its own limit of nesting.
            report(1, 1, tooDeep.0, expected: tooDeep.1)
        default:
            report(1, 1, "not YAML: \(error)")
        }
    }

    private func hexadecimal(_ value: Int32) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
