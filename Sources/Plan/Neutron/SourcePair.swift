internal import Net

/// An address and MAC that a port may send from: one rule of its spoof chain.
struct SourcePair: Hashable {
    var macAddress: MACAddress
    /// nil for any address: a port without fixed IPs.
    var prefix: IPPrefix?
    /// See `IptablesTable.Rule.spelling`.
    var spelling: String

    /// iptables prints MACs in lower case (Neutron writes upper case), and `-s` only if it excludes anything.
    var match: String {
        let mac = "-m mac --mac-source \(macAddress)"
        guard let prefix, prefix.length > 0 else { return mac }
        return "-s \(prefix.network) \(mac)"
    }

    /// First the allowed address pairs, then the fixed IPs, each as the port lists them: `_spoofing_rule`.
    static func pairs(
        of port: Neutron.Port, _ family: IPAddress.Family, _ release: NeutronRelease
    ) throws(NeutronError) -> [SourcePair] {
        var pairs: [SourcePair] = []
        func add(_ mac: MACAddress, _ prefix: IPPrefix, _ text: String) {
            guard prefix.family == family else { return }
            pairs.append(
                SourcePair(
                    macAddress: mac, prefix: prefix, spelling: release.normalizesAddresses ? prefix.description : text))
            guard family == .v6, release.linkLocalPairs else { return }
            let linkLocal = IPPrefix(host: IPAddress(linkLocal: mac))
            let pair = SourcePair(macAddress: mac, prefix: linkLocal, spelling: linkLocal.description)
            if !pairs.contains(pair) { pairs.append(pair) }
        }
        for (pair, prefix) in try port.prefixesOfPairs() {
            add(pair.macAddress ?? port.macAddress, prefix, pair.ipAddress)
        }
        for address in port.fixedIPs { add(port.macAddress, IPPrefix(host: address), address.description) }
        if port.fixedIPs.isEmpty {
            pairs.append(SourcePair(macAddress: port.macAddress, prefix: nil, spelling: ""))
        }
        return pairs
    }
}

extension IPAddress {
    /// The link-local address with the modified EUI-64 interface identifier of a MAC: RFC 4291, appendix A.
    init(linkLocal mac: MACAddress) {
        let upper = (mac.bits >> 24) ^ 0x02_00_00
        let identifier = upper << 40 | 0xFF_FE << 24 | mac.bits & 0xFF_FF_FF
        self.init(v6: 0xFE80 << 112 | UInt128(identifier))
    }
}
