import Evidence
import Foundation
import Net
import Testing

extension WholeProgram {
    /// The kernel is the oracle: what its own tools print in a step is what the snapshot after that step holds.
    @Suite("The standard tools agree with the evidence", .enabled(if: Drbench.hasLabKernel, Drbench.noLabKernel))
    struct ToolsAgree {
        /// A `run` step of one of the two scenarios: what the tool printed, and the snapshot right after.
        private func step(_ name: String, of scenario: String) async throws -> (output: String, after: Snapshot) {
            let run = scenario.hasPrefix("standard-tools-nat") ? SharedRuns.toolsBehindNAT : SharedRuns.tools
            let evidence = try await run.value.evidence(scenario)
            let step = try #require(evidence.steps.first { $0.name == name }, "no step \(name)")
            let command = try #require(step.command)
            #expect(command.status == 0)
            try #require(!command.output.isEmpty, "\(name): \(command.errors)")
            return (command.output, step.after)
        }

        private static let scenarios = ["standard-tools", "standard-tools/kilo", "standard-tools/icehouse"]
        private static let directors = ["standard-tools", "standard-tools-nat"]

        @Test("a command sees its own host in /sys, and tools that look at processes work")
        func ownSys() async throws {
            let (ended, _) = try await Drbench.run(scenario: "own-sys")
            #expect(ended.status == 0, ended.text)
        }

        @Test("ipvsadm -Sn shows the services and real servers", arguments: directors)
        func ipvsadmSaved(_ scenario: String) async throws {
            let (output, after) = try await step("ipvsadm -Sn", of: scenario)
            let state = try #require(after.ipvs["lb"])
            #expect(ToolTexts.lines(output).sorted() == (try IPVSTexts(state: state).saved().sorted()))
        }

        @Test("ipvsadm -Ln shows weights and connection counts", arguments: directors)
        func ipvsadmListed(_ scenario: String) async throws {
            let (output, after) = try await step("ipvsadm -Ln", of: scenario)
            let state = try #require(after.ipvs["lb"])
            #expect(IPVSTexts.rows(output).sorted() == (try IPVSTexts(state: state).listed().sorted()))
            #expect(state.services.flatMap(\.destinations).contains { $0.activeConnections > 0 })
        }

        @Test("ipvsadm -Ln --stats --exact shows the statistics", arguments: directors)
        func ipvsadmStatistics(_ scenario: String) async throws {
            let (output, after) = try await step("ipvsadm --stats", of: scenario)
            let state = try #require(after.ipvs["lb"])
            #expect(IPVSTexts.rows(output).sorted() == (try IPVSTexts(state: state).statistics().sorted()))
            #expect(state.services.allSatisfy { $0.statistics.inPackets > 0 })
            #expect(state.services.contains { $0.statistics.outPackets > 0 } == (scenario == "standard-tools-nat"))
        }

        @Test("ipvsadm -Lnc shows the connections", arguments: directors)
        func ipvsadmConnections(_ scenario: String) async throws {
            let (output, after) = try await step("ipvsadm -Lnc", of: scenario)
            func key(_ each: IPVSConnection) -> String {
                "\(each.protocol) \(each.client) \(each.virtual) \(each.destination) \(each.state)"
            }
            let shown = try IPVSTexts.connections(output).sorted { key($0) < key($1) }
            let recorded = try #require(after.ipvs["lb"]).connections.sorted { key($0) < key($1) }
            #expect(shown.map(key) == recorded.map(key))
            for (tool, evidence) in zip(shown, recorded) {
                // The snapshot is a millisecond later: a second may have begun.
                #expect((0...1).contains(Int(tool.expires) - Int(evidence.expires)), "\(key(tool))")
            }
        }

        @Test(
            "conntrack -L -o extended shows the conntrack table",
            arguments: scenarios.flatMap { scenario in ["hv1", "hv2", "gw"].map { (scenario, $0) } }
                + [("standard-tools-nat", "router")])
        func conntrack(_ scenario: String, _ namespace: String) async throws {
            let (output, after) = try await step("conntrack \(namespace)", of: scenario)
            func key(_ each: ConntrackEntry) -> String {
                var timeless = each
                timeless.timeout = 0
                return "\(timeless)"
            }
            let shown = try ToolTexts.lines(output).map { try ToolTexts.conntrackEntry($0) }
                .sorted { key($0) < key($1) }
            let recorded = try #require(after.conntrack[namespace]).sorted { key($0) < key($1) }
            #expect(shown.map(key) == recorded.map(key))
            for (tool, evidence) in zip(shown, recorded) {
                #expect((0...1).contains(Int(tool.timeout) - Int(evidence.timeout)), "\(key(tool))")
            }
        }

        @Test("the conntrack tables that are compared hold every kind of entry")
        func conntrackVariety() async throws {
            let all = try await SharedRuns.tools.value.evidence("standard-tools").final.conntrack
            let entries = all.values.flatMap { $0 }
            #expect(Set(entries.map(\.protocol)).isSuperset(of: ["tcp", "udp", "icmp"]))
            #expect(Set(entries.compactMap(\.state)).isSuperset(of: ["SYN_SENT", "ESTABLISHED"]))
            #expect(Set(entries.map(\.flags)).isSuperset(of: [["UNREPLIED"], ["ASSURED"], []]))
            #expect(entries.contains { $0.zone != 0 })
            #expect(entries.contains { $0.mark == 7 })
            let router = try await SharedRuns.toolsBehindNAT.value.evidence("standard-tools-nat").final
            #expect(router.conntrack["router"]?.contains { $0.original.destination != $0.reply.source } == true)
        }

        @Test(
            "iptables-save -c shows the rules and what they counted",
            arguments: scenarios.flatMap { scenario in ["hv1", "hv2", "gw"].map { (scenario, $0) } }
                + [("standard-tools-nat", "router")])
        func iptables(_ scenario: String, _ namespace: String) async throws {
            let (output, after) = try await step("iptables-save \(namespace)", of: scenario)
            try expectSame(
                try ToolTexts.savedRules(output), try #require(after.rules[namespace]).filter { $0.family == "ipv4" })
        }

        @Test("arptables -L -n -v shows the ARP rules and what they counted", arguments: scenarios)
        func arptables(_ scenario: String) async throws {
            let (output, after) = try await step("arptables rs1", of: scenario)
            try expectSame(
                try ToolTexts.arpRules(output), try #require(after.rules["rs1"]).filter { $0.family == "arp" })
        }

        /// The tables stand in another order.
        private func expectSame(_ shown: [RuleCounter], _ recorded: [RuleCounter]) throws {
            func texts(_ rules: [RuleCounter]) -> [String] {
                rules.map { "\($0.table) \($0.chain) \($0.number): \($0.rule) [\($0.packets):\($0.bytes)]" }.sorted()
            }
            #expect(texts(shown) == texts(recorded))
            #expect(recorded.contains { $0.number > 0 && $0.packets > 0 }, "nothing was counted")
        }

        @Test("ip neigh shows the neighbour table", arguments: ["gw", "lb", "rs1", "client"])
        func neighbours(_ host: String) async throws {
            let (output, after) = try await step("ip neigh \(host)", of: "standard-tools")
            let shown = try ToolTexts.lines(output).map { "\(try ToolTexts.neighbour($0))" }.sorted()
            #expect(shown == (try #require(after.neighbours[host]).map { "\($0)" }.sorted()))
        }

        /// What stands among the counters and is a setting.
        private static let settings: Set<String> = [
            "Ip.Forwarding", "Ip.DefaultTTL", "Tcp.RtoAlgorithm", "Tcp.RtoMin", "Tcp.RtoMax", "Tcp.MaxConn",
        ]

        @Test("/proc/net/snmp and netstat hold the counters", arguments: ["gw", "rs1"])
        func snmp(_ host: String) async throws {
            let (output, after) = try await step("snmp \(host)", of: "standard-tools")
            let shown = try ToolTexts.snmp(output).filter { $0.value != 0 && !Self.settings.contains($0.key) }
            let recorded = try #require(after.counters[host]).filter { entry in
                !["rt_cache.", "Ip6.", "Icmp6.", "Udp6.", "UdpLite6."].contains { entry.key.hasPrefix($0) }
            }
            #expect(shown == recorded)
        }

        @Test("nstat shows the counters", arguments: ["lb", "client"])
        func nstat(_ host: String) async throws {
            let (output, after) = try await step("nstat \(host)", of: "standard-tools")
            // A gauge, which nstat leaves out as it does the settings.
            let settings = Set(Self.settings.union(["Tcp.CurrEstab"]).map { $0.replacing(".", with: "") })
            let shown = try ToolTexts.nstat(output).filter {
                $0.value != 0 && !settings.contains($0.key) && !$0.key.hasPrefix("Sctp")
            }
            var recorded: [String: Int] = [:]
            for (name, value) in try #require(after.counters[host])
            where !name.hasPrefix("rt_cache.") && name != "Tcp.CurrEstab" {
                recorded[name.replacing(".", with: "")] = value
            }
            #expect(shown == recorded)
        }
    }
}
