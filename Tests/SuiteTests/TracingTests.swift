import Foundation
import Testing

extension WholeProgram {
    @Suite("Rule tracing in a second run", .enabled(if: Drbench.hasLabKernel, Drbench.noLabKernel))
    struct Tracing {
        private func explained(_ arguments: String...) async throws -> String {
            let folder = try Drbench.emptyFolder(named: "tracing-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let ended = try await Drbench.run(
                ["explain", "cross-hv-p-old"] + arguments + ["--engine", "uml", "--seed", "1", "--out", folder])
            try #require(ended.status == 0, ended.text)
            return ended.output
        }

        @Test("the rules that killed a packet are shown in their order, with conntrack's state and what they did")
        func dropped() async throws {
            let text = try await explained()
            let rules = ToolTexts.lines(text).drop { !$0.hasPrefix("rules of #") }
            try #require(rules.count > 5, Comment(rawValue: text))
            #expect(!text.contains("beware"), Comment(rawValue: text))
            let steps = Array(rules.dropFirst().prefix { $0.hasPrefix("  ") })
            #expect(steps.first?.hasPrefix("  hv1 ") == true, Comment(rawValue: text))
            #expect(steps.first?.contains("filter FORWARD") == true, Comment(rawValue: text))
            let last = try #require(steps.last)
            #expect(last.contains("INVALID") && last.contains("DROP  -m state --state INVALID -j DROP"))
            #expect(steps.dropLast().allSatisfy { !$0.contains("DROP") })
        }

        @Test("a packet that was let through met no DROP, and was NEW to both hypervisors that it crossed")
        func passed() async throws {
            // The first SYN to the real server on the other hypervisor.
            let text = try await explained("tcp[tcpflags] = tcp-syn and ether dst fa:16:3e:00:00:05")
            let rules = ToolTexts.lines(text).drop { !$0.hasPrefix("rules of #") }
            let steps = rules.dropFirst().prefix { $0.hasPrefix("  ") }
            #expect(steps.contains { $0.hasPrefix("  hv1 ") } && steps.contains { $0.hasPrefix("  hv2 ") })
            #expect(steps.allSatisfy { !$0.contains(" DROP  ") }, Comment(rawValue: text))
            #expect(steps.contains { $0.contains("NEW") }, Comment(rawValue: text))
        }

        @Test("without a second run nothing is said of rules that a packet met")
        func untraced() async throws {
            #expect(try await !explained("--no-trace").contains("rules of #"))
        }
    }
}
