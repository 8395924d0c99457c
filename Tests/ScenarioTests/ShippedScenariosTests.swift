import Net
import Testing

@testable import Reading
@testable import Scenario

@Suite("The shipped scenarios")
struct ShippedScenariosTests {
    private let library = ScenarioLibrary(scenarios: ["\(repository)/Scenarios"], topologies: "\(repository)/netns")

    @Test("all files are free of mistakes, and their names differ")
    func all() {
        let (scenarios, diagnostics) = library.load()
        #expect(diagnostics.map(\.excerpt) == [])
        #expect(!scenarios.isEmpty)
        #expect(Set(scenarios.map(\.fullName)).count == scenarios.count)
    }

    @Test("the author's update: one real server on another hypervisor, INVALID dropped first")
    func crossHypervisors() throws {
        let scenarios = library.load(file: "\(repository)/Scenarios/port-security/cross-hv-p-old.yaml").scenarios
        try #require(scenarios.map(\.fullName) == ["cross-hv-p-old", "cross-hv-p-old/newton"])
        let old = scenarios[0]
        #expect(old.title == "A real server on another hypervisor, INVALID dropped first")
        #expect(old.neutron == NeutronDeployment(release: "2014.1.5", driver: "linuxbridge"))
        #expect(scenarios[1].neutron == NeutronDeployment(release: "9.4.1", driver: "linuxbridge"))
        #expect(old.hypervisors == [Hypervisor(name: "hv1", uplink: "fab"), Hypervisor(name: "hv2", uplink: "fab")])
        #expect(old.hosts.map(\.name) == ["gw", "client", "lb", "rs1", "rs2"])
        #expect(old.hosts.map(\.on) == ["fab", nil, "hv1", "hv1", "hv2"])
        let vip = try #require(IPPrefix("203.0.113.2/32"))
        let address = try #require(IPAddress("203.0.113.5"))
        let rs2 = Host(
            name: "rs2", on: "hv2",
            ports: [
                Port(
                    id: DefaultIdentity.id("rs2", "eth0"), network: "public",
                    macAddress: try #require(MACAddress("fa:16:3e:00:00:05")), fixedIPs: [address],
                    allowedAddressPairs: [AddressPair(ipAddress: "203.0.113.2/32")], securityGroups: ["web"])
            ],
            interfaces: [Interface(name: "eth-vip", kind: .dummy, addresses: [vip])],
            routes: [Route(to: nil, via: IPAddress("203.0.113.1"))],
            sysctls: [Sysctl("net.ipv4.conf.all.arp_ignore", "1"), Sysctl("net.ipv4.conf.all.arp_announce", "2")],
            servers: [Server(kind: .http, port: 80)])
        #expect(old.hosts.last == rs2)
        #expect(old.services.map { $0.realServers.map(\.forwarding) } == [[.directRouting, .directRouting]])
        #expect(old.services.flatMap(\.realServers).map(\.address).last == address)
        #expect(
            old.timeline.map(\.action) == [
                .request(
                    Step.Request(
                        kind: .http, from: "client", to: Endpoint(vip.address, port: 80), count: 4,
                        timeout: 2_000_000_000))
            ])
        let sixteen = Expectation.Count(minimum: 16, maximum: 16)
        #expect(
            old.timeline[0].expectations.prefix(3).map(\.check) == [
                .traffic(.init(outcomes: ["connected then silent", "rs1", "connected then silent", "rs1"])),
                .drop(
                    .init(
                        on: "hv1", packet: "ip src host 198.51.100.10 and tcp[tcpflags] & tcp-syn = 0",
                        from: "hv1:uplink", to: "hv1:tap(lb)", chain: "i(lb)", rule: "--state INVALID -j DROP",
                        conntrack: "SYN_SENT", count: sixteen)),
                .rule(.init(on: "hv1", chain: "i(lb)", rule: "--state INVALID -j DROP", packets: sixteen)),
            ])
        #expect(
            old.timeline[0].expectations.map(\.check).contains(
                .conntrack(
                    .init(
                        on: "hv1", destination: vip.address, state: "SYN_SENT", flags: ["UNREPLIED"],
                        count: .init(minimum: 2, maximum: 2)))))
    }

    @Test("the first working setup: everything on one hypervisor")
    func sameHypervisor() throws {
        let scenarios = library.load(file: "\(repository)/Scenarios/direct-routing/dr-happy-same.yaml").scenarios
        #expect(scenarios.map(\.fullName) == ["dr-happy-same", "dr-happy-same/newton", "dr-happy-same/masquerading"])
        #expect(scenarios.first?.hosts.map(\.on) == ["fab", nil, "hv1", "hv1", "hv1"])
        let masquerading = try #require(scenarios.last)
        #expect(masquerading.services.flatMap(\.realServers).map(\.forwarding) == [.masquerading, .masquerading])
        #expect(masquerading.hosts.filter { $0.name.hasPrefix("rs") }.flatMap(\.interfaces) == [])
    }
}
