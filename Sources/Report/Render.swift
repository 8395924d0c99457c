/// The forms that a result can be written in.
public enum OutputFormat: String, Sendable, CaseIterable {
    /// For people.
    case terminal
    /// `results.json`.
    case json
    /// `junit.xml`, for CI servers.
    case junit
    /// Test Anything Protocol, version 13.
    case tap
    /// The kernel's test protocol, version 1.
    case ktap
    /// Annotations for GitHub's actions.
    case github
    /// A summary for GitHub's job page.
    case markdown
}

public struct RenderOptions: Sendable, Equatable {
    /// How much the terminal shows.
    public enum Detail: String, Sendable, CaseIterable {
        /// Failures and the totals.
        case quiet
        /// One line per scenario, failures in full.
        case normal
        /// Every check with what it saw.
        case verbose
    }

    public var detail: Detail
    /// Colours by terminal escape sequences.
    public var colour: Bool
    /// Whether times are written; without them, equal runs give equal bytes.
    public var timing: Bool
    /// Whether the terminal report begins with the engine and the seed.
    public var header: Bool
    /// The folder that a run's `directory` is relative to, as the user wrote it: the terminal report names it.
    public var folder: String?
    /// The checkout that files are named relative to, where a format's reader wants that.
    public var root: String?

    public init(
        detail: Detail = .normal, colour: Bool = false, timing: Bool = true, header: Bool = true, folder: String? = nil,
        root: String? = nil
    ) {
        self.detail = detail
        self.colour = colour
        self.timing = timing
        self.header = header
        self.folder = folder
        self.root = root
    }
}

/// Writes a result in a format. The text ends with a newline.
///
/// Throws what the encoders throw, which they do for no result.
public func render(
    _ result: RunResult, as format: OutputFormat, options: RenderOptions = .init()
) throws -> String {
    let result = options.timing ? result : result.withoutTiming
    return switch format {
    case .terminal: TerminalReport(result, options).text
    case .json: try jsonReport(result)
    case .junit: try junitReport(result, verbose: options.detail == .verbose)
    case .tap: tapReport(result)
    case .ktap: ktapReport(result)
    case .github: gitHubReport(result, root: options.root)
    case .markdown: markdownReport(result)
    }
}
