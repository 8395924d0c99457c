internal import Scenario

/// What a YAML text says to drbench's own reader, without places: for who has written one and wants to see that it says
/// what was meant.
public indirect enum PlainYAML: Sendable, Hashable {
    case null
    case text(String)
    case list([PlainYAML])
    case map([Entry])

    public struct Entry: Sendable, Hashable {
        public var key: String
        public var value: PlainYAML

        public init(_ key: String, _ value: PlainYAML) {
            self.key = key
            self.value = value
        }
    }

    /// nil if the text is no YAML that drbench takes.
    public static func read(_ text: String) -> PlainYAML? {
        let (tree, diagnostics) = YAMLReader.read(text, file: "")
        guard let tree, !diagnostics.hasErrors else { return nil }
        return PlainYAML(tree)
    }

    private init(_ tree: Tree) {
        switch tree.content {
        case .null: self = .null
        case .scalar(let text, _): self = .text(text)
        case .list(let elements): self = .list(elements.map { PlainYAML($0) })
        case .map(let entries): self = .map(entries.map { Entry($0.key, PlainYAML($0.value)) })
        }
    }
}
