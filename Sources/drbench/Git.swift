import FoundationEssentials
import Glibc
import Text

/// What git says of a repository whose configuration is not trusted: it can name programs to run (core.fsmonitor, filters,
/// hooks, aliases, …). So git never reads it: it is given a folder of drbench's own with nothing but the repository's HEAD and
/// links to its refs, beside the repository's objects and index.
struct GitRepository {
    /// With the files.
    private let tree: String
    /// Of this work tree: HEAD and index.
    private let folder: String
    /// Of all its work trees: refs and objects.
    private let common: String

    /// The repository around a folder; nil if there is none, or if it is somebody else's, as for git itself (safe.directory).
    init?(around start: String) {
        guard let real = realpath(start, nil) else { return nil }
        defer { free(real) }
        var tree = String(cString: real)
        while access("\(tree)/.git", F_OK) != 0 {
            guard tree != "/" else { return nil }
            tree = tree.parent
        }
        let entry = "\(tree)/.git"
        var folder = entry
        if let text = Self.text(of: entry) {
            // A linked work tree's.
            guard text.hasPrefix("gitdir: ") else { return nil }
            folder = Self.path(String(text.dropFirst(8)), from: tree)
        }
        self.tree = tree
        self.folder = folder
        common = Self.text(of: "\(folder)/commondir").map { Self.path($0, from: folder) } ?? folder
        guard [tree, entry, folder, common].allSatisfy(Self.isOwn) else { return nil }
    }

    private static func path(_ path: String, from folder: String) -> String {
        path.hasPrefix("/") ? path : "\(folder)/\(path)"
    }

    private static func text(of file: String) -> String? {
        guard let bytes = try? RegularFile.bytes(of: file, upTo: 4096) else { return nil }
        return String(validating: bytes, as: UTF8.self)?.split(whereSeparator: \.isNewline).first.map(String.init)
    }

    /// Of the user, who behind sudo is who called it (ensure_valid_ownership() in git's setup.c).
    private static func isOwn(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else { return false }
        if status.st_uid == geteuid() { return true }
        return geteuid() == 0 && Environment.all["SUDO_UID"].flatMap { UInt32($0) } == status.st_uid
    }

    /// The commit that a name means: `main`, `HEAD~2`, `v1.0`. nil if it means none.
    func commit(_ name: String) -> String? {
        guard !name.isEmpty, !name.hasPrefix("-"), !name.contains("\0") else { return nil }
        return git(["rev-parse", "--verify", "--quiet", "\(name)^{commit}"])?
            .split(whereSeparator: \.isNewline).first.map(String.init)
    }

    /// The revision in twelve digits, with `+` behind it if a file of it is changed.
    var revision: String? {
        guard let commit = commit("HEAD"),
            let changes = git(["status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all"])
        else { return nil }
        return commit.prefix(12) + (changes.isEmpty ? "" : "+")
    }

    private func git(_ arguments: [String]) -> String? {
        guard let program = HostProgram("git"), let head = Self.text(of: "\(folder)/HEAD") else { return nil }
        var template = Array("/tmp/drbench-git-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { return nil }
        let own = template.withUnsafeBufferPointer {
            String(decoding: $0.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        let names = ["HEAD", "config", "refs", "packed-refs", "objects"]
        defer {
            for name in names { unlink("\(own)/\(name)") }
            rmdir(own)
        }
        do {
            try Data("\(head)\n".utf8).write(to: URL(filePath: "\(own)/HEAD"))
            try Data("[core]\n\trepositoryformatversion = 0\n\tbare = false\n".utf8).write(
                to: URL(filePath: "\(own)/config"))
        } catch {
            return nil
        }
        for name in names.dropFirst(2) { symlink("\(common)/\(name)", "\(own)/\(name)") }
        return program.output(
            ["-C", tree, "--no-pager", "--no-optional-locks"] + arguments,
            environment: [
                "GIT_DIR": own, "GIT_WORK_TREE": tree, "GIT_INDEX_FILE": "\(folder)/index", "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ATTR_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
                "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none", "HOME": "/nonexistent",
            ])
    }
}
