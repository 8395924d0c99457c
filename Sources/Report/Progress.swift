internal import Synchronization
internal import Text
public import Verdict

/// Says while scenarios run how far they are.
///
/// Safe to use from several threads; lines come whole.
public final class Progress: Sendable {
    /// How it speaks.
    public enum Style: Sendable {
        case silent
        /// One line that is written over again and again; for terminals.
        case live
        /// A line for each scenario that starts and one for each that has ended; for logs.
        case lines
    }

    private struct State {
        var finished = 0
        /// In the order of their start.
        var running: [String] = []
    }

    private let total: Int
    private let style: Style
    private let colour: Bool
    private let write: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - total: how many scenarios there will be.
    ///   - write: takes text as it is to appear, newlines included.
    public init(total: Int, style: Style, colour: Bool = false, write: @escaping @Sendable (String) -> Void) {
        self.total = total
        self.style = style
        self.colour = colour
        self.write = write
    }

    public func started(_ scenario: String) {
        state.withLock { state in
            state.running.append(scenario)
            switch style {
            case .silent: break
            case .live: write(line(state))
            case .lines: write("start  \(scenario.printable)\n")
            }
        }
    }

    public func finished(_ verdict: Verdict) {
        state.withLock { state in
            state.finished += 1
            if let index = state.running.firstIndex(of: verdict.scenario) { state.running.remove(at: index) }
            switch style {
            case .silent: break
            case .live: write(state.finished == total ? Self.clear : line(state))
            case .lines:
                let number = String(state.finished).leftPadded(to: String(total).count)
                let why = verdict.status == .passed ? "" : "  \(verdict.reason.printable)"
                write(
                    "[\(number)/\(total)] \(verdict.status.label(coloured: colour)) \(verdict.scenario.printable)\(why)\n"
                )
            }
        }
    }

    /// To the line's start, and away with what stands there (ECMA-48 EL).
    private static let clear = "\r\u{1B}[K"

    private func line(_ state: State) -> String {
        // No longer than a narrow terminal's line: one that wraps is not written over.
        let text = "[\(state.finished)/\(total)] running \(state.running.joined(separator: ", "))"
        return Self.clear + text.printable.prefix(78)
    }
}
