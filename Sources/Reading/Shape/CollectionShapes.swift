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

    /// What no interface can be called: /proc/sys/net/*/conf has folders of these names beside those of interfaces.
    private static let reservedInterfaces: Set = ["all", "default"]

    /// A namespace's. A switch's interface to a host has the host's name, so that it must be fit for one, and `lo` is there
    /// already.
    static let namespace = NameForm(
        expected: "at most \(Limits.interfaceName) lower-case letters, digits and '-', a letter first, and not all, "
            + "default or lo",
        pattern: "^(?!(all|default|lo)$)[a-z][a-z0-9-]{0,\(Limits.interfaceName - 1)}$",
        matches: {
            startsWithLetter($0) && $0.utf8.count <= Limits.interfaceName && letters($0, and: "-")
                && !reservedInterfaces.contains($0) && $0 != "lo"
        })

    /// An interface's (dev_valid_name() in net/core/dev.c takes more, but not every tool does).
    static let interface = NameForm(
        expected:
            "at most \(Limits.interfaceName) letters, digits, '.', '_' and '-', a letter first, and not all or default",
        pattern: "^(?!(all|default)$)[a-zA-Z][a-zA-Z0-9._-]{0,\(Limits.interfaceName - 1)}$",
        matches: {
            startsWithLetter($0, upper: true) && $0.utf8.count <= Limits.interfaceName
                && letters($0, and: "._-", upper: true) && !reservedInterfaces.contains($0)
        })

    /// A network's, a service's, a security group's, a program's, which is also a file's.
    static let word = NameForm(
        expected: "at most \(Limits.word) lower-case letters, digits, '-' and '_', a letter first",
        pattern: "^[a-z][a-z0-9_-]{0,\(Limits.word - 1)}$",
        matches: { startsWithLetter($0) && $0.utf8.count <= Limits.word && letters($0, and: "-_") })

    /// A scenario's, which is also its file's and its folder's; a variant's, which may start with a digit.
    static let scenario = NameForm(
        expected:
            "at most \(Limits.scenarioName) lower-case letters, digits, '.', '-' and '_', no '.', '-' or '_' first",
        pattern: "^[a-z0-9][a-z0-9._-]{0,\(Limits.scenarioName - 1)}$",
        matches: {
            ($0.utf8.first.map { !".-_".utf8.contains($0) } ?? false) && $0.utf8.count <= Limits.scenarioName
                && letters($0, and: "._-")
        })

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
    /// A list. What is more than `maximum` is reported, and not read.
    static func list<Element>(
        of element: Shape<Element>, minimum: Int = 0, maximum: Int = Limits.entries
    ) -> Shape where Value == [Element] {
        let expected = "a list, each \(element.expected)"
        let schema = Schema.list(element.schema, minimum: minimum, maximum: maximum)
        return Shape(schema: schema, expected: expected) { tree, reader in
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
            if elements.count > maximum {
                reader.tooMany(elements.count, in: "list", at: elements[maximum].location, limit: maximum)
            }
            return elements.prefix(maximum).compactMap { element.read($0, reader) }
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
        by form: NameForm, _ kind: String, _ element: Shape<Element>, minimum: Int = 0, maximum: Int = Limits.entries,
        named: @escaping @Sendable (inout Element, String, Tree.Entry, Reader) -> Void
    ) -> Shape where Value == [Element] {
        let expected = "a mapping from each \(kind)'s name to \(element.expected)"
        let schema = Schema.keyed(
            keyPattern: form.pattern, element.schema, minimum: minimum, maximum: maximum)
        return Shape(schema: schema, expected: expected) { tree, reader in
            guard let entries = tree.entries else {
                reader.error(at: tree.location, "found \(tree.found)", expected: expected)
                return nil
            }
            if entries.count < minimum {
                reader.error(at: tree.location, "found an empty mapping", expected: expected)
            }
            if entries.count > maximum {
                reader.tooMany(entries.count, in: "mapping", at: entries[maximum].keyLocation, limit: maximum)
            }
            return entries.prefix(maximum).compactMap { entry in
                if !form.matches(entry.key) {
                    reader.error(
                        at: entry.keyLocation,
                        "'\(Tree.shortened(entry.key))' cannot be \(kind.first == "i" ? "an" : "a") \(kind)'s name",
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
