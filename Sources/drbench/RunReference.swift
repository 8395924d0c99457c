import ArgumentParser
import FoundationEssentials
import Glibc
import History
import Measurement
import Text

/// A measured run as the command line names it: a number in the history, `latest`, `latest~1`, a git revision, or a file.
struct RunReference: ExpressibleByArgument {
    let text: String

    init(argument: String) { text = argument }

    var defaultValueDescription: String { text }

    /// The run, and what it is called in reports.
    /// - Throws: `EnvironmentError` if there is none; `HistoryError`.
    func resolve(in source: HistoryOption) throws -> (name: String, run: MeasuredRun) {
        if let file { return (file, try Self.read(file)) }
        let history = try source.open()
        if let back, let entry = try history.latest(back: back) { return try Self.load(entry.number, history) }
        if back != nil { throw EnvironmentError("the history has no run '\(text)'") }
        if let number = Int(text), try history.run(number) != nil { return try Self.load(number, history) }
        if isRevision, let entry = try history.latest(matching: RunFilter(revision: text)) {
            return try Self.load(entry.number, history)
        }
        if let revision = GitRepository(around: ".")?.commit(text) {
            guard let entry = try history.latest(matching: RunFilter(revision: revision)) else {
                throw EnvironmentError("the history has no run of revision \(revision.prefix(10)) ('\(text)')")
            }
            return try Self.load(entry.number, history)
        }
        throw EnvironmentError("'\(text)' is no run of the history, no git revision and no file")
    }

    private static func load(_ number: Int, _ history: History) throws -> (name: String, run: MeasuredRun) {
        guard let run = try history.run(number) else { throw EnvironmentError("the history has no run \(number)") }
        return ("run \(number)", run)
    }

    /// What `drbench bench` wrote as `measurements.json`.
    static func read(_ file: String) throws(EnvironmentError) -> MeasuredRun {
        do {
            let bytes = try RegularFile.bytes(of: file, upTo: limit)
            return try JSONDecoder().decode(MeasuredRun.self, from: Data(bytes), of: file)
        } catch let problem as RegularFile.Problem {
            throw EnvironmentError("'\(file)' \(problem)")
        } catch {
            throw EnvironmentError("no measurements: \(error)")
        }
    }

    /// Of a file with measurements, in bytes.
    private static let limit = 256_000_000

    /// A file's path, or that of `measurements.json` in a folder; nil if the text names none.
    private var file: String? {
        guard text.contains("/") || text.hasSuffix(".json") else { return nil }
        var information = stat()
        guard stat(text, &information) == 0 else { return text.hasSuffix(".json") ? text : nil }
        return information.st_mode & S_IFMT == S_IFDIR ? text + "/measurements.json" : text
    }

    /// How many runs before the latest.
    private var back: Int? {
        if text == "latest" { return 0 }
        guard text.hasPrefix("latest~") else { return nil }
        return Int(text.dropFirst(7)).flatMap { $0 >= 0 ? $0 : nil }
    }

    private var isRevision: Bool { text.count >= 4 && text.allSatisfy { $0.isHexDigit } }
}

/// Where the history is.
struct HistoryOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The history (default: $DRBENCH_HISTORY, or drbench/history.sqlite in $XDG_DATA_HOME or ~/.local/share).",
            valueName: "file"))
    var history: String?

    func validate() throws { try OptionChecks.path(history, of: "--history") }

    var path: String { history ?? History.defaultPath(environment: Environment.all) }

    /// The history for reading: nil if none was begun.
    func existing() throws -> History? { access(path, F_OK) == 0 || errno != ENOENT ? try History(path: path) : nil }

    func open() throws -> History {
        guard let history = try existing() else {
            throw EnvironmentError("no runs are kept yet in '\(path)': 'drbench bench' keeps what it measures")
        }
        return history
    }
}
