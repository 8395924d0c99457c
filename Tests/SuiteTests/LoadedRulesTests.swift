import Foundation
import Plan
import Testing

extension WholeProgram {
    @Suite("What the kernel has loaded is what was planned", .enabled(if: Drbench.hasLabKernel, Drbench.noLabKernel))
    struct LoadedRules {
        /// A table's chains with their policies, and each chain's rules in order.
        private struct Table: Equatable {
            var chains: [String: String] = [:]
            var rules: [String: [String]] = [:]
        }

        /// Reads rule texts, each added to what the ones before it left, as a restore program does.
        private func tables(_ loads: [(text: String, flush: Bool)], _ family: String) -> [String: Table] {
            var tables: [String: Table] = [:]
            for load in loads {
                var table = ""
                for line in ToolTexts.lines(load.text) {
                    switch line.first {
                    case "*":
                        table = String(line.dropFirst())
                        if load.flush || tables[table] == nil { tables[table] = Table() }
                    case ":":
                        let words = ToolTexts.words(line.dropFirst())
                        tables[table]?.chains[words[0]] = words[1]
                    case "-":
                        let chain = ToolTexts.words(line)[1]
                        let rule = normalised(String(line.dropFirst("-A \(chain) ".count)), family)
                        tables[table]?.rules[chain, default: []].append(rule)
                    default: break
                    }
                }
            }
            return tables
        }

        /// What the programs write otherwise than they read it: ebtables puts a comma behind each MAC and leaves a host's
        /// mask out, arptables puts the target first.
        private func normalised(_ rule: String, _ family: String) -> String {
            switch family {
            case "bridge": rule.replacing(", ", with: " ").replacing("/32", with: "")
            case "arp": (" " + rule).split(separator: " -").sorted().joined(separator: " -")
            default: rule
            }
        }

        @Test(
            "every namespace's rules, by Newton, Kilo and Icehouse",
            arguments: [
                ("standard-tools", ["ipv4", "bridge"]), ("standard-tools/kilo", ["ipv4"]),
                ("standard-tools/icehouse", ["ipv4"]),
            ])
        func loaded(_ scenario: String, _ families: [String]) async throws {
            let results = try await SharedRuns.tools.value
            let plan = try JSONDecoder().decode(
                Plan.self,
                from: Data(contentsOf: URL(filePath: results.path("\(RunResults.directory(of: scenario))/plan.json"))))
            var loads: [String: [(text: String, flush: Bool)]] = [:]
            for operation in plan.setup {
                guard case .loadRules(let family, let text, let flush) = operation.action else { continue }
                loads["\(operation.namespace).\(family.rawValue)", default: []].append((text, flush))
            }
            // Without this, a plan that loads nothing would pass.
            let expected =
                ["hv1", "hv2"].flatMap { host in families.map { "\(host).\($0)" } } + ["gw.ipv4", "rs1.arp"]
            #expect(loads.keys.sorted() == expected.sorted())
            let files = try FileManager.default.contentsOfDirectory(
                atPath: results.path("\(RunResults.directory(of: scenario))/rules"))
            #expect(files.sorted() == loads.keys.map { $0 + ".rules" }.sorted())
            for (name, loads) in loads {
                let family = String(name.drop { $0 != "." }.dropFirst())
                let planned = tables(loads, family)
                var found = tables(
                    [(try results.text("\(RunResults.directory(of: scenario))/rules/\(name).rules"), true)], family)
                for (name, table) in found {
                    // A table comes with its built-in chains, named or not.
                    found[name]?.chains = table.chains.filter {
                        $0.value != "ACCEPT" || planned[name]?.chains[$0.key] != nil
                    }
                }
                #expect(found.keys.sorted() == planned.keys.sorted(), "\(name)")
                for (table, content) in planned {
                    #expect(found[table]?.chains == content.chains, "\(name) \(table)")
                    #expect(found[table]?.rules == content.rules, "\(name) \(table)")
                }
                #expect(planned.values.contains { !$0.rules.isEmpty }, "\(name)")
            }
        }
    }
}
