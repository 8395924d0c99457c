import Net
import Testing

@testable import Reading
@testable import Scenario

@Suite("The format, read")
struct FormatTests {
    private let whole: Scenario
    private let variant: Scenario

    init() throws {
        let (scenarios, diagnostics) = Sample.read(
            Everything.scenario, topology: Everything.topology, name: "everything")
        #expect(diagnostics.map(\.description) == [])
        try #require(scenarios.count == 2)
        whole = scenarios[0]
        variant = scenarios[1]
    }

    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
    private func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text)) }
    private func endpoint(_ text: String) throws -> Endpoint { try #require(Endpoint(text)) }
    private func mac(_ text: String) throws -> MACAddress { try #require(MACAddress(text)) }

    private func host(_ name: String) throws -> Host { try #require(whole.hosts.first { $0.name == name }) }

    @Test("a scenario says what it is")
    func identity() {
        #expect(whole.fullName == "everything")
        #expect(whole.title == "every key")
        #expect(whole.tags == ["core", "strong"])
        #expect(whole.source == "the format's description")
        #expect(whole.needs == ["ipvs", "dummy"])
        #expect(whole.topology == "net")
        // As written, although a YAML reader takes it for a number.
        #expect(whole.neutron == NeutronDeployment(release: "2014.1", driver: "ovs_hybrid", ipset: true))
        #expect(whole.settle == 1_500_000_000)
        #expect(whole.capture == CaptureOptions(snapshotLength: 96))
    }

    @Test("networks, groups and hypervisors are in Neutron's words")
    func network() throws {
        #expect(
            whole.networks == [
                Network(
                    name: "public", id: "e7000001-0000-4000-8000-000000000001", cidr: try prefix("203.0.113.0/27"),
                    gateway: try address("203.0.113.1"), dhcpServer: try address("203.0.113.6"),
                    routerAdvertisers: [try address("fe80::1")],
                    segmentationID: 7)
            ])
        #expect(
            whole.securityGroups == [
                SecurityGroup(
                    name: "web",
                    rules: [
                        SecurityGroupRule(direction: .ingress, protocol: "tcp", portRangeMin: 80, portRangeMax: 81),
                        SecurityGroupRule(direction: .ingress, remoteIPPrefix: try prefix("198.51.100.0/24")),
                        SecurityGroupRule(direction: .egress, remoteGroup: "web"),
                    ], stateful: false)
            ])
        #expect(whole.fabric == .vxlan(underlay: try prefix("172.31.0.0/24")))
        let lossy = Link(mtu: 1600, sending: Impairment(loss: 0.5), receiving: Impairment(loss: 5))
        #expect(
            whole.switches == [Switch(name: "core"), Switch(name: "fab", uplink: "core", link: lossy, isHub: true)])
        let sending = Impairment(
            delay: 10_000_000, jitter: 1_000_000, loss: 0.1, duplicate: 1, reorder: 25, rate: 10_000_000)
        #expect(
            whole.hypervisors == [
                Hypervisor(
                    name: "hv1", uplink: "core",
                    link: Link(mtu: 1600, sending: sending, receiving: Impairment(rate: 100_000)),
                    sysctls: [Sysctl("net.netfilter.nf_conntrack_log_invalid", "6")],
                    iptables: ["-t raw -A PREROUTING -j CT --notrack"], ip6tables: ["-A FORWARD -j ACCEPT"]),
                Hypervisor(name: "hv2", uplink: "core"),
                Hypervisor(name: "hv3", rules: RuleDumps(iptables: "", ip6tables: "", ebtables: "", ipset: "")),
            ])
    }

    @Test("hosts come in the file's order, with their ports, routes and servers")
    func hosts() throws {
        #expect(whole.hosts.map(\.name) == ["gw", "client", "lb", "rs1", "rs2"])
        #expect(
            try host("client").routes == [
                Route(to: nil, via: address("198.51.100.1")),
                Route(to: prefix("10.0.0.0/24"), via: address("198.51.100.9"), interface: "eth0"),
                Route(to: prefix("10.1.0.0/24"), via: nil, interface: "eth0"),
            ])
        let lb = try host("lb")
        #expect(
            lb.ports == [
                Port(
                    name: "eth0", id: "1b000010-0010-4000-8000-000000000010", network: "public",
                    macAddress: try mac("fa:16:3e:00:00:03"), fixedIPs: [try address("203.0.113.3")],
                    allowedAddressPairs: [
                        AddressPair(ipAddress: "0.0.0.0/0"),
                        AddressPair(ipAddress: "203.0.113.2", macAddress: try mac("00:00:5e:00:01:01")),
                    ], securityGroups: ["web"],
                    addresses: [try prefix("203.0.113.3/27"), try prefix("203.0.113.2/32")])
            ])
        #expect(
            lb.neighbours == [
                StaticNeighbour(
                    address: try address("203.0.113.1"), mac: try mac("02:00:00:00:00:01"), interface: "eth0")
            ])
        #expect(lb.arptables == ["-A INPUT -d 203.0.113.2 -j DROP"])
        #expect(lb.iptables == ["-A INPUT -m conntrack --ctstate INVALID -j DROP"])
        let rs1 = try host("rs1")
        #expect(rs1.ports.map(\.on) == ["hv1"] && rs1.ports.map(\.portSecurityEnabled) == [false])
        #expect(
            rs1.interfaces == [
                Interface(name: "eth-vip", kind: .dummy, addresses: [try prefix("203.0.113.2/32")]),
                Interface(name: "lo", kind: .loopback, addresses: [try prefix("203.0.113.2/32")]),
            ])
        #expect(
            rs1.servers == [
                Server(kind: .http, port: 80), Server(kind: .tcp, port: 81), Server(kind: .udp, port: 53),
            ])
    }

    @Test("a cable written at one end has both")
    func cables() throws {
        #expect(try host("gw").ports.map(\.peer) == [nil, "client:eth0"])
        #expect(try host("client").ports.map(\.peer) == ["gw:eth1"])
        #expect(
            try host("client").ports.map(\.link) == [
                Link(mtu: 1400, sending: Impairment(loss: 1), receiving: Impairment(loss: 2))
            ])
    }

    @Test("a real server named as a host has its first fixed IP and the service's port")
    func services() throws {
        #expect(
            whole.services == [
                Service(
                    director: "lb", address: try address("203.0.113.2"), port: 80, scheduler: "wrr", persistence: 60,
                    realServers: [
                        .init(address: try address("203.0.113.4"), port: 80, forwarding: .masquerading),
                        .init(address: try address("203.0.113.5"), port: 8080, forwarding: .masquerading),
                        .init(address: try address("203.0.113.5"), port: 81, forwarding: .directRouting, weight: 3),
                    ]),
                Service(
                    director: "lb", transport: .udp, address: try address("203.0.113.2"), port: 53,
                    realServers: [.init(address: try address("203.0.113.4"), port: 53, forwarding: .directRouting)]),
                Service(
                    director: "lb", transport: .sctp, address: try address("203.0.113.2"), port: 2905,
                    realServers: [.init(address: try address("203.0.113.4"), port: 2905, forwarding: .directRouting)]),
            ])
    }

    @Test("the timeline keeps its order, and steps without a name get one of their own")
    func timeline() throws {
        let web = try endpoint("203.0.113.2:80")
        let get = Step.Request(kind: .http, from: "client", to: web)
        #expect(
            whole.timeline.map(\.action) == [
                .request(
                    Step.Request(
                        kind: .http, from: "client", to: web, count: 2, sourcePort: 4000, bytes: 65536,
                        timeout: 500_000_000)),
                .request(Step.Request(kind: .tcp, from: "client", to: web)),
                .request(Step.Request(kind: .udp, from: "client", to: try endpoint("203.0.113.2:53"))),
                .wait(900_000_000_000), .wait(900_000_000_000),
                .run(on: "rs1", arguments: ["ip", "neigh", "flush all"], mayFail: true),
                .run(on: "hv1", arguments: ["sh", "-c", "ip a | grep eth0", "5"], mayFail: false),
                .move(host: "rs2", to: "hv2"),
                .sysctl(on: "hv1", [Sysctl("net.netfilter.nf_conntrack_tcp_loose", "0")]),
                .flushNeighbours(on: ["gw", "rs1"]), .flushNeighbours(on: ["lb"]),
                .open(connection: "flow1", get),
                .open(connection: "flow2", Step.Request(kind: .tcp, from: "client", to: web)),
                .use(connection: "flow1", bytes: 1_000_000, timeout: 3_000_000_000), .close(connection: "flow1"),
            ])
        #expect(
            whole.timeline.map(\.name) == [
                "gets", "tcp from client to 203.0.113.2:80", "udp from client to 203.0.113.2:53", "wait 15min",
                "wait 15min (2)", "run ip on rs1", "run sh on hv1", "move rs2 to hv2",
                "sysctl net.netfilter.nf_conntrack_tcp_loose on hv1", "flush neighbours of gw, rs1",
                "flush neighbours of lb", "open flow1", "open flow2", "use flow1", "close flow1",
            ])
        #expect(whole.timeline[0].location == Place(file: "s.yaml", line: 10, column: 5))
    }

    @Test("expectations of steps and of the run")
    func expectations() throws {
        let count = { (minimum: Int, maximum: Int) in Expectation.Count(minimum: minimum, maximum: maximum) }
        #expect(
            whole.timeline[0].expectations.map(\.check) == [
                .traffic(
                    .init(
                        outcomes: ["connected then silent", "rs1"], all: "rs1",
                        answeredBy: ["rs1": count(1, 1), "total": count(1, .max)],
                        seenFrom: try address("198.51.100.10"), error: "EHOSTUNREACH"))
            ])
        #expect(whole.timeline[5].expectations.map(\.check) == [.command(.init(status: 0, prints: ["a", "5"]))])
        #expect(
            whole.expectations.map(\.check) == [
                .replyPath(
                    .init(
                        vip: try address("203.0.113.2"), from: ["rs1", "rs2"], at: "gw:eth0", notAcross: "lb:eth0",
                        across: "lb")),
                .packets(
                    .init(
                        at: "fab:gw", filter: "src host 203.0.113.2", count: Expectation.Count.none, bytes: count(0, 1),
                        sourceMAC: "rs1", destinationMAC: "02:00:00:00:00:01", ttl: 64,
                        control: .init(at: "gw:eth0", filter: "tcp"))),
                .arp(
                    .init(
                        at: "gw:eth0", whoHas: try address("203.0.113.2"), tell: try address("203.0.113.1"),
                        askedBy: "gw", requests: count(1, 1), answeredBy: [])),
                .conntrack(
                    .init(
                        on: "hv1", protocol: "tcp", source: try address("198.51.100.10"),
                        destination: try address("203.0.113.2"), destinationPort: 80, state: "SYN_SENT",
                        flags: ["UNREPLIED", "!ASSURED"], zone: 1, count: count(2, 4))),
                .rule(.init(on: "hv1", chain: "i(lb)", rule: "--state INVALID -j DROP", packets: count(8, .max))),
                .ipvs(
                    .init(
                        on: "lb", service: try endpoint("203.0.113.2:80"), connections: count(4, 4),
                        inPackets: count(6, .max), outPackets: Expectation.Count.none)),
                .ipvs(.init(on: "lb", state: "SYN_RECV", to: "rs2", entries: count(2, 2))),
                .neighbour(.init(on: "gw", address: try address("203.0.113.2"), isHost: "lb", states: ["REACHABLE"])),
                .neighbour(.init(on: "gw", address: try address("203.0.113.2"), absent: true)),
                .counter(.init(on: "rs1", name: "Ip.InAddrErrors", grows: .some)),
                .drop(
                    .init(
                        on: "hv1", packet: "tcp[tcpflags] & tcp-syn == 0", from: "hv1:uplink", to: "hv2:tap(rs2:eth0)",
                        chain: "s(rs2:eth0)", rule: "DROP", conntrack: "none", count: count(0, 2))),
            ])
        #expect(whole.expectations[0].location == Place(file: "s.yaml", line: 36, column: 5))
    }

    @Test("a variant takes away with nothing, replaces lists, and leaves the rest")
    func variants() throws {
        #expect(variant.fullName == "everything/without")
        #expect(variant.title == "a variant takes away, replaces and adds")
        #expect(variant.neutron == nil)
        #expect(variant.timeline.isEmpty && variant.expectations.isEmpty)
        let rs1 = try #require(variant.hosts.first { $0.name == "rs1" })
        #expect(rs1.interfaces.map(\.name) == ["eth-vip"])
        #expect(rs1.servers == [Server(kind: .http, port: 8080)])
        #expect(variant.tags == whole.tags)
        #expect(variant.hosts.map(\.name) == whole.hosts.map(\.name))
        #expect(variant.services == whole.services)
    }
}
