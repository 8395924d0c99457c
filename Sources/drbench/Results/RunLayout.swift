import Engine
import Kernel
import Report
import Scenario

/// Where the files of runs are, below the folder of all: the one place that says so.
///
///     SCENARIO/                    a scenario's own run
///     SCENARIO/variants/VARIANT/   a variant's, or a matrix cell's
///
/// So no variant has the name of one of the files of its scenario's run.
enum RunLayout {
    static let variants = "variants"
    /// Where second runs go that are to be the same as the first (`--check-determinism`). No scenario has such a name.
    static let again = ".again"
    /// Where runs with rule tracing go.
    static let traced = ".traced"
    /// Where the repetitions of measurements go, by their numbers.
    static let repetitions = ".repetitions"

    /// The folder of a run, relative to that of all runs, by the scenario's full name.
    static func directory(of fullName: String) -> String { parts(of: fullName).joined(separator: "/") }

    /// A name with `/` behind the variant's begins no folder of its own: then it is no name that a scenario has.
    static func parts(of fullName: String) -> [String] {
        let parts = fullName.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return parts.count == 2 ? [parts[0], variants, parts[1]] : parts
    }

    /// The folder of all runs, seen from the folder of one: `../`, or `../../../` for a variant's.
    static func wayUp(from fullName: String) -> String {
        String(repeating: "../", count: parts(of: fullName).count)
    }

    /// A run's folder below that of all runs; nil if it is not there.
    static func existingFolder(of fullName: String, in results: Folder) throws(FileError) -> Folder? {
        try existingFolder(parts(of: fullName), in: results)
    }

    /// A folder below another, by the names on the way; nil if it is not there.
    static func existingFolder(_ parts: [String], in folder: Folder) throws(FileError) -> Folder? {
        var folder = folder
        for part in parts {
            guard let inner = try folder.existingSubfolder(part) else { return nil }
            folder = inner
        }
        return folder
    }

    // MARK: Files

    /// What a run leaves, and what is made of it: files that the next run removes.
    static let files =
        [RunFiles.plan, RunFiles.evidence, RunFiles.capture, RunFiles.console] + KeptRun.reports

    /// Whether a run writes a file of this name into the folder of that name.
    static func isOwn(_ name: String, in folder: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        switch folder {
        case RunFiles.rules:
            // HOST.FAMILY.rules
            return parts.count >= 3 && parts.last == "rules"
                && RuleFamily(rawValue: String(parts[parts.count - 2])) != nil
        case RunFiles.programs:
            // HOST.NAME.log
            return parts.count >= 3 && parts.last == "log"
        default: return false
        }
    }

    /// Removes what the last run left in its folder, by the names that a run writes; what else is there stays.
    static func clear(_ folder: Folder) throws(FileError) {
        for name in files { try folder.remove(name) }
        for name in [RunFiles.rules, RunFiles.programs] {
            guard let inner = try folder.existingSubfolder(name) else { continue }
            for file in try inner.names() where isOwn(file, in: name) && inner.kind(of: file) == .file {
                try inner.remove(file)
            }
            try folder.removeEmptySubfolder(name)
        }
    }

    /// What there is of a run in its folder, what was made of it first.
    static func kept(in folder: Folder?) -> [String] {
        guard let folder else { return [] }
        return KeptRun.reports.filter { folder.kind(of: $0) == .file }
            + RunFiles.all.filter { [.file, .folder].contains(folder.kind(of: $0)) }
    }

    /// The files of a run, those in folders by themselves: `rules/hv1.ipv4.rules`.
    static func keptFiles(in folder: Folder) -> [String] {
        kept(in: folder).flatMap { name -> [String] in
            guard folder.kind(of: name) == .folder else { return [name] }
            let inner = (try? folder.existingSubfolder(name)?.names()) ?? []
            return inner.filter { isOwn($0, in: name) }.map { "\(name)/\($0)" }
        }
    }
}

/// How much of a file is read at most, in bytes. What a run leaves comes from its guest.
enum ReadLimit {
    static let evidence = 1 << 28
    static let capture = 1 << 30
    static let results = 1 << 28
}
