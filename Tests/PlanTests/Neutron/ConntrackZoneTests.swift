import Foundation
import Testing

@testable import Plan

@Suite("Conntrack zones")
struct ConntrackZoneTests {
    @Test("linuxbridge gives a network one zone, OVS-hybrid gives each port its own", arguments: ["newton", "25.2.3"])
    func schemes(_ release: String) throws {
        let first = release == "newton" ? 1 : 4097
        #expect(try zones(ReferenceDeployment.rules(release, .linuxbridge)) == [first])
        #expect(try zones(ReferenceDeployment.rules(release, .ovsHybrid)) == [first, first + 1, first + 2])
    }

    @Test("Icehouse and Kilo have no zones", arguments: ["icehouse", "2015.1.1"])
    func none(_ release: String) throws {
        for driver in Neutron.Driver.allCases { #expect(try zones(ReferenceDeployment.rules(release, driver)).isEmpty) }
    }

    @Test("two networks on a hypervisor are two zones")
    func twoNetworks() throws {
        let rules = try ReferenceDeployment.rules("newton") {
            $0.deployment.networks.append(Neutron.Network(id: "e7000002-0000-4000-8000-000000000002"))
            $0.ports[1].networkID = "e7000002-0000-4000-8000-000000000002"
        }
        #expect(zones(rules) == [1, 2])
        #expect(rules.ipv4.contains("-i brqe7000002-00 "))
    }

    @Test(
        "after an agent's restart, linuxbridge keeps its zones and OVS-hybrid gives every port a new one",
        arguments: GoldenRules.all.filter {
            $0.placement == .all3 && $0.mode == .portSecurityOn && !$0.isIPv6 && !$0.usesIPSet
        })
    func restart(_ golden: GoldenRules) throws {
        let hypervisor = ReferenceDeployment.hypervisor(.all3)
        let release = try NeutronRelease(version: golden.version)
        let first = try NeutronRules(for: hypervisor, release: release, driver: golden.driver)
        let second = try NeutronRules(
            for: hypervisor, release: release, driver: golden.driver, restartedOver: first)
        let dump = try String(
            contentsOf: golden.url.deletingLastPathComponent().appending(path: "all3.ps-on.restart.txt"),
            encoding: .utf8)
        let parts = dump.components(separatedBy: "raw zone rules after restart:")
        try #require(parts.count == 2)
        #expect(zoneRules(first.ipv4) == zoneRules(parts[0]))
        #expect(zoneRules(second.ipv4) == zoneRules(parts[1]))
    }

    func zoneRules(_ text: String) -> [Substring] { text.lines.filter { $0.hasPrefix("-A ") && $0.contains("-j CT") } }

    func zones(_ rules: NeutronRules) -> Set<Int> {
        Set(zoneRules(rules.ipv4).compactMap { $0.split(separator: " ").last.flatMap { Int($0) } })
    }
}
