import Foundation
import Testing

extension WholeProgram {
    @Suite("A guest whose memory gets short", .enabled(if: Drbench.hasLabKernel, Drbench.noLabKernel))
    struct Memory {
        @Test("pages are reclaimed, nothing is lost, a full /tmp is no end, and the run goes on")
        func goesOn() async throws {
            let (ended, _) = try await Drbench.run(scenario: "memory")
            #expect(ended.status == 0, ended.text)
        }
    }
}
