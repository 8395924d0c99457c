import Foundation
import Net
import Testing

@testable import Plan

/// Runs a shell script in a network namespace of its own, with `files` in its directory.
func inNewNamespace(_ script: String, files: [String: String] = [:]) throws -> (status: Int32, output: String) {
    let folder = FileManager.default.temporaryDirectory.appending(path: "neutron-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, text) in files { try Data(text.utf8).write(to: folder.appending(path: name)) }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/unshare")
    process.arguments = ["--net", "sh", "-c", "exec 2>&1; " + script]
    process.currentDirectoryURL = folder
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}

/// What this machine can do; each probed once. Namespaces share iptables' lock file, hence -w here and below.
enum Machine {
    static let loadsIptables = can("iptables-legacy -w -t raw -S && ip6tables-legacy -w -t nat -S")
    static let loadsIPSets = can("ipset create probe hash:net && ipset list -n")
    /// The ebtables that works here, the legacy one by preference: it is what the lab kernel has.
    static let ebtables = ["ebtables-legacy", "ebtables-nft"].first { can("\($0) -t filter -L && \($0) -t nat -L") }

    private static func can(_ script: String) -> Bool {
        ProcessInfo.processInfo.userName == "root" && (try? inNewNamespace(script).status) == 0
    }
}

@Suite("A kernel takes the rules and gives them back")
struct NeutronKernelTests {
    /// All combinations of release, driver and mode; the other placements add nothing that a kernel would see differently.
    static let cases = GoldenRules.all.filter { $0.placement == .all3 }

    @Test(
        "iptables-legacy-save prints what iptables-legacy-restore was given",
        .enabled(if: Machine.loadsIptables, "needs root and the legacy tables"),
        arguments: cases.filter { !$0.usesIPSet })
    func roundTrip(_ golden: GoldenRules) throws { try load(golden) }

    @Test(
        "the same with sets, which ipset restore made before",
        .enabled(if: Machine.loadsIptables && Machine.loadsIPSets, "needs root, the legacy tables and ipset"),
        arguments: cases.filter(\.usesIPSet))
    func roundTripWithSets(_ golden: GoldenRules) throws { try load(golden) }

    func load(_ golden: GoldenRules) throws {
        let rules = try ReferenceDeployment.rules(
            golden.version, golden.driver, golden.placement, golden.mode, usesIPSet: golden.usesIPSet)
        let text = golden.isIPv6 ? rules.ipv6 : rules.ipv4
        let tool = golden.isIPv6 ? "ip6tables-legacy" : "iptables-legacy"
        let result = try inNewNamespace(
            "set -e; if [ -s sets ]; then ipset restore < sets; fi; \(tool)-restore -w < rules; \(tool)-save",
            files: ["rules": text, "sets": rules.ipsets ?? ""])
        #expect(result.status == 0, "\(result.output)")
        let difference = firstDifference(tables(result.output), tables(text))
        #expect(difference == nil, "\(difference ?? "")")
    }

    @Test(
        "user rules of every kind come back as they were written",
        .enabled(if: Machine.loadsIptables, "needs root and the legacy tables"),
        arguments: NeutronRelease.proven.map(\.version))
    func userRules(_ version: String) throws {
        let protocols: [(String?, UInt16?, UInt16?)] = [
            (nil, nil, nil), ("tcp", nil, nil), ("tcp", 22, 22), ("udp", 1000, 2000), ("icmp", nil, nil),
            ("icmp", 0, 0), ("icmp", 8, nil), ("icmp", 3, 4), ("sctp", 80, 80), ("udplite", 5, 5), ("udplite", 5, 9),
            ("6", 80, 80), ("132", nil, nil),
        ]
        let rules = try ReferenceDeployment.rules(version) {
            $0.deployment.securityGroups[0].rules = protocols.flatMap { name, low, high in
                [IPPrefixes.v4, IPPrefixes.v6].flatMap { remote in
                    Neutron.Direction.allCases.map {
                        Neutron.SecurityGroupRule(
                            direction: $0, ethertype: remote.family, protocol: name, portRangeMin: low,
                            portRangeMax: high, remoteIPPrefix: remote)
                    }
                }
            }
        }
        for (tool, text) in [("iptables-legacy", rules.ipv4), ("ip6tables-legacy", rules.ipv6)] {
            let result = try inNewNamespace("\(tool)-restore -w < rules && \(tool)-save", files: ["rules": text])
            #expect(result.status == 0, "\(result.output)")
            let difference = firstDifference(tables(result.output), tables(text))
            #expect(difference == nil, "\(difference ?? "")")
        }
    }

    @Test(
        "ebtables-save prints the ARP protection that ebtables-restore was given",
        .enabled(if: Machine.ebtables != nil, "needs root and an ebtables that works"),
        arguments: ["9.4.1", "25.2.3"], [ReferenceDeployment.Mode.portSecurityOn, .lbWithoutZeroPair])
    func ebtables(_ version: String, _ mode: ReferenceDeployment.Mode) throws {
        let tool = try #require(Machine.ebtables)
        let text = try #require(try ReferenceDeployment.rules(version, .linuxbridge, .all3, mode).ebtables)
        let result = try inNewNamespace("\(tool)-restore < rules && \(tool)-save", files: ["rules": text])
        #expect(result.status == 0, "\(result.output)")
        let name = try #require(text.lines.first)
        #expect(chains(result.output, table: name) == chains(text, table: name))
    }

    /// One table's chains with policy and rules, in one spelling (ebtables ends a list of MACs with a comma or not).
    func chains(_ text: String, table: Substring) -> [String: [String]] {
        var chains: [String: [String]] = [:]
        for line in text.lines.drop(while: { $0 != table }).dropFirst().prefix(while: { !$0.hasPrefix("*") }) {
            let words = line.split(separator: " ").map { $0.hasSuffix(",") ? $0.dropLast() : $0 }
            if line.hasPrefix(":") {
                chains[String(words[0].dropFirst()), default: []].append(words.dropFirst().joined(separator: " "))
            } else if line.hasPrefix("-A ") {
                chains[String(words[1]), default: []].append(canonical(words.dropFirst(2)))
            }
        }
        return chains
    }

    /// The tables by name (a kernel lists them as it made them), counters at zero, without comments.
    func tables(_ text: String) -> String {
        var tables: [String] = []
        for line in text.lines where !line.hasPrefix("#") {
            if line.hasPrefix("*") { tables.append("") }
            if !tables.isEmpty { tables[tables.count - 1] += line + "\n" }
        }
        return tables.sorted().joined()
    }
}
