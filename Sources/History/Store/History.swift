internal import GRDB
internal import Glibc
public import Measurement

/// All that `drbench bench` ever measured on this machine, in one SQLite file.
///
/// Any number of processes may append and read at once: a run is written in one transaction, so that there is all of it or
/// none, whenever its writer is killed. Opening makes the file and its folders if they are missing, and brings an older
/// file's schema up to date.
public struct History: Sendable {
    /// How long a writer waits for others, in seconds.
    static let patience = 30.0

    public let path: String
    let database: DatabaseQueue

    /// Where the history is if nobody says otherwise: `$DRBENCH_HISTORY`, `$XDG_DATA_HOME/drbench/history.sqlite` or
    /// `~/.local/share/drbench/history.sqlite`.
    public static func defaultPath(environment: [String: String]) -> String {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let path = value("DRBENCH_HISTORY") { return path }
        // The base directory specification: relative paths are to be ignored.
        let data = value("XDG_DATA_HOME").flatMap { $0.hasPrefix("/") ? $0 : nil }
        return (data ?? (value("HOME") ?? "/root") + "/.local/share") + "/drbench/history.sqlite"
    }

    /// Keeps a run in the history that the environment names.
    /// - Returns: its number; that of the run that is already there if it is the same one.
    @discardableResult
    public static func keep(_ run: MeasuredRun, environment: [String: String]) throws(HistoryError) -> Int {
        try History(path: defaultPath(environment: environment)).append(run)
    }

    public init(path: String) throws(HistoryError) {
        self.path = path
        do {
            try Self.makeFolders(of: path)
            // Two processes that make the file at once would get in each other's way: SQLite does not wait for others when
            // it changes the journal's mode.
            database = try FolderLock.with(folder: Self.folder(of: path)) {
                let database = try DatabaseQueue(path: path, configuration: Self.configuration)
                try HistorySchema.bringUpToDate(database, path: path)
                return database
            }
        } catch {
            throw HistoryError(error, path: path)
        }
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.label = "history"
        configuration.busyMode = .timeout(patience)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA foreign_keys = ON; PRAGMA synchronous = NORMAL")
        }
        return configuration
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// As `mkdir -p` makes them, for their owner only.
    private static func makeFolders(of path: String) throws(HistoryError) {
        let folder = folder(of: path)
        var made = folder.hasPrefix("/") ? "/" : ""
        for part in folder.split(separator: "/") {
            made += part + "/"
            guard mkdir(made, 0o700) < 0, errno != EEXIST, access(made, F_OK) < 0 else { continue }
            throw .unusable(path: path, reason: "cannot make the folder '\(made)': \(String(cString: strerror(errno)))")
        }
    }

    func read<Value>(_ body: (Database) throws -> Value) throws(HistoryError) -> Value {
        do {
            return try database.read(body)
        } catch {
            throw HistoryError(error, path: path)
        }
    }

    func write<Value>(_ body: (Database) throws -> Value) throws(HistoryError) -> Value {
        do {
            return try database.write(body)
        } catch {
            throw HistoryError(error, path: path)
        }
    }
}

/// An exclusive lock on a folder, among processes that ask for one; it ends with its holder and leaves no file.
private enum FolderLock {
    static func with<Value>(folder: String, _ body: () throws -> Value) throws -> Value {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw HistoryError.unusable(path: folder, reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_EX) < 0, errno == EINTR {}
        return try body()
    }
}
