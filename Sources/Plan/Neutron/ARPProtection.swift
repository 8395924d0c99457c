internal import Net

/// What the linuxbridge agent's arp_protect.py does on a host without earlier rules, port by port as they come up.
struct ARPProtection {
    private(set) var table: EbtablesTable
    private let release: NeutronRelease.ARPProtection

    init(_ release: NeutronRelease.ARPProtection, ports: [Neutron.Port]) throws(NeutronError) {
        self.release = release
        table = EbtablesTable(release.table)
        for port in ports where port.portSecurityEnabled {
            if release.checksMAC { protectMAC(of: port) }
            try protectARP(of: port)
        }
    }

    private mutating func newChain(_ chain: String) {
        table.run(.new(chain: chain))
        if release.explicitDrop { table.run(.append(chain: chain, rule: "-j DROP")) }
    }

    private mutating func allow(_ rule: String, in chain: String) {
        table.run(
            release.explicitDrop ? .insert(chain: chain, rule: rule) : .append(chain: chain, rule: rule))
    }

    private mutating func protectMAC(of port: Neutron.Port) {
        let chain = "neutronMAC-\(port.device)"
        newChain(chain)
        allow("-i \(port.device) -j \(chain)", in: release.chain)
        var addresses = Python2Order(inserting: [port.macAddress.description])
        addresses.formUnion(
            Python2Order(
                inserting: port.allowedAddressPairs.map { ($0.macAddress ?? port.macAddress).description }))
        let listed = addresses.keys
        // 500 at a time, lest the argument become too long; each batch of a set in Python's order.
        for start in stride(from: 0, to: listed.count, by: 500) {
            let batch = listed[start..<min(start + 500, listed.count)]
            let text = (release.sortsAddresses ? batch.sorted() : Array(batch)).joined(separator: ",")
            allow("-i \(port.device) --among-src \(text) -j RETURN", in: chain)
        }
    }

    private mutating func protectARP(of port: Neutron.Port) throws(NeutronError) {
        var prefixes: [String: IPPrefix] = [:]
        for address in port.fixedIPs { prefixes[address.description] = IPPrefix(host: address) }
        for (pair, prefix) in try port.prefixesOfPairs() { prefixes[pair.ipAddress] = prefix }
        // Who may send from anywhere cannot spoof; and ARP's sender match wants at least a /1.
        guard !prefixes.values.contains(where: { $0.family == .v4 && $0.length == 0 }) else { return }

        var all = Python2Order(inserting: port.fixedIPs.map(\.description))
        all.formUnion(Python2Order(inserting: port.allowedAddressPairs.map(\.ipAddress)))
        var addresses = Python2Order(inserting: all.keys.filter { prefixes[$0]?.family == .v4 }).keys
        if release.sortsAddresses { addresses.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

        let chain = "neutronARP-\(port.device)"
        newChain(chain)
        // Over an existing chain, the flush lets nothing through until the addresses are back. Newer releases do it only
        // then.
        if !release.explicitDrop { table.run(.flush(chain: chain)) }
        for address in addresses { allow("-p ARP --arp-ip-src \(address) -j ACCEPT", in: chain) }
        // After the MAC chain's jump, whose RETURN leads here.
        table.run(.append(chain: release.chain, rule: "-p ARP -i \(port.device) -j \(chain)"))
    }
}
