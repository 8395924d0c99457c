import Net
import Testing

@testable import Plan

@Suite("What Neutron's releases do to a port")
struct NeutronRulesTests {
    let lbIngress = "neutron-linuxbri-i1b000010-0"
    let lbEgress = "neutron-linuxbri-o1b000010-0"
    let lbSpoof = "neutron-linuxbri-s1b000010-0"

    @Test("Icehouse and Kilo drop INVALID before looking at user rules", arguments: ["icehouse", "2015.1.1"])
    func invalidFirst(_ release: String) throws {
        let rules = try ReferenceDeployment.rules(release).ipv4.rules(of: lbIngress)
        let invalid = try #require(rules.firstIndex { $0.contains("INVALID") && $0.hasSuffix("-j DROP") })
        let http = try #require(rules.firstIndex { $0.contains("--dport 80") })
        #expect(invalid == 0)
        #expect(invalid < http)
    }

    @Test("Newton and 2024.2 look at user rules first", arguments: ["newton", "25.2.3"])
    func userRulesFirst(_ release: String) throws {
        let rules = try ReferenceDeployment.rules(release).ipv4.rules(of: lbIngress)
        let invalid = try #require(rules.firstIndex { $0.contains("INVALID") && $0.hasSuffix("-j DROP") })
        let http = try #require(rules.firstIndex { $0.contains("--dport 80") })
        #expect(http < invalid)
        #expect(invalid == rules.count - 2)
    }

    @Test(
        "a port without port security has no chains but two ACCEPTs on the way through and one to the host",
        arguments: ["2015.1.1", "newton", "25.2.3"])
    func withoutPortSecurity(_ release: String) throws {
        let rules = try ReferenceDeployment.rules(release, .linuxbridge, .all3, .lbPortSecurityOff)
        for text in [rules.ipv4, rules.ipv6] {
            for kind in Neutron.Chain.allCases {
                #expect(!text.contains(Neutron.Driver.linuxbridge.chain(kind, of: ReferenceDeployment.port("lb"))))
            }
            let forward = text.rules(of: "neutron-linuxbri-FORWARD").filter { $0.contains("tap1b000010-00") }
            #expect(forward.count == 2)
            #expect(forward.allSatisfy { $0.hasSuffix("-j ACCEPT") })
            #expect(text.rules(of: "neutron-linuxbri-FORWARD").suffix(2) == forward[...])
            #expect(text.rules(of: "neutron-linuxbri-INPUT").filter { $0.contains("tap1b000010-00") }.count == 1)
            #expect(text.contains(":neutron-linuxbri-ia5000021-0 "), "the others keep theirs")
        }
    }

    @Test("an allowed pair of 0.0.0.0/0 renders without -s: its MAC may send from anywhere")
    func zeroPair() throws {
        for release in NeutronRelease.proven {
            let with = try ReferenceDeployment.rules(release.version).ipv4.rules(of: lbSpoof)
            #expect(with.first?.hasPrefix("-m mac --mac-source fa:16:3e:00:00:10 ") == true)
            let without = try ReferenceDeployment.rules(
                release.version, .linuxbridge, .all3, .lbWithoutZeroPair
            ).ipv4.rules(of: lbSpoof)
            #expect(without == Array(with.dropFirst()))
            #expect(without.dropLast().allSatisfy { $0.hasPrefix("-s ") })
        }
    }

    @Test("an egress chain enters the spoof chain before any user rule")
    func spoofChainFirst() throws {
        for release in NeutronRelease.proven {
            let rules = try ReferenceDeployment.rules(release.version).ipv4.rules(of: lbEgress)
            #expect(rules.firstIndex(of: "-j \(lbSpoof)") == 1)
        }
    }

    @Test("chains are named after the first ten characters of the port's id")
    func chainNames() {
        let port = ReferenceDeployment.port("lb")
        #expect(Neutron.Driver.linuxbridge.chain(.ingress, of: port) == lbIngress)
        #expect(Neutron.Driver.linuxbridge.chain(.egress, of: port) == lbEgress)
        #expect(Neutron.Driver.linuxbridge.chain(.spoof, of: port) == lbSpoof)
        #expect(Neutron.Driver.ovsHybrid.chain(.ingress, of: port) == "neutron-openvswi-i1b000010-0")
        for driver in Neutron.Driver.allCases {
            #expect(driver.chain(.egress, ofPort: port.id) == driver.chain(.egress, of: port))
        }
        #expect(Neutron.Driver.linuxbridge.bridgeInterface(of: port) == "brqe7000001-00")
        #expect(Neutron.Driver.ovsHybrid.bridgeInterface(of: port) == "qvb1b000010-00")
        #expect(Neutron.Driver.ovsHybrid.interface(of: port) == "tap1b000010-00")
    }

    @Test("the names of chains are those in the rules", arguments: Neutron.Driver.allCases)
    func chainNamesInRules(_ driver: Neutron.Driver) throws {
        let rules = try ReferenceDeployment.rules("newton", driver)
        for port in ["lb", "rs1", "rs2"].map({ ReferenceDeployment.port($0) }) {
            for kind in Neutron.Chain.allCases {
                #expect(rules.ipv4.contains("\n:\(driver.chain(kind, of: port)) - [0:0]\n"))
            }
        }
    }

    @Test("a pair equal to a fixed IP but for its prefix length is one rule from Newton on, two before")
    func spellings() throws {
        let expected = ["icehouse": 2, "kilo": 2, "newton": 1, "dalmatian": 1]
        for release in NeutronRelease.proven {
            let rules = try ReferenceDeployment.rules(release.version, .linuxbridge, .rs1HV2) {
                $0.ports[0].allowedAddressPairs = [Neutron.AddressPair(ipAddress: "10.0.0.21/32")]
            }
            let spoof = rules.ipv4.rules(of: "neutron-linuxbri-sa5000021-0").filter { $0.hasPrefix("-s 10.0.0.21/32") }
            #expect(spoof.count == expected[release.codeName], "\(release)")
        }
    }

    @Test("a pair may name another MAC, and a network")
    func pairWithMAC() throws {
        let rules = try ReferenceDeployment.rules("newton", .linuxbridge, .rs1HV2) {
            $0.ports[0].allowedAddressPairs = [
                Neutron.AddressPair(ipAddress: "10.1.0.5/16", macAddress: MACAddress(bits: 0x00_00_5E_00_01_01))
            ]
        }
        let spoof = rules.ipv4.rules(of: "neutron-linuxbri-sa5000021-0")
        #expect(spoof.first?.hasPrefix("-s 10.1.0.0/16 -m mac --mac-source 00:00:5e:00:01:01 ") == true)
    }

    @Test("a port without addresses may send from any, with its MAC")
    func noFixedIPs() throws {
        let rules = try ReferenceDeployment.rules("newton", .linuxbridge, .rs1HV2) {
            $0.ports[0].allowedAddressPairs = []
            $0.ports[0].fixedIPs = []
        }
        for text in [rules.ipv4, rules.ipv6] {
            let spoof = text.rules(of: "neutron-linuxbri-sa5000021-0")
            #expect(spoof.count == 2)
            #expect(spoof.first?.hasPrefix("-m mac --mac-source fa:16:3e:00:00:21 ") == true)
        }
    }

    @Test("an IPv6 address brings its link-local address along from Newton on")
    func linkLocal() throws {
        let address = try #require(IPAddress("2001:db8::21"))
        for (release, expected) in [
            ("2015.1.1", ["2001:db8::21"]), ("newton", ["2001:db8::21", "fe80::f816:3eff:fe00:21"]),
        ] {
            let rules = try ReferenceDeployment.rules(release, .linuxbridge, .rs1HV2) {
                $0.ports[0].fixedIPs.append(address)
            }
            let spoof = rules.ipv6.rules(of: "neutron-linuxbri-sa5000021-0").filter { $0.hasPrefix("-s") }
            #expect(spoof.map { $0.split(separator: " ")[1] } == expected.map { "\($0)/128" })
        }
    }

    @Test("a stateless group keeps its ports' packets from being tracked")
    func stateless() throws {
        let rules = try ReferenceDeployment.rules("25.2.3", .linuxbridge, .lbHV1, .stateless).ipv4
        let raw = rules.rules(of: "neutron-linuxbri-PREROUTING").filter { $0.contains("-j CT") }
        #expect(raw.count == 3)
        #expect(raw.allSatisfy { $0.hasSuffix("--notrack") })
    }

    @Test("with ipset a remote group is a set, and 0.0.0.0/0 in it becomes two halves")
    func sets() throws {
        let rules = try ReferenceDeployment.rules("newton", .linuxbridge, .all3, .remoteGroup, usesIPSet: true)
        #expect(
            rules.ipv4.rules(of: lbIngress).contains { $0.contains("--match-set NIPv45e900001-0000-4000-8000- src") })
        let set = "NIPv45e900001-0000-4000-8000-"
        let addresses = ["0.0.0.0/1", "128.0.0.0/1"] + [10, 100, 11, 21, 22].map { "10.0.0.\($0)/32" }
        #expect(
            rules.ipsets
                == (["create \(set) hash:net family inet"] + addresses.map { "add \(set) \($0)" })
                .joined(separator: "\n") + "\n")
        let plain = try ReferenceDeployment.rules("newton", .linuxbridge, .all3, .remoteGroup)
        #expect(plain.ipsets == nil)
    }

    @Test("the same deployment gives the same text again")
    func deterministic() throws {
        for release in NeutronRelease.proven {
            #expect(try ReferenceDeployment.rules(release.version) == ReferenceDeployment.rules(release.version))
        }
    }
}
