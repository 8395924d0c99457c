import Foundation
import Net
import Plan
import Scenario
import Testing

@testable import Import

@Suite("Importing support bundles")
struct ImportTests {
    private func imported(
        change: (String) throws -> Void = { _ in }
    ) throws -> (result: ImportedScenario, scenario: Scenario?, diagnostics: [Diagnostic]) {
        try RecordedBundle.newton.imported(change: change)
    }

    private func remove(_ name: String, from folder: String) throws {
        try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
    }

    @Test("a whole bundle becomes a scenario that is valid and can be planned")
    func whole() throws {
        let (result, found, diagnostics) = try imported()
        #expect(diagnostics.map(\.description) == [])
        let scenario = try #require(found)
        _ = try Plan(scenario)
        #expect(scenario.hypervisors.map(\.name) == ["hv1", "hv2"])
        #expect(scenario.hypervisors.allSatisfy { $0.uplink == "fab" && $0.rules?.ipset?.isEmpty == false })
        #expect(scenario.hypervisors.allSatisfy { $0.rules?.ebtables?.contains("--arp-ip-src") == true })
        #expect(scenario.host("lb")?.ports[0].tapName == "tap6c620000-00")
        #expect(scenario.host("rs2")?.ports[0].on == "hv2")
        #expect(scenario.host("gw")?.ports.map(\.on) == ["fab", nil])
        #expect(scenario.host("client")?.ports[0].peer == "gw:eth1")
        #expect(scenario.host("rs1")?.interfaces.map(\.name) == ["eth-vip"])
        #expect(
            scenario.host("rs1")?.sysctls == [
                Sysctl("net.ipv4.conf.all.arp_announce", "2"), Sysctl("net.ipv4.conf.all.arp_ignore", "1"),
            ])
        #expect(scenario.services.map(\.director) == ["lb"])
        #expect(scenario.services[0].realServers.map(\.address.description) == ["203.0.113.4", "203.0.113.5"])
        #expect(scenario.networks[0].cidr.description == "203.0.113.0/27")
        #expect(
            result.missing == [
                "what is between the hypervisors' uplinks; the switch fab stands for it",
                "what listens in the hosts: 'servers' is to be added",
            ])
    }

    @Test("what is missing is named, in the report and in the file, and not guessed")
    func missing() throws {
        let (result, scenario, diagnostics) = try imported { folder in
            try remove("rs2", from: folder)
            try remove("lb/ipvsadm.txt", from: folder)
            try remove("hv1/ipset-save.txt", from: folder)
            try remove("rs1/sysctl.txt", from: folder)
        }
        for line in [
            "hv2: the instance behind tap72733200-00", "a director: no machine has what 'ipvsadm -Sn' prints",
            "hv1: what 'ipset save' prints", "rs1: what 'sysctl -a' prints",
        ] {
            #expect(result.missing.contains(line), "\(line)")
            #expect(result.text.contains("# - \(line)\n"), "\(line)")
        }
        #expect(!result.text.contains("arp_ignore") && !result.text.contains("services:"))
        // Rules that name a set which is not there cannot be loaded: this is told, with the rule's line.
        #expect(scenario == nil)
        #expect(diagnostics.first?.description.contains("names the IP set 'NIPv4web'") == true)
    }

    @Test("without the forwarding tables the gateway is on the fabric by its subnet; without addresses it is nowhere")
    func places() throws {
        do {
            let (result, scenario, _) = try imported { folder in
                for machine in ["hv1", "hv2"] { try remove("\(machine)/bridge-fdb.json", from: folder) }
            }
            #expect(scenario?.host("gw")?.ports[0].on == "fab")
            #expect(result.text.contains("on: fab  # its address is in the network's subnet"))
        }
        do {
            let (result, scenario, diagnostics) = try imported { folder in
                for machine in ["hv1", "hv2"] { try remove("\(machine)/bridge-fdb.json", from: folder) }
                try remove("gw/ip-addr.json", from: folder)
            }
            #expect(result.missing.contains("gw:eth0: where it is plugged in"))
            #expect(scenario == nil)
            #expect(diagnostics.contains { $0.description.contains("gw:eth0 is plugged into nothing") })
        }
    }

    @Test("a folder without machines, or with a file that is not what its tool prints, is no bundle")
    func noBundle() throws {
        #expect(throws: ImportError.self) { try ImportedScenario(bundle: "/nowhere", rules: "") }
        #expect(throws: ImportError.self) {
            try ImportedScenario(bundle: "\(RecordedBundle.newton.folder)/hv1", rules: "")
        }
        #expect(throws: ImportError.self) {
            try imported { try Data("1: lo:".utf8).write(to: URL(filePath: "\($0)/lb/ip-link.json")) }
        }
    }

    @Test("a host's own rules become iptables' arguments, chains and policies too")
    func hostRules() {
        let dump =
            "*nat\n:PREROUTING ACCEPT [0:0]\n:own - [0:0]\n[1:2] -A PREROUTING -j own\nCOMMIT\n"
            + "*filter\n:INPUT DROP [0:0]\nCOMMIT\n"
        #expect(
            HostRules.arguments(dump) == [
                "-t nat -N own", "-t nat -A PREROUTING -j own", "-t filter -P INPUT DROP",
            ])
    }

    @Test("a director's services: persistence, weights and forwarding; a firewall mark is named as missing")
    func services() {
        var missing: [String] = []
        let rules = IPVSRules(
            "-A -u [2001:db8::2]:53 -s wlc -p 300\n-a -u [2001:db8::2]:53 -r [2001:db8::4]:53 -i -w 3\n-A -f 7 -s rr\n",
            of: "lb", &missing)
        #expect(
            rules.services.flatMap(\.lines) == [
                "udp: \"[2001:db8::2]:53\"", "scheduler: wlc", "persistence: 300", "real_servers:",
                "  - {address: \"2001:db8::4\", port: 53, forwarding: tunneling, weight: 3}",
            ])
        #expect(missing == ["lb: '-A -f 7 -s rr' of ipvsadm, which scenarios cannot say"])
    }
}
