import Net
import Scenario
import Testing

@testable import Plan

@Suite("Planning loads")
struct LoadPlanTests {
    private func plan(_ change: (inout Scenario) -> Void = { _ in }) throws -> Plan {
        var scenario = try twoHypervisors()
        let vip = Endpoint(try #require(IPAddress("203.0.113.2")), port: 80)
        scenario.services = [
            Service(
                director: "lb", transport: .tcp, address: vip.address, port: 80, scheduler: "rr", persistence: nil,
                realServers: [])
        ]
        scenario.timeline = [
            Step(
                name: "load", action: .load(Load(kind: .http, from: ["client"], to: vip)),
                location: SourceLocation(file: "test.yaml", line: 1, column: 1))
        ]
        change(&scenario)
        return try Plan(scenario)
    }

    private func load(_ plan: Plan) throws -> Plan.LoadPlan {
        guard case .load(let load) = try #require(plan.steps.first).action else {
            throw PlanError("no load")
        }
        return load
    }

    @Test("all ports are counted, and the director is the host with the service")
    func ports() throws {
        let plan = try plan()
        let load = try load(plan)
        #expect(load.clientPorts == ["client:eth0"])
        #expect(load.directorPorts == ["lb:eth0"])
        #expect(load.ports == plan.captures)
        #expect(!plan.captures.isEmpty)
    }

    @Test("without captures the same ports are counted, and none is captured")
    func withoutCapture() throws {
        let on = try load(try plan())
        let plan = try plan { $0.capture.isOn = false }
        #expect(plan.captures == [])
        #expect(try load(plan).ports == on.ports)
    }

    @Test("without a service the director is the host whose program has the destination on a port")
    func proxy() throws {
        let vip = try #require(IPPrefix("203.0.113.2/32"))
        let direct = try load(try plan { $0.services = [] })
        #expect(direct.directorPorts == [])
        let proxied = try plan { scenario in
            scenario.services = []
            for index in scenario.hosts.indices where scenario.hosts[index].name == "lb" {
                scenario.hosts[index].programs = [Program(name: "haproxy", command: ["haproxy"])]
                scenario.hosts[index].ports[0].addresses = [vip]
            }
        }
        #expect(try load(proxied).directorPorts == ["lb:eth0"])
    }
}
