import Evidence
import Testing
import Verdict

@testable import Report

@Suite("Explanations")
struct ExplanationTests {
    @Test(
        "an open connection whose later request was not answered failed, and its explanation is of that request",
        arguments: [
            ("sync-daemon/too-early", "a director that does not know the connection", "lb2:eth0"),
            // Its first packets died; their retransmission came through.
            ("link-flap/real-server-arptables", "cold neighbour behind arptables DROP", "rs2:eth0"),
        ])
    func later(_ name: String, _ mechanism: String, _ port: String) throws {
        let story = try RecordedRun(name).story
        let failure = try #require(story.failures.first)
        #expect(story.failures.count == 1)
        #expect(failure.transcript?.outcome != .answered)
        #expect(failure.dead == nil)
        #expect(failure.telling?.hops.contains { $0.port == port } == true)
        #expect(failure.diagnosis?.name == mechanism)
        #expect(!story.text(of: nil, folder: "run").contains("No flow failed."))
    }

    @Test("a tally counts how packets and copies ended, and names what made flows fail and copies be missed")
    func tally() throws {
        #expect(
            try RecordedRun("sync-blocked-by-sg").story.count == """
                sync-blocked-by-sg: 9 (copy) dropped by a rule, 26 delivered
                  why: a director that does not know the connection, security group missing
                """)
        #expect(try RecordedRun("nat-masq").story.count.split(separator: "\n").count == 1)
    }

    @Test("a copy that somebody misses belongs to the story, with its reason")
    func copies() throws {
        let text = try RecordedRun("sync-blocked-by-sg").story.text(of: nil, folder: "run")
        #expect(text.contains("because  No security group of lb2's port allows ingress udp"), Comment(rawValue: text))
        #expect(!text.contains("203.0.113.7 → 224.0.0.22"))
        let failures = try RecordedRun("sync-blocked-by-sg").story.flowFailures()
        #expect(
            failures.map(\.flow) == [
                "tcp 198.51.100.10:47214 → 203.0.113.2:80",
                "203.0.113.3:33474 → 224.0.0.81:8848 udp ttl 1, its copy for hv2:tap6c623200-00",
            ])
        #expect(failures.last?.end == "dropped by a rule, at hv2")
        #expect(failures.last?.because?.contains("No security group of lb2's port") == true)
    }
}
