internal import Net

/// What Neutron's own drivers would have installed on one hypervisor: its first run after boot, over empty tables.
///
/// Loading them is up to others: `iptables-restore`, `ip6tables-restore`, `ebtables-legacy-restore`, `ipset restore` (first:
/// rules refer to sets). The texts are equal to what iptables-save (legacy, 1.8.9) prints afterwards, counters at zero.
public struct NeutronRules: Sendable, Equatable, Codable {
    /// All tables in which Neutron has chains, for `iptables-restore`.
    public var ipv4: String
    /// The same for `ip6tables-restore`.
    public var ipv6: String
    /// For `ebtables-legacy-restore`: ARP and MAC protection; nil if the release or driver has none.
    public var ebtables: String?
    /// For `ipset restore`; nil without ipset.
    public var ipsets: String?

    /// Generates the rules of one hypervisor.
    ///
    /// - Parameters:
    ///   - usesIPSet: `enable_ipset` in the agent's configuration: remote groups become sets. (Neutron's default is true,
    ///     the reference's plain dumps have it off.)
    ///   - previous: the rules that an agent which restarts finds in the kernel. It adopts their zones as far as it
    ///     recognises them.
    /// - Throws: a deployment that contradicts itself or that the release could not have had.
    public init(
        for hypervisor: Neutron.Hypervisor, release: NeutronRelease, driver: Neutron.Driver, usesIPSet: Bool = false,
        restartedOver previous: NeutronRules? = nil
    ) throws(NeutronError) {
        try hypervisor.check(release, driver, usesIPSet: usesIPSet)
        let userRules = UserRules(release: release, deployment: hypervisor.deployment, usesIPSet: usesIPSet)
        let ports = hypervisor.arrange(release, driver)
        let filter = FilterTable(
            release: release, driver: driver, userRules: userRules, filtered: ports.filtered,
            unfiltered: ports.unfiltered)
        let other = OtherTables(
            release: release, driver: driver, filtered: ports.filtered, unfiltered: ports.unfiltered)
        let zones = try other.zoneRules(userRules, adoptedFrom: previous?.ipv4 ?? "")

        func text(_ family: IPAddress.Family) throws(NeutronError) -> String {
            var text = ""
            for table in release.tables[family] ?? [] {
                switch table {
                case .filter: text += try filter.table(family).text
                case .mangleWithMark: text += other.mangleWithMark().text
                case .mangle: text += other.mangle().text
                case .natForRouters: text += other.natForRouters().text
                case .natShortCircuit: text += other.natShortCircuit().text
                case .raw: text += other.raw(zones).text
                }
            }
            return text
        }
        ipv4 = try text(.v4)
        ipv6 = try text(.v6)
        if driver == .linuxbridge, let protection = release.arpProtection {
            ebtables = try ARPProtection(protection, ports: hypervisor.ports).table.text
        }
        if usesIPSet { ipsets = try userRules.sets(for: ports.filtered) }
    }
}

extension Neutron.Hypervisor {
    func check(_ release: NeutronRelease, _ driver: Neutron.Driver, usesIPSet: Bool) throws(NeutronError) {
        if usesIPSet, release.ipset == nil { throw .unavailable(.ipset, release: release.version) }
        if !release.portSecurityExtension, ports.contains(where: { !$0.portSecurityEnabled }) {
            throw .unavailable(.portSecurityExtension, release: release.version)
        }
        let bound = Set(ports.flatMap(\.securityGroups))
        if !release.statelessGroups,
            deployment.securityGroups.contains(where: { !$0.stateful && bound.contains($0.id) })
        {
            throw .unavailable(.statelessSecurityGroups, release: release.version)
        }
        var devices: Set<String> = []
        for port in ports where !devices.insert(driver.interface(of: port)).inserted {
            throw .sameDevice(driver.interface(of: port))
        }
    }

    /// The ports in the order in which the agent writes them.
    func arrange(
        _ release: NeutronRelease, _ driver: Neutron.Driver
    ) -> (filtered: [Neutron.Port], unfiltered: [Neutron.Port]) {
        let arrived = Self.order(ports, release.arrival, by: \.id)
        let key = { (port: Neutron.Port) in driver.key(of: port) }
        return (
            Self.order(arrived.filter(\.portSecurityEnabled), release.filteredOrder, by: key),
            Self.order(arrived.filter { !$0.portSecurityEnabled }, release.unfilteredOrder, by: key)
        )
    }

    private static func order(
        _ ports: [Neutron.Port], _ order: NeutronRelease.Order, by key: (Neutron.Port) -> String
    ) -> [Neutron.Port] {
        switch order {
        case .listed: ports
        case .sorted: ports.sorted { key($0).utf8.lexicographicallyPrecedes(key($1).utf8) }
        case .dictionary:
            Python2Order(inserting: ports.map(key)).keys.compactMap { wanted in ports.first { key($0) == wanted } }
        }
    }
}
