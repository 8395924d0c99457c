import Net
import Scenario
import Testing

@testable import Plan

@Suite("Planning what breaks, and when")
struct FaultTests {
    private let location = SourceLocation(file: "test.yaml", line: 1, column: 1)

    private func plan(_ actions: Step.Action...) throws -> Plan {
        var scenario = try twoHypervisors()
        scenario.timeline = actions.enumerated().map {
            Step(name: "\($0.offset)", action: $0.element, location: location)
        }
        return try Plan(scenario)
    }

    @Test(
        "a link is any port by the name that expectations have for it",
        arguments: [
            ("lb", Operation("lb", .setDown(interface: "eth0"))),
            ("gw:eth1", Operation("gw", .setDown(interface: "eth1"))),
            ("rs2:eth-vip", Operation("rs2", .setDown(interface: "eth-vip"))),
            ("hv1:tap(lb)", Operation("hv1", .setDown(interface: "tap6c620000-00"))),
            ("hv1:uplink", Operation("hv1", .setDown(interface: "uplink"))),
            ("fab:hv2", Operation("fab", .setDown(interface: "hv2"))),
            ("fab:gw", Operation("fab", .setDown(interface: "gw-eth0"))),
            ("fab:gw:eth0", Operation("fab", .setDown(interface: "gw-eth0"))),
        ])
    func links(_ name: String, _ operation: Operation) throws {
        #expect(try plan(.link(port: name, isUp: false)).steps[0].action == .operations([operation]))
    }

    @Test("a host without power has all its ports down; a hypervisor takes along who is on it at that time")
    func power() throws {
        let steps = try plan(
            .powerOff(["gw"]), .powerOff(["hv1"]), .move(host: "rs2", to: "hv1"), .powerOff(["hv1"])
        ).steps
        #expect(
            steps[0].action
                == .powerOff(
                    hosts: ["gw"],
                    [Operation("gw", .setDown(interface: "eth0")), Operation("gw", .setDown(interface: "eth1"))]))
        #expect(
            steps[1].action
                == .powerOff(
                    hosts: ["lb"],
                    [Operation("hv1", .setDown(interface: "uplink")), Operation("lb", .setDown(interface: "eth0"))]))
        guard case .powerOff(let hosts, _) = steps[3].action else {
            Issue.record("no power off")
            return
        }
        #expect(hosts == ["lb", "rs2"])
    }

    @Test("what happens meanwhile is planned after the step's own action, in the order of time")
    func meanwhile() throws {
        var scenario = try twoHypervisors()
        scenario.timeline = [
            Step(
                name: "wait", action: .wait(2),
                meanwhile: [
                    .init(name: "there", after: 1, action: .move(host: "rs2", to: "hv1"), location: location),
                    .init(name: "off", after: 2, action: .powerOff(["hv1"]), location: location),
                ], location: location)
        ]
        let plan = try Plan(scenario)
        let step = try #require(plan.steps.first)
        #expect(step.action == .wait(2))
        #expect(step.meanwhile.map(\.name) == ["there", "off"])
        #expect(step.meanwhile.map(\.after) == [1, 2])
        guard case .powerOff(let hosts, _) = step.meanwhile[1].action else {
            Issue.record("no power off")
            return
        }
        #expect(hosts == ["lb", "rs2"])
        #expect(plan.captures.contains(.init(namespace: "hv1", interface: "tap72733200-00")))
    }

    @Test("a switch's port is captured where an expectation looks at it, and there only")
    func switchPorts() throws {
        var scenario = try twoHypervisors()
        #expect(try !Plan(scenario).captures.contains { $0.namespace == "fab" })
        let packets = Expectation.Packets(at: "fab:gw", filter: "tcp", control: .init(at: "fab:hv1", filter: "tcp"))
        scenario.expectations = [
            Expectation(.anyOf([[Expectation(.packets(packets), location: location)]]), location: location)
        ]
        #expect(
            try Plan(scenario).captures.filter { $0.namespace == "fab" }.map(\.interface) == ["gw-eth0", "hv1"])
    }

    @Test("a frame leaves a switch by the port that something is plugged into, by default with the MAC of what it is")
    func frames() throws {
        func sent(_ from: String, sourceMAC: String? = nil) throws -> String {
            let packet = CraftedPacket(from: from, sourceMAC: sourceMAC, content: .other(0x88CC, []))
            guard case .send(let namespace, let interface, let frames, 1, 0) = try plan(.send(packet)).steps[0].action
            else { return "nothing" }
            return "\(namespace):\(interface) \(frames.map { $0.prefix(28) })"
        }
        #expect(try sent("fab:gw") == #"fab:gw-eth0 ["fffffffffffffa163e00000188cc"]"#)
        #expect(try sent("hv1:uplink", sourceMAC: "lb") == #"hv1:uplink ["fffffffffffffa163e00000488cc"]"#)
    }

    @Test("a card that only the other end says to be cabled is plugged into nothing else")
    func oneSidedCables() throws {
        var scenario = try twoHypervisors()
        let eth1 = try #require(scenario.hosts[0].ports.firstIndex { $0.name == "eth1" })
        scenario.hosts[0].ports[eth1].peer = nil
        let made = try Plan(scenario).setup.filter {
            if case .addVeth(let name, _, _, let peer) = $0.action {
                return ($0.namespace, name) == ("gw", "eth1") || (peer.namespace, peer.name) == ("gw", "eth1")
            }
            return false
        }
        #expect(made.count == 1)
    }
}
