import Foundation
import Testing

@testable import Plan

@Suite("Rules equal to those of Neutron's own drivers")
struct NeutronGoldenTests {
    @Test("the generated rules equal the dump", arguments: GoldenRules.all)
    func equalsDump(_ golden: GoldenRules) throws {
        let difference = try firstDifference(golden.generated(), golden.expected())
        #expect(difference == nil, "\(difference ?? "")")
    }

    @Test("every dump is compared, of every known release and both drivers")
    func coverage() {
        #expect(GoldenRules.unreadable.isEmpty)
        for release in NeutronRelease.proven {
            for driver in Neutron.Driver.allCases {
                #expect(GoldenRules.all.contains { $0.version == release.version && $0.driver == driver })
            }
        }
        #expect(GoldenRules.all.count == 272)
    }
}
