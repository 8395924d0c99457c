import Net
import Testing

@testable import Plan

@Suite("Security group rules as iptables prints them")
struct UserRuleTests {
    /// The user's rules of rs1's ingress chain: those that RETURN, without DHCP's and conntrack's.
    func render(_ release: String, _ rules: [Neutron.SecurityGroupRule], _ family: IPAddress.Family = .v4) throws
        -> [String]
    {
        let made = try ReferenceDeployment.rules(release, .linuxbridge, .rs1HV2) {
            $0.deployment.securityGroups[0].rules = rules
        }
        let chain = (family == .v4 ? made.ipv4 : made.ipv6).rules(of: "neutron-linuxbri-ia5000021-0")
        let fixed = ["--state", "--sport 67", "--sport 547"]
        return chain.filter { rule in rule.hasSuffix(" -j RETURN") && !fixed.contains { rule.contains($0) } }
            .map { String($0.dropLast(" -j RETURN".count)) }
    }

    @Test(
        "a range of ports takes multiport",
        arguments: ["icehouse", "2015.1.1", "newton", "25.2.3"])
    func range(_ release: String) throws {
        let rule = Neutron.SecurityGroupRule(
            direction: .ingress, protocol: "tcp", portRangeMin: 8000, portRangeMax: 8080,
            remoteIPPrefix: IPPrefix("192.0.2.0/24"))
        #expect(try render(release, [rule]) == ["-s 192.0.2.0/24 -p tcp -m tcp -m multiport --dports 8000:8080"])
    }

    @Test("UDP without ports still names its match up to Kilo")
    func protocolAlone() throws {
        let rule = Neutron.SecurityGroupRule(direction: .ingress, protocol: "udp")
        #expect(try render("2015.1.1", [rule]) == ["-p udp -m udp"])
        #expect(try render("newton", [rule]) == ["-p udp"])
        #expect(try render("25.2.3", [rule]) == ["-p udp"])
    }

    @Test("ICMP type 0 means any type up to Kilo")
    func icmpTypeZero() throws {
        let rule = Neutron.SecurityGroupRule(direction: .ingress, protocol: "icmp", portRangeMin: 0, portRangeMax: 0)
        #expect(try render("icehouse", [rule]) == ["-p icmp"])
        #expect(try render("2015.1.1", [rule]) == ["-p icmp"])
        #expect(try render("newton", [rule]) == ["-p icmp -m icmp --icmp-type 0/0"])
        #expect(try render("25.2.3", [rule]) == ["-p icmp -m icmp --icmp-type 0/0"])
    }

    @Test("icmp in an IPv6 rule is ICMPv6")
    func icmpv6() throws {
        let rule = Neutron.SecurityGroupRule(
            direction: .ingress, ethertype: .v6, protocol: "icmp", portRangeMin: 128)
        for release in ["icehouse", "newton", "25.2.3"] {
            #expect(try render(release, [rule], .v6).last == "-p ipv6-icmp -m icmp6 --icmpv6-type 128")
        }
    }

    @Test("SCTP ports are filtered in 2024.2 only; Newton ignores them")
    func sctp() throws {
        let rule = Neutron.SecurityGroupRule(direction: .ingress, protocol: "sctp", portRangeMin: 80, portRangeMax: 80)
        #expect(try render("newton", [rule]) == ["-p sctp"])
        #expect(try render("25.2.3", [rule]) == ["-p sctp -m sctp --dport 80"])
    }

    @Test("a protocol's number is printed as its name; old releases forget its ports")
    func protocolNumber() throws {
        let rule = Neutron.SecurityGroupRule(direction: .ingress, protocol: "6", portRangeMin: 80, portRangeMax: 80)
        #expect(try render("newton", [rule]) == ["-p tcp"])
        #expect(try render("25.2.3", [rule]) == ["-p tcp -m tcp --dport 80"])
    }

    @Test("a remote prefix of everybody is no match; old releases still write its rule beside the one without")
    func everybody() throws {
        let anyone = Neutron.SecurityGroupRule(direction: .ingress, protocol: "tcp", portRangeMin: 80, portRangeMax: 80)
        var zero = anyone
        zero.remoteIPPrefix = IPPrefix("0.0.0.0/0")
        let text = "-p tcp -m tcp --dport 80"
        #expect(try render("2015.1.1", [anyone, zero]) == [text, text])
        #expect(try render("newton", [anyone, zero]) == [text])
    }

    @Test("an egress rule's remote prefix is a destination")
    func egress() throws {
        let made = try ReferenceDeployment.rules("newton", .linuxbridge, .rs1HV2) {
            $0.deployment.securityGroups[0].rules = [
                Neutron.SecurityGroupRule(direction: .egress, remoteIPPrefix: IPPrefix("10.0.0.0/8"))
            ]
        }
        #expect(made.ipv4.rules(of: "neutron-linuxbri-oa5000021-0").contains("-d 10.0.0.0/8 -j RETURN"))
    }

    @Test("in its own group a port's fixed IPs are left out, its pairs are not")
    func remoteGroup() throws {
        let rule = Neutron.SecurityGroupRule(direction: .ingress, remoteGroupID: ReferenceDeployment.groupID)
        let rules = try render("newton", [rule])
        #expect(!rules.contains("-s 10.0.0.21/32"))
        #expect(rules.contains("-s 10.0.0.100/32"))
        #expect(rules.contains("-s 10.0.0.22/32"))
    }

    @Test("without a DHCP server no rule lets one in, except where the rule names the port instead")
    func noDHCP() throws {
        for (release, expected) in [("icehouse", 0), ("2015.1.1", 0), ("newton", 0), ("25.2.3", 2)] {
            let made = try ReferenceDeployment.rules(release, .linuxbridge, .rs1HV2) {
                $0.deployment.networks[0].dhcpServers = []
            }
            let ingress = made.ipv4.rules(of: "neutron-linuxbri-ia5000021-0")
            #expect(ingress.filter { $0.contains("--sport 67") }.count == expected, "\(release)")
        }
    }
}
