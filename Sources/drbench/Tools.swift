import Glibc

/// The programs beside drbench itself.
enum Tools {
    struct Tool {
        var name: String
        /// What prints its version, if that is not `--version`.
        var option = "--version"
        /// What does not work without it.
        var purpose: String
    }

    static let all = [
        Tool(name: "iptables-legacy-restore", purpose: "rules cannot be loaded"),
        Tool(name: "ip6tables-legacy-restore", purpose: "IPv6 rules cannot be loaded"),
        Tool(name: "arptables-legacy", purpose: "ARP rules cannot be loaded"),
        Tool(name: "ebtables-legacy", purpose: "bridge rules cannot be loaded"),
        Tool(name: "ip", option: "-V", purpose: "scenarios that run it fail"),
        Tool(name: "ipset", purpose: "scenarios that run it fail"),
        Tool(name: "ipvsadm", purpose: "scenarios that run it fail"),
        Tool(name: "conntrack", purpose: "scenarios that run it fail"),
        Tool(name: "apache2", option: "-v", purpose: "scenarios with it are skipped"),
        Tool(name: "nginx", option: "-v 2>&1", purpose: "scenarios with it are skipped"),
        Tool(name: "haproxy", option: "-v", purpose: "scenarios with it are skipped"),
        Tool(name: "keepalived", option: "-v 2>&1", purpose: "scenarios with it are skipped"),
        Tool(name: "wrk", option: "-v 2>&1 | head -n 1", purpose: "only comparisons of load generators need it"),
        Tool(name: "h2load", purpose: "only comparisons of load generators need it"),
        Tool(name: "iperf3", purpose: "only comparisons of load generators need it"),
        Tool(name: "gnuplot", purpose: "measurements are not drawn"),
        Tool(name: "tshark", purpose: "only tests and people need it"),
    ]

    /// Where laboratories look for programs.
    private static let path = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]

    /// Whether a laboratory finds a program by this word.
    static func isInstalled(_ word: String) -> Bool {
        word.contains("/") ? access(word, X_OK) == 0 : path.contains { access("\($0)/\(word)", X_OK) == 0 }
    }

    /// Whether it is one of these.
    static func isKnown(_ word: String) -> Bool { all.contains { $0.name == word } }

    /// What the tool says about its version, or that it is missing.
    static func state(of tool: Tool) -> String {
        let places = path.map { folder in folder + "/" + tool.name }
        guard let file = places.first(where: { place in access(place, X_OK) == 0 }) else {
            return "missing: \(tool.purpose)"
        }
        // Some print their version only to root, or only on a kernel with what they configure.
        return firstLine(of: "\(file) \(tool.option) 2>/dev/null") ?? file
    }

    /// What a program that laboratories find says about its version; nil if it is missing or says nothing.
    static func version(of word: String) -> String? {
        guard isInstalled(word) else { return nil }
        let known = all.first { $0.name == word.split(separator: "/").last.map(String.init) }
        return firstLine(of: "\(word) \((known ?? Tool(name: word, purpose: "")).option) 2>/dev/null")
    }

    /// The git revision of a checkout, with `+` behind it if something in it is changed; nil outside one.
    static func revision(of folder: String?) -> String? {
        guard let folder, !folder.contains("'") else { return nil }
        let git = "git -C '\(folder)' -c safe.directory='*'"
        guard let revision = firstLine(of: "\(git) rev-parse --short=12 HEAD 2>/dev/null") else { return nil }
        return revision
            + (firstLine(of: "\(git) status --porcelain --untracked-files=no 2>/dev/null") == nil ? "" : "+")
    }

    /// What a shell command prints first; nil if that is nothing, or its status not 0.
    private static func firstLine(of command: String) -> String? {
        guard let pipe = popen(command, "r") else { return nil }
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = fread(&buffer, 1, buffer.count, pipe)
        let text = String(decoding: buffer.prefix(count), as: UTF8.self)
        // All of it, or its writer is killed for what nobody reads.
        while fread(&buffer, 1, buffer.count, pipe) > 0 {}
        guard pclose(pipe) == 0, let line = text.split(whereSeparator: { $0.isNewline }).first else { return nil }
        return String(line)
    }
}
