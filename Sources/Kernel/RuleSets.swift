internal import Glibc

extension RuleTables {
    /// Restores IP sets, what `ipset save` prints, into the runner's namespace: those that exist lose their members first,
    /// whether or not a rule refers to them, so that a rule set can be loaded again. Needs CAP_NET_ADMIN over the namespace.
    ///
    /// - Throws: KernelError whose explanation has ipset's words and the offending line of `text` with its number.
    public static func restoreSets(_ text: String, run: RuleProgramRunner) throws {
        var input: [String] = []
        // For each line of the input, the line of the text.
        var origins: [Int] = []
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where !line.isEmpty && line.first != "#" {
            input.append(String(line))
            origins.append(index)
            let words = line.split(separator: " ")
            if words.count > 1, words[0] == "create" || words[0] == "-N" {
                input.append("flush \(words[1])")
                origins.append(index)
            }
        }
        guard !input.isEmpty else { return }
        let result = try run(["ipset", "restore", "-exist"], input.joined(separator: "\n") + "\n")
        guard result.status != 0 else { return }
        let words = result.errors.isEmpty ? result.output : result.errors
        var place = ""
        if let number = RuleFailure.line(in: words, of: text, family: .ipv4), origins.indices.contains(number - 1) {
            let origin = origins[number - 1]
            place = "line \(origin + 1) `\(lines[origin])`: "
        }
        throw KernelError("restore IP sets", code: 0, explanation: place + RuleFailure.sentence(words))
    }
}
