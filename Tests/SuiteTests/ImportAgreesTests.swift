import Evidence
import Foundation
import Testing

extension WholeProgram {
    /// A bundle printed by the tools in a lab, imported and run, ends as the lab did.
    @Suite("Imported bundles") struct ImportedBundles {
        @Test("the same traffic has the same outcome", .enabled(if: Drbench.hasLabKernel, Drbench.noLabKernel))
        func traffic() async throws {
            let (ended, results) = try await Drbench.run(scenario: "bundle")
            #expect(ended.status == 0, ended.text)
            let original = try results.evidence("bundle")

            let folder = try Drbench.emptyFolder(named: "imported-bundle")
            for step in original.steps {
                guard let command = step.command else { continue }
                let file = URL(filePath: "\(folder)/\(step.name)")
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(command.output.utf8).write(to: file)
            }
            let imported = try await Drbench.run(["import", folder])
            #expect(imported.status == 0, imported.text)
            let file = "\(folder)/imported.yaml"
            let validated = try await Drbench.run(["validate", file])
            #expect(validated.status == 0, validated.text)

            let scenario =
                try String(contentsOfFile: file, encoding: .utf8) + """

                    variants:
                      traffic:
                        title: The bundle's traffic
                        hosts: {rs1: {servers: [{http: 80}]}, rs2: {servers: [{http: 80}]}}
                        timeline:
                          - name: two gets
                            http: {from: client, to: "203.0.113.2:80", count: 2, timeout: 2s}
                            expect:
                              - traffic: {outcomes: [connect timed out, rs1]}
                              - rule: {on: hv2, chain: neutron-linuxbri-s72733200-0, rule: "-j DROP", packets: 3}
                    """
            try Data(scenario.utf8).write(to: URL(filePath: file))
            let out = try Drbench.emptyFolder(named: "imported-results")
            let run = try await Drbench.run(["run", file, "--engine", "uml", "--seed", "1", "--quiet", "--out", out])
            // The scenario itself expects nothing, which is no pass; its variant does.
            #expect(run.output.contains("1 passed"), run.text)
            let again = try RunResults(folder: out).evidence("imported/traffic")
            func told(_ evidence: Evidence) -> [String] {
                evidence.steps.flatMap(\.transcripts).map { "\($0.outcome) \($0.server ?? "nobody")" }
            }
            #expect(told(again) == told(original))
            #expect(told(again).count == 2)
        }
    }
}
