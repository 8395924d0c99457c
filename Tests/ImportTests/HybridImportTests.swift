import Foundation
import Import
import Net
import Plan
import Scenario
import Testing

@Suite("Importing compute nodes with hybrid bridges")
struct HybridImportTests {
    private typealias Entry = [String: Any]

    /// Changes one of a bundle's files.
    private func edit(_ file: String, _ change: (String) -> String) throws {
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let changed = change(text)
        #expect(changed != text, "\(file) has nothing to change")
        try Data(changed.utf8).write(to: URL(filePath: file))
    }

    /// Changes the entries of a file in JSON; those that become nil are gone.
    private func editEntries(_ file: String, _ change: (Entry) -> Entry?) throws {
        let entries = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: file))) as? [Entry]
        let changed = try #require(entries).compactMap(change)
        try JSONSerialization.data(withJSONObject: changed).write(to: URL(filePath: file))
    }

    /// As a node shows it that has Open vSwitch where the lab has a Linux bridge, with these devices in it besides `qvo…`.
    private func giveOpenVSwitch(_ folder: String, uplink: String?) throws {
        for file in ["bridge-link", "bridge-fdb", "bridge-vlan"] {
            try editEntries("\(folder)/hv1/\(file).json") { entry in
                let isInside = entry["master"] as? String == "br-int" || entry["ifname"] as? String == "br-int"
                return isInside ? nil : entry
            }
        }
        try editEntries("\(folder)/hv1/ip-link.json") { entry in
            var entry = entry
            if entry["ifname"] as? String == "br-int" { entry["linkinfo"] = ["info_kind": "openvswitch"] }
            if entry["master"] as? String == "br-int" { entry["master"] = "ovs-system" }
            if entry["ifname"] as? String == "uplink" {
                guard let uplink else { return nil }
                entry["ifname"] = uplink
            }
            return entry
        }
        try edit("\(folder)/hv1/sysctl.txt") { text in
            text.split(separator: "\n").map { line in
                line.hasPrefix("net.bridge.bridge-nf-call-") ? line.prefix { $0 != "=" } + "= 1" : line
            }.joined(separator: "\n") + "\n"
        }
    }

    @Test("a bundle becomes the scenario that is checked in, and it can be planned")
    func golden() throws {
        let (result, found, diagnostics) = try RecordedBundle.junoHybrid.imported()
        let golden = try String(contentsOfFile: RecordedBundle.junoHybrid.folder + ".yaml", encoding: .utf8)
        #expect(result.text == golden)
        #expect(diagnostics.map(\.description) == [])
        let scenario = try #require(found)
        #expect(scenario.hasHybridBridges && scenario.neutron?.release == nil)
        #expect(scenario.hypervisors[0].rules?.ipset?.contains("create NETIPv4web") == true)
        let plan = try Plan(scenario)
        let bridges = plan.setup.compactMap { operation in
            if case .setCallsFilters(let bridge) = operation.action { bridge } else { nil }
        }
        #expect(bridges == ["qbr6c620000-00", "qbr72733100-00", "qbr72733200-00"])
    }

    @Test("behind Open vSwitch a card in it is the uplink, and the bridges are filtered because the sysctls say so")
    func openVSwitch() throws {
        let (result, scenario, diagnostics) = try RecordedBundle.junoHybrid.imported {
            try giveOpenVSwitch($0, uplink: "eth1")
        }
        let golden = try String(contentsOfFile: RecordedBundle.junoHybrid.folder + ".yaml", encoding: .utf8)
        #expect(result.text == golden.replacing("uplink: fab  # uplink", with: "uplink: fab  # eth1"))
        #expect(diagnostics.map(\.description) == [] && scenario != nil)
    }

    @Test("an uplink that nothing shows is named, and not made up")
    func noUplink() throws {
        let (result, scenario, _) = try RecordedBundle.junoHybrid.imported {
            try giveOpenVSwitch($0, uplink: nil)
        }
        #expect(result.missing.contains("hv1: its uplink; ip -j -d link shows no card in Open vSwitch"))
        #expect(scenario?.hypervisors[0].uplink == nil)
        #expect(scenario?.host("gw")?.ports[0].on == "fab")
    }

    @Test("instances of another subnet are in another network, and what no subnet holds in none")
    func networks() throws {
        do {
            let (result, scenario, _) = try RecordedBundle.junoHybrid.imported { folder in
                try FileManager.default.removeItem(atPath: "\(folder)/hv1/bridge-fdb.json")
                try edit("\(folder)/rs2/ip-addr.json") { $0.replacing("203.0.113.5", with: "10.9.9.5") }
            }
            #expect(scenario?.networks.map(\.cidr.description) == ["10.9.9.0/27", "203.0.113.0/27"])
            #expect(scenario?.host("rs2")?.ports[0].network == "net1")
            #expect(scenario?.host("gw")?.ports[0].network == "net2")
            #expect(result.text.contains("on: fab  # its address is in the network's subnet"))
        }
        do {
            let (result, scenario, diagnostics) = try RecordedBundle.junoHybrid.imported { folder in
                try FileManager.default.removeItem(atPath: "\(folder)/hv1/bridge-fdb.json")
                try FileManager.default.removeItem(atPath: "\(folder)/rs2/ip-addr.json")
            }
            #expect(result.missing.contains("rs2:eth0: its network"))
            #expect(scenario == nil && !diagnostics.isEmpty)
        }
        do {
            let (result, _, _) = try RecordedBundle.junoHybrid.imported { folder in
                try edit("\(folder)/rs2/ip-addr.json") { $0.replacing("203.0.113.5", with: "203.0.113.4") }
            }
            let line =
                "whether rs1:eth0 and rs2:eth0, which both have 203.0.113.4/27, are in one network or in two with the "
                + "same subnet"
            #expect(result.missing.contains(line))
        }
    }

    @Test("without iptables-save the scenario asks for rules or a release, and takes none")
    func noRules() throws {
        let (result, scenario, diagnostics) = try RecordedBundle.junoHybrid.imported { folder in
            for name in ["iptables", "ebtables", "ipset"] {
                try FileManager.default.removeItem(atPath: "\(folder)/hv1/\(name)-save.txt")
            }
        }
        #expect(result.missing.contains("hv1: what 'iptables-save' prints"))
        #expect(scenario == nil)
        #expect(diagnostics.contains { $0.description.contains("needs 'release'") })
    }

    @Test("a bridge that takes its frames past iptables stays so; where some do, it is told")
    func unfiltered() throws {
        func imported(asking: [String]) throws -> ImportedScenario {
            try RecordedBundle.junoHybrid.imported { folder in
                try editEntries("\(folder)/hv1/ip-link.json") { entry in
                    var entry = entry
                    guard let name = entry["ifname"] as? String, name.hasPrefix("qbr"), !asking.contains(name),
                        var info = entry["linkinfo"] as? Entry, var options = info["info_data"] as? Entry
                    else { return entry }
                    for key in options.keys where key.hasPrefix("nf_call_") { options[key] = 0 }
                    info["info_data"] = options
                    entry["linkinfo"] = info
                    return entry
                }
            }.result
        }
        #expect(try imported(asking: []).text.contains("net.bridge.bridge-nf-call-iptables: \"0\""))
        let some = try imported(asking: ["qbr6c620000-00"])
        #expect(!some.text.contains("net.bridge.bridge-nf-call-iptables: "))
        #expect(some.missing.contains("hv1: only some of its hybrid bridges ask for iptables, here all do"))
    }

    @Test("compute nodes of both kinds in one bundle are refused")
    func bothKinds() throws {
        let error = #expect(throws: ImportError.self) {
            try RecordedBundle.junoHybrid.imported { folder in
                try FileManager.default.copyItem(atPath: RecordedBundle.newton.folder + "/hv2", toPath: folder + "/hv2")
            }
        }
        #expect(
            error?.description
                == "hv1 has a bridge for each port (qbr6c620000-00) and hv2 one for each network (brqe7000001-00), but a "
                + "scenario's hypervisors are all of one kind; import two bundles, each with the hypervisors of one kind "
                + "and what is on them")
    }
}
