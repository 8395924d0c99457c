import Glibc
import Kernel

/// The programs beside drbench itself.
enum Tools {
    struct Tool {
        var name: String
        var arguments: [String]
        var purpose: String
    }

    static let all = [
        Tool(name: "iptables-legacy-restore", arguments: ["--version"], purpose: "rules cannot be loaded"),
        Tool(name: "ip6tables-legacy-restore", arguments: ["--version"], purpose: "IPv6 rules cannot be loaded"),
        Tool(name: "arptables-legacy-restore", arguments: ["--version"], purpose: "ARP rules cannot be loaded"),
        Tool(name: "ebtables-legacy", arguments: ["--version"], purpose: "bridge rules cannot be loaded"),
        Tool(name: "ip", arguments: ["-V"], purpose: "scenarios that run it fail"),
        Tool(name: "ipvsadm", arguments: ["--version"], purpose: "scenarios that run it fail"),
        Tool(name: "conntrack", arguments: ["--version"], purpose: "scenarios that run it fail"),
        Tool(name: "tshark", arguments: ["--version"], purpose: "only tests and people need it"),
    ]

    /// The first line that the tool prints about itself; nil if it is not there.
    static func version(of tool: Tool) -> String? {
        guard let here = try? NetworkNamespace.current(named: "host") else { return nil }
        defer { here.close() }
        guard let result = try? ProcessRunner.run([tool.name] + tool.arguments, in: here) else { return nil }
        let text = result.output.isEmpty ? result.errors : result.output
        return text.split(whereSeparator: \.isNewline).first.map(String.init)
    }
}
