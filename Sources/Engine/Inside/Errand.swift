/// What somebody wants to have run inside a laboratory.
public struct Errand: Codable, Equatable, Sendable {
    /// A host, hypervisor or switch.
    public var place: String
    /// The program and its arguments; none for a shell.
    public var arguments: [String]
    /// nil for pipes.
    public var terminal: Terminal?
    /// What the shell's prompt says before the place.
    public var lab: String

    public struct Terminal: Codable, Equatable, Sendable {
        /// $TERM.
        public var kind: String
        public var rows: UInt16
        public var columns: UInt16

        public init(kind: String, rows: UInt16, columns: UInt16) {
            self.kind = kind
            self.rows = rows
            self.columns = columns
        }
    }

    public init(place: String, arguments: [String], terminal: Terminal?, lab: String) {
        self.place = place
        self.arguments = arguments
        self.terminal = terminal
        self.lab = lab
    }

    /// The program's environment. The home is a folder that can be written to: in a lab kernel the user's own cannot.
    var environment: [String] {
        [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp", "LANG=C.UTF-8",
            "TERM=\(terminal?.kind ?? "dumb")", "DRBENCH_LAB=\(lab)", "DRBENCH_HOST=\(place)",
            #"PS1=\[\e[1m\]\#(place)\[\e[0m\]:\w# "#,
        ]
    }

    /// What to run: bash without the user's own files, which would change the prompt, or what there is instead.
    func program(exists: (String) -> Bool) -> [String] {
        guard arguments.isEmpty else { return arguments }
        let bash = "/bin/bash"
        return exists(bash) ? [bash, "--norc", "--noprofile"] + (terminal == nil ? [] : ["-i"]) : ["/bin/sh"]
    }
}
