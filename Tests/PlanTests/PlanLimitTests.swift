import Testing

@testable import Net
@testable import Plan
@testable import Reading
@testable import Scenario

@Suite("What no kernel would take is no plan, and says where it stands")
struct PlanLimitTests {
    private static let topology = """
        networks: {n: {cidr: 192.0.2.0/24}}
        switches: [sw]
        hypervisors: {hv1: {uplink: sw}}
        hosts:
          a: {on: sw, ports: {eth0: {addresses: [192.0.2.1/24]}}}
          b: {on: sw, ports: {eth0: {addresses: [192.0.2.2/24]}}}
        """

    private func scenario(_ body: String) throws -> Scenario {
        let topology = Topology(Self.topology, file: "net.yaml", checks: ScenarioChecks())
        var file = ScenarioFile(
            name: "s", file: "s.yaml",
            topologies: TopologySource(names: ["net"]) { $0 == "net" ? topology : nil }, checks: ScenarioChecks())
        file.read("title: t\ntopology: net\n" + body)
        #expect(file.diagnostics.map(\.description) == [])
        return try #require(file.scenarios.last)
    }

    /// Where planning failed, and why.
    private func failure(_ body: String) throws -> String {
        let scenario = try scenario(body)
        do {
            _ = try Plan(scenario)
            return "none"
        } catch let error as PlanError {
            return "\(error.location.map { "\($0)" } ?? "nowhere"): \(error)"
        }
    }

    @Test("names that are put together are no longer than an interface's")
    func tooLong() throws {
        let long = "hosts: {long-host-name: {on: sw, ports: {eth0: {network: n}, eth1: {network: n}}}}"
        #expect(
            try failure(long).hasPrefix("s.yaml:1:1: 'long-host-name-eth0' in sw is too long for an interface's name"))
        #expect(try failure("hosts: {long-name: {on: sw, ports: {eth0: {network: n}, eth1: {network: n}}}}") == "none")
        let variant = "variants: {v: {title: t, \(long)}}"
        #expect(try failure(variant).hasPrefix("s.yaml:3:12: 'long-host-name-eth0' in sw is too long"))
    }

    @Test(
        "two interfaces of one namespace never have one name",
        arguments: [
            // A host's port on a switch has the host's name.
            "hosts: {c-eth0: {on: sw, ports: {eth0: {network: n}}}, c: {on: sw, ports: {eth0: {network: n}, eth1: {network: n}}}}",
            "hosts: {br-n: {on: sw, ports: {eth0: {network: n}}}}",
            // Bridges and uplinks are named by networks, and cut off.
            "networks: {a-long-name-1: {cidr: 10.1.0.0/16}, a-long-name-2: {cidr: 10.2.0.0/16}}\nhosts: {a: ~, b: ~}",
        ])
    func sameName(_ body: String) throws {
        #expect(try failure(body).contains("s.yaml:1:1: two interfaces in "))
    }

    @Test("a step that cannot be planned is told with its place")
    func step() throws {
        let body = """
            expect: []
            timeline:
              - wait: 1s
              - {name: bad, send: {from: "sw:a", destination_mac: "02:00:00:00:00:01", source_mac: b, arp: {sender: 192.0.2.1, target: 192.0.2.9, target_mac: hollow}}}
            hosts: {hollow: {}}
            """
        #expect(try failure(body) == "s.yaml:6:5: 'hollow' has no MAC")
    }

    @Test("a plan that steps make too large is refused at the step that does")
    func size() throws {
        let text = String(repeating: "x", count: 500_000)
        let start = "  - start: {on: a, program: p}\n  - stop: {on: a, program: p}\n"
        func body(_ count: Int) -> String {
            "hosts: {a: {programs: {p: {command: sleep 1, files: {/run/x: \(text)}}}}}\ntimeline:\n"
                + String(repeating: start, count: count)
        }
        #expect(try failure(body(200)).hasPrefix("s.yaml:259:5: the plan's rules, files and commands are too large"))
        #expect(try failure(body(3)) == "none")
    }

    @Test("the Internet checksum of more than an IP packet holds does not overflow")
    func checksum() {
        #expect(FrameBuilder.checksum([UInt8](repeating: 0xFF, count: 1_000_000)) == 0)
        #expect(FrameBuilder.checksum([0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7]) == 0x220D)
    }

    @Test("ten thousand steps are planned in linear time")
    func linear() throws {
        func seconds(_ count: Int) throws -> Double {
            let scenario = try scenario(
                "timeline:\n"
                    + String(
                        repeating: "  - {wait: 1s, expect: [{arp: {at: \"sw:a\", who_has: 192.0.2.1}}]}\n", count: count
                    ))
            let start = ContinuousClock.now
            #expect(try Plan(scenario).steps.count == count)
            let passed = (ContinuousClock.now - start).components
            return Double(passed.seconds) + Double(passed.attoseconds) * 1e-18
        }
        _ = try seconds(10)
        let (small, large) = (try seconds(500), try seconds(8_000))
        #expect(large < 80 * max(small, 0.005), "\(small) s and \(large) s")
    }
}
