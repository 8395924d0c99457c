import Foundation
import Testing

extension WholeProgram {
    @Suite(
        "What ended packets of the shipped scenarios, and why",
        .enabled(if: Drbench.hasLabKernel, Drbench.noLabKernel))
    struct Mechanisms {
        /// A scenario's ends and reasons, without how often: that depends on retransmissions.
        private struct Finding: Equatable, CustomStringConvertible {
            var ends: Set<String> = []
            var why: Set<String> = []
            /// What chance may add to either.
            var may: Set<String> = []
            var description: String { "ends \(ends.sorted()), why \(why.sorted()), may \(may.sorted())" }

            /// Whether a run's finding is what the table says, whatever chance did in it.
            func allows(_ found: Finding) -> Bool {
                ends.isSubset(of: found.ends) && found.ends.isSubset(of: ends.union(may))
                    && why.isSubset(of: found.why) && found.why.isSubset(of: why.union(may))
            }
        }

        private static func words(_ text: some StringProtocol) -> [String] {
            text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        }

        /// Mechanisms.txt, which was reviewed against Scenarios/CATALOGUE.md.
        private static func reviewed() throws -> [String: Finding] {
            let text = try String(
                contentsOfFile: Drbench.repository + "Tests/SuiteTests/Mechanisms.txt", encoding: .utf8)
            var found: [String: Finding] = [:]
            var name = ""
            for line in text.split(separator: "\n") where !line.hasPrefix("#") {
                if line.hasPrefix("  ends") {
                    found[name]?.ends = Set(words(line.dropFirst(6)))
                } else if line.hasPrefix("  why") {
                    found[name]?.why = Set(words(line.dropFirst(5)))
                } else if line.hasPrefix("  may") {
                    found[name]?.may = Set(words(line.dropFirst(5)))
                } else {
                    name = String(line)
                    found[name] = Finding()
                }
            }
            return found
        }

        /// What 'explain all --tally' prints: `NAME: 40 delivered, 2 dropped by a rule`, and `  why: …` behind it.
        private static func told(_ text: String) -> (findings: [String: Finding], disagreements: [String]) {
            var found: [String: Finding] = [:]
            var disagreements: [String] = []
            var name = ""
            for line in text.split(separator: "\n").map(String.init) {
                if line.hasPrefix("  why: ") {
                    found[name]?.why = Set(words(line.dropFirst(7)))
                } else if line.hasPrefix(" ") {
                    disagreements.append("\(name): \(line)")
                } else if let colon = line.firstRange(of: ": ") {
                    name = String(line[..<colon.lowerBound])
                    let ends = words(line[colon.upperBound...]).map { String($0.drop { $0.isNumber }.dropFirst()) }
                    found[name] = Finding(
                        ends: Set(ends.filter { $0 != "delivered" && $0 != "still in flight" && $0 != "" }))
                }
            }
            return (found, disagreements)
        }

        @Test("each scenario's blame is the mechanism that the reviewed table gives, and nothing is undecided")
        func table() async throws {
            let folder = try Drbench.emptyFolder(named: "mechanisms")
            let ran = try await Drbench.run(
                ["run", "--engine", "uml", "--seed", "1", "--quiet", "--no-html", "--out", folder])
            try #require(ran.status == 0, ran.text)
            let told = try await Drbench.run(["explain", "all", "--tally", "--from", folder])
            try #require(told.status == 0, told.text)
            let (findings, disagreements) = Self.told(told.output)
            #expect(disagreements == [])
            #expect(findings.count > 400)
            let reviewed = try Self.reviewed()
            #expect(reviewed.count > 150)
            for (name, finding) in findings.sorted(by: { $0.key < $1.key }) {
                let expected = reviewed[name] ?? Finding()
                #expect(expected.allows(finding), "\(name): \(finding) instead of \(expected)")
                #expect(!finding.ends.contains { $0.hasSuffix("undecided") }, "\(name)")
                #expect(!finding.why.contains { $0.hasPrefix("?") }, "\(name)")
            }
            // A scenario is skipped where its program is not installed.
            #expect(reviewed.keys.filter { findings[$0] == nil && !$0.hasPrefix("keepalived") }.sorted() == [])
        }

        @Test("packets that conntrack called INVALID and that came through are told, and none where it saw both ways")
        func silent() async throws {
            let folder = try Drbench.emptyFolder(named: "silent-invalid")
            func explained(_ name: String) async throws -> String {
                let ended = try await Drbench.run(
                    ["explain", name, "--engine", "uml", "--seed", "1", "--no-trace", "--out", folder])
                try #require(ended.status == 0, ended.text)
                return ended.output
            }
            let apart = try await explained("release-matters/newton")
            #expect(apart.contains("silent INVALID at hv1: "), Comment(rawValue: apart))
            #expect(apart.contains("No flow failed."), Comment(rawValue: apart))
            let together = try await explained("release-matters/newton-together")
            #expect(together.contains("No flow failed.") && !together.contains("INVALID"), Comment(rawValue: together))
        }
    }
}
