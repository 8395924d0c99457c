import Foundation
import Net
import Testing

@testable import Plan

/// `arp_protect.txt`'s phases: what the agent ran for which ports, and what ebtables then listed.
struct ARPPhase: Sendable, CustomTestStringConvertible {
    var version: String
    var letter: String
    var ports: [Neutron.Port]
    var testDescription: String { "\(version) phase \(letter)" }

    /// Phases A, B and D; C takes protection away again, which over empty tables is B.
    static let all = ["9.4.1", "25.2.3"].flatMap { version in
        [
            ARPPhase(version: version, letter: "A", ports: ["lb", "rs1", "rs2"].map { ReferenceDeployment.port($0) }),
            ARPPhase(
                version: version, letter: "B",
                ports: ["lb", "rs1", "rs2"].map { ReferenceDeployment.port($0, .lbPortSecurityOff) }),
            ARPPhase(version: version, letter: "D", ports: [ReferenceDeployment.port("lb", .lbWithoutZeroPair)]),
        ]
    }

    private func section() throws -> [Substring] {
        let text = try String(
            contentsOf: GoldenRules.folder.appending(path: "\(version)/arp_protect.txt"), encoding: .utf8)
        let lines = text.lines
        let start = try #require(lines.firstIndex { $0.hasPrefix("PHASE \(letter)") })
        return lines[(start + 1)...].prefix { !$0.hasPrefix("PHASE") }
    }

    /// The commands that change anything, without the program and its options.
    func commands() throws -> [String] {
        try section().filter { $0.hasPrefix("ebtables") }.compactMap { line in
            let command = line.prefix { $0 != "#" }.split(separator: " ")
            let arguments = command.drop { !["-L", "-N", "-F", "-A", "-I"].contains($0) }
            return arguments.first == "-L" ? nil : canonical(arguments)
        }
    }

    /// What ebtables listed, by chain.
    func listing() throws -> [String: [String]] {
        var chains: [String: [String]] = [:]
        var chain = ""
        for line in try section().filter({ $0.hasPrefix("    ") }) {
            let words = line.split(separator: " ")
            if line.contains("Bridge chain: ") {
                chain = String(words[2].dropLast())
                chains[chain] = []
            } else if !line.contains("Bridge table: ") {
                chains[chain]?.append(canonical(words[...]))
            }
        }
        return chains
    }
}

/// One spelling of a rule for Neutron's, ebtables' and ours: the protocol first, MACs with two digits, no /32.
func canonical(_ words: ArraySlice<Substring>) -> String {
    var words = words.map { word in
        word.contains(":") ? MACAddress(word)?.description ?? String(word) : String(word)
    }
    words = words.map { $0.hasSuffix("/32") ? String($0.dropLast(3)) : $0 }
    if let at = words.firstIndex(of: "-p"), at + 1 < words.count {
        let name = words[at + 1]
        words.removeSubrange(at...(at + 1))
        let start = ["-A", "-I"].contains(words.first) ? 2 : 0
        words.insert(contentsOf: ["-p", name], at: start)
    }
    return words.joined(separator: " ")
}

@Suite("ARP and MAC protection of the linuxbridge agent")
struct ARPProtectionTests {
    func table(_ phase: ARPPhase) throws -> EbtablesTable {
        let protection = try #require(try NeutronRelease(version: phase.version).arpProtection)
        return try ARPProtection(protection, ports: phase.ports).table
    }

    @Test("the commands are the agent's, in its order", arguments: ARPPhase.all)
    func commands(_ phase: ARPPhase) throws {
        let ours = try table(phase).commands.map { canonical($0.arguments.split(separator: " ")[...]) }
        let theirs = try phase.commands()
        #expect(!theirs.isEmpty)
        #expect(ours == theirs)
    }

    @Test("the resulting chains are those that ebtables listed", arguments: ARPPhase.all)
    func listing(_ phase: ARPPhase) throws {
        let ours = try table(phase)
        let theirs = try phase.listing()
        #expect(Set(ours.chains.map(\.name)) == Set(theirs.keys))
        for chain in ours.chains {
            #expect(chain.rules.map { canonical($0.split(separator: " ")[...]) } == theirs[chain.name])
        }
    }

    @Test("Icehouse and Kilo have none", arguments: ["icehouse", "2015.1.1"])
    func none(_ release: String) throws {
        #expect(try ReferenceDeployment.rules(release).ebtables == nil)
    }

    @Test("OVS-hybrid has none in any release")
    func hybrid() throws {
        for release in NeutronRelease.proven {
            #expect(try ReferenceDeployment.rules(release.version, .ovsHybrid).ebtables == nil)
        }
    }

    @Test(
        "an allowed pair of 0.0.0.0/0 removes ARP protection but not MAC protection", arguments: ["newton", "25.2.3"])
    func zeroPair(_ release: String) throws {
        let with = try #require(try ReferenceDeployment.rules(release, .linuxbridge, .lbHV1).ebtables)
        #expect(!with.contains("neutronARP"))
        #expect(with.contains("neutronMAC-tap1b000010-00"))
        let without = try #require(
            try ReferenceDeployment.rules(release, .linuxbridge, .lbHV1, .lbWithoutZeroPair).ebtables)
        #expect(without.contains("neutronARP-tap1b000010-00"))
    }

    @Test("a real server with the VIP's pair may answer ARP for the VIP", arguments: ["newton", "25.2.3"])
    func realServerMayAnswerForVIP(_ release: String) throws {
        let with = try #require(try ReferenceDeployment.rules(release, .linuxbridge, .rs1HV2).ebtables)
        #expect(with.contains("-p ARP --arp-ip-src 10.0.0.100/32 -j ACCEPT"))
        let without = try #require(
            try ReferenceDeployment.rules(release, .linuxbridge, .rs1HV2, .realServersWithoutPair).ebtables)
        #expect(!without.contains("10.0.0.100"))
    }

    @Test("Newton protects in filter FORWARD, 2024.2 in nat PREROUTING with a DROP of its own")
    func text() throws {
        #expect(
            try ReferenceDeployment.rules("newton", .linuxbridge, .rs1HV2, .realServersWithoutPair).ebtables == """
                *filter
                :INPUT ACCEPT
                :FORWARD ACCEPT
                :OUTPUT ACCEPT
                :neutronMAC-tapa5000021-00 DROP
                :neutronARP-tapa5000021-00 DROP
                -A FORWARD -i tapa5000021-00 -j neutronMAC-tapa5000021-00
                -A FORWARD -p ARP -i tapa5000021-00 -j neutronARP-tapa5000021-00
                -A neutronMAC-tapa5000021-00 -i tapa5000021-00 --among-src fa:16:3e:00:00:21 -j RETURN
                -A neutronARP-tapa5000021-00 -p ARP --arp-ip-src 10.0.0.21 -j ACCEPT

                """)
        let later = try #require(
            try ReferenceDeployment.rules("25.2.3", .linuxbridge, .rs1HV2, .realServersWithoutPair).ebtables)
        #expect(later.hasPrefix("*nat\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT\n"))
        #expect(later.hasSuffix("-A neutronARP-tapa5000021-00 -j DROP\n"))
    }

    @Test("the MACs of pairs may send too")
    func pairMAC() throws {
        let rules = try ReferenceDeployment.rules("25.2.3", .linuxbridge, .rs1HV2) {
            $0.ports[0].allowedAddressPairs = [
                Neutron.AddressPair(ipAddress: "10.0.0.100", macAddress: MACAddress(bits: 0x00_00_5E_00_01_01))
            ]
        }
        #expect(rules.ebtables?.contains("--among-src 00:00:5e:00:01:01,fa:16:3e:00:00:21 -j RETURN") == true)
    }
}
