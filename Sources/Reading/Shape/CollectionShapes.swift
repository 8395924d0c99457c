internal import Scenario

/// A name that the user chooses, as the schema and as Swift say it.
struct NameForm: Sendable {
    let expected: String
    let pattern: String
    let matches: @Sendable (String) -> Bool

    private static func letters(_ text: some StringProtocol, and others: String, upper: Bool = false) -> Bool {
        text.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || others.utf8.contains($0)
                || upper && (0x41...0x5A).contains($0)
        }
    }

    private static func startsWithLetter(_ text: String, upper: Bool = false) -> Bool {
        text.utf8.first.map { (0x61...0x7A).contains($0) || upper && (0x41...0x5A).contains($0) } ?? false
    }

    /// A namespace's: 15 octets is also what an interface's name can hold (IFNAMSIZ).
    static let namespace = NameForm(
        expected: "at most 15 lower-case letters, digits and '-', a letter first", pattern: "^[a-z][a-z0-9-]{0,14}$",
        matches: { startsWithLetter($0) && $0.utf8.count <= 15 && letters($0, and: "-") })

    /// An interface's (dev_valid_name() in net/core/dev.c takes more, but not every tool does).
    static let interface = NameForm(
        expected: "at most 15 letters, digits, '.', '_' and '-', a letter first",
        pattern: "^[a-zA-Z][a-zA-Z0-9._-]{0,14}$",
        matches: {
            startsWithLetter($0, upper: true) && $0.utf8.count <= 15 && letters($0, and: "._-", upper: true)
        })

    /// A network's, a service's, a security group's, a variant's.
    static let word = NameForm(
        expected: "lower-case letters, digits, '-' and '_', a letter first", pattern: "^[a-z][a-z0-9_-]*$",
        matches: { startsWithLetter($0) && letters($0, and: "-_") })

    /// A scenario's, which is also its file's; a variant's, which may start with a digit.
    static let scenario = NameForm(
        expected: "lower-case letters, digits, '.', '-' and '_', no '.', '-' or '_' first",
        pattern: "^[a-z0-9][a-z0-9._-]*$",
        matches: { ($0.utf8.first.map { !".-_".utf8.contains($0) } ?? false) && letters($0, and: "._-") })

    /// A sysctl's.
    static let sysctl = NameForm(
        expected: "a sysctl such as net.ipv4.ip_forward", pattern: "^[a-z][a-zA-Z0-9_-]*([./][a-zA-Z0-9_-]+)+$",
        matches: { text in
            let parts = text.split(omittingEmptySubsequences: false) { $0 == "." || $0 == "/" }
            return parts.count > 1 && startsWithLetter(text)
                && parts.allSatisfy { !$0.isEmpty && letters($0, and: "_-", upper: true) }
        })
}

extension Shape {
    /// A list.
    static func list<Element>(of element: Shape<Element>, minimum: Int = 0) -> Shape where Value == [Element] {
        let expected = "a list, each \(element.expected)"
        return Shape(schema: .list(element.schema, minimum: minimum), expected: expected) { tree, reader in
            guard let elements = tree.elements else {
                reader.error(at: tree.location, "found \(tree.found)", expected: expected)
                return nil
            }
            if elements.count < minimum {
                reader.error(
                    at: tree.location,
                    elements.isEmpty ? "found an empty list" : "found only \(elements.count) in the list",
                    expected: minimum > 1 ? "at least \(minimum)" : expected)
            }
            return elements.compactMap { element.read($0, reader) }
        }
    }

    /// One, or a list of them.
    static func oneOrMore<Element>(of element: Shape<Element>) -> Shape where Value == [Element] {
        let list = Shape.list(of: element, minimum: 1)
        let expected = "\(element.expected), or a list of them"
        return Shape(schema: .any([element.schema, list.schema]), expected: expected) { tree, reader in
            tree.elements == nil ? element.read(tree, reader).map { [$0] } : list.read(tree, reader)
        }
    }

    /// A mapping whose keys are names of the user's choice; `named` puts the name into the element.
    static func keyed<Element>(
        by form: NameForm, _ kind: String, _ element: Shape<Element>, minimum: Int = 0,
        named: @escaping @Sendable (inout Element, String, Tree.Entry, Reader) -> Void
    ) -> Shape where Value == [Element] {
        let expected = "a mapping from each \(kind)'s name to \(element.expected)"
        let schema = Schema.keyed(keyPattern: form.pattern, element.schema, minimum: minimum)
        return Shape(schema: schema, expected: expected) { tree, reader in
            guard let entries = tree.entries else {
                reader.error(at: tree.location, "found \(tree.found)", expected: expected)
                return nil
            }
            if entries.count < minimum {
                reader.error(at: tree.location, "found an empty mapping", expected: expected)
            }
            return entries.compactMap { entry in
                if !form.matches(entry.key) {
                    reader.error(
                        at: entry.keyLocation, "'\(Tree.shortened(entry.key))' cannot be a \(kind)'s name",
                        expected: form.expected)
                }
                guard var value = element.read(entry.value, reader) else { return nil }
                named(&value, entry.key, entry, reader)
                return value
            }
        }
    }

    /// Either of two ways to write a value; `choosesFirst` looks at the tree.
    static func either(
        _ first: Shape, or second: Shape, choosesFirst: @escaping @Sendable (Tree) -> Bool
    ) -> Shape {
        Shape(schema: .any([first.schema, second.schema]), expected: "\(first.expected), or \(second.expected)") {
            tree, reader in
            choosesFirst(tree) ? first.read(tree, reader) : second.read(tree, reader)
        }
    }
}
