internal import Net
internal import Scenario

/// Ids and MAC addresses of ports that do not say their own: always the same for the same names, so that a tap device
/// has the same name in every run.
enum DefaultIdentity {
    /// A UUID (version 8 of RFC 9562: its bits are the maker's) for a host's card, or for a network.
    ///
    /// `tap` and the first 11 characters make the device's name, and Neutron's chains (`neutron-linuxbri-i6c620000-0`)
    /// have only the first 10 (MAX_CHAIN_LEN_WRAP in iptables_manager.py counts the `i`), so nine digits must differ.
    /// The first eight are the host's name in ASCII, if it has at most four letters (`lb` is `6c620000`), and the ninth
    /// the card's number, if it is `eth0` to `eth15`. Any other pair of names gives the first nine digits of a hash
    /// with the highest bit set, which ASCII never has. Two such hashes could be equal: that is reported as a duplicate id.
    static func id(_ host: String, _ card: String) -> String {
        let hash = fnv1a("\(host):\(card)")
        let other = fnv1a("\(card)@\(host)")
        var head: UInt64
        if host.utf8.count <= 4, let number = number(ofCard: card) {
            head = 0
            for octet in host.utf8 { head = head << 8 | UInt64(octet) }
            head = (head << UInt64(8 * (4 - host.utf8.count))) << 8 | UInt64(number) << 4
        } else {
            head = hash >> 24 | 1 << 39
        }
        let digits = hexadecimal(head, 10) + hexadecimal(hash, 16).suffix(2) + "8" + hexadecimal(other, 16).prefix(3)
        let tail = "8" + hexadecimal(hash, 16).prefix(3) + hexadecimal(other, 16).suffix(12)
        let all = Array(digits + tail)
        let groups = [all[0..<8], all[8..<12], all[12..<16], all[16..<20], all[20..<32]]
        return groups.map { String($0) }.joined(separator: "-")
    }

    /// Neutron's own prefix (`base_mac` in neutron.conf) and 24 bits of a hash.
    static func mac(_ host: String, _ card: String) -> MACAddress {
        MACAddress(bits: 0xFA16_3E00_0000 | fnv1a("\(host):\(card)") & 0xFF_FFFF)
    }

    private static func number(ofCard card: String) -> UInt8? {
        guard card.hasPrefix("eth"), let number = UInt8(card.dropFirst(3)), number < 16, card == "eth\(number)" else {
            return nil
        }
        return number
    }

    private static func hexadecimal(_ value: UInt64, _ width: Int) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// FNV-1a, 64 bits: short, and the same everywhere, which Swift's own hashes are not.
    private static func fnv1a(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for octet in text.utf8 { hash = (hash ^ UInt64(octet)) &* 0x100_0000_01B3 }
        return hash
    }
}
