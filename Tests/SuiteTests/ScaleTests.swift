import Evidence
import Foundation
import Testing

extension WholeProgram {
    @Suite("A large capture", .enabled(if: Drbench.hasLabKernel, Drbench.noLabKernel))
    struct Scale {
        @Test("a million captured frames are read and become journeys within 1 GB and seconds")
        func million() async throws {
            let (ran, results) = try await Drbench.run(scenario: "million-frames", ["--no-html", "--quiet"])
            try #require(ran.status == 0, ran.text)
            let evidence = try results.evidence("million-frames")
            #expect(evidence.ports.reduce(0) { $0 + $1.received } >= 1_000_000)
            #expect(evidence.ports.allSatisfy { $0.dropped == 0 })
            // Of address space, which is more than what is really used. The last line is the time of what bash started.
            let explained = try Drbench.start(
                [
                    "-c",
                    """
                    ulimit -v 1000000
                    "$0" explain \(Drbench.scenarios)million-frames.yaml --from \(results.folder) || exit
                    times
                    """, try #require(Drbench.program),
                ], program: "/bin/bash")
            try #require(explained.status == 0, explained.text)
            let lines = explained.output.split(separator: "\n")
            #expect(lines.contains("No flow failed."))
            // `0m7.222s 0m1.280s`: user and system.
            let words = try #require(lines.last).split(separator: " ").map { $0.split { "ms".contains($0) } }
            let seconds = words.reduce(0) { $0 + (Double($1[0]) ?? .nan) * 60 + (Double($1[1]) ?? .nan) }
            // Half of that on a machine with nothing else to do: what runs beside it takes its share of caches, too.
            #expect(seconds > 0.5 && seconds < 20, "\(seconds) s of the processor")
        }
    }
}
