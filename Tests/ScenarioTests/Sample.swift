@testable import Reading
@testable import Scenario

/// Swift Testing has a SourceLocation of its own, and `Scenario.SourceLocation` would be looked up in the struct.
typealias Place = SourceLocation

/// Files in memory: one scenario on one small topology.
enum Sample {
    static let topology = """
        networks:
          public: {cidr: 203.0.113.0/27, gateway: 203.0.113.1}
        security_groups:
          web: {rules: [{direction: ingress, protocol: tcp, port_range_min: 80, port_range_max: 80}]}
        switches: [fab]
        hypervisors:
          hv1: {uplink: fab}
          hv2: {uplink: fab}
        hosts:
          gw:
            on: fab
            ports:
              eth0: {network: public, mac_address: "02:00:00:00:00:01", fixed_ips: [203.0.113.1]}
              eth1: {peer: "client:eth0", addresses: [198.51.100.1/24]}
          client: {ports: {eth0: {addresses: [198.51.100.10/24]}}}
          lb: {on: hv1, ports: {eth0: {network: public, fixed_ips: [203.0.113.3], security_groups: [web]}}}
          rs1: {on: hv1, ports: {eth0: {network: public, fixed_ips: [203.0.113.4], security_groups: [web]}}}
          rs2: {on: hv2, ports: {eth0: {network: public, fixed_ips: [203.0.113.5], security_groups: [web]}}}
        """

    /// The two lines that every scenario needs; a body starts in line 3.
    static let head = "title: a title\ntopology: net\n"

    static func read(
        _ text: String, topology: String = topology, name: String = "s", checks: ScenarioChecks = ScenarioChecks()
    ) -> (scenarios: [Scenario], diagnostics: [Diagnostic]) {
        let source = TopologySource(names: ["net", "other"]) { name in
            name == "net" ? Topology(topology, file: "net.yaml", checks: checks) : nil
        }
        var file = ScenarioFile(name: name, file: "s.yaml", topologies: source, checks: checks)
        file.read(text)
        return (file.scenarios, file.diagnostics.tidied())
    }

    /// The diagnostics of a body, without the file's name where it is the scenario's.
    static func mistakes(_ body: String, checks: ScenarioChecks = ScenarioChecks()) -> [String] {
        lines(read(head + body, checks: checks).diagnostics)
    }

    static func mistakes(inTopology topology: String) -> [String] {
        lines(read(head, topology: topology).diagnostics)
    }

    private static func lines(_ diagnostics: [Diagnostic]) -> [String] {
        diagnostics.map { diagnostic in
            let text = diagnostic.description
            return text.hasPrefix("s.yaml:") ? String(text.dropFirst(7)) : text
        }
    }
}
