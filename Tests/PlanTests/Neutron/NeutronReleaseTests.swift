import Net
import Testing

@testable import Plan

@Suite("Neutron releases")
struct NeutronReleaseTests {
    @Test(
        "a version that never existed is an error that suggests the nearest",
        arguments: [
            ("9.4.2", "9.4.1"), ("9.0.1", "9.0.0"), ("2014.1.0", "2014.1"), ("2014.1.9", "2014.1.5"),
            ("2015.1", "2015.1.0"), ("25.3.0", "25.2.3"), ("26.0.0", nil), ("6.0.0", nil), ("2013.2", nil), ("", nil),
            ("neutron", nil), ("99999999999999999999.1", nil),
        ])
    func unknown(text: String, suggestion: String?) {
        #expect(throws: NeutronError.unknownRelease(text, suggestion: suggestion)) {
            try NeutronRelease(version: text)
        }
        let text = NeutronError.unknownRelease(text, suggestion: suggestion).description
        #expect(text.contains("is not a Neutron release, expected a version from 2014.1 to 25.2.3"))
        #expect(text.contains("did you mean") == (suggestion != nil))
    }

    @Test("no release both drops INVALID first and has zones")
    func invalidFirstHasNoZones() throws {
        for version in NeutronRelease.versions {
            let release = try NeutronRelease(version: version)
            if release.invalidDrop == .beforeUserRules { #expect(release.zones.isEmpty) }
        }
    }

    @Test("Icehouse cannot exempt a port, has no ipset and no stateless groups")
    func unavailable() {
        let before = "2014.1.5"
        #expect(throws: NeutronError.unavailable(.portSecurityExtension, release: before)) {
            try ReferenceDeployment.rules(before, .linuxbridge, .all3, .lbPortSecurityOff)
        }
        #expect(throws: NeutronError.unavailable(.ipset, release: before)) {
            try ReferenceDeployment.rules(before, usesIPSet: true)
        }
        #expect(throws: NeutronError.unavailable(.statelessSecurityGroups, release: before)) {
            try ReferenceDeployment.rules(before, .linuxbridge, .all3, .stateless)
        }
    }

    @Test("a pair that is no address, an unknown group, an unknown network and a doubled device are errors")
    func contradictions() {
        let id = ReferenceDeployment.port("rs1").id
        #expect(throws: NeutronError.notAnAddress("10.0.0.300", port: id)) {
            try ReferenceDeployment.rules("newton", .linuxbridge, .rs1HV2) {
                $0.ports[0].allowedAddressPairs = [Neutron.AddressPair(ipAddress: "10.0.0.300")]
            }
        }
        #expect(throws: NeutronError.unknownSecurityGroup("web", user: "port \(id)")) {
            try ReferenceDeployment.rules("newton", .linuxbridge, .rs1HV2) { $0.ports[0].securityGroups = ["web"] }
        }
        #expect(throws: NeutronError.unknownNetwork("e8", port: id)) {
            try ReferenceDeployment.rules("newton", .linuxbridge, .rs1HV2) { $0.ports[0].networkID = "e8" }
        }
        #expect(throws: NeutronError.sameDevice("tapa5000021-00")) {
            try ReferenceDeployment.rules("newton", .linuxbridge, .rs1HV2) { $0.ports.append($0.ports[0]) }
        }
    }

    @Test("an unknown remote group is an error")
    func unknownRemoteGroup() {
        #expect(throws: NeutronError.self) {
            try ReferenceDeployment.rules("newton") {
                $0.deployment.securityGroups[0].rules[0].remoteGroupID = "nobody"
            }
        }
    }
}
