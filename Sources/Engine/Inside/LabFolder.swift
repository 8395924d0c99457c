internal import CLinux
internal import FoundationEssentials
internal import Glibc
internal import Kernel

/// A laboratory that is up, as others on this machine find it: a folder with its name below `root`, which only its user may
/// enter.
///
///     lock   locked (flock) as long as its front lives, whatever way that ends; a folder whose lock is free is stale
///     lab    a `Card`
///     door   the socket that clients connect to, once it stands open
public final class LabFolder: Sendable {
    public let name: String
    public let path: String
    private let lock: Int32

    static let lockFile = "lock"
    static let cardFile = "lab"
    static let doorFile = "door"

    /// What clients are told of a laboratory.
    public struct Card: Codable, Equatable, Sendable {
        /// The scenario's full name.
        public var name: String
        public var processID: Int32
        public var engine: String
        /// Hosts, hypervisors and switches, as the plan has them.
        public var places: [String]

        public init(name: String, processID: Int32, engine: String, places: [String]) {
            self.name = name
            self.processID = processID
            self.engine = engine
            self.places = places
        }
    }

    /// Why a laboratory cannot have its folder, or cannot be reached.
    public struct Obstacle: Error, Equatable, CustomStringConvertible {
        public var description: String
    }

    /// Where folders are: in $XDG_RUNTIME_DIR, or below /tmp.
    public static func root(environment: [String: String]) -> String {
        if let runtime = environment["XDG_RUNTIME_DIR"], runtime.hasPrefix("/") { return runtime + "/drbench" }
        return "/tmp/drbench-\(geteuid())"
    }

    /// A variant's name has a slash, which no file's has.
    static func fileName(of name: String) -> String { name.split(separator: "/").joined(separator: "+") }

    /// Takes the name for this process, as long as this object lives. What a drbench that was killed has left is removed.
    ///
    /// - Throws: `Obstacle` if a lab of that name is up, or the folder cannot be made or is somebody else's.
    public init(claiming card: Card, root: String) throws(Obstacle) {
        try Self.makePrivate(root)
        name = card.name
        path = "\(root)/\(Self.fileName(of: card.name))"
        while true {
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
                guard errno == ENOENT else {
                    throw Obstacle(description: "cannot make \(path): \(Errno.message(errno))")
                }
                // The last of other labs has just gone, and the folder of all with it.
                try Self.makePrivate(root)
                continue
            }
            let lock = open("\(path)/\(Self.lockFile)", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            if lock < 0, errno == ENOENT { continue }
            guard lock >= 0 else {
                throw Obstacle(description: "cannot make \(path)/\(Self.lockFile): \(Errno.message(errno))")
            }
            guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
                close(lock)
                let owner = Self.card(in: path).map { " (process \($0.processID))" } ?? ""
                throw Obstacle(
                    description: "\(card.name) is up already\(owner); 'drbench down \(card.name)' ends it")
            }
            // Its remover may have been quicker than we were: then what we have locked is not there any more.
            guard Self.isSame(lock, "\(path)/\(Self.lockFile)") else {
                close(lock)
                continue
            }
            self.lock = lock
            break
        }
        unlink("\(path)/\(Self.doorFile)")
        do {
            try writeFile("\(path)/\(Self.cardFile)", try JSONEncoder().encode(card))
        } catch {
            remove()
            throw Obstacle(description: "cannot write to \(path): \(error)")
        }
    }

    deinit {
        remove()
        close(lock)
    }

    /// The lock goes last: as long as it is there, nobody takes the name.
    private func remove() { Self.remove(path) }

    private static func remove(_ path: String) {
        for file in [doorFile, cardFile, lockFile] { unlink("\(path)/\(file)") }
        rmdir(path)
        // The folder of all, with the last one.
        rmdir(path.split(separator: "/").dropLast().map { "/" + $0 }.joined())
    }

    private static func makePrivate(_ root: String) throws(Obstacle) {
        guard mkdir(root, 0o700) == 0 || errno == EEXIST else {
            throw Obstacle(description: "cannot make \(root): \(Errno.message(errno))")
        }
        var about = stat()
        guard lstat(root, &about) == 0, about.st_mode & S_IFMT == S_IFDIR, about.st_uid == geteuid(),
            about.st_mode & 0o077 == 0
        else { throw Obstacle(description: "\(root) is not a folder that only its owner, you, may enter") }
    }

    private static func isSame(_ descriptor: Int32, _ path: String) -> Bool {
        var held = stat()
        var there = stat()
        return fstat(descriptor, &held) == 0 && stat(path, &there) == 0 && held.st_ino == there.st_ino
            && held.st_dev == there.st_dev
    }

    private static func card(in path: String) -> Card? {
        FileManager.default.contents(atPath: "\(path)/\(cardFile)").flatMap {
            try? JSONDecoder().decode(Card.self, from: $0)
        }
    }

    // MARK: From outside

    /// The labs that are up, by name. Removes what killed ones have left.
    public static func all(root: String) -> [Card] {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).sorted()
        return names.compactMap { name in
            let path = "\(root)/\(name)"
            let lock = open("\(path)/\(lockFile)", O_RDWR | O_CLOEXEC | O_NOFOLLOW)
            guard lock >= 0 else {
                // Empty, or not one of ours.
                rmdir(path)
                return nil
            }
            defer { close(lock) }
            guard flock(lock, LOCK_EX | LOCK_NB) == 0 else { return card(in: path) }
            if isSame(lock, "\(path)/\(lockFile)") { remove(path) }
            return nil
        }
    }

    /// A connection to a lab's door. Throws `Obstacle` if it is not open.
    public static func connect(to name: String, root: String) throws(Obstacle) -> Int32 {
        let socket = drb_door_connect("\(root)/\(fileName(of: name))", doorFile)
        guard socket >= 0 else {
            let isBeingBuilt = socket == -ENOENT || socket == -ECONNREFUSED
            throw Obstacle(
                description: "\(name) cannot be entered: "
                    + (isBeingBuilt ? "it is not ready yet, or just ending" : Errno.message(-socket)))
        }
        return socket
    }

    /// Waits until a lab's front is gone, whatever it still has to do.
    static func awaitEnd(of name: String, root: String) {
        let lock = open("\(root)/\(fileName(of: name))/\(lockFile)", O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard lock >= 0 else { return }
        while flock(lock, LOCK_EX) < 0, errno == EINTR {}
        close(lock)
    }

    /// The socket for clients to come.
    func listen() throws(Obstacle) -> Int32 {
        let socket = drb_door_listen(path, Self.doorFile)
        guard socket >= 0 else {
            throw Obstacle(description: "cannot listen in \(path): \(Errno.message(-socket))")
        }
        return socket
    }
}
