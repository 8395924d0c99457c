import Glibc
import Report
import Text

/// GitHub's actions, where drbench runs there (docs.github.com/actions/reference/variables-reference).
enum GitHub {
    /// Prints annotations, and appends to the job's summary. A summary that cannot be written is no reason to fail.
    static func report(_ result: RunResult) throws {
        let environment = Environment.all
        guard environment["GITHUB_ACTIONS"] == "true" else { return }
        Console.write(
            try render(result, as: .github, options: RenderOptions(root: environment["GITHUB_WORKSPACE"])),
            as: .workflowCommands)
        guard let path = environment["GITHUB_STEP_SUMMARY"], !path.isEmpty else { return }
        let summary = try render(result, as: .markdown)
        // The steps of a job before this one have written to it, too.
        guard let file = fopen(path, "ae") else {
            return Console.error("drbench: cannot open the job's summary \(path): \(String(cString: strerror(errno)))")
        }
        let count = summary.utf8.count
        let written = summary.withCString { fwrite($0, 1, count, file) }
        if fclose(file) != 0 || written < count {
            Console.error("drbench: cannot write the job's summary \(path): \(String(cString: strerror(errno)))")
        }
    }
}
