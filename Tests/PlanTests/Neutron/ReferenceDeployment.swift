import Net

@testable import Plan

/// The deployment of the reference dumps: a director and two real servers on one network.
enum ReferenceDeployment {
    enum Placement: String, CaseIterable {
        case all3
        case lbHV1 = "lb-hv1"
        case rsHV2 = "rs-hv2"
        case lbRS1HV1 = "lb-rs1-hv1"
        case rs1HV2 = "rs1-hv2"
        case rs2HV3 = "rs2-hv3"

        var hosts: [String] {
            switch self {
            case .all3: ["lb", "rs1", "rs2"]
            case .lbHV1: ["lb"]
            case .rsHV2: ["rs1", "rs2"]
            case .lbRS1HV1: ["lb", "rs1"]
            case .rs1HV2: ["rs1"]
            case .rs2HV3: ["rs2"]
            }
        }
    }

    enum Mode: String, CaseIterable {
        case portSecurityOn = "ps-on"
        case lbPortSecurityOff = "lb-ps-off"
        case allPortSecurityOff = "all-ps-off"
        case lbWithoutZeroPair = "lb-nozero"
        case realServersWithoutPair = "rs-nopair"
        case remoteGroup = "remotegrp"
        case stateless
    }

    static let network = Neutron.Network(
        id: "e7000001-0000-4000-8000-000000000001", dhcpServers: [IPAddress(v4: 0x0A00_0002)])
    static let groupID = "5e900001-0000-4000-8000-000000000001"

    static func group(_ mode: Mode) -> Neutron.SecurityGroup {
        Neutron.SecurityGroup(
            id: groupID,
            rules: [
                Neutron.SecurityGroupRule(
                    direction: .ingress, protocol: "tcp", portRangeMin: 80, portRangeMax: 80,
                    remoteGroupID: mode == .remoteGroup ? groupID : nil),
                Neutron.SecurityGroupRule(direction: .ingress, protocol: "icmp"),
                Neutron.SecurityGroupRule(direction: .egress),
            ], stateful: mode != .stateless)
    }

    static func port(_ name: String, _ mode: Mode = .portSecurityOn) -> Neutron.Port {
        var port =
            switch name {
            case "lb":
                Neutron.Port(
                    id: "1b000010-0010-4000-8000-000000000010", networkID: network.id,
                    macAddress: MACAddress(bits: 0xFA16_3E00_0010),
                    fixedIPs: [IPAddress(v4: 0x0A00_000A), IPAddress(v4: 0x0A00_000B)],
                    allowedAddressPairs: [
                        Neutron.AddressPair(ipAddress: "0.0.0.0/0"), Neutron.AddressPair(ipAddress: "10.0.0.100"),
                    ])
            case "rs1":
                Neutron.Port(
                    id: "a5000021-0021-4000-8000-000000000021", networkID: network.id,
                    macAddress: MACAddress(bits: 0xFA16_3E00_0021), fixedIPs: [IPAddress(v4: 0x0A00_0015)],
                    allowedAddressPairs: [Neutron.AddressPair(ipAddress: "10.0.0.100/32")])
            default:
                Neutron.Port(
                    id: "a5000022-0022-4000-8000-000000000022", networkID: network.id,
                    macAddress: MACAddress(bits: 0xFA16_3E00_0022), fixedIPs: [IPAddress(v4: 0x0A00_0016)],
                    allowedAddressPairs: [Neutron.AddressPair(ipAddress: "10.0.0.100/32")])
            }
        port.securityGroups = [groupID]
        switch mode {
        case .allPortSecurityOff: port.switchPortSecurityOff()
        case .lbPortSecurityOff where name == "lb": port.switchPortSecurityOff()
        case .lbWithoutZeroPair where name == "lb": port.allowedAddressPairs.removeFirst()
        case .realServersWithoutPair where name != "lb": port.allowedAddressPairs = []
        default: break
        }
        return port
    }

    static func hypervisor(_ placement: Placement, _ mode: Mode = .portSecurityOn) -> Neutron.Hypervisor {
        Neutron.Hypervisor(
            ports: placement.hosts.map { port($0, mode) },
            deployment: Neutron.Deployment(
                networks: [network], securityGroups: [group(mode)], ports: ["lb", "rs1", "rs2"].map { port($0, mode) }))
    }

    /// The rules of one hypervisor. `change` may alter it first.
    static func rules(
        _ version: String, _ driver: Neutron.Driver = .linuxbridge, _ placement: Placement = .all3,
        _ mode: Mode = .portSecurityOn, usesIPSet: Bool = false, change: (inout Neutron.Hypervisor) -> Void = { _ in }
    ) throws -> NeutronRules {
        var hypervisor = hypervisor(placement, mode)
        change(&hypervisor)
        return try NeutronRules(
            for: hypervisor, release: NeutronRelease(version: version), driver: driver, usesIPSet: usesIPSet)
    }
}

extension Neutron.Port {
    mutating func switchPortSecurityOff() {
        portSecurityEnabled = false
        allowedAddressPairs = []
        securityGroups = []
    }
}

extension String {
    var lines: [Substring] { split(separator: "\n") }

    /// The rules of one chain, without `-A` and the chain's name.
    func rules(of chain: String) -> [String] {
        let start = "-A \(chain) "
        return lines.filter { $0.hasPrefix(start) }.map { String($0.dropFirst(start.count)) }
    }
}
