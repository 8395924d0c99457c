/// What a value of the format looks like: the JSON Schema is written from this.
indirect enum Schema: Sendable {
    /// Text; a pattern is a regular expression of both ECMA 262 and Swift.
    case text(pattern: String?)
    /// Text that may look like a number or a truth value: `release: 2014.1`.
    case scalar(pattern: String?)
    case integer(ClosedRange<Int>)
    case boolean
    case words([String])
    case list(Schema, minimum: Int)
    /// A mapping with keys of the user's choice.
    case keyed(keyPattern: String?, Schema, minimum: Int)
    case object(Object)
    case any([Schema])
    /// The whole format, laid over a scenario: only these keys are required, and a key without a value takes one away.
    case variant(required: [String])

    struct Object: Sendable {
        /// Its name among the definitions.
        var name: String
        var documentation: String
        var fields: [Field]
        var rules: [Rule]
    }

    struct Field: Sendable {
        var name: String
        var documentation: String
        var required: Bool
        var schema: Schema
    }

    /// What must hold between an object's keys.
    enum Rule: Sendable {
        /// `of` is what the keys are, for messages: `action`.
        case exactlyOne([String], of: String)
        case atLeastOne([String])
        /// The first key needs one of the others.
        case needs(String, oneOf: [String])
    }
}
