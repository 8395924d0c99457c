/// A real program that a host runs: a web server, a proxy, a VRRP daemon.
///
/// It has `/run`, `/tmp`, `/var/log` and `/var/lib` of its own, empty but for its files; all else is what the machine has
/// that drbench runs on, and cannot be written to.
public struct Program: Sendable, Equatable {
    /// What it is called in steps, and its log in the run's folder.
    public var name: String
    public var command: [String]
    public var files: [File] = []
    /// The TCP ports that it must listen on before anything goes on.
    public var listens: [UInt16] = []
    /// Whether it runs before the timeline begins; otherwise a step starts it.
    public var starts = true

    /// Where it may have files.
    public static let folders = ["/run", "/tmp", "/var/log", "/var/lib"]

    public struct File: Codable, Sendable, Equatable {
        public var path: String
        public var text: String

        public init(path: String, text: String) {
            self.path = path
            self.text = text
        }
    }

    public init(name: String, command: [String]) {
        self.name = name
        self.command = command
    }
}
