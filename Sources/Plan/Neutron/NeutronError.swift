/// A deployment for which a Neutron release would not have installed any rules.
public enum NeutronError: Error, Equatable, CustomStringConvertible {
    /// `suggestion`: the version that comes nearest.
    case unknownRelease(String, suggestion: String?)
    case unknownDriver(String)
    case unknownHypervisor(String)
    case unknownNetwork(String, port: String)
    case unknownSecurityGroup(String, user: String)
    case portWithoutNetwork(String)
    case notAnAddress(String, port: String)
    /// Two ports that the agent could not tell apart.
    case sameDevice(String)
    /// The release has no such feature.
    case unavailable(Feature, release: String)

    public enum Feature: String, Sendable {
        case portSecurityExtension = "port_security_enabled=False (2015.1.0 Kilo and later)"
        case ipset = "ipset (2014.2 Juno and later)"
        case zeroPrefixInSets = "ipset for a group with an address pair of /0 (2015.1.1 and later)"
        case statelessSecurityGroups = "stateless security groups (16.0.0 and later)"
    }

    public var description: String {
        switch self {
        case .unknownRelease(let text, let suggestion):
            "'\(text)' is not a Neutron release, expected \(NeutronVersions.expected)"
                + (suggestion.map { "; did you mean '\($0)'?" } ?? "")
        case .unknownDriver(let text):
            "'\(text)' is not an iptables firewall driver of Neutron; these are "
                + Neutron.Driver.allCases.map(\.rawValue).joined(separator: ", ")
        case .unknownHypervisor(let name): "there is no hypervisor '\(name)'"
        case .unknownNetwork(let id, let port): "port \(port) is on network '\(id)', which does not exist"
        case .unknownSecurityGroup(let id, let user): "\(user) names security group '\(id)', which does not exist"
        case .portWithoutNetwork(let port): "port \(port) is on a hypervisor but on no network"
        case .notAnAddress(let text, let port):
            "port \(port) has the allowed address pair '\(text)', which is not an address or network"
        case .sameDevice(let device):
            "two ports would both be \(device); port ids must differ in their first 11 characters"
        case .unavailable(let feature, let release): "Neutron \(release) has no \(feature.rawValue)"
        }
    }
}
