import Net
import Testing

@testable import Plan

@Suite("Neutron releases")
struct NeutronReleaseTests {
    @Test(
        "a release is named by version or code name",
        arguments: [
            ("2014.1.5", "2014.1.5"), ("icehouse", "2014.1.5"), ("Kilo", "2015.1.1"), ("newton", "9.4.1"),
            ("25.2.3", "25.2.3"), ("dalmatian", "25.2.3"),
        ])
    func names(text: String, version: String) throws {
        #expect(try NeutronRelease(version: text).version == version)
    }

    @Test(
        "an unknown version is an error that lists the known ones, not the nearest", arguments: ["9.4.0", "", "juno"])
    func unknown(_ text: String) {
        let error = #expect(throws: NeutronError.self) { try NeutronRelease(version: text) }
        #expect(error?.description.hasPrefix("'\(text)' is not a Neutron release") == true)
        for release in NeutronRelease.known {
            #expect(error?.description.contains(release.version) == true)
            #expect(error?.description.contains(release.codeName) == true)
        }
    }

    @Test("no known release both drops INVALID first and has zones")
    func invalidFirstHasNoZones() {
        for release in NeutronRelease.known where release.invalidDrop == .beforeUserRules {
            #expect(release.zones.isEmpty)
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
