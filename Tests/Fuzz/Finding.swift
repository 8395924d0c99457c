import Foundation

/// What must not happen, whatever the input.
enum Finding: Equatable {
    case signal(Int32)
    case hang
    case status(Int32)
    /// Exit status 2 without the place of the mistake.
    case noPlace
    case character(String)
    case workflowCommand
    /// Words of Swift's or C's own.
    case innerWords(String)

    /// - Parameter places: whether exit status 2 must say where in the input something is wrong.
    init?(_ outcome: Outcome, places: Bool) {
        switch outcome.end {
        case .hung: self = .hang
        case .signalled(let signal): self = .signal(signal)
        case .exited(let status):
            guard (0...3).contains(status) else {
                self = .status(status)
                return
            }
            let text = String(decoding: outcome.output, as: UTF8.self)
            if outcome.output.count < 1_000_000, String(validating: outcome.output, as: UTF8.self) == nil {
                self = .character("bytes that are not UTF-8")
            } else if let scalar = text.unicodeScalars.first(where: Self.isUnruly) {
                self = .character("U+" + String(scalar.value, radix: 16, uppercase: true))
            } else if text.split(separator: "\n").contains(where: { $0.drop(while: \.isWhitespace).hasPrefix("::") }) {
                self = .workflowCommand
            } else if let words = Self.innerWords.first(where: text.contains) {
                self = .innerWords(words)
            } else if status == 2, places, !Self.hasPlace(text) {
                self = .noPlace
            } else {
                return nil
            }
        }
    }

    var name: String {
        switch self {
        case .signal(let signal): "signal-\(signal)"
        case .hang: "hang"
        case .status(let status): "status-\(status)"
        case .noPlace: "no-place"
        case .character(let character): "character-" + character.replacing(" ", with: "-")
        case .workflowCommand: "workflow-command"
        case .innerWords(let words): "inner-words-" + words.filter { $0.isLetter }
        }
    }

    private static let innerWords = [
        "DecodingError", "Debug description", "Swift.", "NSCocoaErrorDomain", "ECANCELED", "Fatal error", "\u{FFFD}",
    ]

    private static func isUnruly(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control: scalar != "\n" && scalar != "\t"
        case .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    /// `file:line`, a path in JSON such as `runs[3]`, or a file of a bundle or the machine whose it is.
    private static func hasPlace(_ text: String) -> Bool {
        text.contains(#/:\d+/#) || text.contains(#/\[\d+\]/#)
            || text.contains(#/(hv|rs|lb|gw|client|compute|vm)\d*[\/:]/#)
    }
}
