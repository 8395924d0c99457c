internal import Glibc

/// A folder that is open. Everything in it is reached relative to it and by a single name, so that nothing that is put into
/// its place, or on the way to it, meanwhile leads elsewhere.
///
/// Symbolic links in it are never followed: not when files are written, read or removed, not to folders below it.
///
/// Safe to use from any thread; two must not write a file of one name at a time.
public final class Folder: Sendable {
    /// For messages, and for programs that are told of it: as it was named when it was opened.
    public let path: String
    /// Of the folder, open for as long as this object lives.
    public let descriptor: Int32

    /// Opens a folder that a person named: links in the path lead where they lead.
    public convenience init(_ path: String) throws(FileError) {
        try self.init(at: AT_FDCWD, path, path: path, flags: 0)
    }

    private init(at parent: Int32, _ name: String, path: String, flags: Int32) throws(FileError) {
        let opened = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags)
        guard opened >= 0 else {
            let code = errno
            if code == ENOTDIR || code == ELOOP, let kind = FileKind(of: name, in: parent), kind != .folder {
                throw FileError(.open, path, .isNoFolder(kind))
            }
            throw FileError(.open, path, .system(code))
        }
        descriptor = opened
        self.path = path
    }

    deinit { close(descriptor) }

    /// The path of what is in it, for messages.
    public func path(of name: String) -> String { path.hasSuffix("/") ? path + name : "\(path)/\(name)" }

    // MARK: Files

    /// Writes a file in place of what had its name before: to a new file (mode 0644 within the umask) that is renamed then, so
    /// that a reader finds the old one or the new one, whole. A link of that name is replaced, and not followed.
    ///
    /// It does not wait until a disk has it: what a crash of the whole machine loses can be run again.
    public func write(_ name: String, _ bytes: some Collection<UInt8>) throws(FileError) {
        let made = Self.unfinished(name)
        let descriptor = try create(made, for: name, O_WRONLY)
        // Zero or an errno.
        let failure =
            bytes.withContiguousStorageIfAvailable { writeAll(descriptor, UnsafeRawBufferPointer($0)) }
            ?? Array(bytes).withUnsafeBytes { writeAll(descriptor, $0) }
        // A full disk of another machine may be told of only now.
        var code = close(descriptor) < 0 && failure == 0 ? errno : failure
        if code == 0, renameat(self.descriptor, made, self.descriptor, name) < 0 { code = errno }
        guard code == 0 else {
            unlinkat(self.descriptor, made, 0)
            throw FileError(.write, path(of: name), .system(code))
        }
    }

    /// A new, empty file in place of what had its name before, open for reading and writing; the caller closes it.
    public func create(_ name: String) throws(FileError) -> Int32 { try create(name, for: name, O_RDWR) }

    private func create(_ name: String, for meant: String, _ access: Int32) throws(FileError) -> Int32 {
        try check(meant, .create)
        // What a killed process left has this name, too.
        for _ in 0..<2 {
            let made = openat(descriptor, name, access | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
            if made >= 0 { return made }
            guard errno == EEXIST else { break }
            guard unlinkat(descriptor, name, 0) == 0 || errno == ENOENT else { break }
        }
        throw FileError(.create, path(of: meant), .system(errno))
    }

    /// The name of a file until it is whole: a hidden one, and none that is too long.
    private static func unfinished(_ name: String) -> String {
        "." + String(decoding: name.utf8.prefix(200), as: UTF8.self) + ".new"
    }

    /// What a file holds; nil if there is none. Only a regular file is read, and none of more bytes than `limit`: neither
    /// what never ends nor what blocks.
    public func read(_ name: String, limit: Int) throws(FileError) -> [UInt8]? {
        try check(name, .read)
        let file = openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard file >= 0 else {
            let code = errno
            if code == ENOENT { return nil }
            let kind = FileKind(of: name, in: descriptor)
            // A socket gives ENXIO, a link ELOOP.
            if let kind, kind != .file { throw FileError(.read, path(of: name), .isNoFile(kind)) }
            throw FileError(.read, path(of: name), .system(code))
        }
        defer { close(file) }
        return try contents(of: file, path: path(of: name), limit: limit)
    }

    /// Removes a file or link, if it is there; never a folder, and never what a link leads to.
    public func remove(_ name: String) throws(FileError) {
        try check(name, .remove)
        guard unlinkat(descriptor, name, 0) < 0, errno != ENOENT else { return }
        throw FileError(.remove, path(of: name), .system(errno))
    }

    /// What has a name in it; nil if nothing has.
    public func kind(of name: String) -> FileKind? { FileKind(of: name, in: descriptor) }

    /// What is in it, but for itself and its parent, in the order of names.
    public func names() throws(FileError) -> [String] {
        // Not a duplicate of the descriptor, which would share the place that is read from next.
        let again = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard again >= 0 else { throw FileError(.read, path, .system(errno)) }
        guard let stream = fdopendir(again) else {
            close(again)
            throw FileError(.read, path, .system(errno))
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { name in
                String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    // MARK: Folders

    /// A folder in it, which is made unless it is there. A link in its place is an error.
    public func subfolder(_ name: String) throws(FileError) -> Folder {
        try check(name, .create)
        guard mkdirat(descriptor, name, 0o777) == 0 || errno == EEXIST else {
            throw FileError(.create, path(of: name), .system(errno))
        }
        return try Folder(at: descriptor, name, path: path(of: name), flags: O_NOFOLLOW)
    }

    /// A folder in it; nil if there is none. A link in its place is an error.
    public func existingSubfolder(_ name: String) throws(FileError) -> Folder? {
        try check(name, .open)
        guard kind(of: name) != nil else { return nil }
        return try Folder(at: descriptor, name, path: path(of: name), flags: O_NOFOLLOW)
    }

    /// Removes a folder in it if that is there and empty. Whether it is not there now.
    @discardableResult
    public func removeEmptySubfolder(_ name: String) throws(FileError) -> Bool {
        try check(name, .remove)
        if unlinkat(descriptor, name, AT_REMOVEDIR) == 0 || errno == ENOENT { return true }
        guard errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR else {
            throw FileError(.remove, path(of: name), .system(errno))
        }
        return false
    }

    /// One name only: not a way to somewhere else.
    private func check(_ name: String, _ operation: FileError.Operation) throws(FileError) {
        guard !name.isEmpty, name != ".", name != "..", !name.utf8.contains(0x2F), !name.utf8.contains(0) else {
            throw FileError(operation, path(of: name), .isNoName)
        }
    }
}

/// What an open file holds; `path` is for messages.
private func contents(of file: Int32, path: String, limit: Int) throws(FileError) -> [UInt8] {
    var information = stat()
    guard fstat(file, &information) == 0 else { throw FileError(.read, path, .system(errno)) }
    let kind = FileKind(mode: information.st_mode)
    guard kind == .file else { throw FileError(.read, path, .isNoFile(kind)) }
    let size = Int(information.st_size)
    guard size <= limit else { throw FileError(.read, path, .isTooLarge(bytes: size, limit: limit)) }
    var code: Int32 = 0
    var isTooLarge = false
    // One more than it has, to see its end; it may also grow meanwhile.
    var capacity = size + 1
    var bytes: [UInt8] = []
    while true {
        var count = 0
        let chunk = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, initialized in
            while initialized < buffer.count {
                let got = Glibc.read(file, buffer.baseAddress.map { $0 + initialized }, buffer.count - initialized)
                if got < 0, errno == EINTR { continue }
                if got < 0 { code = errno }
                guard got > 0 else { break }
                initialized += got
            }
            count = initialized
        }
        bytes = bytes.isEmpty ? chunk : bytes + chunk
        isTooLarge = bytes.count > limit
        guard code == 0, !isTooLarge, count == capacity else { break }
        capacity = max(65536, bytes.count)
    }
    guard code == 0 else { throw FileError(.read, path, .system(code)) }
    guard !isTooLarge else { throw FileError(.read, path, .isTooLarge(bytes: bytes.count, limit: limit)) }
    return bytes
}
