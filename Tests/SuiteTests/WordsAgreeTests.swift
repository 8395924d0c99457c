import Evidence
import FoundationEssentials
import Kernel
import Plan
import Testing
import Traffic

@testable import Reading
@testable import Scenario

/// Rooms that cannot see each other must mean the same by the same words.
@Suite("Words that two rooms share") struct WordsAgree {
    @Test("the outcomes that can be expected are those that a transcript can have")
    func outcomes() {
        #expect(Vocabulary.outcomes.sorted() == Outcome.allCases.map(\.rawValue).sorted())
    }

    @Test("the kinds of request that a scenario knows are those that can be made and served")
    func requests() {
        #expect(Step.Request.Kind.allCases.map(\.rawValue).sorted() == TrafficKind.allCases.map(\.rawValue).sorted())
    }

    @Test("the families of rules that can be expected and planned are those that the kernel room knows")
    func ruleFamilies() {
        #expect(Vocabulary.ruleFamilies.sorted() == Kernel.RuleFamily.allCases.map(\.rawValue).sorted())
        for family in Kernel.RuleFamily.allCases {
            #expect(Operation.RuleFamily(rawValue: family.rawValue) != nil)
        }
    }

    @Test(
        "drbench schema prints the schema that is checked in",
        .enabled(if: Drbench.isBuilt, Drbench.notBuilt),
        arguments: [("scenario", "Scenarios/schema.json"), ("topology", "netns/schema.json")])
    func schema(_ kind: String, _ file: String) async throws {
        let ended = try await Drbench.run(["schema", kind])
        #expect(ended.status == 0, ended.text)
        #expect(ended.output == (try String(contentsOfFile: Drbench.repository + file, encoding: .utf8)))
    }
}
