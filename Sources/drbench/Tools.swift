import Glibc

/// The programs beside drbench itself.
enum Tools {
    struct Tool {
        var name: String
        /// What prints its version, if that is not `--version`.
        var option = "--version"
        /// Whether it prints it to standard error, whatever its exit status is.
        var printsToErrors = false
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
        Tool(name: "nginx", option: "-v", printsToErrors: true, purpose: "scenarios with it are skipped"),
        Tool(name: "haproxy", option: "-v", purpose: "scenarios with it are skipped"),
        Tool(name: "keepalived", option: "-v", printsToErrors: true, purpose: "scenarios with it are skipped"),
        Tool(name: "wrk", option: "-v", printsToErrors: true, purpose: "only comparisons of load generators need it"),
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

    /// What installs programs.
    static func installer(of words: [String]) -> String {
        let generators = ["h2load", "iperf3", "wrk"]
        return words.allSatisfy(generators.contains) ? "netns/setup.sh --bench" : "make setup"
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
        return version(of: tool) ?? file
    }

    /// What a known program says about its version; nil if it is missing, says nothing, or is none of these: whatever else a
    /// scenario names is not run here.
    static func version(of word: String) -> String? {
        all.first { $0.name == word }.flatMap { version(of: $0) }
    }

    private static func version(of tool: Tool) -> String? {
        HostProgram(tool.name)?.firstLine([tool.option], withErrors: tool.printsToErrors)
    }
}
