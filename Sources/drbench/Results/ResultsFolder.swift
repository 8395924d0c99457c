import ArgumentParser
import Glibc
import Kernel

/// The folder of all runs of an invocation, taken for this process: nobody else's results are written to it, and none of
/// another's files are.
///
/// A mark in it says that it is drbench's own. Without one only an empty folder is taken. While it is used the mark is locked
/// (flock), which ends with the process, whatever way that ends.
final class ResultsFolder: Sendable {
    /// Absolute, without links.
    let path: String
    let folder: Folder
    private let mark: Int32
    private let use: Use

    /// How others may be in it at the same time.
    enum Use {
        /// None may.
        case alone
        /// Others that share it, each with a scenario of its own: labs that are up.
        case shared
    }

    static let markFile = ".drbench-results"
    private static let markText =
        "A folder of drbench: its runs write here, and remove what earlier ones left.\nformat 1\n"
    /// Of a mark with the lines of those that use the folder.
    private static let markLimit = 1 << 16

    /// Makes the folder of all runs, unless it is there, and takes it.
    /// - Throws: `EnvironmentError` if it cannot be written to, is somebody else's, or is in use.
    init(_ named: String, _ use: Use = .alone) throws(EnvironmentError) {
        path = try Self.make(named)
        do {
            folder = try Folder(path)
        } catch {
            throw EnvironmentError("\(error); --out DIR names another place for results")
        }
        self.use = use
        mark = try Self.lockMark(in: folder, use)
        Self.note(use, in: mark)
    }

    /// A folder with results that may have no mark, a copy: locked if it has one, so that nothing is written into it while it
    /// is used.
    /// - Throws: `EnvironmentError` if it is in use, or not there.
    init(existing named: String) throws(EnvironmentError) {
        do {
            folder = try Folder(named)
        } catch {
            throw EnvironmentError("\(error)")
        }
        path = named
        use = .alone
        mark = folder.kind(of: Self.markFile) == nil ? -1 : try Self.lockMark(in: folder, .alone)
        if mark >= 0 { Self.note(.alone, in: mark) }
    }

    deinit {
        guard mark >= 0 else { return }
        Self.forget(in: mark)
        close(mark)
    }

    /// The folder of a run, which is made, and emptied of what the last run left. It is nobody else's as long as it is held.
    /// - Parameter above: within this folder.
    func prepare(_ fullName: String, below above: String? = nil) throws(EnvironmentError) -> Folder {
        do throws(FileError) {
            let run = try subfolder(RunLayout.parts(of: fullName), below: above)
            // Those who share the folder of all runs may still mean the same one.
            if use == .shared, flock(run.descriptor, LOCK_EX | LOCK_NB) < 0 {
                throw FileError(.lock, run.path, .system(errno))
            }
            try RunLayout.clear(run)
            return run
        } catch {
            if error.operation == .lock, error.reason == .system(EWOULDBLOCK) {
                throw EnvironmentError("\(error.path) is in use by a lab that is up; 'drbench down' ends it")
            }
            throw EnvironmentError("\(error)")
        }
    }

    /// The folder of a run; nil if it is not there.
    func existing(_ fullName: String, below above: String? = nil) throws(EnvironmentError) -> Folder? {
        do {
            let way = above.map { $0.split(separator: "/").map(String.init) } ?? []
            return try RunLayout.existingFolder(way + RunLayout.parts(of: fullName), in: folder)
        } catch {
            throw EnvironmentError("\(error)")
        }
    }

    /// Removes a folder within, with those in it, as far as no files are in them. To be called when nothing runs.
    func removeEmpty(_ name: String) throws(FileError) { try Self.removeEmpty(name, in: folder) }

    private static func removeEmpty(_ name: String, in folder: Folder) throws(FileError) {
        guard folder.kind(of: name) == .folder, let inner = try folder.existingSubfolder(name) else { return }
        for each in try inner.names() { try removeEmpty(each, in: inner) }
        try folder.removeEmptySubfolder(name)
    }

    private func subfolder(_ parts: [String], below above: String?) throws(FileError) -> Folder {
        var folder = folder
        for part in (above.map { $0.split(separator: "/").map(String.init) } ?? []) + parts {
            folder = try folder.subfolder(part)
        }
        return folder
    }

    // MARK: The folder

    /// Makes a folder, and those above it, unless it is there; then it must be writable. Returns its absolute path.
    private static func make(_ path: String) throws(EnvironmentError) -> String {
        let advice = "--out DIR names another place for results"
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += part
            let code = mkdir(made, 0o777) < 0 ? errno : 0
            // An existing folder below one that may not be written to can give another error than EEXIST.
            if code != 0, code != EEXIST, access(made, F_OK) < 0 {
                throw EnvironmentError("cannot make the folder '\(made)': \(Errno.message(code)); \(advice)")
            }
            made += "/"
        }
        guard access(path + "/.", W_OK | X_OK) == 0 else {
            throw EnvironmentError("cannot write to the folder '\(path)': \(Errno.message(errno)); \(advice)")
        }
        guard let real = realpath(path, nil) else { throw EnvironmentError("cannot find '\(path)' again") }
        defer { free(real) }
        return String(cString: real)
    }

    // MARK: The mark

    /// The mark, open and locked.
    private static func lockMark(in folder: Folder, _ use: Use) throws(EnvironmentError) -> Int32 {
        while true {
            let mark = openat(folder.descriptor, markFile, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            guard mark >= 0 else {
                guard errno == ENOENT else { throw obstacle("its mark \(markFile) cannot be used", folder, errno) }
                try makeMark(in: folder)
                continue
            }
            if flock(mark, (use == .alone ? LOCK_EX : LOCK_SH) | LOCK_NB) < 0 {
                let code = errno
                defer { close(mark) }
                guard code == EWOULDBLOCK else { throw obstacle("its mark \(markFile) cannot be locked", folder, code) }
                throw EnvironmentError(
                    "\(folder.path) is in use by \(users(of: mark)): wait for its end, or name another folder for results"
                )
            }
            // Somebody may have removed the folder's contents meanwhile.
            guard isSame(mark, markFile, in: folder) else {
                close(mark)
                continue
            }
            guard let text = text(of: mark), text.isEmpty || text.hasPrefix(markText) else {
                close(mark)
                throw EnvironmentError(
                    "\(folder.path): its \(markFile) is not one that this drbench wrote: "
                        + "name another folder for results, or empty this one")
            }
            return mark
        }
    }

    private static func obstacle(_ what: String, _ folder: Folder, _ code: Int32) -> EnvironmentError {
        EnvironmentError("\(folder.path): \(what): \(Errno.message(code)); name another folder for results")
    }

    /// Makes a mark in an empty folder.
    private static func makeMark(in folder: Folder) throws(EnvironmentError) {
        let names: [String]
        do {
            names = try folder.names()
        } catch {
            throw EnvironmentError("\(error)")
        }
        // Another process may just have made its mark.
        guard !names.contains(markFile) else { return }
        guard names.isEmpty else {
            let isOlder = names.contains("results.json")
            throw EnvironmentError(
                "\(folder.path) is not empty, and no folder of drbench (it has no \(markFile)"
                    + (isOlder ? "; results of releases before have none, either" : "")
                    + "): name another folder for results, or empty this one")
        }
        // It is written by whoever locks it.
        let mark = openat(folder.descriptor, markFile, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard mark >= 0 else {
            guard errno == EEXIST else { throw obstacle("cannot make its mark \(markFile)", folder, errno) }
            return
        }
        close(mark)
    }

    private static func text(of mark: Int32) -> String? {
        var information = stat()
        guard fstat(mark, &information) == 0, information.st_mode & S_IFMT == S_IFREG else { return nil }
        let bytes = [UInt8](unsafeUninitializedCapacity: markLimit) { buffer, count in
            count = max(0, pread(mark, buffer.baseAddress, buffer.count, 0))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isSame(_ descriptor: Int32, _ name: String, in folder: Folder) -> Bool {
        var held = stat()
        var there = stat()
        return fstat(descriptor, &held) == 0 && fstatat(folder.descriptor, name, &there, AT_SYMLINK_NOFOLLOW) == 0
            && held.st_ino == there.st_ino && held.st_dev == there.st_dev
    }

    // MARK: Those who use it

    /// `process 1234 (drbench run)`, in a line of the mark: for a message only, and true only while it is locked.
    private struct User {
        var process: Int32
        var line: String

        init?(_ line: Substring) {
            let words = line.split(separator: " ", maxSplits: 2)
            guard words.count == 3, words[0] == "process", let process = Int32(words[1]), process > 0 else {
                return nil
            }
            self.process = process
            self.line = String(line)
        }

        var isThere: Bool { kill(process, 0) == 0 || errno == EPERM }
    }

    private static func others(in mark: Int32) -> [User] {
        (text(of: mark) ?? "").split(separator: "\n").compactMap(User.init).filter {
            $0.isThere && $0.process != getpid()
        }
    }

    private static func users(of mark: Int32) -> String {
        let users = others(in: mark).map(\.line)
        return users.isEmpty ? "another process" : users.joined(separator: " and ")
    }

    private static func note(_ use: Use, in mark: Int32) {
        let command = CommandLine.arguments.dropFirst().first ?? ""
        let own = "process \(getpid()) (drbench \(command.allSatisfy { $0.isLetter } ? command : "run"))"
        write((use == .shared ? others(in: mark).map(\.line) : []) + [own], to: mark)
    }

    private static func forget(in mark: Int32) { write(others(in: mark).map(\.line), to: mark) }

    /// What cannot be written here is missing in a message only.
    private static func write(_ users: [String], to mark: Int32) {
        let bytes = Array((markText + users.map { $0 + "\n" }.joined()).utf8)
        guard bytes.count < markLimit, pwrite(mark, bytes, bytes.count, 0) == bytes.count else { return }
        ftruncate(mark, bytes.count)
    }
}
