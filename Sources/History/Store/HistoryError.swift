internal import GRDB

/// Why a history cannot be read or written. All of them are about this machine or the file, none about a measurement.
public enum HistoryError: Error, Equatable, CustomStringConvertible {
    /// The file, or its folder, cannot be opened, made or written.
    case unusable(path: String, reason: String)
    /// Not a history, or a damaged one.
    case damaged(path: String, reason: String)
    /// Written by a later drbench.
    case tooNew(path: String)
    /// Others have been writing for longer than `History.patience`.
    case busy(path: String)
    /// A run that must not be kept, because it could not be read again or would mislead.
    case invalid(reason: String)

    public var description: String {
        switch self {
        case .unusable(let path, let reason): "the history '\(path)' cannot be used: \(reason)"
        case .damaged(let path, let reason):
            "'\(path)' is not a history of drbench, or it is damaged (\(reason)); DRBENCH_HISTORY names another file"
        case .tooNew(let path):
            "the history '\(path)' was written by a later drbench; use that one, or name another file in DRBENCH_HISTORY"
        case .busy(let path): "the history '\(path)' is being written by others, for longer than drbench waits"
        case .invalid(let reason): "the run cannot be kept: \(reason)"
        }
    }

    /// What the database said, in the words of drbench.
    init(_ error: any Error, path: String) {
        if let error = error as? HistoryError {
            self = error
            return
        }
        guard let error = error as? DatabaseError else {
            self = .unusable(path: path, reason: "\(error)")
            return
        }
        let reason = error.message ?? "\(error.resultCode)"
        switch error.resultCode {
        case .SQLITE_NOTADB, .SQLITE_CORRUPT, .SQLITE_FORMAT: self = .damaged(path: path, reason: reason)
        case .SQLITE_BUSY, .SQLITE_LOCKED: self = .busy(path: path)
        default: self = .unusable(path: path, reason: reason)
        }
    }
}
