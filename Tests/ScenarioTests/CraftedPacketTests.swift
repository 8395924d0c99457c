import Net
import Testing

@testable import Reading
@testable import Scenario

@Suite("Crafted packets and IPVS's further options")
struct CraftedPacketTests {
    private static let topology = """
        networks: {n: {id: e7000001-0000-4000-8000-000000000001, cidr: 192.0.2.0/24}}
        switches: [sw]
        hosts:
          a: {on: sw, ports: {eth0: {network: n, mac_address: "02:00:00:00:00:01", fixed_ips: [192.0.2.1]}}}
          b: {on: sw, ports: {eth0: {network: n, fixed_ips: [192.0.2.2]}}}
        """

    private func read(_ body: String) -> ScenarioFile {
        let checks = ScenarioChecks()
        let topology = Topology(Self.topology, file: "net.yaml", checks: checks)
        var file = ScenarioFile(
            name: "s", file: "s.yaml",
            topologies: TopologySource(names: ["net"]) { $0 == "net" ? topology : nil }, checks: checks)
        file.read("title: t\ntopology: net\n\(body)")
        return file
    }

    @Test("fields that are left out have the values that are most often meant")
    func defaults() throws {
        let file = read(
            """
            timeline:
              - send:
                  from: a
                  ip: {source: 192.0.2.1, destination: 192.0.2.2}
                  tcp: {source_port: 4000..4003, destination_port: 80, flags: [syn, ack]}
              - send: {from: a, destination_mac: b, arp: {sender: 192.0.2.1, target: 192.0.2.2}}
            """)
        #expect(file.diagnostics.map(\.description) == [])
        var tcp = CraftedPacket.TCP()
        tcp.sourcePorts = 4000...4003
        tcp.destinationPorts = 80...80
        tcp.flags = [.syn, .ack]
        var ip = CraftedPacket.IP()
        ip.source = try #require(IPAddress("192.0.2.1"))
        ip.destination = try #require(IPAddress("192.0.2.2"))
        ip.payload = .tcp(tcp)
        var arp = CraftedPacket.ARP()
        arp.sender = ip.source
        arp.target = ip.destination
        #expect(
            file.scenarios.first?.timeline.map(\.action) == [
                .send(CraftedPacket(from: "a", content: .ip(ip))),
                .send(CraftedPacket(from: "a", destinationMAC: "b", content: .arp(arp))),
            ])
        #expect(file.scenarios.first?.timeline.map(\.name) == ["send from a", "send from a (2)"])
    }

    @Test(
        "a packet that cannot be is told where it stands",
        arguments: [
            ("{from: a}", "a send step has no content"),
            ("{from: a, ip: {source: 192.0.2.1, destination: 192.0.2.2}}", "an IP header without content"),
            ("{from: a, tcp: {source_port: 1, destination_port: 2, flags: []}}", "'tcp' without 'ip'"),
            ("{from: a, ethertype: 1, arp: {sender: 192.0.2.1, target: 192.0.2.2}}", "has both 'ethertype' and 'arp'"),
            ("{from: a, ethertype: 2048, payload: abc}", "expected octets in hexadecimal"),
            ("{from: a, arp: {sender: \"::1\", target: 192.0.2.2}}", "ARP knows no ::1"),
            ("{from: c, ethertype: 1}", "unknown"),
            (
                "{from: a, ip: {source: \"::1\", destination: 192.0.2.2}, icmp: {}}",
                "192.0.2.2 is of another family than ::1"
            ),
            (
                "{from: a, ip: {source: 192.0.2.1, destination: 192.0.2.2}, udp: {source_port: 5..4, destination_port: 1}}",
                "expected a port such as 4000, or ports such as 4000..4005"
            ),
        ])
    func mistakes(_ step: String, _ expected: String) {
        let messages = read("timeline: [{send: \(step)}]").diagnostics.map(\.description)
        #expect(messages.contains { $0.contains(expected) }, "\(messages)")
    }

    @Test("a service says all that ipvsadm can say")
    func service() throws {
        let file = read(
            """
            services:
              marked:
                on: a
                firewall_mark: 5
                scheduler: sh
                scheduler_flags: [fallback, port]
                persistence: 60
                persistence_prefix: 24
                forwarding: tunneling
                tunnel: {kind: gue, port: 6080, checksum: full}
                real_servers: [b, {host: b, port: 1, upper_threshold: 2, lower_threshold: 1, tunnel: {kind: gre}}]
              names: {on: a, udp: "192.0.2.1:53", one_packet: true, real_servers: [b]}
            """)
        #expect(file.diagnostics.map(\.description) == [])
        let services = try #require(file.scenarios.first?.services)
        #expect(services.map(\.firewallMark) == [5, nil])
        #expect(services.map(\.onePacket) == [false, true])
        #expect(services[0].schedulerFlags == [.fallback, .port])
        #expect(services[0].persistencePrefix == 24)
        #expect(services[0].realServers.map(\.tunnel?.kind) == [.gue, .gre])
        #expect(services[0].realServers.map(\.tunnel?.port) == [6080, nil])
        #expect(services[0].realServers.map(\.upperThreshold) == [nil, 2])
        #expect(services[1].realServers.map(\.tunnel) == [nil])
    }

    @Test(
        "options that exclude each other are told",
        arguments: [
            ("tcp: \"192.0.2.1:80\", one_packet: true", "'one_packet' is for UDP"),
            ("tcp: \"192.0.2.1:80\", persistence_prefix: 24", "'persistence_prefix' without 'persistence'"),
            ("tcp: \"192.0.2.1:80\", tunnel: {kind: gue}", "gue without 'port'"),
            ("tcp: \"192.0.2.1:80\", firewall_mark: 5", "has both 'tcp' and 'firewall_mark'"),
        ])
    func serviceMistakes(_ keys: String, _ expected: String) {
        let messages = read("services: {s: {on: a, \(keys), real_servers: [b]}}").diagnostics.map(\.description)
        #expect(messages.contains { $0.contains(expected) }, "\(messages)")
    }

    @Test("a program has a name, a command, files and ports")
    func program() throws {
        let file = read(
            """
            hosts:
              a:
                programs:
                  web: {command: "nginx -g 'daemon off;'", files: {/run/nginx/a.conf: "x"}, listens: 80}
            timeline: [{stop: {on: a, program: web}}, {start: {on: a, program: web}}]
            """)
        #expect(file.diagnostics.map(\.description) == [])
        let program = try #require(file.scenarios.first?.hosts.first?.programs.first)
        #expect(program.command == ["nginx", "-g", "daemon off;"])
        #expect(program.files == [Program.File(path: "/run/nginx/a.conf", text: "x")])
        #expect(program.listens == [80] && program.starts)
        #expect(
            file.scenarios.first?.timeline.map(\.action) == [
                .stop(on: "a", program: "web"), .start(on: "a", program: "web"),
            ])
    }

    @Test(
        "a program's mistakes are told",
        arguments: [
            ("hosts: {a: {programs: {web: {}}}}", "a program needs 'command'"),
            ("hosts: {a: {programs: {web: {command: x, files: {/etc/passwd: y}}}}}", "'/etc/passwd' is no place"),
            ("hosts: {a: {programs: {web: {command: x, files: {/run/../etc/x: y}}}}}", "'/run/../etc/x' is no place"),
            ("timeline: [{stop: {on: a, program: web}}]", "unknown program of a 'web'"),
            (
                "hosts: {a: {programs: {web: {command: x}}}}\ntimeline: [{stop: {on: a, program: wbe}}]",
                "unknown program of a 'wbe'"
            ),
        ])
    func programMistakes(_ body: String, _ expected: String) {
        let messages = read(body).diagnostics.map(\.description)
        #expect(messages.contains { $0.contains(expected) }, "\(messages)")
    }
}
