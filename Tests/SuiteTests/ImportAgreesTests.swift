import Evidence
import Foundation
import Testing

extension WholeProgram {
    /// A bundle printed by the tools in a lab, imported and run, ends as the lab did.
    @Suite("Imported bundles") struct ImportedBundles {
        /// A scenario that prints a bundle, and variants for what is made of it: one with the same traffic, and a control in
        /// which what decides was taken away.
        struct Recording: CustomTestStringConvertible, Sendable {
            var scenario: String
            var variants: String

            var testDescription: String { scenario }

            static let linuxbridge = Recording(
                scenario: "bundle",
                variants: """

                    variants:
                      traffic:
                        title: The bundle's traffic
                        hosts: &servers {rs1: {servers: [{http: 80}]}, rs2: {servers: [{http: 80}]}}
                        timeline:
                          - name: two gets
                            http: {from: client, to: "203.0.113.2:80", count: 2, timeout: 2s}
                            expect:
                              - traffic: {outcomes: [connect timed out, rs1]}
                              - rule: {on: hv2, chain: neutron-linuxbri-s72733200-0, rule: "-j DROP", packets: 3}
                          - name: an address that ARP protection keeps from being found
                            tcp: {from: gw, to: "203.0.113.9:80", timeout: 5s}
                            expect:
                              - traffic: {all: unreachable}
                      control:
                        title: Without ebtables the address is found
                        hypervisors: {hv2: {rules: {ebtables_save: ~}}}
                        hosts: *servers
                        timeline:
                          - name: an address that is found
                            tcp: {from: gw, to: "203.0.113.9:80", timeout: 5s}
                            expect:
                              - traffic: {all: connect timed out}
                    """)
            static let hybrid = Recording(
                scenario: "hybrid-bundle",
                variants: """

                    variants:
                      traffic:
                        title: The bundle's traffic
                        hosts: &servers {rs1: {servers: [{http: 80}]}, rs2: {servers: [{http: 80}]}}
                        timeline:
                          - name: two gets
                            http: {from: client, to: "203.0.113.2:80", count: 2, timeout: 2s}
                            expect:
                              - traffic: {outcomes: [connect timed out, rs1]}
                              - rule: {on: hv1, chain: s(rs2), rule: "-j DROP", packets: 3}
                          - name: a port where nobody listens
                            tcp: {from: rs1, to: "203.0.113.5:81", timeout: 2s}
                            expect:
                              - traffic: {all: connect timed out}
                              - rule: {on: hv1, chain: i(rs1), rule: "--state INVALID", packets: 2}
                      control:
                        title: With one bridge for all ports the RST crosses conntrack once
                        neutron: {driver: linuxbridge}
                        hosts: *servers
                        timeline:
                          - name: a port where nobody listens
                            tcp: {from: rs1, to: "203.0.113.5:81", timeout: 2s}
                            expect:
                              - traffic: {all: refused}
                    """)
        }

        @Test(
            "the same traffic has the same outcome", .enabled(if: Drbench.hasLabKernel, Drbench.noLabKernel),
            arguments: [Recording.linuxbridge, .hybrid])
        func traffic(_ recording: Recording) async throws {
            let (ended, results) = try await Drbench.run(scenario: recording.scenario)
            #expect(ended.status == 0, ended.text)
            let original = try results.evidence(recording.scenario)

            let folder = try Drbench.emptyFolder(named: "imported-\(recording.scenario)")
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

            try Data((String(contentsOfFile: file, encoding: .utf8) + recording.variants).utf8)
                .write(to: URL(filePath: file))
            let out = try Drbench.emptyFolder(named: "imported-\(recording.scenario)-results")
            let run = try await Drbench.run(["run", file, "--engine", "uml", "--seed", "1", "--quiet", "--out", out])
            // The scenario itself expects nothing, which is no pass; its variants do.
            #expect(run.output.contains("2 passed"), run.text)
            let again = try RunResults(folder: out).evidence("imported/traffic")
            func told(_ evidence: Evidence) -> [String] {
                evidence.steps.flatMap(\.transcripts).map { "\($0.outcome) \($0.server ?? "nobody")" }
            }
            #expect(told(again) == told(original))
            #expect(told(again).count == 3)
        }
    }
}
