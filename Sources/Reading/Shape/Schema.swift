internal import Scenario

/// What a value of the format looks like: the JSON Schema is written from this.
indirect enum Schema: Sendable {
    /// Text; a pattern is a regular expression of both ECMA 262 and Swift.
    case text(pattern: String?)
    /// Text that may look like a number or a truth value: `release: 2014.1`.
    case scalar(pattern: String?)
    case integer(ClosedRange<Int>)
    case boolean
    case words([String])
    case list(Schema, minimum: Int, maximum: Int = Limits.entries)
    /// A mapping with keys of the user's choice.
    case keyed(keyPattern: String?, Schema, minimum: Int, maximum: Int = Limits.entries)
    case object(Object)
    case any([Schema])
    case null
    /// Whatever there is.
    case anything
    /// The whole format, laid over a scenario: a key without a value takes one away.
    case overlay(Overlay)

    struct Overlay: Sendable {
        /// Its name among the definitions.
        var name: String
        var required: [String] = []
        /// Keys that it cannot have.
        var without: Set<String>
        /// Keys that it has beside the format's.
        var extra: [Field] = []
    }

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
