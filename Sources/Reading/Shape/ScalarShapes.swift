internal import Net
internal import Scenario

extension Shape {
    /// A value written as one word or line. `parse` gets the text as it stands in the file.
    static func scalar(
        _ expected: String, schema: Schema, parse: @escaping @Sendable (String) -> Value?
    ) -> Shape {
        Shape(schema: schema, expected: expected) { tree, reader in
            if let text = tree.text, let value = parse(text) { return value }
            reader.error(at: tree.location, "found \(tree.found)", expected: expected)
            return nil
        }
    }

    /// A scalar with a largest value, which is told apart from what is no such scalar at all.
    fileprivate static func amount(
        _ expected: String, schema: Schema, upTo limit: Value, _ limitInWords: String,
        parse: @escaping @Sendable (String) -> Value?
    ) -> Shape where Value: Comparable & Sendable {
        Shape(schema: schema, expected: expected) { tree, reader in
            let value = tree.text.flatMap(parse)
            if let value, value <= limit { return value }
            let isTooMuch = value != nil || tree.text.map(Quantity.isBeyondNumbers) ?? false
            reader.error(
                at: tree.location, isTooMuch ? "\(tree.found) is too much" : "found \(tree.found)",
                expected: isTooMuch ? "at most \(limitInWords)" : expected)
            return nil
        }
    }

    /// One of a few words.
    static func word(_ words: [String], as value: @escaping @Sendable (String) -> Value?) -> Shape {
        let expected = Reader.oneOf(words)
        return Shape(schema: .words(words), expected: expected) { tree, reader in
            if let text = tree.text, words.contains(text), let value = value(text) { return value }
            let suggestion = tree.text.flatMap { NearestName.of($0, among: words) }
            let message = tree.text.map { "unknown word '\(Tree.shortened($0))'" } ?? "found \(tree.found)"
            reader.error(at: tree.location, message, oneOf: words, suggestion: suggestion)
            return nil
        }
    }
}

extension Shape where Value: RawRepresentable & CaseIterable & Sendable, Value.RawValue == String {
    /// One of an enumeration's words.
    static func word() -> Shape { word(Value.allCases.map(\.rawValue)) { Value(rawValue: $0) } }
}

extension Shape<String> {
    static func word(_ words: [String]) -> Shape { word(words) { $0 } }

    /// Text, which a plain number or truth value is not: what YAML readers disagree about belongs in quotes.
    /// - Parameter limit: bytes; none for text that is only handed on.
    static func text(_ expected: String, upTo limit: Int = .max) -> Shape {
        Shape(schema: .text(pattern: nil), expected: expected) { tree, reader in
            if case .scalar(let text, let plain) = tree.content, !plain || Tree.kind(ofPlain: text) == .text,
                !text.isEmpty
            {
                return reader.takes(text, upTo: limit, at: tree.location) ? text : nil
            }
            let quotable = if case .scalar(let text, true) = tree.content { !text.isEmpty } else { false }
            reader.error(
                at: tree.location, "found \(tree.found)", expected: expected + (quotable ? " (in quotes)" : ""))
            return nil
        }
    }

    /// Text of a certain form. `matches` says in Swift what `pattern` says in the schema.
    static func text(
        _ expected: String, pattern: String, upTo limit: Int = .max, matches: @escaping @Sendable (String) -> Bool
    ) -> Shape {
        scalar(expected, schema: .text(pattern: pattern)) { matches($0) ? $0 : nil }.limited(to: limit)
    }

    /// Text that may look like a number or a truth value.
    static func anyScalar(_ expected: String, upTo limit: Int = .max) -> Shape {
        scalar(expected, schema: .scalar(pattern: nil)) { $0.isEmpty ? nil : $0 }.limited(to: limit)
    }

    private func limited(to limit: Int) -> Shape {
        checked { text, tree, reader in _ = reader.takes(text, upTo: limit, at: tree.location) }
    }
}

extension Reader {
    /// Whether a text has no more bytes than may be; reports it otherwise.
    fileprivate func takes(_ text: String, upTo limit: Int, at location: SourceLocation) -> Bool {
        if text.utf8.count <= limit { return true }
        error(at: location, "a text of \(text.utf8.count) bytes", expected: "at most \(limit)")
        return false
    }
}

extension Shape<Bool> {
    static let boolean = Shape(schema: .boolean, expected: "true or false") { tree, reader in
        if case .scalar(let text, plain: true) = tree.content, Tree.kind(ofPlain: text) == .boolean {
            return text.lowercased() == "true"
        }
        let meant = ["yes": "true", "on": "true", "no": "false", "off": "false"]
        reader.error(
            at: tree.location, "found \(tree.found)", expected: "true or false",
            suggestion: tree.text.flatMap { meant[$0.lowercased()] })
        return nil
    }
}

extension Shape<Int> {
    static func integer(_ range: ClosedRange<Int>) -> Shape {
        let expected =
            range.upperBound == .max
            ? "a whole number from \(range.lowerBound) up"
            : "a whole number from \(range.lowerBound) to \(range.upperBound)"
        return Shape(schema: .integer(range), expected: expected) { tree, reader in
            if case .scalar(let text, plain: true) = tree.content, let number = Int(text), range.contains(number) {
                return number
            }
            reader.error(at: tree.location, "found \(tree.found)", expected: expected)
            return nil
        }
    }

    /// Bytes: `0`, `1MB`, `64KiB`.
    static func size(upTo limit: Int) -> Shape {
        amount(
            "a size such as 0, 1500, 64KiB or 1MB",
            schema: .any([.integer(0...limit), .text(pattern: "^[0-9]+ ?(B|kB|KB|MB|GB|KiB|MiB|GiB)$")]),
            upTo: limit, "\(limit) bytes", parse: { Quantity.size($0) })
    }
}

extension Shape<Double> {
    static let percent = scalar(
        "a percentage such as 5% or 0.1%", schema: .text(pattern: "^[0-9]+(\\.[0-9]+)? ?%$"),
        parse: { Quantity.percent($0) })
}

extension Shape<Int64> {
    /// Bits per second.
    static let rate = amount(
        "a rate such as 100kbit, 10Mbit or 1Gbit", schema: .text(pattern: "^[0-9]+ ?(bit|kbit|Mbit|Gbit)$"),
        upTo: Limits.rate, "\(Limits.rate / 1_000_000_000)Gbit", parse: { Quantity.rate($0) })

    /// Nanoseconds.
    static func duration(upTo limit: Int64 = Limits.duration) -> Shape {
        amount(
            "a duration such as 2s, 500ms or 15min",
            schema: .text(pattern: "^[0-9]+(\\.[0-9]+)? ?(ns|us|ms|s|min|h)$"), upTo: limit,
            StepNames.duration(limit), parse: { Quantity.duration($0) })
    }
}

extension Shape<UInt16> {
    static let port = Shape<Int>.integer(1...65535).map { UInt16($0) }
    static let zone = Shape<Int>.integer(0...65535).map { UInt16($0) }
}

extension Shape<Expectation.Count> {
    static let count = scalar(
        "a count such as 3, \">= 1\", \"<= 5\" or \"2..4\"",
        schema: .any([
            .integer(0...Limits.count), .text(pattern: "^((>=|<=|>|<|) ?[0-9]+|[0-9]+ ?\\.\\. ?[0-9]+)$"),
        ]), parse: { Quantity.count($0) })
}

extension Shape<Expectation.Count> {
    /// A number with one of these units behind it, with bounds as `count` has them.
    private static func bounded(
        _ expected: String, number: String, exact: [Schema],
        _ parse: @escaping @Sendable (String) -> Expectation.Count?
    ) -> Shape {
        let pattern = "^((>=|<=|>|<) ?\(number)|\(number) ?\\.\\. ?\(number))$"
        return scalar(expected, schema: .any(exact + [.text(pattern: pattern)]), parse: parse)
    }

    /// Bytes.
    static let sizes = bounded(
        "a count or a size such as \">= 1000\", 1MB or \"<= 64KiB\"",
        number: "[0-9]+ ?(B|kB|KB|MB|GB|KiB|MiB|GiB)?", exact: [Shape<Int>.size(upTo: Limits.count).schema]
    ) { Quantity.sizes($0) }

    /// Nanoseconds.
    static let durations = bounded(
        "a bound such as \"<= 3s\", \"> 500ms\" or 1s..4s",
        number: "[0-9]+(\\.[0-9]+)? ?(ns|us|ms|s|min|h)", exact: []
    ) { Quantity.durations($0) }

    /// Bits per second.
    static let rates = bounded(
        "a bound such as \">= 900Mbit\" or 90Mbit..100Mbit", number: "[0-9]+ ?(bit|kbit|Mbit|Gbit)",
        exact: []
    ) { Quantity.rates($0) }

    /// Thousandths of a percent.
    static let percents = bounded(
        "a share such as \"<= 5%\", \"> 99%\" or 40%..60%", number: "[0-9]+(\\.[0-9]+)? ?%",
        exact: [Shape<Double>.percent.schema]
    ) { Quantity.percents($0) }
}

extension Shape<IPAddress> {
    static let address = scalar(
        "an IP address such as 203.0.113.2 or 2001:db8::2", schema: .text(pattern: "^[0-9a-fA-F:.]+$"),
        parse: { IPAddress($0) })
}

extension Shape<IPPrefix> {
    /// An address with the length of its prefix; without one it is a host's.
    static let prefix = scalar(
        "an address with a prefix length such as 203.0.113.3/27",
        schema: .text(pattern: "^[0-9a-fA-F:.]+(/[0-9]{1,3})?$"),
        parse: { IPPrefix($0) })
}

extension Shape<Endpoint> {
    static let endpoint = scalar(
        "an address and port such as 203.0.113.2:80 or [2001:db8::2]:80",
        schema: .text(pattern: "^([0-9.]+|\\[[0-9a-fA-F:.]+\\]):[0-9]{1,5}$"), parse: { Endpoint($0) })
}

extension Shape<MACAddress> {
    static let mac = scalar(
        "a MAC address such as fa:16:3e:00:00:03", schema: .text(pattern: "^([0-9a-fA-F]{1,2}:){5}[0-9a-fA-F]{1,2}$"),
        parse: { MACAddress($0) })
}
