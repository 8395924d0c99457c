public import ArgumentParser
public import Report
internal import Text

extension OutputFormat: ExpressibleByArgument {}

extension OutputFormat {
    /// What the last gate takes it for.
    var outgoing: Outgoing.Kind {
        switch self {
        case .json: .json
        case .github: .workflowCommands
        case .terminal: .coloured
        case .junit, .tap, .ktap, .markdown: .text
        }
    }
}
